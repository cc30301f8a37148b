"""The calls of a case against the calls of its recording: what is missing, extra, changed or out of order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace

from replayer.book import Outcome, Seen, around_nothing
from replayer.events import CallFinding
from replayer.nearest import value_differences
from replayer.scope import Expected
from wiretape.protocols.base import Ask
from wiretape.tree import Tree, same

_VALUES_SHOWN = 200


def compare(outcome: Outcome) -> tuple[CallFinding, ...]:
    """Every finding: changed first, then missing, extra and reordered. The order of reads does not matter."""
    live = significant(outcome.seen)
    served = {id(seen.expected) for seen in live if seen.how == "first"}
    left = [entry for entry in outcome.expected if entry.required and id(entry) not in served]
    more = [seen for seen in live if seen.how != "first"]
    changed, left, more = _pair(left, more)
    return (*changed, *_missing(left, live), *_extra(more, live, outcome.expected), *_reordered(live))


def significant(seen: Sequence[Seen]) -> list[Seen]:
    """What the service asked for this case: no driver chatter, no session calls, no transaction around nothing."""
    own = [entry for entry in seen if entry.ask.role != "housekeeping" and entry.how != "session"]
    idle: set[int] = set()
    for connection in {entry.connection for entry in own}:
        idle |= around_nothing([(entry.ask, at) for at, entry in enumerate(own) if entry.connection == connection])
    return _in_turn(own, idle) if idle else own


def _in_turn(own: Sequence[Seen], idle: set[int]) -> list[Seen]:
    """Without the transactions around nothing (`idle`), which must not count for the recorded ones that held something.

    Which recorded BEGIN answered which live one was chance, so they are dealt out again: first to what is not idle. A recorded
    transaction that is around nothing only here (its calls were left out) gets what is left over and stays: it was expected.
    """
    left: dict[tuple[str, str], list[Expected]] = {}
    for entry in own:
        if _is_control(entry) and entry.how == "first" and entry.expected is not None and entry.expected.required:
            left.setdefault(_key(entry.ask), []).append(entry.expected)
    for recorded in left.values():
        recorded.sort(key=lambda expected: expected.position)
    dealt: dict[int, Seen] = {}
    for at in (*(at for at in range(len(own)) if at not in idle), *sorted(idle)):
        entry = own[at]
        if _is_control(entry) and left.get(_key(entry.ask)):
            dealt[at] = replace(entry, how="first", expected=left[_key(entry.ask)].pop(0))
        elif at not in idle:
            dealt[at] = replace(entry, how="repeat") if _is_control(entry) and entry.how == "first" else entry
    return [dealt[at] for at in sorted(dealt)]


def _is_control(seen: Seen) -> bool:
    return seen.ask.role in ("begin", "end") and not seen.ask.values


def _pair(left: list[Expected], more: list[Seen]) -> tuple[list[CallFinding], list[Expected], list[Seen]]:
    """A call missing and one too many of the same shape are one call whose values changed."""
    findings, missing = [], []
    for entry in left:
        twins = [seen for seen in more if _key(seen.ask) == _key(entry.ask) and _differ(seen.ask, entry.ask)]
        if not twins:
            missing.append(entry)
            continue
        twin = min(
            twins, key=lambda seen: sum(not same(*pair) for pair in zip(entry.ask.values, seen.ask.values, strict=False))
        )
        more = [seen for seen in more if seen is not twin]
        findings.append(
            CallFinding(
                kind="changed",
                target=entry.ask.target,
                operation=entry.call.operation,
                recorded=entry.call,
                live=twin.ask,
                details=tuple(value_differences(entry.ask, twin.ask)),
                writes=entry.ask.writes,
            )
        )
    return findings, missing, more


def _key(ask: Ask) -> tuple[str, str]:
    return ask.target, ask.shape


def _differ(left: Ask, right: Ask) -> bool:
    return not same(list(left.values), list(right.values))


def _missing(left: Sequence[Expected], live: Sequence[Seen]) -> Iterator[CallFinding]:
    for group in _grouped([(_key(entry.ask), entry) for entry in left]):
        first = group[0]
        asked = sum(_key(seen.ask) == _key(first.ask) for seen in live)
        details = [f"with values {_shown(first.ask.values)}"] if first.ask.values else []
        if asked:
            details.append(f"recorded {_times(asked + len(group))}, asked {_times(asked)} now")
        yield CallFinding(
            kind="missing",
            target=first.ask.target,
            operation=first.call.operation,
            recorded=first.call,
            details=tuple(details),
            count=len(group),
            writes=first.ask.writes,
        )


def _extra(more: Sequence[Seen], live: Sequence[Seen], expected: Sequence[Expected]) -> Iterator[CallFinding]:
    for group in _grouped([(_key(seen.ask), seen) for seen in more]):
        first = group[0]
        recorded = [entry for entry in expected if _key(entry.ask) == _key(first.ask)]
        details = [f"with values {_shown(first.ask.values)}"] if first.ask.values else []
        if len(group) > 1:
            asked = sum(_key(seen.ask) == _key(first.ask) for seen in live)
            once = f"recorded {_times(len(recorded))}" if recorded else "never recorded in this case"
            values = {repr(seen.ask.values) for seen in group}
            how = "each time with the same values" if len(values) == 1 else f"with {len(values)} different sets of values"
            details.append(f"asked {asked} times, {once}, {how}: this looks like an N+1")
        yield CallFinding(
            kind="extra",
            target=first.ask.target,
            operation=first.ask.operation,
            recorded=recorded[0].call if recorded else None,
            live=first.ask,
            details=tuple(details),
            count=len(group),
            writes=first.ask.writes,
        )


def _grouped[T](keyed: Sequence[tuple[tuple[str, str], T]]) -> list[list[T]]:
    groups: dict[tuple[str, str], list[T]] = {}
    for key, item in keyed:
        groups.setdefault(key, []).append(item)
    return list(groups.values())


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _shown(values: Sequence[Tree]) -> str:
    text = ", ".join(map(repr, values))
    return text if len(text) <= _VALUES_SHOWN else text[:_VALUES_SHOWN] + "…"


def _reordered(live: Sequence[Seen]) -> Iterator[CallFinding]:
    """Writes that come earlier than in the recording, target by target. Two writes of transactions that are open at the same
    time on two connections have no order."""
    for target in dict.fromkeys(seen.ask.target for seen in live):
        writes = [
            (at, seen.expected)
            for at, seen in enumerate(live)
            if seen.ask.target == target and seen.ask.writes and seen.how == "first" and seen.expected is not None
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
