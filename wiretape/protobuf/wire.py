"""The wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding): bytes <-> fields."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from enum import IntEnum

MAX_DEPTH = 64
_LAST_NUMBER = 2**29 - 1


class Type(IntEnum):
    """How a field's value is framed."""

    VARINT = 0
    FIXED64 = 1
    LEN = 2
    GROUP = 3
    GROUP_END = 4
    FIXED32 = 5


type Raw = int | bytes
"""The value of a field: an unsigned integer, or the bytes of a LEN field or a group."""


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned integer and the place after it. Raises ValueError where it is cut off or beyond 64 bits."""
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("a varint that does not end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    if value >> 64:
        raise ValueError("a varint beyond 64 bits")
    return value, at


def varint(value: int) -> bytes:
    """An integer, a negative one as two's complement of 64 bits. Raises ValueError beyond those."""
    if not -(2**63) <= value < 2**64:
        raise ValueError(f"{value} does not fit into 64 bits")
    value &= 2**64 - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def fields(data: bytes, depth: int = 0) -> Iterator[tuple[int, Type, Raw]]:
    """Every field in order: number, framing, value. Raises ValueError on bytes that are no message."""
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        number, kind = key >> 3, Type(key & 7)
        if not 0 < number <= _LAST_NUMBER:
            raise ValueError(f"no field has the number {number}")
        value, at = _value(data, at, number, kind, depth)
        yield number, kind, value


def _value(data: bytes, at: int, number: int, kind: Type, depth: int) -> tuple[Raw, int]:
    match kind:
        case Type.VARINT:
            return read_varint(data, at)
        case Type.FIXED64 | Type.FIXED32:
            size = 8 if kind is Type.FIXED64 else 4
            if at + size > len(data):
                raise ValueError("a number that is cut off")
            return int.from_bytes(data[at : at + size], "little"), at + size
        case Type.LEN:
            size, at = read_varint(data, at)
            if at + size > len(data):
                raise ValueError("a value that is cut off")
            return data[at : at + size], at + size
        case Type.GROUP:
            return _group(data, at, number, depth)
        case _:
            raise ValueError("a group that ends and did not begin")


def _group(data: bytes, start: int, number: int, depth: int) -> tuple[bytes, int]:
    if depth >= MAX_DEPTH:
        raise ValueError("nested too deeply")
    at = start
    while True:
        before = at
        key, at = read_varint(data, at)
        if key & 7 == Type.GROUP_END:
            if key >> 3 != number:
                raise ValueError("a group that ends another one")
            return data[start:before], at
        _, at = _value(data, at, key >> 3, Type(key & 7), depth + 1)


def field(number: int, kind: Type, value: Raw) -> bytes:
    """The bytes of one field."""
    head = varint(number << 3 | kind)
    match value:
        case int() if kind is Type.VARINT:
            return head + varint(value)
        case int():
            size = 8 if kind is Type.FIXED64 else 4
            return head + (value & (1 << 8 * size) - 1).to_bytes(size, "little")
        case bytes() if kind is Type.GROUP:
            return head + value + varint(number << 3 | Type.GROUP_END)
        case bytes():
            return head + varint(len(value)) + value


def signed(value: int, bits: int) -> int:
    """An unsigned integer read as two's complement."""
    return value - (1 << bits) if value >> (bits - 1) else value


def to_double(bits: int) -> float:
    """The double of these 64 bits."""
    found: float = struct.unpack("<d", bits.to_bytes(8, "little"))[0]
    return found


def from_double(value: float) -> int:
    """The 64 bits of a double."""
    return int.from_bytes(struct.pack("<d", value), "little")


def to_float(bits: int) -> float:
    """The shortest decimal number that is the float of these 32 bits."""
    exact: float = struct.unpack("<f", bits.to_bytes(4, "little"))[0]
    if not math.isfinite(exact):
        return exact
    return next((short for digits in range(6, 10) if from_float(short := float(f"{exact:.{digits}g}")) == bits), exact)


def from_float(value: float) -> int:
    """The 32 bits of a float. Raises ValueError where the number is too big for one."""
    try:
        return int.from_bytes(struct.pack("<f", value), "little")
    except OverflowError:
        raise ValueError(f"{value} does not fit into 32 bits") from None
