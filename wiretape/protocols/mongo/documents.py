"""BSON documents <-> trees that a person reads and edits (https://bsonspec.org/spec.html).

Plain scalars stand for the types a driver uses by itself: int32, or int64 where a number needs it; double for what is written
with a point; string, boolean, null; binary without a subtype. Every other type is a mapping in the words of MongoDB's Extended
JSON, such as `{$oid: 6b05804dd8efd8f3bd1c17cd}`, so that what is read encodes to the bytes it came from. A document of the
database's own that looks like one of those is written `{$document: …}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import bson
from bson import Binary, Code, DatetimeMS, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError

from wiretape.errors import DecodeError, EncodeError
from wiretape.tree import Tree, spell

MAX_DEPTH: Final = 80  # levels; a YAML file holds 100, and a document is not at its top
DOCUMENT: Final = "$document"

_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_MS, uuid_representation=UuidRepresentation.UNSPECIFIED
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
_LAST: Final = (datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
_UUID_SUBTYPE: Final = 4
_LONG: Final = "$numberLong"
_NOTHING_TYPES = frozenset((str, bool, float, int, bytes, type(None)))


class _Unfit(Exception):
    """A value is not what its wrapper says."""


def read(data: bytes) -> dict[str, Tree]:
    """The document as a tree. Raises DecodeError."""
    try:
        found = bson.decode(data, codec_options=_OPTIONS)
    except (BSONError, ValueError, OverflowError, RecursionError, TypeError) as error:
        raise DecodeError(f"a document cannot be read: {error}", 0) from None
    return {key: _to_tree(value, 1) for key, value in found.items()}


def write(tree: Mapping[str, Tree], path: str = "") -> bytes:
    """The document's bytes. Raises EncodeError with the place of what does not fit, below `path`."""
    try:
        return bson.encode(_fields(tree))
    except EncodeError as error:
        raise EncodeError(_joined(path, error.path), error.reason) from None
    except (BSONError, ValueError, OverflowError, RecursionError, TypeError) as error:
        raise EncodeError(path, str(error)) from None


def _joined(path: str, rest: str) -> str:
    return f"{path}{'.' if path and rest and not rest.startswith('[') else ''}{rest}"


# Values of BSON types -> trees.


def _to_tree(value: Any, depth: int) -> Tree:
    kind = type(value)
    if kind in _NOTHING_TYPES:
        return value  # type: ignore[no-any-return]
    if depth > MAX_DEPTH:
        raise DecodeError(f"a document is nested deeper than {MAX_DEPTH} levels", 0)
    if kind is dict:
        out: dict[str, Tree] = {key: _to_tree(item, depth + 1) for key, item in value.items()}
        return {DOCUMENT: out} if next(iter(out), "") in WRAPPERS else out
    if kind is list:
        return [_to_tree(item, depth + 1) for item in value]
    return _READERS[kind](value, depth)


def _long(value: Int64, _: int) -> Tree:
    number = int(value)
    return {_LONG: number} if -(2**31) <= number < 2**31 else number


def moment(milliseconds: int) -> str | int:
    """A date as RFC 3339 in UTC, with milliseconds where it has some; the number itself outside of the years 1 to 9999."""
    if not _FIRST <= milliseconds <= _LAST:
        return milliseconds
    text = (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00").removesuffix(".000") + "Z"


def _binary(value: Binary, _: int) -> Tree:
    if value.subtype == _UUID_SUBTYPE and len(value) == 16:
        return {"$uuid": str(UUID(bytes=bytes(value)))}
    return {"$binary": {"data": bytes(value), "subType": value.subtype}}


def _regex(value: Regex[Any], _: int) -> Tree:
    pattern = value.pattern if isinstance(value.pattern, str) else value.pattern.decode("utf-8", "replace")
    options = "".join(letter for letter, flag in _FLAGS.items() if value.flags & flag)
    return {"$regularExpression": {"pattern": pattern, "options": options}}


def _code(value: Code, depth: int) -> Tree:
    if value.scope is None:
        return {"$code": str(value)}
    return {"$code": str(value), "$scope": {key: _to_tree(item, depth + 1) for key, item in value.scope.items()}}


def _reference(value: DBRef, depth: int) -> Tree:
    return {key: _to_tree(item, depth + 1) for key, item in value.as_doc().items()}


_FLAGS: Mapping[str, int] = MappingProxyType({"i": 2, "l": 4, "m": 8, "s": 16, "u": 32, "x": 64})  # those of `re`
_READERS: Mapping[type, Callable[[Any, int], Tree]] = MappingProxyType(
    {
        Int64: _long,
        ObjectId: lambda value, _: {"$oid": str(value)},
        DatetimeMS: lambda value, _: {"$date": moment(int(value))},
        Decimal128: lambda value, _: {"$numberDecimal": str(value)},
        Binary: _binary,
        Regex: _regex,
        Timestamp: lambda value, _: {"$timestamp": {"t": value.time, "i": value.inc}},
        Code: _code,
        MinKey: lambda _, __: {"$minKey": 1},
        MaxKey: lambda _, __: {"$maxKey": 1},
        DBRef: _reference,
    }
)


# Trees -> values of BSON types.


def _to_bson(tree: Tree) -> Any:
    match tree:
        case None | bool() | str() | bytes():
            return tree
        case int():
            if not -(2**63) <= tree < 2**63:
                raise EncodeError("", f"{tree} does not fit in 64 bits; write {{$numberDecimal: …}}")
            return tree
        case float():
            return float(tree)
        case list():
            return [_at(index, item) for index, item in enumerate(tree)]
    name = next(iter(tree), "")
    if name not in WRAPPERS:
        return _fields(tree)
    try:
        return WRAPPERS[name](tree)
    except (_Unfit, BSONError, ValueError, TypeError, OverflowError, ArithmeticError) as error:
        raise EncodeError("", f"this is no {name}: {error}") from None


def _fields(tree: Mapping[str, Tree]) -> dict[str, Any]:
    return {key: _at(key, value) for key, value in tree.items()}


def _at(step: str | int, value: Tree) -> Any:
    try:
        return _to_bson(value)
    except EncodeError as error:
        raise EncodeError(_joined(spell((step,)), error.path), error.reason) from None


def _only(tree: Mapping[str, Tree], *more: str) -> Tree:
    """What the wrapper holds. It has no keys but its own."""
    name, *others = tree
    if extra := [key for key in others if key not in more]:
        raise _Unfit(f"{extra[0]} has no place here")
    return tree[name]


def _part[T: Tree](value: Tree, name: str, kind: type[T]) -> T:
    part = value.get(name) if isinstance(value, dict) else None
    if not isinstance(part, kind) or isinstance(part, bool):
        raise _Unfit(f"it needs {name}, a {kind.__name__}")
    return part


def _text(tree: Mapping[str, Tree]) -> str:
    value = _only(tree)
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise _Unfit("it holds a string")
    return str(value)


def _write_date(tree: Mapping[str, Tree]) -> DatetimeMS:
    value = _only(tree)
    if isinstance(value, int) and not isinstance(value, bool):
        return DatetimeMS(value)
    if not isinstance(value, str):
        raise _Unfit('it holds a string such as "2026-11-20T10:00:00Z"')
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise _Unfit("the zone is missing; end it with Z")
    return DatetimeMS((at - _EPOCH) // timedelta(milliseconds=1))


def _write_long(tree: Mapping[str, Tree]) -> Int64:
    value = _only(tree)
    if not isinstance(value, int | str) or isinstance(value, bool):
        raise _Unfit("it holds a whole number")
    number = int(value)
    if not -(2**63) <= number < 2**63:
        raise _Unfit("it does not fit in 64 bits")
    return Int64(number)


def _write_binary(tree: Mapping[str, Tree]) -> Binary:
    value = _only(tree)
    return Binary(_part(value, "data", bytes), _part(value, "subType", int))


def _write_regex(tree: Mapping[str, Tree]) -> Regex[str]:
    value = _only(tree)
    return Regex(_part(value, "pattern", str), sum(_FLAGS[letter] for letter in _letters(_part(value, "options", str))))


def _letters(options: str) -> str:
    if unknown := [letter for letter in options if letter not in _FLAGS]:
        raise _Unfit(f"there is no option {unknown[0]}")
    return "".join(sorted(set(options)))


def _write_timestamp(tree: Mapping[str, Tree]) -> Timestamp:
    value = _only(tree)
    return Timestamp(_part(value, "t", int), _part(value, "i", int))


def _write_code(tree: Mapping[str, Tree]) -> Code:
    code, scope = _only(tree, "$scope"), tree.get("$scope")
    if not isinstance(code, str) or not isinstance(scope, dict | None):
        raise _Unfit("it holds a string, and $scope a mapping")
    return Code(code, None if scope is None else _fields(scope))


def _write_document(tree: Mapping[str, Tree]) -> dict[str, Any]:
    value = _only(tree)
    if not isinstance(value, dict):
        raise _Unfit("it holds a mapping")
    return _fields(value)


WRAPPERS: Mapping[str, Callable[[Mapping[str, Tree]], Any]] = MappingProxyType(
    {
        "$oid": lambda tree: ObjectId(_text(tree)),
        "$date": _write_date,
        _LONG: _write_long,
        "$numberDecimal": lambda tree: Decimal128(_text(tree)),
        "$uuid": lambda tree: Binary(UUID(_text(tree)).bytes, _UUID_SUBTYPE),
        "$binary": _write_binary,
        "$regularExpression": _write_regex,
        "$timestamp": _write_timestamp,
        "$code": _write_code,
        "$minKey": lambda _: MinKey(),
        "$maxKey": lambda _: MaxKey(),
        DOCUMENT: _write_document,
    }
)
