"""Which recorded call each live one stands for, where several are the same: so that what changed is as little as possible.

The book answers equal calls in recorded order. Where one of them is missing, or one too many, that may be another one than the
book ran out of: the order of the rest tells, and whether they ran inside of a transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from replayer.book import Seen
from replayer.scope import Expected

type _Class = tuple[str, str, str]
type _Item = tuple[_Class, bool]  # what a call is, and whether it runs inside of a transaction

_MOST: Final = 250_000  # comparisons: of longer cases the book's own choice stays
_ALIKE, _SURROUNDED_ALIKE = 10, 11


def aligned(live: Sequence[Seen], expected: Sequence[Expected]) -> list[Seen]:
    """The same asks, equal ones dealt out again among their recorded calls."""
    out = list(live)
    for target in dict.fromkeys(seen.ask.target for seen in live):
        numbers = [at for at, seen in enumerate(live) if seen.ask.target == target and _answered(seen)]
        entries = [entry for entry in expected if entry.ask.target == target and entry.ask.role == "query"]
        doubtful = _doubtful([live[at] for at in numbers], entries)
        if not doubtful or len(numbers) * len(entries) > _MOST:
            continue
        inside = _inside_live(live)
        mine = list(zip(map(_class, entries), _inside(entries, expected, target), strict=True))
        theirs = [(_class_of(live[at]), inside[at]) for at in numbers]
        pairs = _longest(mine, theirs)
        out = _dealt(out, numbers, entries, pairs, doubtful)
    return out


def _answered(seen: Seen) -> bool:
    return seen.ask.role == "query" and seen.how in ("first", "repeat") and seen.expected is not None


def _class(entry: Expected) -> _Class:
    return entry.ask.target, entry.ask.shape, repr(entry.ask.values)


def _class_of(seen: Seen) -> _Class:
    assert seen.expected is not None  # it was answered
    return _class(seen.expected)


def _doubtful(answered: Iterable[Seen], entries: Sequence[Expected]) -> set[_Class]:
    """What was recorded or asked several times, and not as often as recorded."""
    recorded = Counter(map(_class, entries))
    asked = Counter(map(_class_of, answered))
    return {one for one, count in recorded.items() if asked[one] != count and max(count, asked[one]) > 1}


def _inside(entries: Sequence[Expected], expected: Sequence[Expected], target: str) -> list[bool]:
    wanted = {id(entry) for entry in entries}
    found, depth = [], 0
    for entry in expected:
        if entry.ask.target == target:
            depth = {"begin": 1, "end": 0}.get(entry.ask.role, depth)
            if id(entry) in wanted:
                found.append(bool(depth))
    return found


def _inside_live(live: Sequence[Seen]) -> list[bool]:
    open_on: set[tuple[str, int]] = set()
    found = []
    for seen in live:
        here = seen.ask.target, seen.connection
        if seen.ask.role == "begin":
            open_on.add(here)
        elif seen.ask.role == "end":
            open_on.discard(here)
        found.append(here in open_on)
    return found


def _longest(mine: Sequence[_Item], theirs: Sequence[_Item]) -> dict[int, int]:
    """The best alignment in order: as many equal calls as there can be, rather with equal surroundings. Theirs -> mine."""
    best = [[0] * (len(theirs) + 1) for _ in range(len(mine) + 1)]
    for a in reversed(range(len(mine))):
        row, below = best[a], best[a + 1]
        for b in reversed(range(len(theirs))):
            taken = below[b + 1] + _worth(mine[a], theirs[b])
            row[b] = max(below[b], row[b + 1], taken)
    pairs: dict[int, int] = {}
    a = b = 0
    while a < len(mine) and b < len(theirs):
        worth = _worth(mine[a], theirs[b])
        if worth and best[a][b] == best[a + 1][b + 1] + worth:
            pairs[b] = a
            a, b = a + 1, b + 1
        elif best[a][b] == best[a + 1][b]:
            a += 1
        else:
            b += 1
    return pairs


def _worth(mine: _Item, theirs: _Item) -> int:
    if mine[0] != theirs[0]:
        return 0
    return _SURROUNDED_ALIKE if mine[1] == theirs[1] else _ALIKE


def _dealt(
    live: list[Seen], numbers: Sequence[int], entries: Sequence[Expected], pairs: dict[int, int], doubtful: set[_Class]
) -> list[Seen]:
    """By the alignment first, then in order; what nothing is left for was asked once too often."""
    left: dict[_Class, list[Expected]] = {}
    chosen = {pairs[b] for b in pairs}
    for a, entry in enumerate(entries):
        if a not in chosen:
            left.setdefault(_class(entry), []).append(entry)
    out = list(live)
    for b, at in enumerate(numbers):
        what = _class_of(live[at])
        if what not in doubtful:
            continue
        if b in pairs:
            out[at] = replace(live[at], how="first", expected=entries[pairs[b]])
        elif left.get(what):
            out[at] = replace(live[at], how="first", expected=left[what].pop(0))
        else:
            out[at] = replace(live[at], how="repeat")
    return _required_first(out, entries)


def _required_first(live: list[Seen], entries: Sequence[Expected]) -> list[Seen]:
    """A call that may or may not come (an ambiguous one) does not stand for one that must."""
    taken = {id(seen.expected) for seen in live if seen.how == "first"}
    wanting: dict[_Class, list[Expected]] = {}
    for entry in entries:
        if entry.required and id(entry) not in taken:
            wanting.setdefault(_class(entry), []).append(entry)
    out = list(live)
    for at, seen in enumerate(live):
        if _answered(seen) and seen.how == "first" and seen.expected and not seen.expected.required:
            better = wanting.get(_class_of(seen))
            if better:
                out[at] = replace(seen, expected=better.pop(0))
    return out
