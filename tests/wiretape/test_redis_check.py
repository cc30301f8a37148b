"""What lint says of a call that could not be served."""

from __future__ import annotations

from typing import Any

import pytest

from wiretape.case import Call
from wiretape.protocols import codec

CODEC = codec("redis")
GOOD: list[tuple[str, dict[str, Any]]] = [
    ("GET k", {"reply": "v"}),
    ("SET k", {"args": ["v", "EX", 10], "reply": "OK", "db": 2}),
    ("EVAL k", {"script": "return 1", "reply": 1}),
    ("EVALSHA", {"sha": "abc", "error": "ERR x"}),
    ("MULTI", {}),
    ("EXEC", {"reply": None}),
    ("message", {"channel": "c", "message": "m"}),
    ("invalidate", {"keys": None}),
    ("NOSUCH", {"error": "ERR a\nb", "as": "blob error"}),
]
BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ('GET "k', {"reply": "v"}, "operation", "a quote is not closed"),
    ("", {}, "operation", "is no command"),
    ("GET k", {"reply": "v", "replay": 1}, "replay", "no such field"),
    ("GET k", {"reply": "v", "error": "ERR"}, "error", "either a reply or an error"),
    ("GET k", {"error": "two\nlines"}, "error", "one line"),
    ("GET k", {"error": 5}, "error", "one line"),
    ("GET k", {"reply": "v", "db": -1}, "db", "number of a database"),
    ("GET k", {"reply": "v", "message": "m"}, "message", "only what the server sends unasked"),
    ("SET k", {"args": [True], "reply": "OK"}, "args[0]", "put it in quotes"),
    ("SET k", {"args": "v", "reply": "OK"}, "args", "a list"),
    ("SET k", {"args": ["v"], "reply": "two\nlines"}, "reply", "single line"),
    ("EVAL k", {"reply": 1}, "script", "needs script or sha"),
    ("FCALL k", {"reply": 1}, "function", "needs function"),
    ("ZSCORE z", {"args": ["a"], "reply": "much"}, "reply", "expected a number"),
    ("HGETALL h", {"reply": ["a"]}, "reply[0]", "expected a pair"),
    ("HGETALL h", {"reply": {"a": [1]}}, "reply.a", "expected a text or a number"),
    ("SMEMBERS s", {"reply": {"a": 1}}, "reply", "expected a list"),
    ("ZRANGE z", {"args": [0, -1, "WITHSCORES"], "reply": [["a", "x"]]}, "reply[0][1]", "expected a number"),
    ("NOSUCH", {"reply": [1], "as": ["integer", "bulk"]}, "as", "2 types for 1 items"),
    ("NOSUCH", {"reply": 1, "as": "number"}, "as", "does not name a type"),
    ("NOSUCH", {"reply": [1], "as": {"heap": [None]}}, "as", "expected one of"),
    ("message", {"message": "m"}, "channel", "needs channel, message"),
    ("message", {"channel": "c", "message": "m", "reply": 1}, "reply", "has no reply"),
    ("message", {"channel": 5, "message": "m"}, "channel", "expected a text"),
]


@pytest.mark.parametrize(("operation", "fields"), GOOD, ids=[operation for operation, _ in GOOD])
def test_what_can_be_served(operation: str, fields: dict[str, Any]) -> None:
    assert CODEC.check(Call(target="cache", operation=operation, fields=fields)) == []


@pytest.mark.parametrize(("operation", "fields", "path", "reason"), BAD, ids=[f"{bad[0]} {bad[3]}" for bad in BAD])
def test_what_cannot_be_served(operation: str, fields: dict[str, Any], path: str, reason: str) -> None:
    (problem,) = CODEC.check(Call(target="cache", operation=operation, fields=fields))
    assert problem.path == path
    assert reason in problem.reason
