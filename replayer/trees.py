"""Values compared by meaning, place by place: what differs for no reason that bindings or noise rules know. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass

from normalizers.base import Normalizer, Paired, When, takes
from normalizers.orders import Unordered
from normalizers.pipeline import NORMALIZERS
from normalizers.presence import may_come, may_go
from replayer import binaries, orders
from replayer.align import Pairs, align
from replayer.bindings import Bindings
from replayer.events import Change
from replayer.noise import Rules
from wiretape.tree import Path, Tree, kind, same, spell, walk

GONE = object()
REARRANGED = "the same items in another order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What comparing needs besides the two values. `placed`: whether two that differ are one thing at this place of a
    response (`replayer.places`)."""

    bindings: Bindings
    rules: Rules
    when: When
    placed: Callable[[Path, Tree, Tree], bool] = lambda *_: False


def values(path: Path, recorded: Tree, live: Tree, by: Comparison) -> Iterator[Change]:
    """The differences of two values at a place, down to the smallest that differ."""
    if _agree(path, recorded, live, by):
        return
    if isinstance(recorded, dict) and isinstance(live, dict):
        yield from _objects(path, recorded, live, by)
    elif isinstance(recorded, list) and isinstance(live, list):
        yield from arrays(path, recorded, live, by)
    else:
        yield from one(path, recorded, live, by)


def _objects(path: Path, recorded: dict[str, Tree], live: dict[str, Tree], by: Comparison) -> Iterator[Change]:
    for key, value in recorded.items():
        if key in live:
            yield from values((*path, key), value, live[key], by)
        else:
            yield from one((*path, key), value, GONE, by)
    for key, value in live.items():
        if key not in recorded:
            yield from one((*path, key), GONE, value, by)


def arrays(
    path: Path,
    recorded: list[Tree],
    live: list[Tree],
    by: Comparison,
    places: tuple[Sequence[int], Sequence[int]] | None = None,
) -> Iterator[Change]:
    """The differences of two lists, item by item. `places`: where each item stands in a longer list, recorded and live."""
    left, right = places or (range(len(recorded)), range(len(live)))
    stood = by.bindings.stand(recorded)
    shared = strings(stood) & strings(live)

    def meaning(item: Tree) -> str:
        return canonical(item, shared)

    unordered = _unordered(path, by)
    pairs = _unordered_pairs(path, stood, live, unordered, by) if unordered else orders.rearranged(stood, live, meaning)
    if pairs and not unordered:
        yield from one(path, recorded, live, by, REARRANGED)
    for mine, theirs in pairs or align(stood, live, meaning):
        if mine is None:
            assert theirs is not None
            yield from one((*path, right[theirs]), GONE, live[theirs], by)
        elif theirs is None:
            yield from one((*path, left[mine]), recorded[mine], GONE, by)
        else:
            yield from values((*path, left[mine]), recorded[mine], live[theirs], by)


def _unordered(path: Path, by: Comparison) -> Unordered | None:
    """The rule that says of a list that its order says nothing."""
    return next((kind for kind in by.rules.at(path) if isinstance(kind, Unordered)), None)


def _unordered_pairs(path: Path, recorded: list[Tree], live: list[Tree], rule: Unordered, by: Comparison) -> Pairs:
    pairs = orders.by_key(recorded, live, rule.key) if rule.key else None
    if pairs is not None:
        return pairs
    shared = strings(recorded) & strings(live)

    def agree(mine: int, theirs: int) -> bool:
        mark = by.bindings.mark()
        fits = _agrees((*path, mine), recorded[mine], live[theirs], by)
        by.bindings.undo(mark)
        return fits

    return orders.by_meaning(recorded, live, lambda item: canonical(item, shared), agree)


def strings(tree: Tree) -> set[str]:
    """Every string in the tree."""
    return {value for _, value in walk(tree) if isinstance(value, str)}


def canonical(value: Tree, shared: Set[str]) -> str:
    """Text that is equal for values which may mean the same: a volatile one that only one side has is only its kind."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key!r}:{canonical(value[key], shared)}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(item, shared) for item in value) + "]"
    if isinstance(value, str) and value not in shared:
        found = next((each.name for each in NORMALIZERS.values() if each.unasked and each.recognises(value)), None)
        return f"<{found}>" if found else repr(value)
    return f"{kind(value)} {value!r}"


def _agree(path: Path, recorded: Tree, live: Tree, by: Comparison) -> bool:
    """Whether nothing differs from here on down; nothing is bound if something does."""
    if same(recorded, live):
        return True
    mark = by.bindings.mark()
    if _agrees(path, recorded, live, by):
        return True
    by.bindings.undo(mark)
    return False


def _agrees(path: Path, recorded: Tree, live: Tree, by: Comparison) -> bool:
    mark = by.bindings.mark()
    if _fits(path, recorded, live, by):
        return True
    by.bindings.undo(mark)
    if by.rules.allow(path, recorded, live):
        return True
    unordered = _unordered(path, by) if isinstance(recorded, list) and isinstance(live, list) else None
    return unordered is not None and _fits_unordered(path, recorded, live, unordered, by)  # type: ignore[arg-type]


def _fits(path: Path, recorded: Tree, live: Tree, by: Comparison) -> bool:
    if isinstance(recorded, dict) and isinstance(live, dict):
        return recorded.keys() == live.keys() and all(
            _agrees((*path, key), value, live[key], by) for key, value in recorded.items()
        )
    if isinstance(recorded, list) and isinstance(live, list):
        pairs = enumerate(zip(recorded, live, strict=False))
        return len(recorded) == len(live) and all(_agrees((*path, at), *pair, by) for at, pair in pairs)
    return same(recorded, live) or by.bindings.meet(recorded, live, by.when) or by.placed(path, recorded, live)


def _fits_unordered(path: Path, recorded: list[Tree], live: list[Tree], rule: Unordered, by: Comparison) -> bool:
    if len(recorded) != len(live):
        return False
    mark = by.bindings.mark()
    for mine, theirs in _unordered_pairs(path, by.bindings.stand(recorded), live, rule, by):
        if mine is None or theirs is None or not _agrees((*path, mine), recorded[mine], live[theirs], by):
            by.bindings.undo(mark)
            return False
    return True


def one(path: Path, recorded: object, live: object, by: Comparison, reason: str = "") -> Iterator[Change]:
    """The change at one place, unless a noise rule allows it."""
    kinds = list(by.rules.at(path))
    if live is GONE:
        if not any(map(may_go, kinds)):
            yield Change(path=spell(path), kind="removed", recorded=recorded, reason=reason)  # type: ignore[arg-type]
    elif not any(_allows(kind, recorded, live) for kind in kinds):
        yield _change(path, recorded, live, kinds, reason)  # type: ignore[arg-type]


def _allows(kind: Normalizer, recorded: object, live: object) -> bool:
    if recorded is GONE:
        return may_come(kind, live)  # type: ignore[arg-type]
    return takes(kind, recorded, live)  # type: ignore[arg-type]


def _change(path: Path, recorded: Tree, live: Tree, kinds: Sequence[Normalizer], reason: str) -> Change:
    if kinds and not reason:
        reason = kinds[0].fault() if isinstance(kinds[0], Paired) else f"no longer {_a(kinds[0].name)}"
    if recorded is GONE:
        reason = reason if not kinds or isinstance(kinds[0], Paired) else f"not {_a(kinds[0].name)}"
        return Change(path=spell(path), kind="added", live=live, reason=reason)
    if isinstance(recorded, bytes) and isinstance(live, bytes) and not reason:
        reason = binaries.difference(recorded, live)
    retyped = kind(recorded) != kind(live)
    return Change(path=spell(path), kind="retyped" if retyped else "changed", recorded=recorded, live=live, reason=reason)


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"
