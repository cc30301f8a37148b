"""Whether a call can be served: what lint and the mock ask before a run; and the JSON Schema of a call's fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from wiretape.case import Call
from wiretape.errors import EncodeError
from wiretape.protocols.base import Problem
from wiretape.protocols.redis.asks import PUSHES, prepare
from wiretape.protocols.redis.layout import join, parts_of
from wiretape.protocols.redis.responder import reply
from wiretape.tree import Tree

_SCALAR: Tree = {"type": ["string", "number"]}
SCHEMA: Mapping[str, Tree] = MappingProxyType(
    {
        "db": {"type": "integer", "minimum": 1, "description": "the database that was selected, where it is not 0"},
        "script": {"type": "string", "description": "the source of the script that is run"},
        "sha": {"type": "string", "description": "the digest of the script that is run, where its source was not seen"},
        "function": {"type": "string", "description": "the name of the function that is called"},
        "args": {"type": "array", "items": _SCALAR, "description": "the arguments besides the keys"},
        "reply": {"description": "the answer, as RESP3 would type it; it is served to RESP2 and RESP3 alike"},
        "as": {
            "type": ["string", "array", "object", "null"],
            "description": "the types of the reply where they are not the ones its command usually answers with",
        },
        "error": {"type": "string", "description": "the error that is the answer: WRONGTYPE Operation against …"},
        "stage": {"enum": ["queue"], "description": "the error kept the command from being queued in its transaction"},
        "attributes": {"description": "what the server said about the reply"},
        "pattern": {"type": "string", "description": "the pattern through which a message reached the client"},
        "channel": {"type": "string", "description": "the channel of a message"},
        "message": {"description": "what was published"},
        "keys": {"type": ["array", "null"], "description": "the keys that are no longer what they were; null: all"},
    }
)


def check(call: Call, facts: Mapping[str, Tree] | None = None, /) -> list[Problem]:  # noqa: ARG001 - they change nothing here
    """Everything in a call that could not be served, by place."""
    return [Problem(path=error.path, reason=error.reason) for error in _problems(call)]


def _problems(call: Call) -> Iterator[EncodeError]:
    for name in call.fields:
        if name not in SCHEMA:
            yield EncodeError(name, f"a Redis call has no such field (it has: {', '.join(SCHEMA)})")
    kind = call.operation.partition(" ")[0]
    if kind in PUSHES:
        yield from _pushed(call)
        return
    for name in ("message", "keys"):
        if name in call.fields:
            yield EncodeError(
                name, f"only what the server sends unasked has this; its operation begins with {', '.join(PUSHES)}"
            )
    db = call.fields.get("db", 0)
    if not isinstance(db, int) or isinstance(db, bool) or db < 0:
        yield EncodeError("db", "expected the number of a database")
    try:
        parts = parts_of(call)
    except EncodeError as error:
        yield error
        return
    if parts.command.layout == "script" and parts.script is None:
        wanted = "function" if parts.command.name.startswith("FCALL") else "script or sha"
        yield EncodeError(wanted.partition(" ")[0], f"{parts.command.name} needs {wanted}")
    yield from _answer(call)


def _pushed(call: Call) -> Iterator[EncodeError]:
    names = PUSHES[call.operation]
    for name in names:
        if name not in call.fields:
            yield EncodeError(name, f"a {call.operation} needs {', '.join(names)}")
    for name in call.fields:
        if name in SCHEMA and name not in names:
            yield EncodeError(name, f"a {call.operation} has no {name}")
    for name in ("pattern", "channel"):
        if not isinstance(call.fields.get(name, ""), str | bytes):
            yield EncodeError(name, "expected a text")


def _answer(call: Call) -> Iterator[EncodeError]:
    if "error" in call.fields and "reply" in call.fields:
        yield EncodeError("error", "either a reply or an error, not both")
    error = call.fields.get("error", "ERR")
    if not isinstance(error, str) or (("\n" in error or "\r" in error) and call.fields.get("as") != "blob error"):
        yield EncodeError("error", "expected the error in one line")
        return
    try:
        prepared = prepare(call.target, join(parts_of(call)), 0)
        for protocol in (2, 3):
            reply(call, prepared, protocol)
    except EncodeError as problem:
        yield problem
