"""Whether a call can be served: what lint and the mock ask before a run; and the JSON Schema of a call's fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from wiretape.case import Call
from wiretape.errors import EncodeError
from wiretape.protocols.base import Problem
from wiretape.protocols.mongo import documents
from wiretape.protocols.mongo.commands import SEQUENCES, role
from wiretape.tree import Tree

_DOCUMENT: Tree = {
    "type": "object",
    "description": "a document: plain scalars, and {$oid: …}, {$date: …}, {$numberLong: …}, {$numberDecimal: …}, {$uuid: …} …",
}
_DOCUMENTS: Tree = {"type": "array", "items": _DOCUMENT}
SCHEMA: Mapping[str, Tree] = MappingProxyType(
    {
        "query": {"type": "object", "description": "what the command says besides its name: filter, sort, limit, pipeline …"},
        "documents": _DOCUMENTS,
        "updates": {**_DOCUMENTS, "description": "each with its query q and its update u"},  # type: ignore[dict-item]
        "deletes": {**_DOCUMENTS, "description": "each with its query q and a limit: 1, or 0 for all"},  # type: ignore[dict-item]
        "found": {**_DOCUMENTS, "description": "the documents of the result, of all batches"},  # type: ignore[dict-item]
        "reply": {"type": "object", "description": "what else the server replied, without ok"},
        "error": {"type": "object", "description": "the failure: code, codeName, errmsg"},
        "cursor": {
            "type": "integer",
            "description": "the cursor asked for more; of any other call: the cursor it left open, as there was more to be had",
        },
        "exhausted": {"type": "boolean", "description": "these were the cursor's last documents"},
    }
)


def check(call: Call, facts: Mapping[str, Tree] | None = None, /) -> list[Problem]:  # noqa: ARG001 - nothing depends on them
    """Everything in a call that could not be served, by place."""
    return [Problem(path=error.path, reason=error.reason) for error in _errors(call)]


def _errors(call: Call) -> Iterator[EncodeError]:
    fields = call.fields
    for name in fields:
        if name not in SCHEMA:
            yield EncodeError(name, f"a MongoDB call has no such field (it has: {', '.join(SCHEMA)})")
    name, _, place = call.operation.partition(" ")
    if not name or not (place or role(name) == "end"):
        yield EncodeError("", "a MongoDB call names the command and where it goes: `find shop.users`")
    if name == "getMore" and "cursor" not in fields:
        yield EncodeError("", "a getMore needs the cursor it asks of")
    yield from _asked(fields)
    yield from _told(fields)
    cursor = fields.get("cursor", 0)
    if not isinstance(cursor, int) or isinstance(cursor, bool) or not 0 <= cursor < 2**63:
        yield EncodeError("cursor", "expected the number of a cursor")
    if "exhausted" in fields and not isinstance(fields["exhausted"], bool):
        yield EncodeError("exhausted", "expected true or false")


def _asked(fields: Mapping[str, Tree]) -> Iterator[EncodeError]:
    query = fields.get("query", {})
    yield from _document(query, "query")
    for name in SEQUENCES.values():
        items = fields.get(name, [])
        if not isinstance(items, list):
            yield EncodeError(name, "expected a list of documents")
            continue
        for index, item in enumerate(items):
            yield from _document(item, f"{name}[{index}]")


def _document(value: Tree, path: str) -> Iterator[EncodeError]:
    if not isinstance(value, Mapping):
        yield EncodeError(path, "expected a document, a mapping")
        return
    try:
        documents.write(value, path)
    except EncodeError as error:
        yield error


def _told(fields: Mapping[str, Tree]) -> Iterator[EncodeError]:
    found = fields.get("found", [])
    if isinstance(found, list):
        for index, item in enumerate(found):
            yield from _document(item, f"found[{index}]")
    else:
        yield EncodeError("found", "expected a list of documents")
    if "error" in fields and ("found" in fields or "reply" in fields):
        yield EncodeError("error", "a call that failed found and replied nothing")
    for name in ("reply", "error"):
        yield from _document(fields.get(name, {}), name)
    failure = fields.get("error")
    if isinstance(failure, Mapping) and not isinstance(failure.get("code", 0), int):
        yield EncodeError("error.code", "expected a number")
