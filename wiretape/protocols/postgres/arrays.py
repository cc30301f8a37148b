"""Arrays, and the vectors of the system catalogs: dimensions, bounds, NULLs and quoting. Items are the caller's to convert."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence

from wiretape.protocols.postgres.parts import SPACE, Read, Write, framed, parts
from wiretape.protocols.postgres.scalar import demand

_ARRAY = struct.Struct("!iiI")
_PAIR = struct.Struct("!ii")
_MOST_DIMENSIONS = 6

_BOUNDS = re.compile(r"\s*((?:\[[+-]?\d{1,10}(?::[+-]?\d{1,10})?\])+)=", re.ASCII)
_BOUND = re.compile(r"\[(?:([+-]?\d+):)?([+-]?\d+)\]", re.ASCII)
_MARKS = re.compile(r'[{}"\\ \t\n\r\v\f]')


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
    items = ["NULL" if part is None else quote_item(read(element, part), delimiter) for part in parts(data, body)]
    demand(len(items) == count, "another number of items than announced")
    for size, _ in reversed(shape):
        items = ["{" + delimiter.join(items[at : at + size]) + "}" for at in range(0, len(items), size)]
    return _bounds_text(shape) + items[0]


def _bounds_text(shape: Sequence[tuple[int, int]]) -> str:
    if all(low == 1 for _, low in shape):
        return ""
    return "".join(f"[{low}:{low + size - 1}]" for size, low in shape) + "="


def quote_item(text: str, delimiter: str) -> str:
    """An item as it stands in an array's text."""
    if text and text.upper() != "NULL" and delimiter not in text and not _MARKS.search(text):
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
    return head + b"".join(framed(None if item is None else write(element, item)) for item in items)


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
        characters = re.findall(r"\\.|[^\\]", raw, re.DOTALL)
        while characters and characters[-1] in SPACE:
            characters.pop()
        null = "".join(characters).upper() == "NULL"
        self.item(None if null else "".join(character[-1] for character in characters))


# Vectors: int2vector and oidvector are arrays whose text is the items with spaces between


def read_vector(data: bytes, element: int, read: Read) -> str:
    """The text of a binary int2vector or oidvector: its items with spaces between."""
    dimensions, has_null, found = _ARRAY.unpack_from(data)
    size, low = _PAIR.unpack_from(data, _ARRAY.size)
    demand((dimensions, has_null, found, low) == (1, 0, element, 0), "not a vector")
    items = [read(element, part or b"") for part in parts(data, _ARRAY.size + _PAIR.size)]
    demand(len(items) == size, "another number of items than announced")
    return " ".join(items)


def write_vector(text: str, element: int, write: Write) -> bytes:
    """The binary form of a vector's text."""
    items = text.split()
    return _ARRAY.pack(1, 0, element) + _PAIR.pack(len(items), 0) + b"".join(framed(write(element, item)) for item in items)
