"""Arrays, ranges, multiranges and rows: their brackets, quoting and binary frames. The values inside are the caller's to convert.

`Read` turns a part's bytes into text and `Write` a part's text into bytes, given the part's type OID. Reading raises ValueError or
struct.error on bytes that are not of the type, writing raises ValueError on text that is not.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Iterator, Sequence

from wiretape.protocols.postgres.scalar import demand

type Read = Callable[[int, bytes], str]
type Write = Callable[[int, str], bytes]

_INT4 = struct.Struct("!i")
_ARRAY = struct.Struct("!iiI")
_PAIR = struct.Struct("!ii")
_FIELD = struct.Struct("!Ii")
_MOST_DIMENSIONS = 6
_MOST_ITEMS = 134_217_727  # PostgreSQL's MaxArraySize for pointers
_SPACE = " \t\n\r\v\f"

_BOUNDS = re.compile(r"\s*((?:\[[+-]?\d{1,10}(?::[+-]?\d{1,10})?\])+)=", re.ASCII)
_BOUND = re.compile(r"\[(?:([+-]?\d+):)?([+-]?\d+)\]", re.ASCII)
_ARRAY_MARKS = re.compile(r'[{}"\\ \t\n\r\v\f]')
_ROW_MARKS = re.compile(r'[(),"\\ \t\n\r\v\f]')
_RANGE_MARKS = re.compile(r'[()\[\],"\\ \t\n\r\v\f]')


# Parts with a length in front


def _parts(data: bytes, at: int) -> Iterator[bytes | None]:
    """Every length-prefixed part up to the end of `data`; a length of -1 is NULL."""
    while at < len(data):
        (size,) = _INT4.unpack_from(data, at)
        at += 4
        if size == -1:
            yield None
            continue
        demand(0 <= size <= len(data) - at, "a part is longer than what holds it")
        yield data[at : at + size]
        at += size


def _framed(part: bytes | None) -> bytes:
    return _INT4.pack(-1) if part is None else _INT4.pack(len(part)) + part


# Arrays


def read_array(data: bytes, element: int, delimiter: str, read: Read) -> str:
    """The text of a binary array."""
    dimensions, has_null, found = _ARRAY.unpack_from(data)
    demand(0 <= dimensions <= _MOST_DIMENSIONS and has_null in (0, 1) and found == element, "not an array of that type")
    if not dimensions:
        demand(len(data) == _ARRAY.size, "bytes beyond the end")
        return "{}"
    shape = [_PAIR.unpack_from(data, _ARRAY.size + _PAIR.size * index) for index in range(dimensions)]
    body = _ARRAY.size + _PAIR.size * dimensions
    count = math.prod(size for size, _ in shape)
    demand(all(size > 0 for size, _ in shape) and count * 4 <= len(data) - body, "more items than bytes")
    items = ["NULL" if part is None else quote_item(read(element, part), delimiter) for part in _parts(data, body)]
    demand(len(items) == count, "another number of items than announced")
    for size, _ in reversed(shape):
        items = ["{" + delimiter.join(items[at : at + size]) + "}" for at in range(0, len(items), size)]
    return _bounds_text(shape) + items[0]


def _bounds_text(shape: Sequence[tuple[int, int]]) -> str:
    if all(low == 1 for _, low in shape):
        return ""
    return "".join(f"[{low}:{low + size - 1}]" for size, low in shape) + "="


def quote_item(text: str, delimiter: str) -> str:
    if text and text.upper() != "NULL" and delimiter not in text and not _ARRAY_MARKS.search(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def write_array(text: str, element: int, delimiter: str, write: Write) -> bytes:
    """The binary form of an array's text."""
    bounds = _BOUNDS.match(text)
    shape, items = _items(text[bounds.end() :] if bounds else text, delimiter)
    if not items:
        return _ARRAY.pack(0, 0, element)
    lows = [1] * len(shape)
    if bounds:
        stated = [(int(low or 1), int(high)) for low, high in _BOUND.findall(bounds[1])]
        demand([high - low + 1 for low, high in stated] == shape, "bounds that do not fit the items")
        lows = [low for low, _ in stated]
    head = _ARRAY.pack(len(shape), int(None in items), element)
    head += b"".join(_PAIR.pack(size, low) for size, low in zip(shape, lows, strict=True))
    return head + b"".join(_framed(None if item is None else write(element, item)) for item in items)


def _items(text: str, delimiter: str) -> tuple[list[int], list[str | None]]:
    """The size of each dimension, and the items row by row."""
    token = re.compile(
        rf'\s*(?:([{{}}{delimiter}])|"((?:[^"\\]|\\.)*)"|((?:[^{{}}{delimiter}"\\]|\\.)+))\s*', re.DOTALL | re.ASCII
    )
    parser = _ArrayParser(delimiter)
    at = 0
    while at < len(text):
        found = token.match(text, at)
        if not found:
            raise ValueError("an unclosed quote")
        if found[1]:
            parser.mark(found[1])
        elif found[2] is not None:
            parser.item(re.sub(r"\\(.)", r"\1", found[2], flags=re.DOTALL))
        else:
            parser.bare(found[3])
        at = found.end()
    demand(parser.over, "no closing brace")
    return parser.shape, parser.items


class _ArrayParser:
    """Follows the braces of one array; every sub-array of one level must have as many items."""

    def __init__(self, delimiter: str) -> None:
        self.delimiter = delimiter
        self.items: list[str | None] = []
        self.over = False
        self._sizes: list[int | None] = []
        self._counts: list[int] = []
        self._value_may_come = True

    @property
    def shape(self) -> list[int]:
        return [size or 0 for size in self._sizes]

    def mark(self, mark: str) -> None:
        demand(not self.over, "text after the closing brace")
        if mark == "{":
            self._open()
        elif mark == "}":
            self._close()
        else:
            demand(self._counts and not self._value_may_come, "an item is missing")
            self._value_may_come = True

    def _open(self) -> None:
        demand(self._value_may_come and len(self._counts) < _MOST_DIMENSIONS, "an unexpected brace")
        self._counts.append(0)
        if len(self._counts) > len(self._sizes):
            demand(not self.items, "items beside sub-arrays")
            self._sizes.append(None)

    def _close(self) -> None:
        demand(self._counts, "an unexpected brace")
        count = self._counts.pop()
        demand(not self._value_may_come or not count, "an item is missing")
        level = len(self._counts)
        demand(self._sizes[level] in (None, count), "sub-arrays of different sizes")
        self._sizes[level] = count
        self.over = not self._counts
        self._counted()

    def _counted(self) -> None:
        if self._counts:
            self._counts[-1] += 1
        self._value_may_come = False

    def item(self, text: str | None) -> None:
        demand(len(self._counts) == len(self._sizes) and self._counts and self._value_may_come, "an unexpected item")
        self.items.append(text)
        self._counted()

    def bare(self, raw: str) -> None:
        """An item without quotes: the spaces around it do not count, unless escaped."""
        ends = re.search(r"(?:\\.|[^\s\\])(?=\s*\Z)", raw, re.DOTALL | re.ASCII)
        trimmed = raw[: ends.end()] if ends else raw
        self.item(None if trimmed.upper() == "NULL" else re.sub(r"\\(.)", r"\1", trimmed, flags=re.DOTALL))


# Vectors: int2vector and oidvector are arrays whose text is the items with spaces between


def read_vector(data: bytes, element: int, read: Read) -> str:
    dimensions, has_null, found = _ARRAY.unpack_from(data)
    size, low = _PAIR.unpack_from(data, _ARRAY.size)
    demand((dimensions, has_null, found, low) == (1, 0, element, 0), "not a vector")
    items = [read(element, part or b"") for part in _parts(data, _ARRAY.size + _PAIR.size)]
    demand(len(items) == size, "another number of items than announced")
    return " ".join(items)


def write_vector(text: str, element: int, write: Write) -> bytes:
    items = text.split()
    return _ARRAY.pack(1, 0, element) + _PAIR.pack(len(items), 0) + b"".join(_framed(write(element, item)) for item in items)


# Ranges

_EMPTY, _LOWER_INCLUSIVE, _UPPER_INCLUSIVE, _LOWER_INFINITE, _UPPER_INFINITE = 1, 2, 4, 8, 16


def read_range(data: bytes, subtype: int, read: Read) -> str:
    """The text of a binary range."""
    flags = data[0]
    bounds = list(_parts(data, 1))
    if flags == _EMPTY:
        demand(not bounds, "an empty range has no bounds")
        return "empty"
    demand(not flags & ~(_LOWER_INCLUSIVE | _UPPER_INCLUSIVE | _LOWER_INFINITE | _UPPER_INFINITE), "unknown flags")
    demand(len(bounds) == 2 - bool(flags & _LOWER_INFINITE) - bool(flags & _UPPER_INFINITE), "another number of bounds")
    texts = iter([_quote(read(subtype, bound), _RANGE_MARKS) for bound in bounds if bound is not None])
    lower = "" if flags & _LOWER_INFINITE else next(texts)
    upper = "" if flags & _UPPER_INFINITE else next(texts)
    return f"{'[' if flags & _LOWER_INCLUSIVE else '('}{lower},{upper}{']' if flags & _UPPER_INCLUSIVE else ')'}"


def write_range(text: str, subtype: int, write: Write) -> bytes:
    """The binary form of a range's text, as it stands: discrete ranges are not brought to their canonical bounds."""
    text = text.strip(_SPACE)
    if text.lower() == "empty":
        return bytes((_EMPTY,))
    demand(text[:1] in ("[", "(") and text[-1:] in ("]", ")"), "no brackets")
    bounds = _split_row(text[1:-1], "()[]")
    demand(len(bounds) == 2, "not two bounds")
    flags, body = 0, b""
    inclusive = (text[0] == "[" and _LOWER_INCLUSIVE, text[-1] == "]" and _UPPER_INCLUSIVE)
    for bound, closed, infinite in zip(bounds, inclusive, (_LOWER_INFINITE, _UPPER_INFINITE), strict=True):
        flags |= infinite if bound is None else closed
        body += b"" if bound is None else _framed(write(subtype, bound))
    return bytes((flags,)) + body


def read_multirange(data: bytes, subtype: int, read: Read) -> str:
    (count,) = _INT4.unpack_from(data)
    ranges = [read_range(part or b"", subtype, read) for part in _parts(data, 4)]
    demand(len(ranges) == count, "another number of ranges than announced")
    return "{" + ",".join(ranges) + "}"


_ONE_RANGE = re.compile(r'\s*((?:empty|[\[(](?:[^\[\]()"\\]|"(?:[^"\\]|\\.|"")*"|\\.)*[\])]))\s*(,?)', re.DOTALL | re.ASCII)


def write_multirange(text: str, subtype: int, write: Write) -> bytes:
    text = text.strip(_SPACE)
    demand(text[:1] == "{" and text[-1:] == "}", "no braces")
    inner, at, ranges, more = text[1:-1].strip(_SPACE), 0, [], False
    while at < len(inner):
        found = _ONE_RANGE.match(inner, at)
        if not found or (found.end() < len(inner) and not found[2]):
            raise ValueError("not ranges with commas between")
        ranges.append(write_range(found[1], subtype, write))
        at, more = found.end(), bool(found[2])
    demand(not more, "a range is missing")
    return _INT4.pack(len(ranges)) + b"".join(_framed(part) for part in ranges)


# Rows: composites, and anonymous records


def read_row(data: bytes, expected: Sequence[int] | None, read: Read) -> str:
    """The text of a binary row. `expected` are the types of its fields, None where only the row itself says."""
    (count,) = _INT4.unpack_from(data)
    demand(0 <= count <= (len(data) - 4) // _FIELD.size, "more fields than bytes")
    texts, oids, at = [], [], 4
    for _ in range(count):
        oid, size = _FIELD.unpack_from(data, at)
        at += _FIELD.size
        oids.append(oid)
        demand(-1 <= size <= len(data) - at, "a field is longer than its row")
        texts.append("" if size < 0 else _quote(read(oid, data[at : at + size]), _ROW_MARKS))
        at += max(size, 0)
    demand(at == len(data) and (expected is None or oids == list(expected)), "not a row of that type")
    return "(" + ",".join(texts) + ")"


def write_row(text: str, fields: Sequence[int], write: Write) -> bytes:
    """The binary form of a row's text whose fields have these types."""
    text = text.strip(_SPACE)
    demand(text[:1] == "(" and text[-1:] == ")", "no parentheses")
    values = _split_row(text[1:-1], "()") if fields else []
    demand(len(values) == len(fields), "another number of fields")
    out = _INT4.pack(len(fields))
    for oid, value in zip(fields, values, strict=True):
        part = None if value is None else write(oid, value)
        out += struct.pack("!I", oid) + _framed(part)
    return out


def _quote(text: str, marks: re.Pattern[str]) -> str:
    """In rows and ranges quotes and backslashes are doubled."""
    if text and not marks.search(text):
        return text
    doubled = text.replace("\\", "\\\\").replace('"', '""')
    return f'"{doubled}"'


_ROW_PIECE = re.compile(r'"((?:[^"\\]|\\.|"")*)"|\\(.)|([^"\\,]+)|(,)', re.DOTALL)


def _split_row(text: str, forbidden: str) -> list[str | None]:
    """The values between commas; nothing at all between two commas is NULL. No bare character of `forbidden` may occur."""
    values: list[str | None] = [None]
    at = 0
    while at < len(text):
        found = _ROW_PIECE.match(text, at)
        if not found:
            raise ValueError("an unclosed quote")
        at = found.end()
        if found[4]:
            values.append(None)
            continue
        demand(not found[3] or not set(forbidden) & set(found[3]), "a bracket without quotes")
        quoted = found[1] is not None and re.sub(r'\\(.)|""', lambda pair: pair[1] or '"', found[1], flags=re.DOTALL)
        values[-1] = (values[-1] or "") + (quoted if isinstance(quoted, str) else found[2] or found[3])
    return values
