"""A server's reply <-> what a case says of it.

`found` holds the documents of a cursor, `reply` what else the server said, `error` a command that failed. What every reply has
(`ok`, clocks, the cursor's namespace and number) is left out, and made anew when the reply is served.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from wiretape.errors import EncodeError
from wiretape.protocols.base import Miss
from wiretape.protocols.mongo import documents
from wiretape.tree import Tree

MISSED: Final = 77001
UNSERVABLE: Final = 77002
_NOISE = frozenset(
    ("ok", "$clusterTime", "operationTime", "electionId", "opTime", "$configServerState", "$gleStats", "topologyVersion",
     "lastCommittedOpTime", "$topologyTime", "recoveryToken")
)  # fmt: skip
_CURSOR = ("firstBatch", "nextBatch")
_LONGEST_KEPT: Final = 128  # documents
_INT, _LONG = struct.Struct("<i"), struct.Struct("<q")
OK: Final = 1.0


def failed(reply: Mapping[str, Tree]) -> bool:
    """Whether the server refused the command as a whole."""
    return "ok" in reply and not reply["ok"]


def batch(reply: Mapping[str, Tree]) -> tuple[list[Tree], int] | None:
    """The documents that came with a cursor, and its number (0: there are no more); None where the reply has none."""
    cursor = reply.get("cursor")
    if not isinstance(cursor, dict):
        return None
    found = next((cursor[name] for name in _CURSOR if name in cursor), None)
    number = cursor.get("id")
    if isinstance(number, dict):
        number = number.get("$numberLong")
    if not isinstance(found, list) or not isinstance(number, int):
        return None
    return found, abs(number)  # a mock gives those below zero a meaning of its own


def told(reply: Mapping[str, Tree]) -> dict[str, Tree]:
    """What a case says of a reply, but for its cursor."""
    rest: dict[str, Tree] = {name: value for name, value in reply.items() if name not in _NOISE}
    if failed(reply):
        return {"error": rest}
    if batch(reply) is not None:
        del rest["cursor"]
    return {"reply": rest} if rest else {}


def missed(miss: Miss) -> dict[str, Tree]:
    """The reply to a command that no recording answers."""
    return error(MISSED, "WiretapeMiss", miss.explain())


def error(code: int, name: str, message: str) -> dict[str, Tree]:
    """A command's failure."""
    return {"ok": 0.0, "errmsg": message, "code": code, "codeName": name}


def rendered(fields: Mapping[str, Tree]) -> dict[str, Tree]:
    """The reply that a call's fields tell, but for its cursor. Raises EncodeError."""
    for name in ("error", "reply"):
        told = fields.get(name)
        if name in fields and not isinstance(told, dict):
            raise EncodeError(name, "expected a mapping")
        if isinstance(told, dict):
            return {"ok": 0.0, **told} if name == "error" else {**told, "ok": OK}
    return {"ok": OK}


class _Kept:
    """A list by its identity, and kept for as long as that is a key."""

    __slots__ = ("items",)

    def __init__(self, items: list[Tree]) -> None:
        self.items = items

    def __hash__(self) -> int:
        return id(self.items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept) and other.items is self.items


def found(fields: Mapping[str, Tree]) -> Sequence[bytes] | None:
    """The documents of a call's cursor; None where it has none. Raises EncodeError."""
    if "found" not in fields:
        return None
    items = fields["found"]
    if not isinstance(items, list):
        raise EncodeError("found", "expected a list of documents")
    return _again(_Kept(items)) if len(items) <= _LONGEST_KEPT else _written(items)


def _written(items: list[Tree]) -> Sequence[bytes]:
    out = []
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise EncodeError(f"found[{index}]", "expected a document, a mapping")
        out.append(documents.write(item, f"found[{index}]"))
    return out


@lru_cache(maxsize=256)
def _again(kept: _Kept) -> Sequence[bytes]:
    """The same call is often served more than once."""
    return _written(kept.items)


def with_cursor(rest: Mapping[str, Tree], name: str, batched: Sequence[bytes], number: int, namespace: str) -> bytes:
    """A reply's bytes with the cursor in front, as servers write it. `name`: firstBatch or nextBatch. Raises EncodeError.

    Put together by hand (https://bsonspec.org/spec.html): the documents are bytes already.
    """
    array = _document(b"".join([b"\x03%d\0%s" % item for item in enumerate(batched)]))
    place = namespace.encode("utf-8", "surrogateescape")
    cursor = _document(
        b"\x04%s\0%s\x12id\0%s\x02ns\0%s%s\0" % (name.encode(), array, _LONG.pack(number), _INT.pack(len(place) + 1), place)
    )
    return _document(b"\x03cursor\0" + cursor + documents.write(rest)[4:-1])


def _document(elements: bytes) -> bytes:
    return _INT.pack(len(elements) + 5) + elements + b"\0"
