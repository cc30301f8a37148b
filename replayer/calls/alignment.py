"""Which recorded call each live one stands for, where several are the same: so that what changed is as little as possible.

The book answers equal calls in recorded order. Where one of them is missing, or one too many, that may be another one than the
book ran out of: the order of the rest tells, and the transactions they ran in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from replayer.book import Seen
from replayer.calls.live import is_control
from replayer.scope import Expected
from wiretape.protocols.base import Ask

type _Class = tuple[str, str, str]
type _Item = tuple[_Class, str]  # what a call is, and how the transaction ends that it runs in

_MOST: Final = 250_000  # comparisons: of longer cases the book's own choice stays
_ALIKE, _SURROUNDED_ALIKE = 10, 11


def aligned(live: Sequence[Seen], expected: Sequence[Expected]) -> list[Seen]:
    """The same asks, equal ones dealt out again among their recorded calls."""
    out = list(live)
    for target in dict.fromkeys(seen.ask.target for seen in live):
        asked = [at for at, seen in enumerate(live) if seen.ask.target == target and (_answered(seen) or is_control(seen))]
        entries = [entry for entry in expected if entry.ask.target == target and entry.ask.role in ("query", "begin", "end")]
        doubtful = _doubtful([live[at] for at in asked if _answered(live[at])], entries)
        if doubtful and len(asked) * len(entries) <= _MOST:
            ends = _ends([(live[at].connection, live[at].ask) for at in asked])
            mine = list(zip(map(_class, entries), _ends([(0, entry.ask) for entry in entries]), strict=True))
            theirs = [(_class_of(live[at]), end) for at, end in zip(asked, ends, strict=True)]
            out = _dealt(out, asked, entries, _longest(mine, theirs), doubtful)
    return out


def _answered(seen: Seen) -> bool:
    return seen.ask.role == "query" and seen.how in ("first", "repeat") and seen.expected is not None


def _class(entry: Expected) -> _Class:
    return entry.ask.target, entry.ask.shape, repr(entry.ask.values)


def _class_of(seen: Seen) -> _Class:
    if seen.expected is None or is_control(seen):
        return seen.ask.target, seen.ask.shape, repr(seen.ask.values)
    return _class(seen.expected)


def _doubtful(answered: Iterable[Seen], entries: Sequence[Expected]) -> set[_Class]:
    """What was recorded or asked several times, and not as often as recorded."""
    recorded = Counter(_class(entry) for entry in entries if entry.ask.role == "query")
    asked = Counter(map(_class_of, answered))
    return {one for one, count in recorded.items() if asked[one] != count and max(count, asked[one]) > 1}


def _ends(asks: Sequence[tuple[Hashable, Ask]]) -> list[str]:
    """How the transaction ends that each ask runs in, empty where it runs in none. Asks of one connection follow each other."""
    open_on: dict[Hashable, list[int]] = {}
    found = [""] * len(asks)
    for at, (connection, ask) in enumerate(asks):
        if ask.role == "begin":
            open_on[connection] = []
        elif ask.role == "end":
            for inside in open_on.pop(connection, ()):
                found[inside] = ask.shape
        elif connection in open_on:
            open_on[connection].append(at)
            found[at] = "open"
    return found


def _longest(mine: Sequence[_Item], theirs: Sequence[_Item]) -> dict[int, int]:
    """The best alignment in order: as many equal calls as there can be, rather with equal surroundings, rather side by side.
    Theirs -> mine."""
    width = len(theirs) + 1
    best = [[0] * width for _ in range(len(mine) + 1)]  # from here on
    taken = [[0] * width for _ in range(len(mine) + 1)]  # from here on, where these two are paired; 0 where they cannot be
    for a in reversed(range(len(mine))):
        for b in reversed(range(len(theirs))):
            if worth := _worth(mine[a], theirs[b]):
                beside = taken[a + 1][b + 1]
                taken[a][b] = worth + max(best[a + 1][b + 1], beside + 1 if beside else 0)
            best[a][b] = max(best[a + 1][b], best[a][b + 1], taken[a][b])
    return _earliest(_walked(best, taken), theirs)


def _earliest(pairs: Mapping[int, int], theirs: Sequence[_Item]) -> dict[int, int]:
    """Of equal asks right behind each other the later ones are those too many: which was paired says nothing."""
    found: dict[int, int] = {}
    for _, run in groupby(range(len(theirs)), key=theirs.__getitem__):
        places = list(run)
        found |= zip(places, (pairs[b] for b in places if b in pairs), strict=False)
    return found


def _walked(best: Sequence[Sequence[int]], taken: Sequence[Sequence[int]]) -> dict[int, int]:
    """The pairs of the best alignment."""
    pairs: dict[int, int] = {}
    a = b = 0
    beside = False  # the pair before was worth that much because this one is next to it
    while a < len(best) - 1 and b < len(best[0]) - 1:
        if taken[a][b] and (beside or taken[a][b] == best[a][b]):
            pairs[b] = a
            beside = bool(taken[a + 1][b + 1]) and taken[a + 1][b + 1] + 1 >= best[a + 1][b + 1]
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
        if what not in doubtful or is_control(live[at]):
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
