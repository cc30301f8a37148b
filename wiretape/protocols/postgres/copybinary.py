"""COPY's binary format (PostgreSQL 18 documentation, COPY, "Binary Format") as rows, and back.

The data does not say its types. Where they are known from elsewhere, values are as in any other row; else they stay bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from wiretape.errors import EncodeError
from wiretape.protocols.postgres.results import Shape, Wording, decoder, encode_value
from wiretape.tree import Tree

_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0"
_HEAD = struct.Struct(">ii")
_COUNT, _SIZE = struct.Struct(">h"), struct.Struct(">i")
_END: Final = -1


def read(wording: Wording, types: Sequence[int], data: bytes) -> Tree:
    """The rows in `data`, whose columns are of `types` (empty: not known); the bytes where it holds none."""
    try:
        rows = _rows(data)
    except (struct.error, ValueError):
        return data
    decoders = [decoder(wording, oid, 1) for oid in types]
    if any(len(row) != len(decoders) for row in rows):
        return [list(row) for row in rows]
    return [[None if value is None else decode(value) for value, decode in zip(row, decoders, strict=True)] for row in rows]


def _rows(data: bytes) -> list[list[bytes | None]]:
    """Raises ValueError or struct.error on bytes that are not of this format, or hold more than it needs."""
    flags, extension = _HEAD.unpack_from(data, len(_SIGNATURE))
    if not data.startswith(_SIGNATURE) or flags or extension:
        raise ValueError("another format")
    at = len(_SIGNATURE) + _HEAD.size
    rows = []
    while at < len(data):
        (count,) = _COUNT.unpack_from(data, at)
        at += _COUNT.size
        if count == _END:
            if at < len(data):
                raise ValueError("data after the end")
            break
        row: list[bytes | None] = []
        for _ in range(count):
            (size,) = _SIZE.unpack_from(data, at)
            at += _SIZE.size
            if not -1 <= size <= len(data) - at:
                raise ValueError("a value is longer than the data")
            row.append(None if size < 0 else data[at : at + size])
            at += max(size, 0)
        rows.append(row)
    return rows


def write(wording: Wording, shape: Shape | None, tree: Tree, path: str) -> list[bytes]:
    """The pieces in which a server would send the rows. Raises EncodeError naming the place."""
    if isinstance(tree, bytes):
        return [tree]
    if not isinstance(tree, list):
        raise EncodeError(path, "expected a list of rows, or bytes")
    head = _SIGNATURE + _HEAD.pack(0, 0)
    pieces = [_row(wording, shape, row, f"{path}[{at}]") for at, row in enumerate(tree)]
    return [head + b"".join(pieces[:1]), *pieces[1:], _COUNT.pack(_END)]


def _row(wording: Wording, shape: Shape | None, row: Tree, path: str) -> bytes:
    if not isinstance(row, list):
        raise EncodeError(path, "expected a list of values")
    if shape is not None and len(row) != len(shape.types):
        raise EncodeError(path, f"{len(row)} values for {len(shape.types)} columns")
    parts = [_COUNT.pack(len(row))]
    for at, value in enumerate(row):
        place = f"{path}[{at}]"
        if shape is not None:
            data = encode_value(wording, shape.types[at][0], 1, value, place)
        elif value is None or isinstance(value, bytes):
            data = value
        else:
            raise EncodeError(place, "expected bytes: say the types of the values in columns to write them as text")
        parts.append(_SIZE.pack(-1) if data is None else _SIZE.pack(len(data)) + data)
    return b"".join(parts)
