"""Writes that come in another order than recorded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from replayer.book import Seen
from replayer.events import CallFinding
from replayer.scope import Expected


def reordered(live: Sequence[Seen]) -> Iterator[CallFinding]:
    """Writes that come earlier or later than in the recording, target by target. Two writes of transactions that are open at
    the same time on two connections have no order. Where a transaction ends is none of this."""
    for target in dict.fromkeys(seen.ask.target for seen in live):
        writes = [
            (at, seen.expected)
            for at, seen in enumerate(live)
            if seen.ask.target == target
            and seen.ask.writes
            and seen.ask.role not in ("begin", "end")
            and seen.how == "first"
            and seen.expected is not None
        ]
        in_order = _longest_rising([entry.position for _, entry in writes])
        for index, (at, entry) in enumerate(writes):
            if index in in_order:
                continue
            passed = [(when, other) for when, other in writes[:index] if other.position > entry.position]
            passed += [(when, other) for when, other in writes[index + 1 :] if other.position < entry.position]
            passed = [(when, other) for when, other in passed if not _concurrent(live, at, when)]
            if passed:
                yield _out_of_order(entry, passed[0][1])


def _out_of_order(entry: Expected, other: Expected) -> CallFinding:
    was, now = ("before", "after") if entry.position < other.position else ("after", "before")
    return CallFinding(
        kind="reordered",
        target=entry.ask.target,
        operation=entry.call.operation,
        recorded=entry.call,
        writes=True,
        place=f"calls[{entry.position}]",
        details=(f"recorded {was} {other.call.operation}, now {now} it",),
    )


def _longest_rising(numbers: Sequence[int]) -> set[int]:
    """The indexes of a longest rising run within `numbers`, not necessarily adjacent."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, number in enumerate(numbers):
        at = bisect_right(tails, number)
        before.append(ends[at - 1] if at else -1)
        tails[at : at + 1] = [number]
        ends[at : at + 1] = [index]
    chosen: set[int] = set()
    index = ends[-1] if ends else -1
    while index >= 0:
        chosen.add(index)
        index = before[index]
    return chosen


def _concurrent(live: Sequence[Seen], one: int, other: int) -> bool:
    """Whether the asks at two positions belong to transactions (or a transaction and a lone call) running side by side."""
    if live[one].connection == live[other].connection:
        return False
    spans = [_span(live, at) for at in (one, other)]
    return spans[0][0] < spans[1][1] and spans[1][0] < spans[0][1] and any(end - start for start, end in spans)


def _span(live: Sequence[Seen], at: int) -> tuple[int, int]:
    """The first and last position of the transaction that the ask at `at` runs in; itself where it runs in none."""
    connection = live[at].connection
    start = next((i for i in range(at, -1, -1) if live[i].connection == connection and live[i].ask.role == "begin"), None)
    if start is None or any(live[i].connection == connection and live[i].ask.role == "end" for i in range(start, at)):
        return at, at
    end = next((i for i in range(at, len(live)) if live[i].connection == connection and live[i].ask.role == "end"), len(live))
    return start, end
