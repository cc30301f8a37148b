"""A server's reply <-> what a case says of it.

`found` holds the documents of a cursor, `reply` what else the server said, `error` a command that failed. What every reply has
(`ok`, clocks, the cursor's namespace and number) is left out, and made anew when the reply is served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import bson
from bson.raw_bson import RawBSONDocument

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
OK: Final = 1.0


def failed(reply: Mapping[str, Tree]) -> bool:
    """Whether the server refused the command as a whole."""
    return "ok" in reply and not reply["ok"]


def batch(reply: Mapping[str, Tree]) -> tuple[list[Tree], int] | None:
    """The documents that came with a cursor, and its number (0: there are no more); None where the reply has none."""
    cursor = reply.get("cursor")
    if not isinstance(cursor, Mapping):
        return None
    found = next((cursor[name] for name in _CURSOR if name in cursor), None)
    number = cursor.get("id")
    if isinstance(number, Mapping):
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
        if name in fields and not isinstance(told, Mapping):
            raise EncodeError(name, "expected a mapping")
        if isinstance(told, Mapping):
            return {"ok": 0.0, **told} if name == "error" else {**told, "ok": OK}
    return {"ok": OK}


def found(fields: Mapping[str, Tree]) -> list[bytes] | None:
    """The documents of a call's cursor; None where it has none. Raises EncodeError."""
    if "found" not in fields:
        return None
    items = fields["found"]
    if not isinstance(items, list):
        raise EncodeError("found", "expected a list of documents")
    out = []
    for index, item in enumerate(items):
        if not isinstance(item, Mapping):
            raise EncodeError(f"found[{index}]", "expected a document, a mapping")
        out.append(documents.write(item, f"found[{index}]"))
    return out


def with_cursor(rest: Mapping[str, Tree], name: str, batched: Sequence[bytes], number: int, namespace: str) -> bytes:
    """A reply's bytes with the cursor in front, as servers write it. `name`: firstBatch or nextBatch. Raises EncodeError."""
    cursor: dict[str, Any] = {name: [RawBSONDocument(data) for data in batched], "id": bson.Int64(number), "ns": namespace}
    # two documents one after the other: the fields of the second follow those of the first
    first, second = bson.encode({"cursor": cursor}), documents.write(rest)
    return (len(first) + len(second) - 5).to_bytes(4, "little") + first[4:-1] + second[4:]
