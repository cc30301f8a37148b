"""What lint says of a call that could not be served."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from wiretape.case import Call
from wiretape.protocols import codec
from wiretape.tree import Tree

CODEC = codec("mysql")


def problems(operation: str = "SELECT a FROM t", **fields: Tree) -> list[str]:
    return [f"{one.path}: {one.reason}" for one in CODEC.check(Call(target="main", operation=operation, fields=fields))]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"affected": 1, "last_insert_id": 2, "info": "x", "warnings": 1},
        {"columns": {"a": "int", "b": "json"}, "rows": [[1, {"x": 1}], [None, None]], "params": [1, None, "x"]},
        {"columns": [["a", "int"], ["a", "varchar(3) not null"]], "rows": [[1, "x"]], "tables": ["t", "u"]},
        {"error": {"code": 1062, "state": "23000", "message": "no"}, "stage": "prepare"},
        {"warnings": [{"level": "Note", "code": 1, "message": "x"}]},
        {"results": [{"affected": 1}, {"columns": {"a": "int"}, "rows": [[1]]}], "database": "other"},
    ],
)
def test_what_is_right(fields: dict[str, Tree]) -> None:
    assert problems(**fields) == []
    validator = Draft202012Validator({"type": "object", "properties": dict(CODEC.schema), "additionalProperties": False})
    assert [error.message for error in validator.iter_errors(fields)] == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"colums": {}}, "colums: a MySQL call has no such field (it has: params, database, "),
        ({"columns": {"a": "nit"}, "rows": []}, "columns[\"a\"]: 'nit' is not a known type; did you mean int?"),
        ({"columns": [["a", "int"], ["b"]]}, "columns[1]: expected [name, type]"),
        ({"columns": {"a": "int"}, "rows": [[1, 2]]}, "rows[0]: 2 values for 1 columns"),
        ({"columns": {"a": "int"}, "rows": [["x"]]}, "rows[0][0]: x is not int: write a whole number that fits"),
        ({"columns": {"a": "int"}, "rows": {}}, "rows: expected a list of rows"),
        ({"rows": [[1]]}, "rows: rows need columns: say their names and types"),
        ({"columns": {"a": "int"}, "tables": ["t", "u"]}, "tables: expected the tables of 1 columns"),
        ({"affected": -1}, "affected: -1 is not a whole number"),
        ({"last_insert_id": "x"}, "last_insert_id: 'x' is not a whole number"),
        ({"warnings": "many"}, "warnings: expected how many there are"),
        ({"error": "no"}, "error: expected a mapping such as"),
        ({"error": {"code": 99999}}, "error.code: 99999 is not an error number: from 0 to 65535"),
        ({"error": {"code": "x"}}, "error.code: 'x' is not a number"),
        ({"error": {"code": 1, "state": "x"}}, "error.state: 'x' is not an SQLSTATE: five capitals or digits"),
        ({"error": {"cod": 1}}, "error.cod: an error has no such field (it has: code, state, message)"),
        ({"stage": "parse"}, "stage: 'parse' is none of prepare, execute"),
        ({"params": 1}, "params: expected a list"),
        ({"results": [{"columns": {"a": "int"}, "rows": [[1], ["x"]]}]}, "results[0].rows[1][0]: x is not int"),
        ({"results": [3]}, "results[0]: expected a mapping with columns and rows"),
    ],
)
def test_what_is_wrong(fields: dict[str, Tree], expected: str) -> None:
    found = problems(**fields)
    assert len(found) == 1
    assert found[0].startswith(expected)
