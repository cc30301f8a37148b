"""From a command, live or recorded, to what is asked: its places are the shape, what stands there the values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from wiretape.case import Call
from wiretape.protocols.base import Ask
from wiretape.protocols.mongo.commands import SEQUENCES, Command, changes, role, whole
from wiretape.protocols.mongo.documents import WRAPPERS
from wiretape.tree import Tree, spell

_ASKED = ("query", *SEQUENCES.values())
_UNASKED = frozenset(("comment", "$readPreference"))  # what the answer does not depend on
# Where the order of keys means something. Elsewhere it is the driver's, or changes from run to run (maps of Go, Perl, Java).
_ORDERED = frozenset(("sort", "$sort", "key", "hint"))
_EXACT: Final = 2.0**53


class _Leaf(NamedTuple):
    """A value and its place: `word` with the value's type where that is no plain one, `label` without."""

    word: str
    label: str
    value: Tree


def live(target: str, command: Command) -> Ask:
    """The ask of a request."""
    made = _make(target, command.operation, command.fields)
    return replace(made, trace=traces[0]) if (traces := command.traces) else made


def ask(call: Call) -> Ask:
    """A recorded call as an ask."""
    return _make(call.target, call.operation, call.fields)


def more(target: str, operation: str, cursor: int, blocks: float | None = None) -> Ask:
    """The ask for more of a cursor, by its number in the recording. `operation`: `getMore` and the namespace.

    What was read of a cursor is not read again, so an ask that expects its answer at once says that it writes.
    """
    return _make(target, operation, {"cursor": cursor}, blocks, writes=blocks is None)


def _make(target: str, operation: str, fields: Mapping[str, Tree], blocks: float | None = None, *, writes: bool = False) -> Ask:
    name = operation.partition(" ")[0]
    if name == "getMore":  # the cursor is the very thing asked of
        shape = f"{operation} {fields.get('cursor')!s}"
        return Ask(target=target, operation=operation, shape=shape, writes=writes, blocks=blocks)
    leaves: list[_Leaf] = []
    for part in _ASKED:
        asked = fields.get(part)
        if part == "query" and isinstance(asked, dict):
            for key in sorted(asked):
                if key not in _UNASKED:
                    leaves += _leaves(asked[key], spell((key,)), key)
        elif asked is not None:
            leaves += _leaves(asked, part, part)
    return Ask(
        target=target,
        operation=operation,
        shape=" ".join([operation, *(leaf.word for leaf in leaves if leaf.word)]),
        values=tuple(leaf.value for leaf in leaves),
        labels=tuple(leaf.label for leaf in leaves),
        writes=changes(name, fields.get("query")),
        role=role(name),
    )


def _leaves(tree: Tree, path: str, key: str) -> Iterator[_Leaf]:
    """Every value below, in order. A list of plain values is one value."""
    if isinstance(tree, list):
        yield from _items(tree, path, key)
    elif isinstance(tree, dict) and not (kind := _wrapper(tree)):
        if not tree:
            yield _Leaf(path + "{}", path, {})
        for name in tree if key in _ORDERED else sorted(tree):
            yield from _leaves(tree[name], path + _step(name), name)
    else:
        kind = _kind(tree)
        yield _Leaf(f"{path}{kind}", path, plain(tree))


def _items(items: list[Tree], path: str, key: str) -> Iterator[_Leaf]:
    if all(_is_plain(item) for item in items):
        kinds = "".join(dict.fromkeys(map(_kind, items)))
        yield _Leaf(f"{path}[]{kinds}", path, [plain(item) for item in items])
        return
    before: list[str] = []
    for index, item in enumerate(items):
        found = list(_leaves(item, "", key))
        words = [leaf.word for leaf in found]
        here = f"{path}[{index}]"
        for leaf in found:
            # one that is as the one before it adds nothing to the shape: a thousand documents are told by their values
            yield _Leaf("" if words == before else here + leaf.word, here + leaf.label, leaf.value)
        before = words


def _step(name: str) -> str:
    spelled = spell((name,))
    return spelled if spelled.startswith("[") else f".{spelled}"


def _wrapper(tree: Mapping[str, Tree]) -> str:
    name = next(iter(tree), "")
    return name if name in WRAPPERS else ""


def _is_plain(tree: Tree) -> bool:
    return bool(_wrapper(tree)) if isinstance(tree, dict) else not isinstance(tree, list)


def _kind(tree: Tree) -> str:
    """The type of a value where it is no plain one: `:oid`. Numbers of all types are alike."""
    name = _wrapper(tree) if isinstance(tree, dict) else ""
    return "" if name in ("", "$numberLong") else f":{name[1:]}"


def plain(tree: Tree) -> Tree:
    """A value as it is compared: without its wrapper, and numbers without their type, as drivers choose that."""
    if isinstance(tree, float):
        return int(tree) if tree.is_integer() and abs(tree) <= _EXACT else tree
    if not isinstance(tree, dict):
        return tree
    name = _wrapper(tree)
    held = tree[name]
    match name:
        case "$numberLong":
            number = whole(tree)
            return held if number is None else number
        case "$binary":
            return held.get("data") if isinstance(held, dict) else held
        case "$regularExpression":
            return f"/{held.get('pattern')!s}/{held.get('options')!s}" if isinstance(held, dict) else held
        case "$timestamp":
            return f"{held.get('t')!s}:{held.get('i')!s}" if isinstance(held, dict) else held
        case "$oid" | "$uuid" | "$numberDecimal":
            return str(held)
    return held if name in ("$date", "$code") else dict(tree)
