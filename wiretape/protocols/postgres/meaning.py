"""One spelling for values that mean the same, whichever driver wrote them: `3.10` and `3.1`, `true` and `t`, the same moment in
two time zones. Asks are compared in this spelling; what a case holds stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from wiretape.errors import EncodeError
from wiretape.protocols.postgres.literals import number_value
from wiretape.protocols.postgres.types import Catalog, parse_type
from wiretape.protocols.postgres.values import to_binary, to_text
from wiretape.tree import Tree

_BUILT_IN: Final = Catalog.of({})
_BOOL, _INTERVAL, _TIMESTAMP, _TIMESTAMPTZ, _NUMERIC, _INT8, _FLOAT8, _TEXTS = 16, 1186, 1114, 1184, 1700, 20, 701, 1009
_NUMBERS = frozenset((20, 21, 23, 26, 700, 701, 1700))
_PLAIN = frozenset((0, 25, 705, 1042, 1043))  # text, or a type that is not known
_MOMENT = re.compile(
    r"\d{4,}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?P<zone> ?(?:Z|[+-]\d\d(?::?\d\d(?::\d\d)?)?))?", re.ASCII
)
_NUMBER = re.compile(r"(-?)(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)", re.ASCII)
_PART = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*([a-z]+)|\s*([+-]?)(\d+):(\d\d)(?::(\d\d(?:\.\d{1,6})?))?(?=\s|\Z)", re.ASCII)
_UNITS: Mapping[str, tuple[int, int]] = MappingProxyType(  # where each counts (months, days, microseconds), and how much
    {
        "year": (0, 12), "yr": (0, 12), "month": (0, 1), "mon": (0, 1), "week": (1, 7), "day": (1, 1),
        "hour": (2, 3_600_000_000), "minute": (2, 60_000_000), "min": (2, 60_000_000),
        "second": (2, 1_000_000), "sec": (2, 1_000_000), "millisecond": (2, 1000), "microsecond": (2, 1),
    }
)  # fmt: skip
_ROUND_TRIP = frozenset((16, 17, 1082, 1083, 1114, 1184, 1186, 1266, 2950, 700, 701))
# Types that a client gives its parameters and that the values tell as well: numbers and text.
OBVIOUS: Final = frozenset((0, 20, 21, 23, 25, 26, 700, 701, 705, 1042, 1043, 1700))
_LONGEST: Final = 256


def _interval(text: str) -> str:
    """An interval as drivers write it, in the form in which a server does; other text as it is."""
    counts, at = [Decimal(0), Decimal(0), Decimal(0)], 0
    while found := _PART.match(text, at):
        at = found.end()
        if found[2]:
            place, size = _UNITS.get(found[2].removesuffix("s"), (-1, 0))
            if place < 0:
                return text
            counts[place] += Decimal(found[1]) * size
        else:
            time = (int(found[4]) * 60 + int(found[5])) * 60_000_000 + Decimal(found[6] or 0) * 1_000_000
            counts[2] += -time if found[3] == "-" else time
    if not text or text[at:].strip() or any(count % 1 for count in counts):
        return text
    seconds, rest = divmod(abs(int(counts[2])), 1_000_000)
    sign = "-" if counts[2] < 0 else ""
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{int(counts[0])} mons {int(counts[1])} days {sign}{hours:02}:{minutes:02}:{seconds:02}.{rest:06}"


class Spelled(str):
    """A value that compares in the one spelling, and shows as the client wrote it: `written`."""

    __slots__ = ("written",)
    written: str

    def __new__(cls, spelling: str, written: str) -> Spelled:
        self = super().__new__(cls, spelling)
        self.written = written
        return self

    def __str__(self) -> str:
        return self.written

    def __repr__(self) -> str:
        return repr(self.written)

    def __reduce__(self) -> tuple[type[Spelled], tuple[str, str]]:
        return Spelled, (str.__str__(self), self.written)


def written(value: Tree) -> Tree:
    """A value as the client wrote it."""
    return value.written if isinstance(value, Spelled) else value


def canonical(oid: int, value: Tree) -> Tree:
    """The one spelling of a value of a built-in type (0: not known); the value itself where it has none."""
    if type(value) is not str or len(value) > _LONGEST:
        return value
    if oid in _PLAIN:
        if len(value) < 16 or not value[0].isdigit() or value[4:5] != "-":
            return value
        found = _MOMENT.fullmatch(value)
        return value if found is None else _kept(_TIMESTAMPTZ if found["zone"] else _TIMESTAMP, value)
    return _kept(oid, value)


def _canonical(oid: int, text: str) -> str:
    if oid in _NUMBERS and (plain := _NUMBER.fullmatch(text)) is not None:
        digits = number_value(plain[2])
        return plain[1] + (digits.rstrip("0").rstrip(".") if "." in digits else digits)
    found = _BUILT_IN.by_oid(oid)
    if oid not in _ROUND_TRIP and (found is None or found.category != "array"):
        return text
    try:
        again = to_text(_BUILT_IN, oid, to_binary(_BUILT_IN, oid, _interval(text) if oid == _INTERVAL else text))
    except EncodeError:
        return text
    return text if again is None else again


def spelled(oid: int, text: str) -> str:
    """The spelling alone."""
    found = canonical(oid, text)
    return str.__str__(found) if isinstance(found, str) else text


@lru_cache(maxsize=4096)
def _kept(oid: int, text: str) -> str:
    spelling = _canonical(oid, text)
    return text if spelling == text else Spelled(spelling, text)


def type_of(name: str) -> int:
    """The OID of a built-in type by any of its names; 0 where it is none."""
    return _type_of(name) if name else 0


@lru_cache(maxsize=1024)
def _type_of(name: str) -> int:
    try:
        return parse_type(_BUILT_IN, name)[0]
    except ValueError:
        return 0


def likely(value: Tree) -> int:
    """The type of a parameter, told by a value that was recorded for it as no type: 0 where nothing tells it. Any number fits
    into the widest type of its kind."""
    if isinstance(value, bool):
        return _BOOL
    if isinstance(value, int):
        return _INT8 if -(1 << 63) <= value < 1 << 63 else _NUMERIC
    if isinstance(value, str):
        return _TEXTS if _is_array(value) else 0
    return _FLOAT8 if isinstance(value, float) else 0


def _is_array(text: str) -> bool:
    """Whether a text is an array's: psycopg sends lists of strings as such, without their type."""
    if text[:1] != "{" or text[-1:] != "}" or text == "{}":
        return False
    try:
        return bool(to_binary(_BUILT_IN, _TEXTS, text))
    except EncodeError:
        return False
