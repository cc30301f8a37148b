"""What lint says of a call that could not be served."""

from __future__ import annotations

from collections.abc import Mapping

import jsonschema
import pytest

from wiretape.case import Call
from wiretape.protocols.mongo.inspection import SCHEMA, check
from wiretape.tree import Tree


def problems(operation: str = "find shop.u", **fields: Tree) -> list[tuple[str, str]]:
    return [(one.path, one.reason) for one in check(Call(target="main", operation=operation, fields=fields))]


GOOD: tuple[Mapping[str, Tree], ...] = (
    {},
    {"query": {"filter": {"_id": {"$oid": "6b05804dd8efd8f3bd1c17cd"}}}, "found": [{"a": 1}, {}], "cursor": 5},
    {"documents": [{"a": b"x"}], "reply": {"n": 1}},
    {"updates": [{"q": {}, "u": {}}], "deletes": [], "error": {"code": 1, "errmsg": "x", "codeName": "y"}},
    {"cursor": 7, "found": [], "exhausted": True},
)


@pytest.mark.parametrize("fields", GOOD)
def test_a_call_that_can_be_served_has_no_problem(fields: dict[str, Tree]) -> None:
    assert problems(**fields) == []
    plain = {name: value for name, value in fields.items() if b"x" not in str(value).encode() or name == "error"}
    jsonschema.validate(plain, {"type": "object", "properties": dict(SCHEMA), "additionalProperties": False})


@pytest.mark.parametrize(
    ("fields", "path", "reason"),
    [
        ({"rows": []}, "rows", "a MongoDB call has no such field"),
        ({"query": []}, "query", "expected a document, a mapping"),
        ({"documents": {"a": 1}}, "documents", "expected a list of documents"),
        ({"documents": [1]}, "documents[0]", "expected a document, a mapping"),
        ({"query": {"filter": {"a.b": {"$oid": "x"}}}}, 'query.filter["a.b"]', "this is no $oid"),
        ({"found": {"a": 1}}, "found", "expected a list of documents"),
        ({"found": [{"a": 2**64}]}, "found[0].a", "does not fit in 64 bits"),
        ({"reply": 1}, "reply", "expected a document, a mapping"),
        ({"error": {"code": "x"}}, "error.code", "expected a number"),
        ({"error": {}, "found": []}, "error", "a call that failed found and replied nothing"),
        ({"error": {}, "reply": {}}, "error", "a call that failed found and replied nothing"),
        ({"cursor": "x"}, "cursor", "expected the number of a cursor"),
        ({"cursor": True}, "cursor", "expected the number of a cursor"),
        ({"cursor": -1}, "cursor", "expected the number of a cursor"),
        ({"exhausted": 1}, "exhausted", "expected true or false"),
    ],
)
def test_every_problem_is_said_with_its_place(fields: dict[str, Tree], path: str, reason: str) -> None:
    found = problems(**fields)
    assert [(where, reason in why) for where, why in found] == [(path, True)]


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        ("find", "a MongoDB call names the command and where it goes: `find shop.users`"),
        ("", "a MongoDB call names the command"),
        ("getMore shop.u", "a getMore needs the cursor"),
        ("find shop.u", ""),
        ("listCollections shop", ""),
        ("commitTransaction", ""),
    ],
)
def test_the_headline_names_command_and_place(operation: str, reason: str) -> None:
    found = problems(operation)
    assert [reason in why for _, why in found] == ([True] if reason else [])
