"""Which item of a recorded array is which item of the live one, so that one item removed is one difference.

Written here because deepdiff, with its order-aware comparison, reports one removal from 50 objects as dozens of changes, and
cannot know that two different UUIDs are the same value in this run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import SequenceMatcher

from wiretape.tree import Tree, kind, same

type Pairs = list[tuple[int | None, int | None]]

_BLOCK_LIMIT = 40_000  # pairs of items weighed within one stretch that differs
_MATCHED_LIMIT = 3_000  # items searched for equal runs; beyond, items are paired by position
_SAME_KIND, _OTHER_KIND = 0.2, 0.05


def align(recorded: Sequence[Tree], live: Sequence[Tree], key: Callable[[Tree], str]) -> Pairs:
    """Index pairs in order; None on one side for an item only the other has. Items of equal `key` mean the same."""
    left, right = [key(item) for item in recorded], [key(item) for item in live]
    start = _common(left, right)
    tail = _common(left[start:][::-1], right[start:][::-1])
    pairs: Pairs = [(at, at) for at in range(start)]
    for tag, a, b, c, d in _opcodes(left[start : len(left) - tail], right[start : len(right) - tail]):
        here = (range(start + a, start + b), range(start + c, start + d))
        pairs += list(zip(*here, strict=True)) if tag == "equal" else _paired(recorded, live, *here)
    return pairs + [(len(left) - at, len(right) - at) for at in range(tail, 0, -1)]


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    return next(
        (at for at, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), min(len(left), len(right))
    )


def _opcodes(left: Sequence[str], right: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    if len(left) + len(right) > _MATCHED_LIMIT:
        return [("replace", 0, len(left), 0, len(right))]
    return list(SequenceMatcher(None, left, right, autojunk=False).get_opcodes())


def _paired(recorded: Sequence[Tree], live: Sequence[Tree], left: range, right: range) -> Pairs:
    """The pairing, in order, with the most in common; an item left over is removed or added."""
    if not left or not right:
        return [(at, None) for at in left] + [(None, at) for at in right]
    if len(left) * len(right) > _BLOCK_LIMIT or len(left) == len(right) == 1:
        return _by_position(left, right)
    score = _scores([recorded[at] for at in left], [live[at] for at in right])
    pairs: Pairs = []
    a, b = 0, 0
    while a < len(left) and b < len(right):
        best = score[a][b]
        if best == score[a + 1][b]:
            pairs.append((left[a], None))
            a += 1
        elif best == score[a][b + 1]:
            pairs.append((None, right[b]))
            b += 1
        else:
            pairs.append((left[a], right[b]))
            a, b = a + 1, b + 1
    return pairs + [(at, None) for at in left[a:]] + [(None, at) for at in right[b:]]


def _by_position(left: range, right: range) -> Pairs:
    both = min(len(left), len(right))
    rest: Pairs = [(at, None) for at in left[both:]]
    return list(zip(left, right, strict=False)) + rest + [(None, at) for at in right[both:]]


def _scores(left: Sequence[Tree], right: Sequence[Tree]) -> list[list[float]]:
    """`[a][b]`: how much the items from a and b on can have in common."""
    score = [[0.0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for a in range(len(left) - 1, -1, -1):
        for b in range(len(right) - 1, -1, -1):
            both = score[a + 1][b + 1] + likeness(left[a], right[b])
            score[a][b] = max(both, score[a + 1][b], score[a][b + 1])
    return score


def likeness(left: Tree, right: Tree) -> float:
    """How much two values have in common, above 0 and up to 1; never 0, so that a changed item is still one changed item."""
    if kind(left) != kind(right):
        return _OTHER_KIND
    if isinstance(left, dict) and isinstance(right, dict):
        keys = left.keys() | right.keys()
        return _share(sum(_alike(left[key], right[key]) for key in left.keys() & right.keys()), len(keys))
    if isinstance(left, list) and isinstance(right, list):
        return _share(sum(map(_alike, left, right)), max(len(left), len(right)))
    return 1.0 if same(left, right) else _SAME_KIND


def _alike(left: Tree, right: Tree) -> float:
    return 1.0 if same(left, right) else 0.0


def _share(alike: float, of: int) -> float:
    return _SAME_KIND + (1 - _SAME_KIND) * alike / of if of else 1.0
