"""Noise rules in the files: written in place with their evidence, checked by lint, known to editors."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from normalizers.pipeline import NORMALIZERS
from wiretape.errors import CaseFormatError, StoreError
from wiretape.lint import lint
from wiretape.schema import case_schema
from wiretape.store import add_noise, load_case, load_suite
from wiretape.tree import Tree

CASE = """\
# by hand
wiretape: 1
name: one
request: {method: GET, path: /}   # the home page
response:
  status: 200
  headers: {content-type: application/json}
  body: {a: 1, b: [x, y]}
calls:
- main: SELECT 1
"""
RULES = [("response.body.a", "within 0.01", "3 runs: 1, 2, 3"), ("response.body.b", "unordered", "3 runs: [x, y] | [y, x]")]
ADDED = """\
- response.body.a: within 0.01  # 3 runs: 1, 2, 3
- response.body.b: unordered  # 3 runs: [x, y] | [y, x]
"""


@pytest.fixture
def case(tmp_path: Path) -> Path:
    path = tmp_path / "one.yaml"
    path.write_text(CASE)
    return path


def test_rules_come_last_with_their_evidence(case: Path) -> None:
    add_noise(case, RULES)
    assert case.read_text() == CASE + "noise:\n" + ADDED
    assert [(rule.selector.text, rule.kind) for rule in load_case(case).noise] == [rule[:2] for rule in RULES]


def test_rules_that_are_there_stay_with_their_comments(case: Path) -> None:
    before = CASE.replace("calls:", "noise:\n# because\n- response.body.c: any   # why\ncalls:")
    case.write_text(before)
    add_noise(case, RULES)
    assert case.read_text() == before.replace("# why\n", "# why\n" + ADDED)


def test_a_rule_that_yaml_must_quote(case: Path) -> None:
    add_noise(case, [('response.headers["x y"]', 'like W/"{6 hex}" # {2 digits}: x', "3 runs: a # b: c")])
    (rule,) = load_case(case).noise
    assert (rule.selector.steps, rule.kind) == (("response", "headers", "x y"), 'like W/"{6 hex}" # {2 digits}: x')
    assert case.read_text().rstrip().endswith("  # 3 runs: a # b: c")


def test_lines_of_windows_stay_so(case: Path) -> None:
    case.write_bytes(CASE.replace("\n", "\r\n").encode())
    add_noise(case, RULES)
    assert case.read_bytes() == (CASE + "noise:\n" + ADDED).replace("\n", "\r\n").encode()


def test_rules_within_brackets(case: Path) -> None:
    case.write_text(CASE + "noise: [{response.body.c: any}]\n")
    add_noise(case, RULES)
    assert [rule.kind for rule in load_case(case).noise] == ["any", "within 0.01", "unordered"]


def test_a_suite_file_need_not_be_there_yet(case: Path) -> None:
    add_noise(case.parent / "suite.yaml", RULES)
    assert (case.parent / "suite.yaml").read_text() == "wiretape: 1\nnoise:\n" + ADDED
    assert len(load_suite(case.parent).noise) == 2


def test_nothing_is_written_that_could_not_be_read(case: Path) -> None:
    with pytest.raises((StoreError, CaseFormatError)):
        add_noise(case, [("response..body", "any", "")])
    assert case.read_text() == CASE


def found(case: Path, *rules: str) -> list[str]:
    case.write_text(CASE + "noise:\n" + "".join(f"- {rule}\n" for rule in rules))
    return [one.message for one in lint(case.parent, NORMALIZERS, {"main": "postgres"})]


def test_lint_knows_the_kinds(case: Path) -> None:
    assert found(case, "response.body.a: within 5%", "response.body.b: unordered by id", "response.body.b: like {2 hex}") == []
    assert found(case, "response.body.a: within a bit") == [
        "noise kind 'within a bit' cannot be read; write it as `within 0.01` or `within 5%`"
    ]
    assert found(case, "response.body.a: timestamp later") == [
        "noise kind 'timestamp later' cannot be read; write it as `timestamp %d/%m/%Y %H:%M:%S`"
    ]
    (unknown,) = found(case, "response.body.a: conter")
    assert unknown.startswith("unknown noise kind 'conter'; did you mean counter?")


def test_lint_knows_what_need_not_be_there(case: Path) -> None:
    assert found(case, "response.body.hint: optional integer", "calls[0].values[3]: any") == []
    assert found(case, "response.body.hint: integer", "calls[1].values[0]: any") == [
        "response.body.hint names nothing in this case; correct or remove it",
        "calls[1].values[0] names nothing in this case; correct or remove it",
    ]


@pytest.mark.parametrize("kind", [*NORMALIZERS, "within 0.01", "within 5%", "unordered by id", "like a", "optional uuid"])
def test_editors_take_every_kind(kind: str) -> None:
    check(kind)


@pytest.mark.parametrize("kind", ["", "Counter", "within", "like", "unordered by", "optional ", "timestamp x"])
def test_editors_refuse_what_is_no_kind(kind: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        check(kind)


def check(kind: str) -> None:
    schema: dict[str, Tree] = case_schema({})
    properties = schema["properties"]
    assert isinstance(properties, dict)
    jsonschema.validate([{"response.body": kind}], properties["noise"])  # type: ignore[arg-type]
