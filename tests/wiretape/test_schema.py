"""The published schemas accept what wiretape writes and reject the keys that reading rejects."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from tests.wiretape.trees import cases
from wiretape.case import Call, Case
from wiretape.casedump import case_text, session_text, suite_text
from wiretape.casefile import read_case
from wiretape.config import Config, Recording, Service, Target
from wiretape.schema import SCHEMAS
from wiretape.tree import Tree
from wiretape.yamlio import load

TARGETS = {"main": "postgres", "other": "postgres"}
CASE = """\
wiretape: 1
name: post-orders
request: {method: POST, path: /orders, headers: {content-type: application/json}, body: {sku: A1}}
response: {status: 201, headers: [[a, b], [c, d], [a, e]], body_text: ok}
calls:
- main: begin
- main: SELECT id, total FROM orders WHERE a = $1
  params: [1]
  param_types: [int4]
  columns: {id: int4, total: "numeric(10,2)"}
  rows:
  - [17, 12.50]
  - [18, null]
  attributed: transaction
- other: INSERT INTO x VALUES (1)
  error: {severity: ERROR, code: "23505", message: duplicate, position: 3}
  stage: execute
  ambiguous: [get-orders]
noise:
- response.body.id: integer
"""


def errors(kind: str, document: Tree, targets: dict[str, str]) -> list[str]:
    schema: Any = SCHEMAS[kind](targets)
    Draft202012Validator.check_schema(schema)
    return [error.message for error in Draft202012Validator(schema).iter_errors(_as_json(document))]


def _as_json(tree: Tree) -> Any:
    """What an editor sees: it knows no bytes."""
    if isinstance(tree, dict):
        return {key: _as_json(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_as_json(value) for value in tree]
    return tree.decode("latin-1") if isinstance(tree, bytes) else tree


def value(text: str) -> Tree:
    return load(text.encode()).value


@pytest.mark.parametrize("targets", [{}, {"main": "postgres", "other": "postgres"}])
def test_a_case_is_accepted(targets: dict[str, str]) -> None:
    assert errors("case", value(CASE), targets) == []


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases)
def test_what_is_written_is_accepted(case: Case) -> None:
    case = replace(case, calls=tuple(replace(call, fields={}) for call in case.calls))
    text, _ = case_text(case, "x")
    assert errors("case", value(text), {}) == []


def test_suite_session_and_config_are_accepted() -> None:
    assert errors("suite", value(suite_text({"main": {"version": "18"}})), {}) == []
    call = Call(target="main", operation="SELECT 1", fields={"columns": {"?column?": "int4"}, "rows": [[1]]})
    assert errors("session", value(session_text([call])), TARGETS) == []
    config = """\
wiretape: 1
suite: suite
service: {url: http://127.0.0.1:8000, listen: 127.0.0.1:9000, ready: /health, ready_timeout: 5, command: [a, b], env: {A: 1}}
targets:
  main: {protocol: postgres, listen: 15432, upstream: 127.0.0.1:5432, tls: auto, certificate: x.pem, user: a, password: b}
record: {serialize: true, sample: 0.5, include: [GET], exclude: /x, max_body: 1MiB}
"""
    assert errors("config", value(config), {}) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name:", "nmae:"),
        ("method:", "mehtod:"),
        ("status: 201", "status: 201, statsu: 1"),
        ("body_text:", "body_txt:"),
        ("status: 201", "status: OK"),
        ("status: 201", "status: 2010"),
        ("noise:\n- response.body.id: integer", "noise: {a: b}"),
        ("wiretape: 1", "wiretape: 2"),
        ("path: /orders, ", ""),
        ("headers: {content-type: application/json}", "headers: {content-type: {a: b}}"),
    ],
)
def test_what_reading_rejects_the_schema_rejects(old: str, new: str) -> None:
    wrong = load(CASE.replace(old, new, 1).encode())
    assert read_case(wrong).problems
    assert errors("case", wrong.value, {})


@pytest.mark.parametrize(
    ("old", "new"), [("rows:", "row:"), ("main: begin", "mian: begin"), ("stage: execute", "stage: never"), ("code:", "cod:")]
)
def test_with_the_targets_known_calls_are_held_to_their_protocol(old: str, new: str) -> None:
    assert errors("case", value(CASE.replace(old, new, 1)), TARGETS)


@pytest.mark.parametrize(("kind", "text"), [("suite", "fcats: {}"), ("session", "clals: []"), ("config", "targts: {}")])
def test_unknown_keys_of_the_other_files_are_rejected(kind: str, text: str) -> None:
    assert errors(kind, value(f"wiretape: 1\n{text}\n"), {})


def test_the_config_schema_knows_every_option() -> None:
    properties: Any = SCHEMAS["config"]({})["properties"]
    assert {*properties} == {"wiretape", *(one.name for one in fields(Config))} - {"file", "home"}
    for part, known in (("service", Service), ("record", Recording)):
        assert {*properties[part]["properties"]} == {one.name for one in fields(known)}
    target = properties["targets"]["additionalProperties"]["properties"]
    assert {*target} == {one.name for one in fields(Target)} - {"name", "secure", "via"}
