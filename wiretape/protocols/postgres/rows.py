"""Ranges, multiranges and rows, which quote alike. What is inside is the caller's to convert."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

from wiretape.protocols.postgres.parts import INT4, SPACE, Read, Write, framed, parts
from wiretape.protocols.postgres.scalar import demand

_FIELD = struct.Struct("!Ii")
_ROW_MARKS = re.compile(r'[(),"\\ \t\n\r\v\f]')
_ESCAPED = re.compile(r'\\(.)|""', re.DOTALL)
_RANGE_MARKS = re.compile(r'[()\[\],"\\ \t\n\r\v\f]')


# Ranges

_EMPTY, _LOWER_INCLUSIVE, _UPPER_INCLUSIVE, _LOWER_INFINITE, _UPPER_INFINITE = 1, 2, 4, 8, 16


def read_range(data: bytes, subtype: int, read: Read) -> str:
    """The text of a binary range."""
    flags = data[0]
    bounds = list(parts(data, 1))
    if flags == _EMPTY:
        demand(not bounds, "an empty range has no bounds")
        return "empty"
    demand(not flags & ~(_LOWER_INCLUSIVE | _UPPER_INCLUSIVE | _LOWER_INFINITE | _UPPER_INFINITE), "unknown flags")
    demand(not flags & flags << 2 & (_LOWER_INFINITE | _UPPER_INFINITE), "a bound that is infinite is not in the range")
    demand(len(bounds) == 2 - bool(flags & _LOWER_INFINITE) - bool(flags & _UPPER_INFINITE), "another number of bounds")
    texts = iter([_quote(read(subtype, bound), _RANGE_MARKS) for bound in bounds if bound is not None])
    lower = "" if flags & _LOWER_INFINITE else next(texts)
    upper = "" if flags & _UPPER_INFINITE else next(texts)
    return f"{'[' if flags & _LOWER_INCLUSIVE else '('}{lower},{upper}{']' if flags & _UPPER_INCLUSIVE else ')'}"


def write_range(text: str, subtype: int, write: Write) -> bytes:
    """The binary form of a range's text, as it stands: discrete ranges are not brought to their canonical bounds."""
    text = text.strip(SPACE)
    if text.lower() == "empty":
        return bytes((_EMPTY,))
    demand(text[:1] in ("[", "(") and text[-1:] in ("]", ")"), "no brackets")
    bounds = _split_row(text[1:-1], "()[]")
    demand(len(bounds) == 2, "not two bounds")
    flags, body = 0, b""
    inclusive = (text[0] == "[" and _LOWER_INCLUSIVE, text[-1] == "]" and _UPPER_INCLUSIVE)
    for bound, closed, infinite in zip(bounds, inclusive, (_LOWER_INFINITE, _UPPER_INFINITE), strict=True):
        flags |= infinite if bound is None else closed
        body += b"" if bound is None else framed(write(subtype, bound))
    return bytes((flags,)) + body


def read_multirange(data: bytes, subtype: int, read: Read) -> str:
    """The text of a binary multirange."""
    (count,) = INT4.unpack_from(data)
    ranges = [read_range(part or b"", subtype, read) for part in parts(data, 4)]
    demand(len(ranges) == count, "another number of ranges than announced")
    return "{" + ",".join(ranges) + "}"


_ONE_RANGE = re.compile(r'\s*((?:empty|[\[(](?:[^\[\]()"\\]|"(?:[^"\\]|\\.|"")*+"|\\.)*+[\])]))\s*(,?)', re.DOTALL | re.ASCII)


def write_multirange(text: str, subtype: int, write: Write) -> bytes:
    """The binary form of a multirange's text."""
    text = text.strip(SPACE)
    demand(text[:1] == "{" and text[-1:] == "}", "no braces")
    inner, at, ranges, more = text[1:-1].strip(SPACE), 0, [], False
    while at < len(inner):
        found = _ONE_RANGE.match(inner, at)
        if not found or (found.end() < len(inner) and not found[2]):
            raise ValueError("not ranges with commas between")
        ranges.append(write_range(found[1], subtype, write))
        at, more = found.end(), bool(found[2])
    demand(not more, "a range is missing")
    return INT4.pack(len(ranges)) + b"".join(framed(part) for part in ranges)


# Rows: composites, and anonymous records


def read_row(data: bytes, expected: Sequence[int] | None, read: Read) -> str:
    """The text of a binary row. `expected` are the types of its fields, None where only the row itself says."""
    fields = row_fields(data, read)
    demand(expected is None or [oid for oid, _ in fields] == list(expected), "not a row of that type")
    return row_text([text for _, text in fields])


def row_fields(data: bytes, read: Read) -> list[tuple[int, str | None]]:
    """The fields of a binary row: types and texts."""
    (count,) = INT4.unpack_from(data)
    demand(0 <= count <= (len(data) - 4) // _FIELD.size, "more fields than bytes")
    fields: list[tuple[int, str | None]] = []
    at = 4
    for _ in range(count):
        oid, size = _FIELD.unpack_from(data, at)
        at += _FIELD.size
        demand(-1 <= size <= len(data) - at, "a field is longer than its row")
        fields.append((oid, None if size < 0 else read(oid, data[at : at + size])))
        at += max(size, 0)
    demand(at == len(data), "bytes after the last field")
    return fields


def row_text(texts: Sequence[str | None]) -> str:
    """The text of a row of these values."""
    return "(" + ",".join("" if text is None else _quote(text, _ROW_MARKS) for text in texts) + ")"


def write_row(text: str, fields: Sequence[int], write: Write) -> bytes:
    """The binary form of a row's text whose fields have these types."""
    text = text.strip(SPACE)
    demand(text[:1] == "(" and text[-1:] == ")", "no parentheses")
    values = _split_row(text[1:-1], "()") if fields else []
    demand(len(values) == len(fields), "another number of fields")
    return write_fields(list(zip(fields, values, strict=True)), write)


def write_fields(fields: Sequence[tuple[int, str | None]], write: Write) -> bytes:
    """The binary form of a row of these types and texts."""
    out = INT4.pack(len(fields))
    for oid, value in fields:
        part = None if value is None else write(oid, value)
        out += struct.pack("!I", oid) + framed(part)
    return out


def _quote(text: str, marks: re.Pattern[str]) -> str:
    """In rows and ranges quotes and backslashes are doubled."""
    if text and not marks.search(text):
        return text
    doubled = text.replace("\\", "\\\\").replace('"', '""')
    return f'"{doubled}"'


_ROW_PIECE = re.compile(r'"((?:[^"\\]|\\.|"")*+)"|((?:[^"\\,]|\\.)++)|(,)', re.DOTALL)


def _split_row(text: str, forbidden: str) -> list[str | None]:
    """The values between commas; nothing at all between two commas is NULL. No bare character of `forbidden` may occur."""
    values: list[str | None] = [None]
    at = 0
    while at < len(text):
        found = _ROW_PIECE.match(text, at)
        if not found:
            raise ValueError("an unclosed quote")
        at = found.end()
        if found[3]:
            values.append(None)
            continue
        demand(not found[2] or not set(forbidden) & set(_ESCAPED.sub("", found[2])), "a bracket without quotes")
        values[-1] = (values[-1] or "") + _ESCAPED.sub(lambda pair: pair[1] or '"', found[2] or found[1])
    return values
