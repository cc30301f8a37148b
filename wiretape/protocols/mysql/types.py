"""Column types: their names as SQL spells them, and what a column definition says of them.

Display widths of whole numbers are left out but for `tinyint(1)`, which drivers take for a boolean, and for ZEROFILL, which
prints by them. Lengths of texts stand in characters, whatever character set the client asked for.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from wiretape.protocols.mysql.charsets import Charset
from wiretape.protocols.mysql.constants import BINARY_COLLATION, Flag, Kind
from wiretape.protocols.mysql.packets import Column

FREE: Final = 31
"""`decimals` of a float that has as many as it needs."""

_WHOLE: Mapping[str, tuple[Kind, int, int]] = MappingProxyType(
    {"tinyint": (Kind.TINY, 4, 3), "smallint": (Kind.SHORT, 6, 5), "mediumint": (Kind.INT24, 9, 8),
     "int": (Kind.LONG, 11, 10), "bigint": (Kind.LONGLONG, 20, 20)}
)  # fmt: skip
_WHOLE_NAMES = MappingProxyType({kind: name for name, (kind, _, _) in _WHOLE.items()})
_FLOATS: Mapping[str, tuple[Kind, int]] = MappingProxyType({"float": (Kind.FLOAT, 12), "double": (Kind.DOUBLE, 22)})
_TIMES: Mapping[str, tuple[Kind, int, int]] = MappingProxyType(
    {"date": (Kind.DATE, 10, Flag.BINARY), "time": (Kind.TIME, 10, Flag.BINARY),
     "datetime": (Kind.DATETIME, 19, Flag.BINARY), "timestamp": (Kind.TIMESTAMP, 19, Flag.BINARY | Flag.UNSIGNED),
     "year": (Kind.YEAR, 4, Flag.UNSIGNED | Flag.ZEROFILL), "null": (Kind.NULL, 0, Flag.BINARY)}
)  # fmt: skip
_TIME_NAMES = MappingProxyType({kind: name for name, (kind, _, _) in _TIMES.items()})
# The longest of each, in characters or bytes; from one on, the next name is meant.
_TIERS = (("tiny", 255), ("", 65_535), ("medium", 16_777_215), ("long", 4_294_967_295))
_LONGEST = 4_294_967_295
_STRINGS = frozenset((Kind.VARCHAR, Kind.VAR_STRING, Kind.STRING))
# MariaDB's types that travel as text; how long that is.
_TOLD: Mapping[str, int] = MappingProxyType({"uuid": 36, "inet6": 39, "inet4": 15})
_SHAPES = frozenset(
    ("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection")
)
_PLAIN = (*_WHOLE, *_FLOATS, *_TIMES, *_TOLD, *_SHAPES, "decimal", "bit", "json", "enum", "set", "vector", "char", "varchar",
          "binary", "varbinary", *(tier + kind for tier, _ in _TIERS for kind in ("text", "blob")))  # fmt: skip
_ALIASES: Mapping[str, str] = MappingProxyType(
    {"integer": "int", "bool": "tinyint(1)", "boolean": "tinyint(1)", "numeric": "decimal", "dec": "decimal",
     "real": "double", "double precision": "double", "string": "varchar"}
)  # fmt: skip
_WORDS: Mapping[str, int] = MappingProxyType(
    {
        "not null": Flag.NOT_NULL,
        "primary key": Flag.PRIMARY_KEY,
        "unique": Flag.UNIQUE_KEY,
        "auto_increment": Flag.AUTO_INCREMENT,
    }
)
_NAME = re.compile(r"([a-z][a-z0-9]*)(?:\((\d+)(?:, ?(\d+))?\))?((?: unsigned)?)((?: zerofill)?)(.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """A column's type. `length` is in characters where `text`, else in bytes. `flags` are those a definition carries."""

    name: str
    kind: Kind
    length: int
    decimals: int = 0
    flags: int = 0
    text: bool = False
    told: str = ""  # MariaDB's own name for it
    json: bool = False

    @property
    def unsigned(self) -> bool:
        """Whether a whole number has no sign."""
        return bool(self.flags & Flag.UNSIGNED)

    def column(self, name: bytes, charset: Charset, table: bytes = b"") -> Column:
        """Its definition, for a client that takes text in this character set."""
        length = min(self.length * charset.widest, _LONGEST) if self.text else self.length
        extended = {"type": self.told} if self.told else {"format": "json"} if self.json else {}
        return Column(
            name=name, kind=self.kind, collation=charset.collation if self.text else BINARY_COLLATION, length=length,
            flags=self.flags, decimals=self.decimals, table=table, org_table=table, org_name=name if table else b"",
            extended=extended,
        )  # fmt: skip


def type_name(column: Column, charset: Charset) -> str:
    """How a case names a column's type. `charset` is the one the client takes text in."""
    told = column.extended.get("type", "")
    if told not in _TOLD and told not in _SHAPES:
        told = "json" if column.extended.get("format") == "json" or column.kind == Kind.JSON else ""
    binary = column.collation == BINARY_COLLATION
    return told + _name(not told, column.kind, column.length, column.flags, column.decimals, 0 if binary else charset.widest)


@lru_cache(maxsize=4096)
def _name(whole: bool, kind: int, length: int, flags: int, decimals: int, widest: int) -> str:
    """The name, or where it is known already only the words behind it."""
    words = "".join(f" {word}" for word, flag in _WORDS.items() if flags & flag)
    return (_base_name(kind, length, flags, decimals, widest) if whole else "") + words


def _base_name(kind: int, length: int, flags: int, decimals: int, widest: int) -> str:
    signs = (" unsigned" if flags & Flag.UNSIGNED else "") + (" zerofill" if flags & Flag.ZEROFILL else "")
    if name := _WHOLE_NAMES.get(kind):  # type: ignore[call-overload]
        width = f"({length})" if flags & Flag.ZEROFILL or (kind == Kind.TINY and length == 1) else ""
        return f"{name}{width}{signs}"
    if kind in (Kind.FLOAT, Kind.DOUBLE):
        name = "float" if kind == Kind.FLOAT else "double"
        return name + (f"({length},{decimals})" if decimals < FREE else "") + signs
    if kind in (Kind.NEWDECIMAL, Kind.DECIMAL):
        digits = length - (decimals > 0) - (not flags & Flag.UNSIGNED)
        return f"decimal({max(digits, decimals, 1)},{decimals})" + signs
    if name := _TIME_NAMES.get(kind):  # type: ignore[call-overload]
        precise = kind in (Kind.TIME, Kind.DATETIME, Kind.TIMESTAMP) and 0 < decimals <= 6
        return f"{name}({decimals})" if precise else str(name)
    return _text_name(kind, length, flags, widest)


def _text_name(kind: int, length: int, flags: int, widest: int) -> str:
    binary = not widest
    if kind == Kind.ENUM or flags & Flag.ENUM:
        return "enum"
    if kind == Kind.SET or flags & Flag.SET:
        return "set"
    if kind == Kind.BIT:
        return f"bit({max(1, min(length, 64))})"
    if kind == Kind.GEOMETRY:
        return "geometry"
    if kind == Kind.VECTOR:
        return "vector"
    tier = "long" if length == _LONGEST else ""
    length = length if binary else -(-length // widest)
    if kind in _STRINGS:
        varying = "" if kind == Kind.STRING else "var"
        return f"{varying}{'binary' if binary else 'char'}({length})"
    tier = tier or next(tier for tier, longest in _TIERS if length <= longest)
    return f"{tier}{'blob' if binary else 'text'}"


@lru_cache(maxsize=4096)
def parse_type(name: str) -> Type:
    """The type that a case names. Raises ValueError that says what was probably meant."""
    plain = " ".join(name.lower().split())
    for alias, meant in _ALIASES.items():
        if plain == alias or plain.startswith((alias + " ", alias + "(")):
            plain = meant + plain[len(alias) :]
            break
    found = _NAME.fullmatch(plain)
    base = found[1] if found else ""
    if not found or base not in _PLAIN:
        close = difflib.get_close_matches(base or plain, (*_PLAIN, *_ALIASES), n=1)
        raise ValueError(f"{name!r} is not a known type" + (f"; did you mean {close[0]}?" if close else ""))
    flags = _flags(found[6], name)
    if found[4]:
        flags |= Flag.UNSIGNED
    if found[5]:
        flags |= Flag.UNSIGNED | Flag.ZEROFILL
    first = int(found[2]) if found[2] else None
    second = int(found[3]) if found[3] else None
    if first is not None and first > _LONGEST:
        raise ValueError(f"{name!r}: nothing is that long")
    return _made(plain, base, first, second, flags)


def _flags(rest: str, name: str) -> int:
    flags, rest = 0, rest.strip()
    for word, flag in _WORDS.items():
        if rest.startswith(word):
            flags |= flag
            rest = rest.removeprefix(word).strip()
    if rest:
        raise ValueError(
            f"{rest!r} in the type {name!r} is not understood (known are: unsigned, zerofill, {', '.join(_WORDS)})"
        )
    return flags


def _made(name: str, base: str, first: int | None, second: int | None, flags: int) -> Type:
    if whole := _WHOLE.get(base):
        kind, signed, unsigned = whole
        return Type(name=name, kind=kind, length=first or (unsigned if flags & Flag.UNSIGNED else signed), flags=flags)
    if floating := _FLOATS.get(base):
        decimals = FREE if second is None else min(second, 30)
        return Type(name=name, kind=floating[0], length=first or floating[1], decimals=decimals, flags=flags)
    if base == "decimal":
        digits, decimals = first or 10, min(second or 0, 38)
        length = digits + (decimals > 0) + (not flags & Flag.UNSIGNED)
        return Type(name=name, kind=Kind.NEWDECIMAL, length=length, decimals=decimals, flags=flags)
    if moment := _TIMES.get(base):
        kind, length, own = moment
        decimals = min(first or 0, 6) if base in ("time", "datetime", "timestamp") else 0
        return Type(
            name=name, kind=kind, length=length + (decimals + 1 if decimals else 0), decimals=decimals, flags=flags | own
        )
    return _text(name, base, first, flags)


def _text(name: str, base: str, first: int | None, flags: int) -> Type:
    binary = Flag.BINARY
    if base in ("char", "varchar"):
        return Type(name=name, kind=_string(base), length=_given(first, 255), flags=flags, text=True)
    if base in ("binary", "varbinary"):
        return Type(name=name, kind=_string(base), length=_given(first, 255), flags=flags | binary)
    if base in ("enum", "set"):
        own = Flag.ENUM if base == "enum" else Flag.SET
        return Type(name=name, kind=Kind.STRING, length=_given(first, 64), flags=flags | own, text=True)
    if base == "bit":
        return Type(name=name, kind=Kind.BIT, length=_given(first, 1), flags=flags | Flag.UNSIGNED)
    if base == "json":
        return Type(name=name, kind=Kind.BLOB, length=_LONGEST, flags=flags | Flag.BLOB | binary, text=True, json=True)
    if base in _TOLD:
        own = Flag.UNSIGNED | binary
        return Type(name=name, kind=Kind.STRING, length=_TOLD[base], flags=flags | own, text=True, told=base)
    if base in _SHAPES:
        told = "" if base == "geometry" else base
        return Type(name=name, kind=Kind.GEOMETRY, length=_LONGEST, flags=flags | Flag.BLOB | binary, told=told)
    if base == "vector":
        return Type(name=name, kind=Kind.VECTOR, length=_given(first, _LONGEST), flags=flags | Flag.BLOB | binary)
    tier = base.removesuffix("text").removesuffix("blob")
    length = dict(_TIERS)[tier]
    text = base.endswith("text")
    own = Flag.BLOB if text else Flag.BLOB | binary
    return Type(name=name, kind=Kind.BLOB, length=length, flags=flags | own, text=text)


def _given(length: int | None, default: int) -> int:
    return default if length is None else length


def _string(base: str) -> Kind:
    return Kind.VAR_STRING if base.startswith("var") else Kind.STRING
