"""Suites on disk."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from wiretape.case import Body, Call, Case, Request, Response
from wiretape.casedump import case_text
from wiretape.errors import CaseFormatError, StoreError, UnsupportedVersion
from wiretape.store import add_to_suite, edit, load_case, load_suite, rewrite

CASE = """\
wiretape: 1
name: one   # its name
recorded: 2026-11-20T10:00:01Z
request: {method: GET, path: /}
response:
  status: 200   # fine
  headers: {content-type: application/json}
  body: {a: 1, total: '39.80'}   # the body
calls:
- main: SELECT 1
  rows:
  - [1]   # one row
"""


def a_case(name: str = "get-orders", **more: object) -> Case:
    body = Body(kind="json", value={"a": 1})
    headers = (("content-type", "application/json"),)
    request, response = Request(method="GET", target="/orders"), Response(status=200, headers=headers, body=body)
    return replace(Case(name=name, request=request, response=response), **more)  # type: ignore[arg-type]


def select(text: str = "SELECT 1", **more: object) -> Call:
    return replace(Call(target="main", operation=text, fields={"rows": [[1]]}), **more)  # type: ignore[arg-type]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "one.yaml"
    path.write_text(CASE)
    return path


def test_a_suite_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"^there is no suite folder .*/none; record one with `wiretape record`$"):
        load_suite(tmp_path / "none")


def test_a_suite_that_is_empty(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text("wiretape: 1\n")
    with pytest.raises(StoreError, match=r"^no cases in .*; record some with `wiretape record`$"):
        load_suite(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "kind", "message"),
    [
        ("b.yaml", "a: [", CaseFormatError, r"/b\.yaml:\d+:\d+: not readable as YAML: "),
        ("b.yaml", "", CaseFormatError, r"/b\.yaml:1:1: the file is empty"),
        ("b.yaml", CASE.replace(": 1\n", ": 7\n", 1), UnsupportedVersion, r"/b\.yaml:1:11: format version 7 "),
        ("b.yaml", CASE + "x: 1\n", CaseFormatError, r"/b\.yaml:13:1: unknown key 'x'; known: "),
        ("suite.yaml",
            "wiretape: 1\nfact: {}\n", CaseFormatError, r"/suite\.yaml:2:1: unknown key 'fact'; did you mean facts\?"),
        ("session.yaml",
            "wiretape: 1\ncalls: 3\n", CaseFormatError, r"/session\.yaml:2:8: `calls` must be a list, not an integer"),
    ],
)  # fmt: skip
def test_a_file_at_fault_is_never_passed_over(file: Path, name: str, text: str, kind: type[Exception], message: str) -> None:
    (file.parent / name).write_text(text)
    with pytest.raises(kind, match=message):
        load_suite(file.parent)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "dir.yaml").mkdir()
    with pytest.raises(StoreError, match=r"^cannot read .*dir\.yaml: Is a directory$"):
        load_suite(tmp_path)


def test_what_is_added_is_loaded_in_the_order_it_was_recorded(tmp_path: Path) -> None:
    root = tmp_path / "new" / "suite"
    cases = [a_case("b", recorded="2026-01-02T00:00:00Z"), a_case("c", recorded="2026-01-01T00:00:00Z")]
    written = add_to_suite(root, cases, [select()], {"main": {"version": "18"}})
    assert [path.name for path in written] == ["b.yaml", "c.yaml"]
    suite = load_suite(root)
    assert [case.name for case in suite.cases] == ["c", "b"]
    assert [replace(call, line=0) for call in suite.session] == [select()]
    assert suite.facts == {"main": {"version": "18"}}
    assert [replace(case, path=None) for case in suite.cases] == cases[::-1]


def test_no_file_is_ever_overwritten(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "Get-Orders-2.yaml").write_text(CASE)
    (tmp_path / "get-orders.yaml").write_text("mine")
    calls = (select(ambiguous=("get-orders", "other")),)
    written = add_to_suite(tmp_path, [a_case(), a_case(calls=calls), a_case("../suite"), a_case("…")], [], {})
    assert [path.name for path in written] == ["get-orders-3.yaml", "get-orders-4.yaml", "suite-2.yaml", "case.yaml"]
    assert (tmp_path / "get-orders.yaml").read_text() == "mine"
    assert load_case(written[1]).name == "get-orders-4"
    assert load_case(written[1]).calls[0].ambiguous == ("get-orders-3", "other")


def test_bodies_in_files_go_with_their_case(tmp_path: Path) -> None:
    big = replace(a_case(), response=Response(status=200, body=Body(kind="binary", value=bytes(range(256)) * 8)))
    (path,) = add_to_suite(tmp_path, [big], [], {})
    assert (tmp_path / "get-orders.response.bin").read_bytes() == bytes(range(256)) * 8
    assert replace(load_case(path), path=None) == big


def test_session_and_facts_are_added_to_without_touching_the_rest(tmp_path: Path) -> None:
    add_to_suite(tmp_path, [a_case()], [select("A"), select("B"), select("A", attributed="x")], {"main": {"v": "1"}, "old": {}})
    for name in ("session.yaml", "suite.yaml"):
        (tmp_path / name).write_text("# mine\n" + (tmp_path / name).read_text())
    with (tmp_path / "suite.yaml").open("a") as out:
        out.write("noise:\n- response.body.id: uuid   # always new\n")
    add_to_suite(tmp_path, [], [select("B"), select("C")], {"main": {"v": "2"}, "cache": {"v": "3"}})
    suite = load_suite(tmp_path)
    assert [call.operation for call in suite.session] == ["A", "B", "C"]
    assert suite.facts == {"main": {"v": "2"}, "old": {}, "cache": {"v": "3"}}
    assert (tmp_path / "session.yaml").read_text().startswith("# mine\n")
    assert "uuid   # always new\n" in (tmp_path / "suite.yaml").read_text()


def test_an_edit_changes_just_what_it_should(file: Path) -> None:
    edit(file, {"response.body.total": "40", "calls[0].rows[0][0]": 2, "response.status": 201})
    assert file.read_text() == CASE.replace("'39.80'", "'40'").replace("[1]   #", "[2]   #").replace("200   #", "201   #")


def test_an_edit_may_name_many_places_and_new_ones(file: Path) -> None:
    edit(file, {"calls[].rows[][]": "x", "response.body.new": [1]})
    case = load_case(file)
    assert case.calls[0].fields == {"rows": [["x"]]}
    assert case.response.body.value == {"a": 1, "total": "39.80", "new": [1]}


def test_an_edit_finds_the_body_whatever_its_key(file: Path) -> None:
    file.write_text(CASE.replace("body: {a: 1, total: '39.80'}", "body_json: {a: 1}\n  body_raw: AAE="))
    edit(file, {"response.body.a": 2})
    assert load_case(file).response.body == Body(kind="json", value={"a": 2})


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ({"response.nothing.here": 1}, "there is nothing at response.nothing.here"),
        ({"calls[7].rows": []}, r"there is nothing at calls\[7\].rows"),
        ({"a..b": 1}, "cannot read selector"),
        ({"response.status": "OK"}, "a response needs a status"),
        ({"unknown": 1}, "unknown key 'unknown'"),
    ],
)
def test_an_edit_that_would_harm_is_refused(file: Path, edits: dict[str, object], message: str) -> None:
    with pytest.raises(StoreError, match=message):
        edit(file, edits)  # type: ignore[arg-type]
    assert file.read_text() == CASE


def test_a_rewrite_keeps_comments_and_all_that_is_the_same(file: Path) -> None:
    case = load_case(file)
    body = replace(case.response.body, kind="text", value="gone")
    rewrite(file, replace(case, response=replace(case.response, status=500, body=body)))
    assert file.read_text() == CASE.replace("200   #", "500   #").replace(
        "  body: {a: 1, total: '39.80'}   # the body\n", "  body_text: gone\n"
    )
    assert load_case(file).response.body == body


def test_an_edited_file_keeps_its_permissions_and_leaves_nothing_behind(file: Path) -> None:
    file.chmod(0o640)
    edit(file, {"response.status": 201})
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in file.parent.iterdir()] == ["one.yaml"]


def test_a_link_stays_one(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "sub"
    link.mkdir()
    (link / "two.yaml").symlink_to(file)
    edit(link / "two.yaml", {"response.status": 201})
    assert (link / "two.yaml").is_symlink()
    assert load_case(file).response.status == 201


def test_a_thousand_cases_load_quickly(tmp_path: Path) -> None:
    rows = [[number, f"name {number}", "39.80", "2026-11-20 10:00:00.123+00"] for number in range(5)]
    call = Call(
        target="main",
        operation="SELECT id, name, total, created_at FROM orders WHERE account = $1 AND status = $2 ORDER BY id LIMIT $3",
        fields={"params": [7, "open", 5], "columns": {"id": "int4", "name": "text", "total": "numeric"}, "rows": rows},
    )
    body = Body(kind="json", value={"items": [{"id": row[0], "name": row[1], "total": row[2]} for row in rows], "next": None})
    headers = tuple((f"x-header-{number}", f"value {number}") for number in range(8))
    case = a_case(calls=(select("begin"), call, call, select("commit")))
    case = replace(case, response=replace(case.response, headers=(*headers, *case.response.headers), body=body))
    for number in range(1000):
        (tmp_path / f"case-{number}.yaml").write_text(case_text(replace(case, name=f"case-{number}"), "x")[0])
    start = time.process_time()
    suite = load_suite(tmp_path)
    elapsed = time.process_time() - start
    assert len(suite.cases) == 1000
    assert elapsed < 2
