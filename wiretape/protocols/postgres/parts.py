"""Values inside values: how the binary forms of arrays, ranges and rows frame them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from wiretape.protocols.postgres.scalar import demand

type Read = Callable[[int, bytes], str]
"""Text of a part's bytes, given its type's OID. Raises ValueError or struct.error on bytes that are not of the type."""
type Write = Callable[[int, str], bytes]
"""Bytes of a part's text, given its type's OID. Raises ValueError on text that is not of the type."""

INT4 = struct.Struct("!i")
SPACE = " \t\n\r\v\f"


def parts(data: bytes, at: int) -> Iterator[bytes | None]:
    """Every length-prefixed part up to the end of `data`; a length of -1 is NULL."""
    while at < len(data):
        (size,) = INT4.unpack_from(data, at)
        at += 4
        if size == -1:
            yield None
            continue
        demand(0 <= size <= len(data) - at, "a part is longer than what holds it")
        yield data[at : at + size]
        at += size


def framed(part: bytes | None) -> bytes:
    """A part with its length in front."""
    return INT4.pack(-1) if part is None else INT4.pack(len(part)) + part
