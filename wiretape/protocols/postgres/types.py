"""The types of a PostgreSQL database: which there are, what they are called, and what their modifiers say.

Built-in types have the same OIDs everywhere. Those a database defines itself come from the facts of the recording:

    types:
      mood: {oid: 16402, kind: enum, array: 16401, labels: [sad, ok, happy]}
      point2: {oid: 16410, kind: composite, fields: {x: int4, y: text}}
      email: {oid: 16420, kind: domain, base: text}
      floatrange: {oid: 16430, kind: range, subtype: float8, multirange: 16428}
      citext: {oid: 16440, kind: base}
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, Self

from wiretape.errors import EncodeError
from wiretape.tree import Tree

type Category = Literal["base", "array", "range", "multirange", "enum", "composite", "domain"]

_KINDS: tuple[Category, ...] = ("base", "array", "range", "multirange", "enum", "composite", "domain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """One type. `element` is the OID of an array's element, of a range's or multirange's subtype (for a multirange: the
    range), or of what a domain restricts; 0 otherwise. `fields` are a composite's names and type OIDs, `labels` an enum's
    where they are known."""

    oid: int
    name: str
    category: Category
    element: int = 0
    fields: tuple[tuple[str, int], ...] = ()
    labels: tuple[str, ...] = ()


# name, oid, oid of its array type (0: none), typlen
_BASE: tuple[tuple[str, int, int, int], ...] = (
    ("bool", 16, 1000, 1), ("bytea", 17, 1001, -1), ('"char"', 18, 1002, 1), ("name", 19, 1003, 64), ("int8", 20, 1016, 8),
    ("int2", 21, 1005, 2), ("int2vector", 22, 1006, -1), ("int4", 23, 1007, 4), ("regproc", 24, 1008, 4),
    ("text", 25, 1009, -1), ("oid", 26, 1028, 4), ("tid", 27, 1010, 6), ("xid", 28, 1011, 4), ("cid", 29, 1012, 4),
    ("oidvector", 30, 1013, -1), ("json", 114, 199, -1), ("xml", 142, 143, -1), ("pg_node_tree", 194, 0, -1),
    ("point", 600, 1017, 16), ("lseg", 601, 1018, 32), ("path", 602, 1019, -1), ("box", 603, 1020, 32),
    ("polygon", 604, 1027, -1), ("line", 628, 629, 24), ("cidr", 650, 651, -1), ("float4", 700, 1021, 4),
    ("float8", 701, 1022, 8), ("unknown", 705, 0, -2), ("circle", 718, 719, 24), ("macaddr8", 774, 775, 8),
    ("money", 790, 791, 8), ("macaddr", 829, 1040, 6), ("inet", 869, 1041, -1), ("aclitem", 1033, 1034, 16),
    ("bpchar", 1042, 1014, -1), ("varchar", 1043, 1015, -1), ("date", 1082, 1182, 4), ("time", 1083, 1183, 8),
    ("timestamp", 1114, 1115, 8), ("timestamptz", 1184, 1185, 8), ("interval", 1186, 1187, 16), ("timetz", 1266, 1270, 12),
    ("bit", 1560, 1561, -1), ("varbit", 1562, 1563, -1), ("numeric", 1700, 1231, -1), ("refcursor", 1790, 2201, -1),
    ("regprocedure", 2202, 2207, 4), ("regoper", 2203, 2208, 4), ("regoperator", 2204, 2209, 4), ("regclass", 2205, 2210, 4),
    ("regtype", 2206, 2211, 4), ("record", 2249, 2287, -1), ("cstring", 2275, 1263, -2), ("void", 2278, 0, 4),
    ("uuid", 2950, 2951, 16), ("txid_snapshot", 2970, 2949, -1), ("pg_lsn", 3220, 3221, 8), ("tsvector", 3614, 3643, -1),
    ("tsquery", 3615, 3645, -1), ("regconfig", 3734, 3735, 4), ("regdictionary", 3769, 3770, 4), ("jsonb", 3802, 3807, -1),
    ("jsonpath", 4072, 4073, -1), ("regnamespace", 4089, 4090, 4), ("regrole", 4096, 4097, 4),
    ("regcollation", 4191, 4192, 4), ("pg_snapshot", 5038, 5039, -1), ("xid8", 5069, 271, 8),
)  # fmt: skip

# name, oid, oid of its array type, subtype, oid of its multirange, oid of that one's array type
_RANGES: tuple[tuple[str, int, int, int, int, int], ...] = (
    ("int4range", 3904, 3905, 23, 4451, 6150), ("numrange", 3906, 3907, 1700, 4532, 6151),
    ("tsrange", 3908, 3909, 1114, 4533, 6152), ("tstzrange", 3910, 3911, 1184, 4534, 6153),
    ("daterange", 3912, 3913, 1082, 4535, 6155), ("int8range", 3926, 3927, 20, 4536, 6157),
)  # fmt: skip

# What SQL calls them, and people
_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "smallint": "int2", "integer": "int4", "int": "int4", "bigint": "int8", "boolean": "bool", "real": "float4",
        "double precision": "float8", "float": "float8", "decimal": "numeric", "character varying": "varchar",
        "character": "bpchar", "char": "bpchar", "bit varying": "varbit", "time without time zone": "time",
        "time with time zone": "timetz", "timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz",
        "string": "text", "datetime": "timestamp",
    }
)  # fmt: skip

_BY_LENGTH = frozenset((1042, 1043))  # the modifier is a length plus 4
_PLAIN = re.compile(r"(?P<name>[^()\[\]]+?)\s*(?:\((?P<modifier>[^()]*)\))?(?P<rest>\s[a-z ]+?)?\s*(?P<array>(?:\[\d*\])*)")
_UNKNOWN = re.compile(r"oid:(\d{1,10})", re.ASCII)
_INTERVAL, _NUMERIC, _MOST_PRECISION = 1186, 1700, 6
_WHOLE_INTERVAL = 0x7FFF << 16


def _builtin() -> Iterator[Type]:
    for name, oid, array, _ in _BASE:
        yield Type(oid=oid, name=name, category="base")
        if array:
            yield Type(oid=array, name=f"{name}[]", category="array", element=oid)
    for name, oid, array, subtype, multirange, multirange_array in _RANGES:
        multiname = name.replace("range", "multirange")
        yield Type(oid=oid, name=name, category="range", element=subtype)
        yield Type(oid=array, name=f"{name}[]", category="array", element=oid)
        yield Type(oid=multirange, name=multiname, category="multirange", element=oid)
        yield Type(oid=multirange_array, name=f"{multiname}[]", category="array", element=multirange)


_BUILTIN: Mapping[int, Type] = MappingProxyType({found.oid: found for found in _builtin()})
_BUILTIN_NAMES: Mapping[str, Type] = MappingProxyType({found.name: found for found in _BUILTIN.values()})
_SIZES: Mapping[int, int] = MappingProxyType({oid: size for _, oid, _, size in _BASE})


class Catalog:
    """The types known: the built-in ones and a database's own. Immutable."""

    __slots__ = ("_by_name", "_by_oid")

    def __init__(self, custom: Mapping[int, Type] | None = None) -> None:
        self._by_oid: Mapping[int, Type] = {**(custom or {}), **_BUILTIN}
        self._by_name: Mapping[str, Type] = {**{found.name: found for found in (custom or {}).values()}, **_BUILTIN_NAMES}

    @classmethod
    def of(cls, custom: Mapping[str, Tree]) -> Self:
        """The built-in types and those of the facts (this module's docstring shows the form).

        Raises EncodeError whose path is within `types`.
        """
        named = cls({found.oid: found for found in _custom(custom, None)})
        return cls({found.oid: found for found in _custom(custom, named)})

    def by_oid(self, oid: int) -> Type | None:
        return self._by_oid.get(oid)

    def by_name(self, name: str) -> Type | None:
        """By the name in this package's spelling: `int4`, `int4[]`, `"char"`; see `parse_type` for what people write."""
        return self._by_name.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)


def _custom(custom: Mapping[str, Tree], named: Catalog | None) -> Iterator[Type]:
    """The types described, and their arrays and multiranges. What they are made of is looked up in `named`, if there is one."""
    for name, described in custom.items():
        oid = _number(described, "oid", name)
        assert isinstance(described, dict)
        path, category = f"types.{name}", described.get("kind", "base")
        if category not in _KINDS or category in ("array", "multirange"):
            raise EncodeError(f"{path}.kind", f"{category!r} is not base, enum, composite, domain or range")
        element = 0
        fields: tuple[tuple[str, int], ...] = ()
        if category in ("domain", "range"):
            key = "base" if category == "domain" else "subtype"
            element = _refer(described.get(key), named, f"{path}.{key}")
        elif category == "composite":
            fields = _fields(described.get("fields"), named, f"{path}.fields")
        labels = described.get("labels")
        listed = tuple(map(str, labels)) if isinstance(labels, list) else ()
        yield Type(oid=oid, name=name, category=category, element=element, fields=fields, labels=listed)
        yield from _relatives(described, name, oid)


def _relatives(described: dict[str, Tree], name: str, oid: int) -> Iterator[Type]:
    if array := _number(described, "array", name, missing=0):
        yield Type(oid=array, name=f"{name}[]", category="array", element=oid)
    if multirange := _number(described, "multirange", name, missing=0):
        multiname = name.replace("range", "multirange") if "range" in name else f"{name}_multirange"
        yield Type(oid=multirange, name=multiname, category="multirange", element=oid)


def _fields(fields: Tree, named: Catalog | None, path: str) -> tuple[tuple[str, int], ...]:
    if not isinstance(fields, dict):
        raise EncodeError(path, "expected a mapping of field name to type name")
    return tuple((field, _refer(kind, named, f"{path}.{field}")) for field, kind in fields.items())


def _refer(name: Tree, named: Catalog | None, path: str) -> int:
    """The OID of a type another one is made of."""
    if not isinstance(name, str):
        raise EncodeError(path, "expected the name of a type")
    if named is None:
        return 0
    try:
        return parse_type(named, name)[0]
    except ValueError as error:
        raise EncodeError(path, str(error)) from None


def _number(described: Tree, key: str, name: str, missing: int | None = None) -> int:
    if not isinstance(described, dict):
        raise EncodeError(f"types.{name}", "expected a mapping such as {oid: 16402, kind: enum}")
    number = described.get(key, missing)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**32:
        raise EncodeError(f"types.{name}.{key}", "expected the type's OID, a number")
    return number


def type_name(catalog: Catalog, oid: int, typmod: int) -> str:
    """How a type is written in a case: `numeric(10,2)`, `varchar(20)`, `int4[]`; `oid:16402` where it is not known."""
    found = catalog.by_oid(oid)
    if found is None or catalog.by_name(found.name) is not found:
        return f"oid:{oid}" + (f"({typmod})" if typmod >= 0 else "")
    if typmod < 0:
        return found.name
    if found.category == "array":
        return f"{found.name.removesuffix('[]')}({_modifier(found.element, typmod)})[]"
    return f"{found.name}({_modifier(oid, typmod)})"


def _modifier(oid: int, typmod: int) -> str:
    if oid in _BY_LENGTH and typmod >= 4:
        return str(typmod - 4)
    if oid == _NUMERIC and typmod >= 4:
        precision, scale = (typmod - 4) >> 16, ((typmod - 4) & 0x7FF ^ 0x400) - 0x400
        return f"{precision},{scale}"
    if oid == _INTERVAL and typmod >> 16 == 0x7FFF and typmod & 0xFFFF <= _MOST_PRECISION:
        return str(typmod & 0xFFFF)
    return str(typmod)


def _typmod(oid: int, modifier: str) -> int:
    """The opposite of `_modifier`. ValueError where it is not a number or two."""
    first, *rest = (int(part) for part in modifier.split(","))
    if oid in _BY_LENGTH:
        return first + 4
    if oid == _NUMERIC:
        return (first << 16 | ((rest[0] if rest else 0) & 0x7FF)) + 4
    if oid == _INTERVAL and first <= _MOST_PRECISION:
        return _WHOLE_INTERVAL | first
    return first


def parse_type(catalog: Catalog, name: str) -> tuple[int, int]:
    """The OID and modifier (-1: none) of a type as a case or a person writes it; SQL's own names are understood.

    Raises ValueError that says what was probably meant.
    """
    found = catalog.by_name(name)
    if found is not None:
        return found.oid, -1
    parts = _PLAIN.fullmatch(name.strip())
    if not parts:
        raise ValueError(f"{name!r} is not a type name")
    base, implied = _base(catalog, parts["name"], parts["rest"] or "", name)
    typmod = implied
    if parts["modifier"] is not None:
        try:
            typmod = _typmod(base, parts["modifier"])
        except ValueError:
            raise ValueError(
                f"({parts['modifier']}) in {name!r} is not a type modifier; write numbers, as in numeric(10,2)"
            ) from None
    if not parts["array"]:
        return base, typmod
    element = catalog.by_oid(base)
    array = catalog.by_name(f"{element.name}[]") if element else None
    if array is None:
        raise ValueError(f"{name!r}: there is no array type of that")
    return array.oid, typmod


def _base(catalog: Catalog, name: str, rest: str, whole: str) -> tuple[int, int]:
    """The type without modifier and array, and the modifier its very name implies (SQL's `char` is `char(1)`)."""
    if unknown := _UNKNOWN.fullmatch(name):
        return int(unknown[1]), -1
    word = " ".join((name + rest).split())
    found = catalog.by_name(word) or catalog.by_name(_ALIASES.get(word.lower(), word.lower()))
    if found is not None:
        return found.oid, 5 if word.lower() in ("char", "character") else -1
    close = difflib.get_close_matches(word.lower(), (*catalog.names, *_ALIASES), n=1)
    raise ValueError(f"{whole!r} is not a known type" + (f"; did you mean {close[0]}?" if close else ""))


def type_size(oid: int) -> int:
    """`typlen` as RowDescription gives it: bytes, -1 for a type of varying length, -2 for a C string."""
    return _SIZES.get(oid, -1)
