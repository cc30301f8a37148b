"""Which item of one list is which of another where the order says nothing. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

from replayer.align import Pairs, likeness
from wiretape.tree import Tree

# Keys that name things, the likeliest first; any other that tells the items apart comes after them.
_NAMING = ("id", "_id", "uuid", "key", "name", "sku", "code", "slug")
_LIMIT = 40_000  # pairs of items weighed


def key_values(items: Sequence[Tree], key: str) -> list[Tree] | None:
    """The value each object has at `key`; None unless that tells all the items apart."""
    values = [item.get(key) if isinstance(item, dict) else None for item in items]
    if any(isinstance(value, bool | float) or not isinstance(value, str | int) for value in values):
        return None
    return values if len(set(map(repr, values))) == len(values) else None


def telling_key(recorded: Sequence[Tree], live: Sequence[Tree]) -> str:
    """The key by whose values the items of both lists are told apart, the same ones in both; empty where there is none."""
    first = recorded[0] if recorded else None
    if not isinstance(first, dict):
        return ""
    for key in sorted(first, key=lambda name: (_rank(name), list(first).index(name))):
        left, right = key_values(recorded, key), key_values(live, key)
        if left is not None and right is not None and set(map(repr, left)) == set(map(repr, right)):
            return key
    return ""


def _rank(name: str) -> int:
    return _NAMING.index(name) if name in _NAMING else len(_NAMING) + (not name.endswith(("_id", "Id", "_key")))


def by_key(recorded: Sequence[Tree], live: Sequence[Tree], key: str) -> Pairs | None:
    """Index pairs of the items that have the same value at `key`; None unless it tells them apart on both sides."""
    left, right = key_values(recorded, key), key_values(live, key)
    if left is None or right is None:
        return None
    places = {repr(value): at for at, value in enumerate(right)}
    pairs: Pairs = [(at, places.pop(repr(value), None)) for at, value in enumerate(left)]
    return pairs + [(None, at) for at in places.values()]


def rearranged(recorded: Sequence[Tree], live: Sequence[Tree], canonical: Callable[[Tree], str]) -> Pairs | None:
    """Index pairs where the live list holds the same items (by a key, or by what they mean) in another order; else None."""
    if len(recorded) != len(live) or len(live) < 2:
        return None
    key = telling_key(recorded, live)
    if key:
        pairs = by_key(recorded, live, key)
        places = [theirs for _, theirs in pairs or () if theirs is not None]
        return pairs if any(one > other for one, other in pairwise(places)) else None
    left, right = list(map(canonical, recorded)), list(map(canonical, live))
    if left == right or Counter(left) != Counter(right):
        return None
    return by_meaning(recorded, live, canonical, lambda *_: True)


def by_meaning(
    recorded: Sequence[Tree], live: Sequence[Tree], canonical: Callable[[Tree], str], agree: Callable[[int, int], bool]
) -> Pairs:
    """Index pairs of items that agree, then of those left over that are most alike."""
    places: dict[str, list[int]] = {}
    for at, item in enumerate(live):
        places.setdefault(canonical(item), []).append(at)
    found: dict[int, int] = {}
    for at, item in enumerate(recorded):
        same = places.get(canonical(item))
        if same and agree(at, same[0]):
            found[at] = same.pop(0)
    left = [at for at in range(len(recorded)) if at not in found]
    free = sorted(set(range(len(live))) - set(found.values()))
    if len(left) * len(free) <= _LIMIT:
        found |= _matched(left, free, agree)
        left = [at for at in left if at not in found]
        free = sorted(set(free) - set(found.values()))
    found |= _most_alike(recorded, live, left, free)
    pairs: Pairs = [(at, found.get(at)) for at in range(len(recorded))]
    return pairs + [(None, at) for at in range(len(live)) if at not in set(found.values())]


def _matched(left: Sequence[int], free: Sequence[int], agree: Callable[[int, int], bool]) -> dict[int, int]:
    """As many pairs that agree as there can be (augmenting paths)."""
    fits = {at: [other for other in free if agree(at, other)] for at in left}
    taken: dict[int, int] = {}

    def place(at: int, seen: set[int]) -> bool:
        for other in fits[at]:
            if other not in seen:
                seen.add(other)
                if other not in taken or place(taken[other], seen):
                    taken[other] = at
                    return True
        return False

    for at in left:
        place(at, set())
    return {at: other for other, at in taken.items()}


def _most_alike(recorded: Sequence[Tree], live: Sequence[Tree], left: Sequence[int], free: Sequence[int]) -> dict[int, int]:
    if len(left) * len(free) > _LIMIT:
        return dict(zip(left, free, strict=False))
    ranked = sorted(
        ((likeness(recorded[at], live[other]), at, other) for at in left for other in free),
        key=lambda entry: (-entry[0], entry[1:]),
    )
    found: dict[int, int] = {}
    used: set[int] = set()
    for _, at, other in ranked:
        if at not in found and other not in used:
            found[at] = other
            used.add(other)
    return found
