"""lint finds every problem of every file, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from wiretape.errors import StoreError
from wiretape.lint import lint

GOOD = """\
wiretape: 1
name: good
request: {method: GET, path: /, headers: {authorization: "${secret:alice}"}}
response:
  status: 200
  headers: {content-type: application/json, ETag: x}
  body: {id: 1, items: [{at: now}]}
calls:
- main: SELECT 1
  params: [1]
  columns: {one: int4}
  rows:
  - [1]
noise:
- response.body.items[].at: timestamp
- response.headers.etag: any
- calls[0].rows[0][0]: integer
"""
KINDS = ("timestamp", "any", "integer")
TARGETS = {"main": "postgres"}


def found(folder: Path, targets: dict[str, str] | None = TARGETS, **files: str) -> list[str]:
    for name, text in {"good": GOOD, **files}.items():
        (folder / (name.replace("_", ".") if "_" in name else f"{name}.yaml")).write_text(text)
    return [f"{one.file.name}:{one.line}:{one.column}: {one.severity}: {one.message}" for one in lint(folder, KINDS, targets)]


def test_nothing_wrong(tmp_path: Path) -> None:
    session = "wiretape: 1\ncalls:\n- main: SELECT 1\n"
    suite = "wiretape: 1\nnoise:\n- response.status: integer\n"
    assert found(tmp_path, session=session, suite=suite) == []


def test_no_suite(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"^there is no suite folder"):
        lint(tmp_path / "none", KINDS)
    with pytest.raises(StoreError, match=r"^no cases in"):
        lint(tmp_path, KINDS)


def test_every_file_is_looked_at_and_every_problem_is_told(tmp_path: Path) -> None:
    assert found(
        tmp_path,
        broken="a: [",
        empty="",
        newer=GOOD.replace(": 1", ": 2", 1),
        many=GOOD.replace("name: good", "nmae: many").replace("200", "OK").replace("path: /", "path: ''"),
        session="wiretape: 1\ncall: []\n",
        suite="wiretape: 1\nnoise:\n- response.body.nope: any\n- a..b: any\n",
        other_yml="x",
    ) == [
        "broken.yaml:2:1: error: not readable as YAML: "
        "a value is missing here; quote it if it starts with `,` `:` or a bracket",
        "empty.yaml:1:1: error: the file is empty; it starts with `wiretape: 1`",
        "many.yaml:2:1: error: unknown key 'nmae'; did you mean name?",
        "many.yaml:3:30: error: a request needs a path without spaces, such as /orders?page=2",
        "many.yaml:5:11: error: a response needs a status, a number such as 200",
        "newer.yaml:1:11: error: format version 2 is not one this wiretape reads (1)",
        "other.yml:0:0: warning: is not read; name it other.yaml",
        "session.yaml:2:1: error: unknown key 'call'; did you mean calls?",
        "suite.yaml:3:3: warning: response.body.nope names nothing in any case; correct or remove it",
        "suite.yaml:4:3: error: cannot read selector 'a..b' at character 2",
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("at: timestamp", "at: timestmap", "15:29: error: unknown noise kind 'timestmap'; did you mean timestamp?"),
        ("items[].at", "items[].nope",
            "15:3: warning: response.body.items[].nope names nothing in this case; correct or remove it"),
        ("headers.etag", "headers.nope",
            "16:3: warning: response.headers.nope names nothing in this case; correct or remove it"),
        ("- main", "- mian", "9:3: error: unknown target 'mian'; did you mean main?"),
        ("  rows:", "  rosw:", "12:3: error: unknown key of a postgres call 'rosw'; did you mean rows?"),
        ("one: int4", "one: int44", "11:18: error: columns.one: "),
        ("- [1]", "- [1, 2]", "13:5: error: rows[0]: "),
        ("- [1]", "- [x]", "13:6: error: rows[0][0]: "),
        ("{id: 1,", "{id: 'a ${HOME}',", "7:14: error: `${` is not `${secret:NAME}`; write `$${` for the text `${`"),
        ("  body: {", "  body_style: nonsense\n  body: {", "8:9: error: this body cannot be sent: "),
        ("  body: {id: 1, items: [{at: now}]}", "  body_file: nope", "7:14: error: cannot read nope beside this file: "),
    ],
)  # fmt: skip
def test_one_problem(tmp_path: Path, old: str, new: str, expected: str) -> None:
    lines = found(tmp_path, good=GOOD.replace(old, new, 1))
    assert any(line.startswith(f"good.yaml:{expected}") for line in lines), lines
    assert len(lines) == 1 or "rosw" in new or "nope" in new, lines


def test_what_looks_like_a_reference_in_a_body_file(tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_text("a ${HOME}")
    lines = found(
        tmp_path, None, good=GOOD.replace("body: {id: 1, items: [{at: now}]}", "body_file: big.txt").split("noise:")[0]
    )
    assert lines == ["good.yaml:7:14: error: `${` is not `${secret:NAME}`; write `$${` for the text `${`"]


def test_a_finding_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x")
    (tmp_path / "b.yml").write_text("")
    first, second = lint(tmp_path, KINDS)
    assert str(first) == f"{tmp_path}/a.yaml:1:1: the file must be a mapping, not a string"
    assert str(second) == f"{tmp_path}/b.yml: warning: is not read; name it b.yaml"


def test_two_cases_of_one_name(tmp_path: Path) -> None:
    assert found(tmp_path, later=GOOD) == ["later.yaml:2:7: error: the name 'good' is also that of good.yaml"]


def test_the_facts_tell_what_types_there_are(tmp_path: Path) -> None:
    good = GOOD.replace("one: int4", "one: mood").replace("- [1]", "- [happy]")
    suite = "wiretape: 1\nfacts: {main: {types: {}}}\n"
    assert found(tmp_path, good=good.replace("calls[0].rows[0][0]: integer", "response.status: any")) == []
    (line,) = found(tmp_path, good=good, suite=suite)
    assert line.startswith("good.yaml:11:18: error: columns.one: 'mood' is not a known type")


def test_without_targets_calls_are_not_held_to_a_protocol(tmp_path: Path) -> None:
    assert found(tmp_path, None, good=GOOD.replace("- main: SELECT 1", "- who: SELECT 1\n  knows: 1")) == []
