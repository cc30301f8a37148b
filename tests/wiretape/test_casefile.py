"""Case files: what is written loads equal, what a person may write loads, and what is wrong is said with its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.wiretape.trees import cases, exact, headers
from wiretape.case import EMPTY, Body, Call, Case, Headers, Request, Response
from wiretape.casedump import case_text, pairs, session_text, suite_text
from wiretape.casefile import read_case, read_session, read_suite
from wiretape.errors import CaseFormatError, StoreError, UnsupportedVersion
from wiretape.store import load_case
from wiretape.tree import Number, Tree
from wiretape.yamlio import load

HEAD = "wiretape: 1\nrequest: {method: GET, path: /}\nresponse: {status: 200}\n"


def read(text: str, file: str = "cases/x.yaml") -> Case:
    return read_case(load(text.encode(), file)).sound(file)


def problems(text: str) -> list[str]:
    return [f"{one.line}:{one.column}: {one.reason}" for one in read_case(load(text.encode(), "x.yaml")).problems]


def whole(case: Case) -> object:
    """A case with its trees to the last detail, without where it was read."""
    strip = replace(
        case,
        path=None,
        calls=tuple(replace(call, line=0, fields={}) for call in case.calls),
        noise=tuple(replace(rule, line=0) for rule in case.noise),
        request=replace(case.request, body=replace(case.request.body, value=None)),
        response=replace(case.response, body=replace(case.response.body, value=None)),
        messages=tuple(replace(message, value=None) for message in case.messages),
    )
    bodies = [case.request.body.value, case.response.body.value]
    trees = [*(message.value for message in case.messages), *bodies, *(dict(call.fields) for call in case.calls)]
    return strip, [exact(tree) for tree in trees]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(cases)
def test_what_is_written_loads_equal(tmp_path: Path, case: Case) -> None:
    text, files = case_text(case, "stem")
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "stem.yaml").write_bytes(text.encode())
    assert whole(load_case(tmp_path / "stem.yaml")) == whole(case)


@given(headers)
def test_headers_keep_order_case_and_repetition(given: Headers) -> None:
    text = f"{HEAD}".replace("path: /", f"path: /, headers: {_flow(pairs(given))}")
    assert read(text).request.headers == given


def _flow(tree: Tree) -> str:
    from wiretape.yamldump import inline

    return inline(tree, flow=True)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ((("a", "1"), ("b", "2")), {"a": "1", "b": "2"}),
        ((("set-cookie", "x=1"), ("set-cookie", "y=2")), {"set-cookie": ["x=1", "y=2"]}),
        ((("a", "1"), ("b", "2"), ("a", "3")), [["a", "1"], ["b", "2"], ["a", "3"]]),
        ((("A", "1"), ("a", "2")), {"A": "1", "a": "2"}),
    ],
)
def test_headers_are_written_as_simply_as_they_can_be(given: Headers, written: Tree) -> None:
    assert pairs(given) == written


JSON = (("content-type", "application/json"),)
FORM = (("content-type", "application/x-www-form-urlencoded"),)
PAGE = (("content-type", "text/html"),)


@pytest.mark.parametrize(
    ("kind", "written", "body"),
    [
        (JSON, "body: {a: 1.50}", Body(kind="json", value={"a": Number("1.50")})),
        (JSON, "body: text", Body(kind="json", value="text")),
        (JSON, "body: null", Body(kind="json", value=None)),
        (JSON, "body_text: '{'", Body(kind="text", value="{")),
        (JSON, "body_style: x\n  body: 1", Body(kind="json", value=1, style="x")),
        (FORM, "body: {a: 1, b: two}", Body(kind="form", value=[["a", "1"], ["b", "two"]])),
        (FORM, "body: [[a, x], [b, y], [a, z]]", Body(kind="form", value=[["a", "x"], ["b", "y"], ["a", "z"]])),
        (FORM, "body: a", Body(kind="text", value="a")),
        (PAGE, "body: <p>", Body(kind="text", value="<p>")),
        (PAGE, "body: {a: 1}", Body(kind="json", value={"a": 1})),
        (PAGE, "body_json: text", Body(kind="json", value="text")),
        (PAGE, "body_form: {a: b}", Body(kind="form", value=[["a", "b"]])),
        (PAGE, "body_base64: AAE=", Body(kind="binary", value=b"\0\1")),
        (PAGE, "body: !!binary AAE=", Body(kind="binary", value=b"\0\1")),
        (PAGE, "body: x\n  body_raw: AAE=", Body(kind="text", value="x", raw=b"\0\1")),
        ((), "", EMPTY),
    ],
)
def test_the_forms_a_body_may_take(kind: Headers, written: str, body: Body) -> None:
    head = "".join(f"  headers: {{{name}: {value}}}\n" for name, value in kind)
    case = read(f"wiretape: 1\nrequest: {{method: GET, path: /}}\nresponse:\n  status: 200\n{head}  {written}\n")
    assert case.response.body.kind == body.kind
    assert exact(case.response.body.value) == exact(body.value)
    assert (case.response.body.style, case.response.body.raw) == (body.style, body.raw)


def test_big_bodies_live_beside_the_case() -> None:
    case = Case(
        name="x",
        request=Request(method="PUT", target="/", body=Body(kind="binary", value=b"text though" * 100)),
        response=Response(status=200, body=Body(kind="text", value="ä" * 10_000)),
    )
    text, files = case_text(case, "x")
    assert "body_file: x.request.bin" in text
    assert "body_file: x.response.txt" in text
    assert files == {"x.request.bin": b"text though" * 100, "x.response.txt": ("ä" * 10_000).encode()}


def test_a_case_takes_its_name_from_its_file() -> None:
    case = read(HEAD, "cases/get-root.yaml")
    assert (case.name, case.path) == ("get-root", Path("cases/get-root.yaml"))


def test_calls_and_noise_know_their_lines() -> None:
    case = read(HEAD + "calls:\n- main: begin\n- main: SELECT 1\n  rows:\n  - [1]\n  ambiguous: [a]\nnoise:\n- a.b: any\n")
    assert case.calls == (
        Call(target="main", operation="begin", line=5),
        Call(target="main", operation="SELECT 1", fields={"rows": [[1]]}, ambiguous=("a",), line=6),
    )
    assert [(rule.selector.text, rule.kind, rule.line) for rule in case.noise] == [("a.b", "any", 11)]


def test_numbers_and_booleans_stand_for_their_text_where_only_text_can_be_meant() -> None:
    case = read(
        "wiretape: 1\nname: 12\nrequest: {method: GET, path: /, headers: {a: 1, b: true, c: 1.50}}\n"
        "response: {status: 200, reason: 7}\n"
    )
    assert (case.name, case.response.reason) == ("12", "7")
    assert case.request.headers == (("a", "1"), ("b", "true"), ("c", "1.50"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["1:1: the file is empty; it starts with `wiretape: 1`"]),
        ("# nothing\n", ["1:1: the file is empty; it starts with `wiretape: 1`"]),
        ("- 1\n", ["1:1: the file must be a mapping, not a list"]),
        (HEAD.replace("wiretape: 1\n", ""), ["1:1: the format's version is missing; start the file with `wiretape: 1`"]),
        (HEAD.replace(": 1\n", ": '1'\n"), ["1:11: the format's version must be 1"]),
        (HEAD.replace(": 1\n", ": 2\n") + "new: 1\n", ["1:11: format version 2 is not one this wiretape reads (1)"]),
        (HEAD + "respones: {}\n", ["4:1: unknown key 'respones'; did you mean response?"]),
        (HEAD + "zzz: {}\n", [
            "4:1: unknown key 'zzz'; known: wiretape, name, recorded, first_recorded, attributed, incomplete, request, "
            "response, messages, calls, noise"
        ]),
        ("wiretape: 1\nrequest: {method: GET, path: /}\n", ["1:1: `response` is missing"]),
        (HEAD.replace("request:", "requst:"), ["2:1: unknown key 'requst'; did you mean request?"]),
        (HEAD.replace("path: /", "path: /, haeders: {}"), ["2:33: unknown key 'haeders'; did you mean headers?"]),
        (HEAD.replace("GET", "'GET IT'"), ["2:19: a request needs a method, one word such as GET"]),
        (HEAD.replace("path: /", "path: /a b"), ["2:30: a request needs a path without spaces, such as /orders?page=2"]),
        (HEAD.replace("200", "OK"), ["3:20: a response needs a status, a number such as 200"]),
        (HEAD.replace("200", "20"), ["3:20: a response needs a status, a number such as 200"]),
        (HEAD.replace("{status: 200}", "200"), ["3:11: `response` must be a mapping, not an integer"]),
        (HEAD.replace("200", "200, headers: {a: {b: c}, d: null}"), [
            "3:38: `a` must be a string, not a mapping",
            '3:49: `d` must be a string (write "" for an empty one), not empty',
        ]),
        (HEAD.replace("200", "200, headers: [[a, b], [c]]"), ["3:43: an entry of this list must be [name, value]"]),
        (HEAD.replace("200", "200, body: a, body_text: b"), ["3:34: a message has one body; body is here too"]),
        (HEAD.replace("200", "200, body_style: a"), ["3:25: body_style without a body"]),
        (HEAD.replace("200", "200, body_base64: '*'"), ["3:38: `body_base64` is not base64"]),
        (HEAD.replace("200", "200, body_file: none.txt"), [
            "3:36: cannot read none.txt beside this file: No such file or directory"
        ]),
        (HEAD.replace("200", "200, body_file: ../x"), ["3:36: `body_file` must be the name of a file beside this one"]),
        (HEAD + "calls: {main: x}\n", ["4:8: `calls` must be a list, not a mapping"]),
        (HEAD + "calls:\n- main\n- {}\n- ambiguous: [a]\n", [
            "5:3: `calls` must be a mapping, not a string",
            "5:3: a call starts with its target and operation, such as `main: SELECT …`",
            "6:3: a call starts with its target and operation, such as `main: SELECT …`",
            "7:3: a call starts with its target and operation, such as `main: SELECT …`",
        ]),
        (HEAD + "calls:\n- main: [x]\n", ["5:9: `main` must be a string, not a list"]),
        (HEAD + "noise:\n- response..x: any\n- a: [b]\n", [
            "5:3: cannot read selector 'response..x' at character 9",
            "6:6: `a` must be a string, not a list",
        ]),
    ],
)  # fmt: skip
def test_every_problem_is_found_with_its_place(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


def test_the_first_problem_is_raised() -> None:
    with pytest.raises(CaseFormatError, match=r"^x\.yaml:4:1: unknown key 'a'; known: ") as error:
        read(HEAD + "a: 1\nb: 1\n", "x.yaml")
    assert (error.value.line, error.value.column) == (4, 1)


def test_another_version_is_an_error_of_its_own() -> None:
    with pytest.raises(UnsupportedVersion, match=r"^x\.yaml:1:11: format version 2 is not one this wiretape reads \(1\)$"):
        read(HEAD.replace(": 1\n", ": 2\n"), "x.yaml")


def test_suite_and_session_files_round_trip() -> None:
    facts: dict[str, dict[str, Tree]] = {"main": {"version": "18.1", "types": {"16402": "mood"}}}
    noise = read(HEAD + "noise:\n- response.body.id: uuid\n").noise
    settings_ = read_suite(load(suite_text(facts, noise).encode())).sound("suite.yaml")
    assert settings_.facts == facts
    assert [(rule.selector.text, rule.kind) for rule in settings_.noise] == [("response.body.id", "uuid")]
    calls = (Call(target="main", operation="SELECT 1", fields={"rows": [[1]]}),)
    assert [replace(call, line=0) for call in read_session(load(session_text(calls).encode())).sound("s")] == list(calls)


def test_a_call_that_cannot_be_told_from_its_fields_is_not_written() -> None:
    with pytest.raises(StoreError, match="'rows' cannot be written: rows means something else"):
        session_text([Call(target="rows", operation="x", fields={"rows": []})])
