"""Replies as trees: what a person reads in a case, whichever protocol the reply was sent in.

The form of a command's reply (`forms`) says which types its tree has. Where a server sent others, `as` beside the reply names
them, and the tree is the reply as it stands.
"""

# ruff: noqa: ARG001 - the functions of a table have one signature
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from wiretape.errors import EncodeError
from wiretape.protocols.redis import resp
from wiretape.protocols.redis.forms import Form
from wiretape.protocols.redis.resp import NULL_ARRAY, Value
from wiretape.protocols.redis.types import INT64, NAME_OF, text
from wiretape.protocols.redis.writing import write
from wiretape.tree import Number, Tree


class _Unfit(Exception):
    """A reply is not of the form that is expected."""


def number(literal: bytes) -> Tree:
    """A double as it is written."""
    try:
        value = float(literal)
    except ValueError:
        raise _Unfit from None
    plain = literal.decode("ascii", "replace")
    return Number(plain) if value - value == 0 and plain.strip() == plain and "_" not in plain else value


def read(form: Form, value: Value, protocol: int) -> tuple[Tree, Tree]:
    """A reply as a tree, and what `as` says of it: None where the form says it all."""
    try:
        tree = _READERS[form.kind](form, value)
        if resp.encode(write(form, tree, protocol), protocol) == resp.encode(value, protocol):
            return tree, None
    except (_Unfit, EncodeError):
        pass
    return plain(value), marks(value, form.kind == "plain") or "plain"


def _read(form: Form, value: Value) -> Tree:
    return _READERS[form.kind](form, value)


def _read_plain(form: Form, value: Value) -> Tree:
    if marks(value) is not None:
        raise _Unfit
    return plain(value)


def plain(value: Value) -> Tree:
    """A value as it stands."""
    if isinstance(value, bytes):
        return _plain_text(value)
    if isinstance(value, resp.Map):
        return _plain_map(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return None if value is NULL_ARRAY else value  # type: ignore[return-value]


def _plain_text(value: bytes) -> Tree:
    if isinstance(value, resp.Double):
        return number(value)
    if isinstance(value, resp.BigNumber):
        return int(value)
    if isinstance(value, resp.Verbatim):
        return text(value[4:])
    return text(value)


def _plain_map(value: resp.Map) -> Tree:
    keys = value[::2]
    named = _distinct(keys)
    items = [plain(item) for item in value[1::2]]
    if named is not None:
        return dict(zip(named, items, strict=True))
    return [entry for pair in zip(map(plain, keys), items, strict=True) for entry in pair]


def _distinct(keys: Sequence[Value]) -> list[str] | None:
    """The keys of a map as text; None where they are not all of them texts, and different ones."""
    named = [text(key) for key in keys if type(key) is bytes]
    texts = [name for name in named if isinstance(name, str)]
    return texts if len(texts) == len(keys) == len(set(texts)) else None


def _read_bulk(form: Form, value: Value) -> Tree:
    if value is None or value is NULL_ARRAY:
        return None
    if type(value) is not bytes:
        raise _Unfit
    return text(value)


def _read_texts(form: Form, value: Value) -> Tree:
    if isinstance(value, list):
        return [_read_texts(form, item) for item in value]
    return _read_bulk(form, value)


def _read_status(form: Form, value: Value) -> Tree:
    if isinstance(value, resp.Simple):
        return text(value)
    if isinstance(value, bytes):
        raise _Unfit
    return plain(value)


def _read_verbatim(form: Form, value: Value) -> Tree:
    if isinstance(value, resp.Verbatim):
        return text(value[4:])
    return _read_bulk(form, value)


def _read_double(form: Form, value: Value) -> Tree:
    if isinstance(value, bytes):
        return number(value)
    return _null(value)


def _null(value: Value) -> Tree:
    if value is None or value is NULL_ARRAY:
        return None
    raise _Unfit


def _read_boolean(form: Form, value: Value) -> Tree:
    if value in (0, 1) and isinstance(value, int):
        return bool(value)
    return _null(value)


def _items(value: Value) -> list[Value]:
    if isinstance(value, list):
        return value
    raise _Unfit


def _read_set(form: Form, value: Value) -> Tree:
    return _read_texts(form, value)


def _read_list(form: Form, value: Value) -> Tree:
    if value is None or value is NULL_ARRAY:
        return None
    return [_read(form.parts[0], item) for item in _items(value)]


def _read_tuple(form: Form, value: Value) -> Tree:
    if value is None or value is NULL_ARRAY:
        return None
    items = _items(value)
    if items and len(items) != len(form.parts):
        raise _Unfit
    return [_read(part, item) for part, item in zip(form.parts, items, strict=False)]


def _read_pairs(form: Form, value: Value) -> Tree:
    if value is None or value is NULL_ARRAY:
        return None
    return [[_read_bulk(form, key), _read(form.parts[0], item)] for key, item in _pairs(_items(value))]


def _pairs(items: list[Value]) -> list[tuple[Value, Value]]:
    """Pairs, whether they stand one after the other or each in a list of its own."""
    if items and all(isinstance(item, list) and len(item) == 2 for item in items):
        return [(item[0], item[1]) for item in items if isinstance(item, list)]
    return _flat_pairs(items)


def _flat_pairs(items: list[Value]) -> list[tuple[Value, Value]]:
    if len(items) % 2:
        raise _Unfit
    return list(zip(items[::2], items[1::2], strict=True))


def _read_map(form: Form, value: Value) -> Tree:
    if value is None or value is NULL_ARRAY:
        return None
    items = _items(value)
    return _mapping(form, _pairs(items) if form.kind == "keyed" and type(items) is list else _flat_pairs(items))


def _mapping(form: Form, pairs: list[tuple[Value, Value]]) -> Tree:
    keys = _distinct([key for key, _ in pairs])
    values = [_read(form.parts[0], item) for _, item in pairs]
    if keys is not None:
        return dict(zip(keys, values, strict=True))
    return [[_read_bulk(form, key), value] for (key, _), value in zip(pairs, values, strict=True)]


_READERS: Mapping[str, Callable[[Form, Value], Tree]] = MappingProxyType(
    {
        "plain": _read_plain, "bulk": _read_bulk, "texts": _read_texts, "simple": _read_status, "text": _read_verbatim,
        "double": _read_double, "boolean": _read_boolean, "set": _read_set, "list": _read_list, "tuple": _read_tuple,
        "pairs": _read_pairs, "map": _read_map, "keyed": _read_map,
    }
)  # fmt: skip


def marks(value: Value, plain: bool = True) -> Tree:
    """The types of a value where its tree does not tell them: None, a name, a list of those, or a name with such a list."""
    if isinstance(value, list):
        within = [marks(item) for item in value]
        name = NAME_OF[type(value)]
        if isinstance(value, resp.Map) and _distinct(value[::2]) is not None:
            within, name = within[1::2], "array"  # a mapping in the tree tells that it is one
        if not any(mark is not None for mark in within):
            return None if name == "array" else name
        return within if name == "array" else {name: within}
    if isinstance(value, bytes):
        return _text_mark(value)
    if value is NULL_ARRAY:
        return "null array"
    return None if plain or value is None or isinstance(value, bool) else "integer"


def _text_mark(value: bytes) -> Tree:
    if isinstance(value, resp.Verbatim):
        return "verbatim " + str(value[:3], "utf-8", "replace")
    if isinstance(value, resp.BigNumber):
        return None if not -INT64 <= int(value) < INT64 else "big number"
    if isinstance(value, resp.Double) and not value.lstrip(b"-+").isdigit():
        return None
    return None if type(value) is bytes else NAME_OF[type(value)]
