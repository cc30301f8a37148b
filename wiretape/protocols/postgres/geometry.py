"""Geometric types: all of them a few float8 with brackets around."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from wiretape.protocols.postgres.numbers import NUMBERS, float_text
from wiretape.protocols.postgres.scalar import Codec, Style, demand, plain

_FLOAT8 = NUMBERS[701]
_WORD = r"[^\s,(){}\[\]<>]+"
_NUMBER = rf"\s*({_WORD})\s*"
_POINT = rf"\s*\({_NUMBER},{_NUMBER}\)\s*"
_POINTS = re.compile(_POINT)
_ANY_POINT = rf"\s*\(\s*{_WORD}\s*,\s*{_WORD}\s*\)\s*"
_LIST = re.compile(rf"{_ANY_POINT}(?:,{_ANY_POINT})*")


def _floats(data: bytes) -> list[str]:
    return [float_text(number) for number in struct.unpack(f"!{len(data) // 8}d", data)]


def _pack(numbers: Sequence[str]) -> bytes:
    return b"".join(_FLOAT8.write(number, Style()) for number in numbers)


def _points_text(data: bytes) -> str:
    numbers = _floats(data)
    return ",".join(f"({x},{y})" for x, y in zip(numbers[::2], numbers[1::2], strict=True))


def _points(text: str) -> list[str]:
    """The coordinates of points written one after the other."""
    demand(_LIST.fullmatch(text), "not points")
    return [number for found in _POINTS.finditer(text) for number in found.groups()]


def _fixed(template: str, pattern: str, count: int, expects: str) -> Codec:
    """`count` floats in a frame: `template` for writing text, `pattern` for reading it."""
    shape = re.compile(pattern)

    def read(data: bytes) -> str:
        demand(len(data) == 8 * count, "wrong length")
        return template.format(*_floats(data))

    def write(text: str) -> bytes:
        found = shape.fullmatch(text)
        if not found:
            raise ValueError("not of this form")
        return _pack(found.groups())

    return plain(read, write, expects)


def _path_read(data: bytes) -> str:
    closed, count = struct.unpack_from("!?i", data)
    demand(data[0] < 2 and count > 0 and len(data) == 5 + 16 * count, "wrong length")
    return f"({_points_text(data[5:])})" if closed else f"[{_points_text(data[5:])}]"


def _path_write(text: str) -> bytes:
    text = text.strip(" ")
    frame = text[:1] + text[-1:]
    demand(frame in ("()", "[]"), "not a path")
    numbers = _points(text[1:-1])
    return struct.pack("!?i", frame == "()", len(numbers) // 2) + _pack(numbers)


def _polygon_read(data: bytes) -> str:
    (count,) = struct.unpack_from("!i", data)
    demand(count > 0 and len(data) == 4 + 16 * count, "wrong length")
    return f"({_points_text(data[4:])})"


def _polygon_write(text: str) -> bytes:
    text = text.strip(" ")
    demand(text[:1] + text[-1:] == "()", "not a polygon")
    numbers = _points(text[1:-1])
    return struct.pack("!i", len(numbers) // 2) + _pack(numbers)


GEOMETRY: Mapping[int, Codec] = MappingProxyType(
    {
        600: _fixed("({},{})", _POINT, 2, "a point such as (1,2)"),
        601: _fixed("[({},{}),({},{})]", rf"\s*\[{_POINT},{_POINT}\]\s*", 4, "a segment such as [(1,2),(3,4)]"),
        602: plain(_path_read, _path_write, "a path such as [(1,2),(3,4)], or ((1,2),(3,4)) if closed"),
        603: _fixed("({},{}),({},{})", rf"{_POINT},{_POINT}", 4, "a box such as (3,4),(1,2)"),
        604: plain(_polygon_read, _polygon_write, "a polygon such as ((1,2),(3,4),(5,0))"),
        628: _fixed("{{{},{},{}}}", rf"\s*\{{{_NUMBER},{_NUMBER},{_NUMBER}\}}\s*", 3, "a line such as {1,2,3}"),
        718: _fixed("<({},{}),{}>", rf"\s*<{_POINT},{_NUMBER}>\s*", 3, "a circle such as <(1,2),3>"),
    }
)
