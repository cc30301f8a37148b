"""What in a call could not be served, and what a call may say at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from wiretape.case import Call
from wiretape.errors import EncodeError
from wiretape.protocols.base import Problem
from wiretape.protocols.http.exchange import SWITCHING
from wiretape.protocols.http.forms import header_pairs, message, stored
from wiretape.tree import Tree

_OPERATION = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+ (?:/|\*|[a-z]+://)\S*")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PAIRS: dict[str, Tree] = {"type": ["object", "array"]}

SCHEMA: Mapping[str, Tree] = MappingProxyType(
    {
        "headers": {**_PAIRS, "description": "the request's headers that say what is asked"},
        "body": {"description": "what the request's body says: a JSON tree, a form's names and values, text, or bytes"},
        "response": {
            "type": "object",
            "description": "what the mock answers",
            "required": ["status"],
            "properties": {
                "status": {"type": "integer", "maximum": 999, "description": "0: the server hangs up"},
                "reason": {"type": "string"},
                "headers": _PAIRS,
                "trailers": _PAIRS,
                "unfinished": {"type": "boolean", "description": "a stream that does not end: the client leaves"},
                "body_style": {"type": "string"},
            },
        },
        "messages": {
            "type": "array",
            "description": "a WebSocket's messages, in order: `send: …` or `receive: …`",
            "items": {"type": "object"},
        },
    }
)


def check(call: Call, facts: Mapping[str, Tree] | None = None, /) -> list[Problem]:  # noqa: ARG001 - an answer depends on none
    """See wiretape.protocols.base.Check."""
    return [Problem(path=error.path, reason=error.reason) for error in _errors(call)]


def _errors(call: Call) -> Iterator[EncodeError]:
    for name in call.fields:
        if name not in SCHEMA:
            yield EncodeError(name, f"an HTTP call has no such field (it has: {', '.join(SCHEMA)})")
    if not _OPERATION.fullmatch(call.operation.strip()):
        yield EncodeError("", "an HTTP call is a method and a path, such as POST /charges")
    try:
        yield from _names(header_pairs(call.fields.get("headers"), "headers"), "headers")
    except EncodeError as error:
        yield error
    try:
        response = stored(call.fields.get("response")).response
    except EncodeError as error:
        yield error
    else:
        yield from _names(response.headers, "response.headers")
        yield from _names(response.trailers, "response.trailers")
        if 0 < response.status < 200 and response.status != SWITCHING:
            yield EncodeError("response.status", "a 1xx status ends no request")
        yield from _messages(call, switches=response.status == SWITCHING)


def _names(pairs: tuple[tuple[str, str], ...], path: str) -> Iterator[EncodeError]:
    for name, _ in pairs:
        if not _NAME.fullmatch(name):
            yield EncodeError(path, f"{name!r} cannot be the name of a header")


def _messages(call: Call, *, switches: bool) -> Iterator[EncodeError]:
    messages = call.fields.get("messages", [])
    if not isinstance(messages, list):
        yield EncodeError("messages", "expected a list of messages")
        return
    if messages and not switches:
        yield EncodeError("messages", "only a WebSocket (response.status 101) has messages")
    for index, one in enumerate(messages):
        try:
            message(one, f"messages[{index}]")
        except EncodeError as error:
            yield error
