"""Values between the server's text form, the binary form of prepared statements, and what stands in a case. Pure functions.

A case holds the text a server would send, with numbers as YAML numbers, bits as a number, and bytes only where they are no
text. Whatever form a driver asks for is made from that.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from wiretape.errors import DecodeError, EncodeError
from wiretape.protocols.mysql import moments
from wiretape.protocols.mysql.charsets import Charset
from wiretape.protocols.mysql.constants import Flag, Kind
from wiretape.protocols.mysql.fields import read_text, write_text
from wiretape.protocols.mysql.numbers import float_text, to_tree
from wiretape.protocols.mysql.types import FREE, Type
from wiretape.protocols.wire import Cursor
from wiretape.tree import Number, Tree, kind

_SIZES: Mapping[int, int] = MappingProxyType(
    {Kind.TINY: 1, Kind.SHORT: 2, Kind.YEAR: 2, Kind.LONG: 4, Kind.INT24: 4, Kind.LONGLONG: 8, Kind.FLOAT: 4, Kind.DOUBLE: 8}
)
_WHOLE = frozenset((Kind.TINY, Kind.SHORT, Kind.LONG, Kind.INT24, Kind.LONGLONG, Kind.YEAR))
_FLOATS = frozenset((Kind.FLOAT, Kind.DOUBLE))
_DECIMALS = frozenset((Kind.DECIMAL, Kind.NEWDECIMAL))
_DATES = frozenset((Kind.DATE, Kind.DATETIME, Kind.TIMESTAMP))
_NUMBERS: Final = _WHOLE | _FLOATS | _DECIMALS
_MOMENTS: Final = _DATES | {Kind.TIME}
_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_UNWRITABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")
_EXPECTED: Mapping[int, str] = MappingProxyType(
    {
        Kind.DATE: "write it as 2024-12-31",
        Kind.TIME: "write it as 23:59:59.123",
        Kind.DATETIME: "write it as 2024-12-31 23:59:59",
        Kind.TIMESTAMP: "write it as 2024-12-31 23:59:59",
    }
)


def said(data: bytes) -> str | bytes:
    """Bytes as a person reads them: text where they are UTF-8 without control characters, else the bytes."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data
    return data if _CONTROL.search(text) else text


# The server's text form and the tree.


def read_tree(type_: Type, data: bytes, charset: Charset) -> Tree:
    """What stands in a case for a value's text form."""
    number = type_.kind
    if number in _NUMBERS:
        text = data.decode("ascii", "replace")
        if type_.flags & Flag.ZEROFILL and text.isdigit():
            return int(text) if len(text) < 30 else text
        return to_tree(text)
    if number == Kind.BIT:
        return int.from_bytes(data, "big")
    if number in _MOMENTS:
        return data.decode("ascii", "replace")
    if type_.text or number == Kind.NULL:
        text = charset.decode(data)
        return data if _UNWRITABLE.search(text) or charset.encode(text) != data else text
    return said(data)


def write_text_form(type_: Type, value: Tree, charset: Charset) -> bytes | None:
    """The text form of what a case says, or of what a person may have written instead. None is NULL.

    Raises EncodeError, with an empty path, where the value cannot be one of that type.
    """
    if value is None:
        return None
    if type_.kind == Kind.BIT:
        return _bits(type_, value)
    if type_.kind in _NUMBERS:
        return _number(type_, value).encode()
    if isinstance(value, bytes):
        return value
    if isinstance(value, list | dict):
        if not type_.json:
            raise EncodeError("", f"{type_.name} cannot be {kind(value)}; write its text in quotes")
        return charset.encode(_json(value))
    text = _plain_text(value)
    if type_.kind in _MOMENTS:
        _moment(type_, text)
        return _padded(text.replace("T", " "), type_.decimals).encode()
    return charset.encode(text) if type_.text else text.encode("utf-8", "surrogateescape")


def _plain_text(value: Tree) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.literal if isinstance(value, Number) else str(value)


def _json(value: Tree) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    if isinstance(value, bytes) or (isinstance(value, float) and not math.isfinite(value)):
        raise EncodeError("", f"{value!r} is not JSON")
    return value.literal if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)


def _bits(type_: Type, value: Tree) -> bytes:
    size = (type_.length + 7) // 8
    if isinstance(value, bytes) and len(value) <= 8:
        return value
    try:
        return int(value).to_bytes(size, "big")  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError):
        raise EncodeError("", f"{value!r} does not fit into {type_.name}: write the bits as a whole number") from None


def _number(type_: Type, value: Tree) -> str:
    """A number's text as the server prints it. Raises EncodeError."""
    if isinstance(value, bool):
        text = str(int(value))
    elif isinstance(value, int | float | str):
        text = _plain_text(value)
    else:
        raise EncodeError("", f"{kind(value)} is not {type_.name}: write a number")
    if type_.kind in _WHOLE:
        _whole(type_, text)
        if type_.kind == Kind.YEAR:
            return text.zfill(4)
        return text.zfill(type_.length) if type_.flags & Flag.ZEROFILL else text
    if type_.kind in _FLOATS:
        _float(type_, text)
        return text
    if not _DECIMAL.fullmatch(text):
        raise EncodeError("", f"{value!r} is not {type_.name}: write digits, as in 12.50")
    text = _padded(text, type_.decimals)
    return text.zfill(type_.length) if type_.flags & Flag.ZEROFILL else text


def _padded(text: str, decimals: int) -> str:
    """With as many digits behind the point as the server gives the type, where a person wrote fewer."""
    whole, _, digits = text.partition(".")
    return f"{whole}.{digits.ljust(decimals, '0')}" if digits or decimals else whole


def _whole(type_: Type, text: str) -> bytes:
    size = _SIZES[type_.kind]
    try:
        number = int(text)
        limit = 3 if type_.kind == Kind.INT24 else size
        number.to_bytes(limit, "little", signed=not type_.unsigned)
        return number.to_bytes(size, "little", signed=not type_.unsigned)
    except (ValueError, OverflowError):
        raise EncodeError("", f"{text} is not {type_.name}: write a whole number that fits") from None


def _float(type_: Type, text: str) -> bytes:
    try:
        return struct.pack("<f" if type_.kind == Kind.FLOAT else "<d", float(text))
    except (ValueError, OverflowError):
        raise EncodeError("", f"{text} is not {type_.name}: write a number that fits") from None


def _moment(type_: Type, text: str) -> bytes:
    try:
        if type_.kind == Kind.TIME:
            return moments.write_time(text)
        return moments.write_datetime(text, date=type_.kind == Kind.DATE)
    except ValueError:
        raise EncodeError("", f"{text!r} is not {type_.name}: {_EXPECTED[type_.kind]}") from None


# The binary form.


def read_binary(cursor: Cursor, number: int, flags: int, decimals: int) -> bytes:
    """The text form of the binary value at the cursor. Raises DecodeError."""
    try:
        return _read_binary(cursor, number, flags, decimals)
    except (ValueError, struct.error):
        raise DecodeError(f"a value that is not of its type {number}", cursor.pos) from None


def _read_binary(cursor: Cursor, number: int, flags: int, decimals: int) -> bytes:
    if number in _WHOLE:
        value = int.from_bytes(cursor.take(_SIZES[number]), "little", signed=not flags & Flag.UNSIGNED)
        return str(value).encode()
    if number in _FLOATS:
        return float_text(cursor.take(_SIZES[number]), decimals).encode()
    if number in _MOMENTS:
        data = cursor.take(cursor.take(1)[0])
        match number:
            case Kind.DATE:
                text = moments.read_date(data)
            case Kind.TIME:
                text = moments.read_time(data, decimals)
            case _:
                text = moments.read_datetime(data, decimals)
        return text.encode()
    if number == Kind.NULL:
        return b""
    return read_text(cursor)


def write_binary(type_: Type, text: bytes) -> bytes:
    """The binary form of a value's text form. Raises EncodeError, with an empty path."""
    if type_.kind in _WHOLE:
        return _whole(type_, text.decode())
    if type_.kind in _FLOATS:
        return _float(type_, text.decode())
    if type_.kind in _MOMENTS:
        return _length(_moment(type_, text.decode("utf-8", "replace")))
    return write_text(text)


def _length(data: bytes) -> bytes:
    return bytes((len(data),)) + data


def read_parameter(cursor: Cursor, number: int, *, unsigned: bool, charset: Charset) -> Tree:
    """What a client sends for a `?`. Raises DecodeError."""
    data = read_binary(cursor, number, Flag.UNSIGNED if unsigned else 0, FREE)
    return parameter(number, data, charset)


def parameter(number: int, data: bytes, charset: Charset) -> Tree:
    """A parameter's text form as it stands in a case."""
    if number in _NUMBERS:
        return to_tree(data.decode("ascii", "replace"))
    if number in _MOMENTS:
        return moments.canonical(data.decode("ascii", "replace"))
    if number == Kind.NULL:
        return None
    if charset.encoding == "utf-8":
        return said(data)
    text = charset.decode(data)
    return text if charset.encode(text) == data and not _CONTROL.search(text) else said(data)
