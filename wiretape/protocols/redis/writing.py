"""Trees as replies: the values a protocol has for what a case says."""

# ruff: noqa: ARG001 - the functions of a table have one signature
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from wiretape.errors import EncodeError
from wiretape.protocols.redis import resp
from wiretape.protocols.redis.forms import PLAIN, TEXTS, Form
from wiretape.protocols.redis.resp import NULL_ARRAY, Value
from wiretape.protocols.redis.types import INT64, LISTS, NAMES, SCALARS, Path, data
from wiretape.tree import Number, Tree, spell


def write(form: Form, tree: Tree, protocol: int, path: Path = ("reply",)) -> Value:
    """A tree as the values of a protocol. Raises EncodeError."""
    if tree is None:
        return NULL_ARRAY if form.null_array and protocol < 3 else None
    return _WRITERS[form.kind](form, tree, protocol, path)


def _write_plain(form: Form, tree: Tree, protocol: int, path: Path) -> Value:
    match tree:
        case bool() | None:
            return tree
        case int():
            return tree if -INT64 <= tree < INT64 else resp.BigNumber(str(tree).encode())
        case float():
            return _double(tree)
        case list():
            return [_write_plain(form, item, protocol, (*path, at)) for at, item in enumerate(tree)]
        case dict():
            return resp.Map(_flat((data(key), _write_plain(form, item, protocol, (*path, key))) for key, item in tree.items()))
    return data(tree, path)


def _double(value: float) -> resp.Double:
    literal = str(value)
    return resp.Double((literal.removesuffix(".0") if not isinstance(value, Number) else literal).encode())


def _flat(pairs: Iterable[tuple[Value, Value]]) -> list[Value]:
    return [entry for pair in pairs for entry in pair]


def _write_bulk(form: Form, tree: Tree, protocol: int, path: Path) -> Value:
    return data(tree, path)


def _write_texts(form: Form, tree: Tree, protocol: int, path: Path) -> Value:
    if tree is None:
        return None
    if isinstance(tree, list):
        return [_write_texts(form, item, protocol, (*path, at)) for at, item in enumerate(tree)]
    return data(tree, path)


def _write_status(form: Form, tree: Tree, protocol: int, path: Path) -> Value:
    if isinstance(tree, str):
        return _line(resp.Simple, tree, path)
    return _write_plain(PLAIN, tree, protocol, path)


def _line(kind: type[bytes], value: Tree, path: Path) -> bytes:
    made = data(value, path)
    if b"\n" in made or b"\r" in made:
        raise EncodeError(spell(path), "expected a single line")
    return kind(made)


def _write_verbatim(form: Form, tree: Tree, protocol: int, path: Path) -> Value:
    return resp.Verbatim(b"txt:" + data(tree, path))


def _write_double(form: Form, tree: Tree, protocol: int, path: Path) -> Value:
    if isinstance(tree, float):
        return _double(tree)
    literal = data(tree, path)
    try:
        float(literal)
    except ValueError:
        raise EncodeError(spell(path), f"expected a number, not {tree!r}") from None
    return resp.Double(literal)


def _write_boolean(form: Form, tree: Tree, protocol: int, path: Path) -> Value:
    if isinstance(tree, bool):
        return tree
    raise EncodeError(spell(path), "expected true or false")


def _listed(tree: Tree, path: Path) -> list[Tree]:
    if isinstance(tree, list):
        return tree
    raise EncodeError(spell(path), "expected a list")


def _write_set(form: Form, tree: Tree, protocol: int, path: Path) -> Value:
    return resp.Set(data(item, (*path, at)) for at, item in enumerate(_listed(tree, path)))


def _write_list(form: Form, tree: Tree, protocol: int, path: Path) -> Value:
    return [write(form.parts[0], item, protocol, (*path, at)) for at, item in enumerate(_listed(tree, path))]


def _write_tuple(form: Form, tree: Tree, protocol: int, path: Path) -> Value:
    items = _listed(tree, path)
    if items and len(items) != len(form.parts):
        raise EncodeError(spell(path), f"expected {len(form.parts)} items")
    both = enumerate(zip(form.parts, items, strict=False))
    return [write(part, item, protocol, (*path, at)) for at, (part, item) in both]


def _write_pairs(form: Form, tree: Tree, protocol: int, path: Path) -> Value:
    pairs: list[tuple[Value, Value]] = _entries(form.parts[0], tree, protocol, path)
    return _flat(pairs) if protocol < 3 else [[key, value] for key, value in pairs]


def _entries(form: Form, tree: Tree, protocol: int, path: Path) -> list[tuple[Value, Value]]:
    """The pairs of a mapping, or of a list of pairs."""
    if isinstance(tree, dict):
        return [(data(key), write(form, item, protocol, (*path, key))) for key, item in tree.items()]
    out: list[tuple[Value, Value]] = []
    for at, pair in enumerate(_listed(tree, path)):
        if not isinstance(pair, list) or len(pair) != 2:
            raise EncodeError(spell((*path, at)), "expected a pair")
        out.append((data(pair[0], (*path, at, 0)), write(form, pair[1], protocol, (*path, at, 1))))
    return out


def _write_map(form: Form, tree: Tree, protocol: int, path: Path) -> Value:
    return resp.Map(_flat(_entries(form.parts[0], tree, protocol, path)))


def _write_keyed(form: Form, tree: Tree, protocol: int, path: Path) -> Value:
    pairs = _entries(form.parts[0], tree, protocol, path)
    return [[key, value] for key, value in pairs] if protocol < 3 else resp.Map(_flat(pairs))


_WRITERS: Mapping[str, Callable[[Form, Tree, int, Path], Value]] = MappingProxyType(
    {
        "plain": _write_plain, "bulk": _write_bulk, "texts": _write_texts, "simple": _write_status, "text": _write_verbatim,
        "double": _write_double, "boolean": _write_boolean, "set": _write_set, "list": _write_list, "tuple": _write_tuple,
        "pairs": _write_pairs, "map": _write_map, "keyed": _write_keyed,
    }
)  # fmt: skip


def write_as(tree: Tree, mark: Tree, path: Path = ("reply",), place: Path = ("as",)) -> Value:
    """A tree as the values that `as` says. Raises EncodeError."""
    if isinstance(mark, dict):
        if len(mark) != 1 or next(iter(mark)) not in LISTS:
            raise EncodeError(spell(place), f"expected one of {', '.join(LISTS)} with a list")
        ((name, within),) = mark.items()
        return LISTS[name](_items_as(tree, _listed(within, (*place, name)), path, (*place, name)))
    if isinstance(mark, list):
        if isinstance(tree, dict):
            values = _items_as(list(tree.values()), mark, path, place)
            return resp.Map(_flat(zip(map(data, tree), values, strict=True)))
        return _items_as(tree, mark, path, place)
    if mark is None or mark == "plain":
        return _write_plain(PLAIN, tree, 3, path)
    return _write_named(tree, mark, path, place)


def _items_as(tree: Tree, within: list[Tree], path: Path, place: Path) -> list[Value]:
    items = _listed(tree, path)
    if len(items) != len(within):
        raise EncodeError(spell(place), f"{len(within)} types for {len(items)} items")
    both = enumerate(zip(items, within, strict=True))
    return [write_as(item, mark, (*path, at), (*place, at)) for at, (item, mark) in both]


def _write_named(tree: Tree, name: Tree, path: Path, place: Path) -> Value:
    if name == "null array" and tree is None:
        return NULL_ARRAY
    if name in ("simple", "error"):
        return _line(SCALARS[str(name)], tree, path)
    if name == "double":
        return _write_double(TEXTS, tree, 3, path)
    if isinstance(name, str) and name in SCALARS:
        return SCALARS[name](data(tree, path))
    if isinstance(name, str) and name in LISTS:
        return LISTS[name](_write_plain(PLAIN, item, 3, (*path, at)) for at, item in enumerate(_listed(tree, path)))
    if isinstance(name, str) and name.startswith("verbatim ") and len(name.encode()) == 12:
        return resp.Verbatim(name[9:].encode() + b":" + data(tree, path))
    if name == "integer" and isinstance(tree, int) and not isinstance(tree, bool):
        return tree
    raise EncodeError(spell(place), f"{name!r} does not name a type of this reply: {', '.join(NAMES)}")
