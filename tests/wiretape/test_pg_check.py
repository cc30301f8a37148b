"""What a call asks, what is wrong with one, and what connections tell of a server."""

from __future__ import annotations

import jsonschema
import pytest

from wiretape.case import Call
from wiretape.protocols import codec
from wiretape.tree import Number, Tree

CODEC = codec("postgres")
MOOD: dict[str, Tree] = {"types": {"mood": {"oid": 20000, "kind": "enum", "array": 20001}}}


def call(operation: str = "SELECT n", **fields: Tree) -> Call:
    return Call(target="main", operation=operation, fields=fields)


def test_literals_and_parameters_ask_the_same() -> None:
    written = CODEC.ask(call("select a from b where c = 5 and d = 'x' and e is null and f in (1, 2)"))
    bound = CODEC.ask(
        call("SELECT a FROM b WHERE c = $1 AND d = $2::text AND e IS NULL AND f IN ($3, $4)", params=[5, "x", 1, 2])
    )
    assert (written.shape, written.values) == (bound.shape, bound.values)
    assert bound.values == ("5", "x", "1", "2")


def test_parameters_are_text_whatever_stands_in_the_case() -> None:
    params: Tree = [True, Number("12.50"), None, b"\0\1", [1, 2], "x"]
    asked = CODEC.ask(
        call("SELECT $1, $2, $3, $4, $5, $6", params=params, param_types=["bool", "numeric", "int4", "bytea", "int4[]"])
    )
    assert asked.values == ("t", "12.5", None, "\\x0001", "{1,2}", "x")
    # bytes of a type that is not known stay what they are
    assert CODEC.ask(call("SELECT $1", params=[b"\0"])).values == (b"\0",)


@pytest.mark.parametrize(
    ("operation", "role", "writes"),
    [
        ("BEGIN", "begin", False),
        ("COMMIT", "end", True),
        ("SAVEPOINT a", "control", False),
        ("SET a = 1", "housekeeping", False),
        ("SELECT 1", "housekeeping", False),
        ("SELECT a FROM b", "query", False),
        ("BEGIN; INSERT INTO a VALUES (1); COMMIT", "query", True),
        ("BEGIN; SET TRANSACTION READ ONLY", "begin", False),
    ],
)
def test_roles(operation: str, role: str, writes: bool) -> None:
    asked = CODEC.ask(call(operation))
    assert (asked.role, asked.writes) == (role, writes)


@pytest.mark.parametrize(
    ("found", "path", "reason"),
    [
        (call(columns={"n": "int4"}, rows=[[1], ["abc"]]), "rows[1][0]", "abc"),
        (call(columns={"n": "int4"}, rows=[[1, 2]]), "rows[0]", "2 values for 1 columns"),
        (call(columns={"n": "int4"}, rows=[5]), "rows[0]", "no list of values for 1 columns"),
        (call(columns={"n": "int4"}, rows=5), "rows", "expected a list of rows"),
        (call(rows=[[1]]), "rows", "rows need columns"),
        (call(columns={"n": "nummeric"}, rows=[]), "columns.n", "did you mean numeric?"),
        (call(columns=[["n", "int4"], ["n"]], rows=[]), "columns[1]", "expected [name, type]"),
        (call(params=["x"], param_types=["int4"]), "params[0]", "x"),
        (call(params=5), "params", "expected a list"),
        (call(param_types="int4"), "param_types", "expected a list"),
        (call(error={"colour": "red"}), "error.colour", "no such field"),
        (call(error={"message": ["x"]}), "error.message", "expected text"),
        (call(notices=[{"message": "x"}, "y"]), "notices[1]", "expected a mapping"),
        (call(error={"message": "x"}, stage="early"), "stage", "is none of parse, bind, describe, execute, sync"),
        (call(row=[[1]]), "row", "no such field (it has: params,"),
        (call("SELECT 1; SELECT 2", results=[{}, {"columns": {"n": "int4"}, "rows": [["x"]]}]), "results[1].rows[0][0]", "x"),
        (call("SELECT 1; SELECT 2", results=[{}, {}, {}]), "results", "3 results of 2 statements"),
        (call(results=[{}]), "results", "this is one statement"),
    ],
)
def test_a_problem_has_its_place(found: Call, path: str, reason: str) -> None:
    problems = CODEC.check(found)
    assert [problem.path for problem in problems] == [path]
    assert reason in problems[0].reason


def test_types_of_the_database_are_judged_with_the_facts_only() -> None:
    moody = call(columns={"m": "mood", "ms": "mood[]"}, rows=[["sad", "{sad,ok}"]])
    assert CODEC.check(moody) == []
    assert CODEC.check(moody, MOOD) == []
    assert [problem.path for problem in CODEC.check(moody, {})] == ["columns.m"]


def test_dates_in_another_style_are_not_judged() -> None:
    dated = call(columns={"d": "date"}, rows=[["20/11/2026"]])
    assert [problem.path for problem in CODEC.check(dated)] == ["rows[0][0]"]
    assert CODEC.check(dated, {"parameters": {"DateStyle": "SQL, DMY"}}) == []


def test_broken_facts_are_a_problem() -> None:
    (problem,) = CODEC.check(call(), {"types": {"mood": 5}})
    assert "the facts of main in suite.yaml are wrong: types.mood" in problem.reason


def test_the_schema_is_one_and_fits() -> None:
    schema = {"type": "object", "properties": dict(CODEC.schema), "additionalProperties": False}
    jsonschema.Draft202012Validator.check_schema(schema)
    whole = call(
        params=[1, None], param_types=["int4", "text"], columns=[["n", "int4"]], rows=[[1]], tag="X 1",
        error={"message": "x", "position": 1},
        stage="bind", notices=[{"message": "y"}], parameters={"TimeZone": "UTC"}, suspended=True, results=[{"tag": "A"}],
        copy_in=[[1, None]], copy_out="text", copy_fail=True, described=True, cursor="SELECT 1", result=b"x",
        payload="x", notifications=[{"channel": "c"}],
    )  # fmt: skip
    validator = jsonschema.Draft202012Validator(schema)
    assert list(validator.iter_errors(dict(whole.fields))) == []
    assert set(CODEC.schema) == set(whole.fields)
    assert list(validator.iter_errors({"rows": 5}))


def test_facts_of_connections_come_together() -> None:
    one: dict[str, Tree] = {
        "server_version": "17", "tls": True, "parameters": {"a": "1", "b": "1"},
        "types": {"mood": {"oid": 1, "kind": "enum", "array": 2}, "gone": {"oid": 5}},
    }  # fmt: skip
    two: dict[str, Tree] = {
        "server_version": "18", "parameters": {"b": "2"},
        "types": {"mood": {"oid": 1, "kind": "enum"}, "gone": {"oid": 6, "kind": "base"}},
    }  # fmt: skip
    assert CODEC.merge_facts(one, two) == {
        "server_version": "18", "tls": True, "parameters": {"a": "1", "b": "2"},
        "types": {"mood": {"oid": 1, "kind": "enum", "array": 2}, "gone": {"oid": 6, "kind": "base"}},
    }  # fmt: skip
    assert CODEC.merge_facts({}, two) == two
    assert CODEC.merge_facts(two, {}) == two
