"""The protocol's fields for `wiretape.protocols.wire`: little-endian numbers, numbers and strings that tell their length."""

from __future__ import annotations

import struct
from types import MappingProxyType

from wiretape.errors import DecodeError
from wiretape.protocols.wire import Cursor, Wire

NULL = 0xFB


def little(code: str) -> Wire[int]:
    """A little-endian integer; `code` as in `struct`."""
    form = struct.Struct("<" + code)
    size, unpack = form.size, form.unpack

    def read(cursor: Cursor) -> int:
        return int(unpack(cursor.take(size))[0])

    return Wire(read, form.pack)


def read_lenenc(cursor: Cursor) -> int:
    """A length-encoded number."""
    first = cursor.take(1)[0]
    if first < NULL:
        return first
    size = _SIZES.get(first)
    if size is None:
        raise DecodeError(f"no number begins with the byte {first:#x}", cursor.pos - 1)
    return int.from_bytes(cursor.take(size), "little")


_SIZES = MappingProxyType({0xFC: 2, 0xFD: 3, 0xFE: 8})


def write_lenenc(value: int) -> bytes:
    """A length-encoded number. OverflowError where it is negative or has more than 64 bits."""
    if value < NULL:
        return value.to_bytes(1, "little")
    if value < 1 << 16:
        return b"\xfc" + value.to_bytes(2, "little")
    if value < 1 << 24:
        return b"\xfd" + value.to_bytes(3, "little")
    return b"\xfe" + value.to_bytes(8, "little")


def read_text(cursor: Cursor) -> bytes:
    """Bytes after their length-encoded length."""
    return cursor.take(read_lenenc(cursor))


def write_text(value: bytes) -> bytes:
    """Bytes after their length-encoded length."""
    return write_lenenc(len(value)) + value


def read_cell(cursor: Cursor) -> bytes | None:
    """A value of a text row; None is NULL."""
    data, at = cursor.data, cursor.pos
    if at < len(data) and data[at] < NULL:  # nearly always
        cursor.pos = end = at + 1 + data[at]
        if end > len(data):
            raise DecodeError(f"need {data[at]} bytes, have {len(data) - at - 1}", at)
        return data[at + 1 : end]
    if data[at : at + 1] == b"\xfb":
        cursor.pos = at + 1
        return None
    return read_text(cursor)


def read_null_text(cursor: Cursor) -> bytes:
    """Bytes up to a zero byte; up to the end where there is none, as some clients leave it out there."""
    end = cursor.data.find(b"\0", cursor.pos)
    if end < 0:
        return cursor.take(cursor.left)
    return cursor.until(b"\0")


U8, U16, U32 = little("B"), little("H"), little("I")
