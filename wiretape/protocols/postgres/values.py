"""Values between PostgreSQL's text form, its binary form, and what stands in a case. Pure functions by type OID, exact or
nothing.

A case holds the text a server would send, with numbers as YAML numbers. Whatever format a driver asks for is made from that.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from wiretape.errors import EncodeError
from wiretape.protocols.postgres import arrays, rows
from wiretape.protocols.postgres.extensions import EXTENSIONS
from wiretape.protocols.postgres.geometry import GEOMETRY
from wiretape.protocols.postgres.moments import MOMENTS
from wiretape.protocols.postgres.network import NETWORK
from wiretape.protocols.postgres.numbers import NUMBERS, float_text
from wiretape.protocols.postgres.scalar import Codec, NoText, Style
from wiretape.protocols.postgres.texts import TEXT, TEXTS
from wiretape.protocols.postgres.types import Catalog, Type, parse_type, type_name
from wiretape.tree import Number, Tree, kind

__all__ = [
    "NoBinary", "Style", "from_tree", "is_record", "record_binary", "record_tree", "to_binary", "to_text", "to_tree",
    "tree_maker",
]  # fmt: skip

_SCALARS: Mapping[int, Codec] = MappingProxyType({**NUMBERS, **MOMENTS, **TEXTS, **NETWORK, **GEOMETRY})
_VECTORS = MappingProxyType({22: 21, 30: 26})
_BOOL, _BYTEA, _FLOAT4, _FLOAT8, _NUMERIC, _BOX, _RECORD, _JSON, _JSONB = 16, 17, 700, 701, 1700, 603, 2249, 114, 3802
_WHOLE_NUMBERS = frozenset((20, 21, 23, 26, 28, 29, 5069))
_FRACTIONS = frozenset((_FLOAT4, _FLOAT8, _NUMERIC))
_DEEPEST = 32  # rows may hold rows

_INTEGER = re.compile(r"-?[1-9][0-9]*|0")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)")
_LONGEST_NUMBER = 1000  # characters: longer ones are kept as text, far below Python's limit of 4,300 digits

_PLAIN_STYLE = Style()


class NoBinary(EncodeError):
    """The value is text that can be served as such; there is no knowing its binary form."""


def to_text(catalog: Catalog, oid: int, data: bytes, style: Style = _PLAIN_STYLE) -> str | None:
    """The text the server itself would send for a binary value; None where the type is not known or `data` is not of it."""
    try:
        return _read(catalog, oid, data, style, _DEEPEST)
    except (NoText, ValueError, LookupError, struct.error, OverflowError):
        return None


def _read(catalog: Catalog, oid: int, data: bytes, style: Style, depth: int) -> str:
    codec = _SCALARS.get(oid)
    if codec is not None:
        return codec.read(data, style)

    def read(inner: int, part: bytes) -> str:
        return _read(catalog, inner, part, style, depth - 1)

    if not depth:
        raise NoText("too deep")
    if oid in _VECTORS:
        return arrays.read_vector(data, _VECTORS[oid], read)
    if oid == _RECORD:
        return rows.read_row(data, None, read)
    found = catalog.by_oid(oid)
    match found.category if found else None, found:
        case "array", Type(element=element):
            return arrays.read_array(data, element, _delimiter(element), read)
        case "range", Type(element=subtype):
            return rows.read_range(data, subtype, read)
        case "multirange", Type(element=element):
            return rows.read_multirange(data, _subtype(catalog, element), read)
        case "composite", Type(fields=fields):
            return rows.read_row(data, [inner for _, inner in fields], read)
        case "domain", Type(element=base):
            return read(base, data)
        case _:
            return _other(found).read(data, style)


def to_binary(catalog: Catalog, oid: int, text: str, style: Style = _PLAIN_STYLE) -> bytes:
    """The binary form of a value's text.

    Raises EncodeError, with an empty path, that says what was expected.
    """
    try:
        return _write(catalog, oid, text, style, _DEEPEST)
    except NoText as error:
        name = type_name(catalog, oid, -1)
        raise NoBinary("", f"the binary form of {name} is not known ({error}); have the client ask for text") from None
    except (ValueError, LookupError, struct.error, OverflowError):
        raise EncodeError(
            "", f"{_shorten(text)} is not {_article(type_name(catalog, oid, -1))}: {_expects(catalog, oid)}"
        ) from None


def _write(catalog: Catalog, oid: int, text: str, style: Style, depth: int) -> bytes:
    codec = _SCALARS.get(oid)
    if codec is not None:
        return codec.write(text, style)

    def write(inner: int, part: str) -> bytes:
        return _write(catalog, inner, part, style, depth - 1)

    if not depth:
        raise NoText("too deep")
    if oid in _VECTORS:
        return arrays.write_vector(text, _VECTORS[oid], write)
    found = catalog.by_oid(oid)
    match found.category if found else None, found:
        case "array", Type(element=element):
            return arrays.write_array(text, element, _delimiter(element), write)
        case "range", Type(element=subtype):
            return rows.write_range(text, subtype, write)
        case "multirange", Type(element=element):
            return rows.write_multirange(text, _subtype(catalog, element), write)
        case "composite", Type(fields=fields):
            return rows.write_row(text, [inner for _, inner in fields], write)
        case "domain", Type(element=base):
            return write(base, text)
        case _:
            return _other(found).write(text, style)


def _other(found: Type | None) -> Codec:
    """The codec of an enum or of an extension's type."""
    if found is not None and found.category == "enum":
        return TEXT
    if found is not None and found.name in EXTENSIONS:
        return EXTENSIONS[found.name]
    raise NoText("no such type in the catalog" if found is None else "not one of the types converted")


def _delimiter(element: int) -> str:
    return ";" if element == _BOX else ","


def _subtype(catalog: Catalog, oid: int) -> int:
    """What the ranges of a multirange are over."""
    found = catalog.by_oid(oid)
    if found is None or found.category != "range":
        raise NoText("its range type is not known")
    return found.element


def _expects(catalog: Catalog, oid: int) -> str:
    if oid in _SCALARS:
        return f"expected {_SCALARS[oid].expects}"
    found = catalog.by_oid(oid)
    match found.category if found else None, found:
        case "array", Type(element=element):
            return f"expected an array such as {{a,b}} whose items are each {_article(type_name(catalog, element, -1))}"
        case "range" | "multirange", Type():
            return "expected a range such as [1,5), or {[1,5),[7,9)} for a multirange"
        case "composite", Type(fields=fields):
            return f"expected a row ({','.join(name for name, _ in fields)})"
        case "domain", Type(element=base):
            return _expects(catalog, base)
        case _:
            known = EXTENSIONS.get(found.name) if found else None
            return f"expected {known.expects}" if known else "expected its text form"


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"


def _shorten(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


# What stands in a case


def to_tree(catalog: Catalog, oid: int, text: str) -> Tree:
    """What a case shows for a value's text: a YAML number where that keeps every digit, else the text."""
    oid = _base(catalog, oid)
    if oid in _WHOLE_NUMBERS or oid in _FRACTIONS:
        return _number(text, fractions=oid in _FRACTIONS)
    return text


def tree_maker(catalog: Catalog, oid: int) -> Callable[[str], Tree] | None:
    """`to_tree` for many values of one type; None where it is the text itself."""
    oid = _base(catalog, oid)
    if oid in _WHOLE_NUMBERS or oid in _FRACTIONS:
        return partial(_number, fractions=oid in _FRACTIONS)
    return None


def _number(text: str, *, fractions: bool) -> Tree:
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if fractions and _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return Number(text)
    return text


def record_tree(catalog: Catalog, data: bytes, style: Style) -> Tree:
    """A row of no declared type: its text does not tell the types of its fields, so they stand beside the values, as
    `[[int4, 5], [text, a point]]`. The bytes themselves where they cannot be read."""

    def read(oid: int, part: bytes) -> str:
        return _read(catalog, oid, part, style, _DEEPEST)

    try:
        fields = rows.row_fields(data, read)
    except (NoText, ValueError, LookupError, struct.error, OverflowError):
        return data
    return [[type_name(catalog, oid, -1), None if text is None else to_tree(catalog, oid, text)] for oid, text in fields]


def is_record(oid: int, value: Tree) -> bool:
    """Whether a value is one that `record_tree` gives."""
    return oid == _RECORD and isinstance(value, list)


def record_binary(catalog: Catalog, value: Tree, style: Style) -> bytes:
    """The opposite of `record_tree`. Raises EncodeError, with an empty path."""
    return rows.write_fields(_record_fields(catalog, value), lambda oid, text: to_binary(catalog, oid, text, style))


def _record_fields(catalog: Catalog, value: Tree) -> list[tuple[int, str | None]]:
    fields = []
    for field in value if isinstance(value, list) else [None]:
        if not isinstance(field, list) or len(field) != 2:
            raise EncodeError("", "expected a list of fields, each of them [type, value]")
        try:
            oid = parse_type(catalog, str(field[0]))[0]
        except ValueError as error:
            raise EncodeError("", str(error)) from None
        fields.append((oid, from_tree(catalog, oid, field[1])))
    return fields


def _base(catalog: Catalog, oid: int) -> int:
    """The type behind a domain, which has its values."""
    for _ in range(_DEEPEST):
        found = catalog.by_oid(oid)
        if found is None or found.category != "domain":
            break
        oid = found.element
    return oid


def from_tree(catalog: Catalog, oid: int, value: Tree) -> str | None:
    """The text form of what a case says, or what a person may have written instead: `true`, a bare number, a list for an
    array, any JSON for json. None is NULL.

    Raises EncodeError, with an empty path, where the value cannot be one of that type.
    """
    oid = _base(catalog, oid)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (list, dict)):
        return _nested(catalog, oid, value)
    if isinstance(value, bool):
        return ("t" if value else "f") if oid == _BOOL else ("true" if value else "false")
    if isinstance(value, bytes):
        return _bytes_text(catalog, oid, value)
    return _number_text(value, single=oid == _FLOAT4)


def _number_text(value: int | float, *, single: bool) -> str:
    if isinstance(value, Number):
        return value.literal
    if isinstance(value, float):
        return float_text(value, single=single)
    return str(value)


def _bytes_text(catalog: Catalog, oid: int, value: bytes) -> str:
    if oid == _BYTEA:
        return "\\x" + value.hex()
    text = to_text(catalog, oid, value)
    if text is None:
        raise EncodeError("", f"these bytes are not the binary form of {_article(type_name(catalog, oid, -1))}")
    return text


def _nested(catalog: Catalog, oid: int, value: list[Tree] | dict[str, Tree]) -> str:
    if oid in (_JSON, _JSONB):
        return _json(value, jsonb=oid == _JSONB)
    if is_record(oid, value):
        return rows.row_text([text for _, text in _record_fields(catalog, value)])
    found = catalog.by_oid(oid)
    if isinstance(value, list) and found is not None and found.category == "array":
        return _array_text(catalog, found.element, value)
    name = type_name(catalog, oid, -1)
    raise EncodeError("", f"{_article(name)} cannot be {_article(kind(value))}; write its text form in quotes")


def _array_text(catalog: Catalog, element: int, items: list[Tree]) -> str:
    texts = []
    for item in items:
        if isinstance(item, list) and element not in (_JSON, _JSONB):
            texts.append(_array_text(catalog, element, item))
        else:
            text = from_tree(catalog, element, item)
            texts.append("NULL" if text is None else arrays.quote_item(text, _delimiter(element)))
    return "{" + _delimiter(element).join(texts) + "}"


def _json(value: Tree, *, jsonb: bool) -> str:
    """Compact JSON; for jsonb with the spaces and the order of keys in which PostgreSQL keeps it."""
    colon, comma = (": ", ", ") if jsonb else (":", ",")
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode())) if jsonb else list(value)
        return (
            "{" + comma.join(json.dumps(key, ensure_ascii=False) + colon + _json(value[key], jsonb=jsonb) for key in keys) + "}"
        )
    if isinstance(value, list):
        return "[" + comma.join(_json(item, jsonb=jsonb) for item in value) + "]"
    if isinstance(value, bytes) or (isinstance(value, float) and not math.isfinite(value)):
        raise EncodeError("", f"{value!r} is not JSON")
    return value.literal if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)
