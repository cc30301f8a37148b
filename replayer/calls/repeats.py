"""Calls too many: asked again after an error, again and again with other values (an N+1), or simply new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from replayer.book import Seen
from replayer.calls.known import Known
from replayer.calls.live import Around, key
from replayer.differences import labels
from replayer.events import CallFinding, CallKind
from replayer.scope import Expected, Key
from wiretape.case import Call
from wiretape.protocols.base import Ask
from wiretape.tree import Tree, walk

_EXAMPLES: Final = 4
_SERVER_ERROR, _TOO_MANY = 500, 429
_LOOKED_BACK: Final = 50  # calls before the first: what a loop walks was asked for shortly before
_OFTEN: Final = 3  # asks from which more of the same is a loop


class Repeats:
    """Reads the calls that are too many (`more`) among all the service asked (`live`)."""

    def __init__(self, live: Sequence[Seen], expected: Sequence[Expected], around: Around, known: Known) -> None:
        self._live, self._expected, self._around, self._known = live, expected, around, known
        self._case_touches: dict[str, set[str]] | None = None
        self._before = _before(live)
        self._asked = Counter(key(seen.ask) for seen in live)
        self._numbers = {id(seen): at for at, seen in enumerate(live)}
        self._recorded: dict[Key, list[Expected]] = {}
        for entry in expected:
            self._recorded.setdefault(key(entry.ask), []).append(entry)

    def loops(self, more: Sequence[Seen], left: Sequence[Expected]) -> tuple[list[CallFinding], list[Expected], list[Seen]]:
        """The N+1s and retries, with what is left of the missing and of the extra calls."""
        findings: list[CallFinding] = []
        rest, missing = list(more), list(left)
        for group in grouped(more):
            kind = self._kind(group)
            if kind == "extra":
                continue
            instead = self._instead(group, missing) if kind == "n+1" else None
            missing = [entry for entry in missing if entry is not instead]
            findings.append(self._finding(kind, group, instead))
            told = set(map(id, group))
            rest = [seen for seen in rest if id(seen) not in told]
        return findings, missing, rest

    def added(self, more: Sequence[Seen]) -> Iterator[CallFinding]:
        """What is left, group by group."""
        for group in grouped(more):
            yield self._finding("new-table" if self._new(group[0].ask) else "extra", group, None)

    def _kind(self, group: Sequence[Seen]) -> CallKind:
        """Asked again after an error, or once more right after itself: a retry. More than that is a loop."""
        if group[0].ask.role != "query":
            return "extra"
        before = [self._before.get(id(seen)) for seen in group]
        again = [last is not None and _same_values(last, seen) for last, seen in zip(before, group, strict=True)]
        if all(again) and (len(group) == 1 or all(last is not None and _failed(last) for last in before)):
            return "retry"
        asked = self._asked[key(group[0].ask)]
        return "n+1" if len(group) > 1 and asked >= _OFTEN else "extra"

    def _finding(self, kind: CallKind, group: Sequence[Seen], instead: Expected | None) -> CallFinding:
        first = group[0]
        recorded = self._recorded.get(key(first.ask), [])
        before = self._around.before(first)
        place = instead or before
        return CallFinding(
            kind=kind,
            target=first.ask.target,
            operation=first.ask.operation,
            recorded=instead.call if instead else recorded[0].call if recorded else None,
            live=first.ask,
            details=tuple(self._details(kind, group, recorded, instead)),
            count=len(group),
            writes=first.ask.writes or bool(instead and instead.ask.writes),
            place=f"calls[{place.position}]" if place else "calls",
        )

    def _details(
        self, kind: CallKind, group: Sequence[Seen], recorded: Sequence[Expected], instead: Expected | None
    ) -> Iterator[str]:
        first = group[0].ask
        if kind == "n+1":
            yield from self._varying(group)
        elif first.values:
            yield f"with values {shown(first.values)}"
        asked = self._asked[key(first)]
        if len(group) > 1 or recorded:
            yield f"asked {times(asked)}, {f'recorded {times(len(recorded))}' if recorded else 'never recorded in this case'}"
        if kind == "retry":
            last = self._before.get(id(group[0]))
            failed = last is not None and _failed(last)
            when = "after the error it got" if failed else "right after itself, with the very same values"
            yield f"asked again {when}"
        if instead is not None:
            yield f"instead of {instead.call.operation}"
        yield from self._origin(group)
        yield from self._novelty(first)

    def _varying(self, group: Sequence[Seen]) -> Iterator[str]:
        """Which of the values differ from ask to ask."""
        asks = [seen.ask for seen in self._live if key(seen.ask) == key(group[0].ask)]
        names = labels(asks[0])
        varies = False
        for at, name in enumerate(names[: len(asks[0].values)]):
            values = list(dict.fromkeys(repr(ask.values[at]) for ask in asks if at < len(ask.values)))
            if len(values) > 1:
                varies = True
                more = ", …" if len(values) > _EXAMPLES else ""
                yield f"{name} is another each time: {', '.join(values[:_EXAMPLES])}{more} ({len(values)} different)"
        if not varies:
            yield f"each time with the same values: {shown(asks[0].values)}" if asks[0].values else "each time the same"

    def _origin(self, group: Sequence[Seen]) -> Iterator[str]:
        """The call whose answer has the values of these asks, each in a row of its own."""
        asked = {str(value) for seen in group for value in seen.ask.values if isinstance(value, str | int) and str(value)}
        at = self._numbers[id(group[0])]
        for seen in reversed(self._live[max(at - _LOOKED_BACK, 0) : at]):
            if seen.expected is None or key(seen.ask) == key(group[0].ask):
                continue
            held = _held(seen.expected.call)
            rows = _rows(seen.expected.call)
            if rows > 1 and len(asked & held) >= min(len(group), 2) and (len(group) > 1 or group[0].how == "missed"):
                what = "these values are" if len(group) > 1 else "its value is"
                yield f"{what} in the {rows} rows of {seen.expected.call.operation}"
                if len(group) == 1:
                    yield "an N+1 begins like this"
                return

    def _instead(self, group: Sequence[Seen], left: Sequence[Expected]) -> Expected | None:
        """The missing call that the group stands for: it touches the same."""
        touches = set(self._known.about(group[0].ask).touches)
        same_kind = [entry for entry in left if entry.ask.target == group[0].ask.target and entry.ask.role == "query"]
        found = (entry for entry in same_kind if not touches.isdisjoint(self._known.about(entry.ask).touches))
        return next((entry for entry in found if entry.ask.writes == group[0].ask.writes), None)

    def _new(self, ask: Ask) -> tuple[str, ...]:
        return self._known.new_to_the_suite(ask) if ask.role == "query" else ()

    def _novelty(self, ask: Ask) -> Iterator[str]:
        noun = self._known.about(ask).noun
        if new := self._new(ask):
            yield f"touches {noun} {', '.join(new)}, which no recorded call touches"
        elif noun and (new := tuple(name for name in self._known.about(ask).touches if name not in self._of_case(ask.target))):
            yield f"touches {noun} {', '.join(new)}, which nothing recorded in this case touches"

    def _of_case(self, target: str) -> set[str]:
        if self._case_touches is None:
            self._case_touches = {}
            for entry in self._expected:
                self._case_touches.setdefault(entry.ask.target, set()).update(self._known.about(entry.ask).touches)
        return self._case_touches.get(target, set())


def novelty(ask: Ask, known: Known) -> tuple[str, ...]:
    """What a changed call touches that nothing recorded touches, as a line."""
    new = known.new_to_the_suite(ask)
    return (f"touches {known.about(ask).noun} {', '.join(new)}, which no recorded call touches",) if new else ()


def grouped(seen: Sequence[Seen]) -> list[list[Seen]]:
    """Those of one shape together, in the order of their first."""
    groups: dict[Key, list[Seen]] = {}
    for each in seen:
        groups.setdefault(key(each.ask), []).append(each)
    return list(groups.values())


def times(count: int) -> str:
    """How often, in words."""
    return "once" if count == 1 else f"{count} times"


def shown(values: Sequence[Tree]) -> str:
    """Values in one line."""
    return ", ".join(map(repr, values))


def _before(live: Sequence[Seen]) -> dict[int, Seen]:
    """The ask right before each, of the same target; transaction control aside: a retry begins with a new one."""
    found: dict[int, Seen] = {}
    last: dict[str, Seen] = {}
    for seen in live:
        if seen.ask.role == "query":
            if seen.ask.target in last:
                found[id(seen)] = last[seen.ask.target]
            last[seen.ask.target] = seen
    return found


def _failed(seen: Seen) -> bool:
    """Whether it was answered by an error: the codec's own, or a status that asks for another try."""
    if seen.how == "missed" or seen.expected is None:
        return seen.how == "missed"
    fields = seen.expected.call.fields
    response = fields.get("response")
    status = response.get("status") if isinstance(response, dict) else None
    return "error" in fields or (isinstance(status, int) and (status >= _SERVER_ERROR or status == _TOO_MANY))


def _same_values(left: Seen, right: Seen) -> bool:
    return key(left.ask) == key(right.ask) and repr(left.ask.values) == repr(right.ask.values)


def _held(call: Call) -> set[str]:
    return {str(value) for _, value in walk(dict(call.fields)) if isinstance(value, str | int) and not isinstance(value, bool)}


def _rows(call: Call) -> int:
    """How many rows, documents or items an answer has."""
    lists = [value for path, value in walk(dict(call.fields)) if isinstance(value, list) and path[:1] != ("params",)]
    return max((len(items) for items in lists), default=0)
