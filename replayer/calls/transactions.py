"""Transactions that begin or end elsewhere than recorded: what a call ran inside of then, and what it runs inside of now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from replayer.book import Seen
from replayer.calls.live import is_control
from replayer.events import CallFinding
from replayer.scope import Expected
from wiretape.protocols.base import Ask

_OUTSIDE = -1
_NAMED = 3


@dataclass(slots=True, kw_only=True)
class Span:
    """One transaction: the calls in it, by their numbers, and those of what begins and ends it. Without a `begin` it is one
    that a driver began unasked."""

    begin: Ask | None = None
    end: Ask | None = None
    begins: int = 0
    ends: int = 0
    members: list[int] = field(default_factory=list)

    @property
    def words(self) -> str:
        """How findings name it."""
        return f"{_word(self.begin) or 'the last transaction'}…{_word(self.end)}"


def _word(ask: Ask | None) -> str:
    return " ".join(ask.operation.split()).upper() if ask else ""


def spans(asks: Sequence[tuple[int, Ask]]) -> list[Span] | None:
    """The transactions of one connection (or of a recording, where they follow each other), with the number of each ask. None
    where one begins within another: then it is not known what belongs to which."""
    found: list[Span] = []
    begun: Span | None = None
    loose: list[int] = []
    for number, ask in asks:
        if ask.role == "begin":
            if begun is not None:
                return None
            begun, loose = Span(begin=ask, begins=number), []
            found.append(begun)
        elif ask.role == "end":
            span = begun or Span(members=loose)
            span.end, span.ends = ask, number
            if begun is None:
                found.append(span)
            begun, loose = None, []
        else:
            (loose if begun is None else begun.members).append(number)
    return found


class Boundaries:
    """The transactions of one target, recorded and live. `known` is false where they cannot be told; then the calls that begin
    and end them are compared like any other."""

    def __init__(self, target: str, expected: Sequence[Expected], live: Sequence[Seen]) -> None:
        self._target = target
        own = [entry for entry in expected if entry.ask.target == target]
        recorded = spans([(entry.position, entry.ask) for entry in own])
        asked = [(at, seen) for at, seen in enumerate(live) if seen.ask.target == target]
        connections = dict.fromkeys(seen.connection for _, seen in asked)
        now = [spans([(at, seen.ask) for at, seen in asked if seen.connection == number]) for number in connections]
        certain = not any(entry.call.ambiguous and entry.ask.role in ("begin", "end") for entry in own)
        self.known = certain and recorded is not None and all(one is not None for one in now)
        self._one_connection = len(connections) <= 1
        self._recorded = [span for span in recorded or [] if span.members]
        self._live = [span for one in now for span in one or []]
        self._entries = {entry.position: entry for entry in own}
        self._asked: Mapping[int, Expected] = {
            at: seen.expected
            for at, seen in asked
            if seen.how == "first" and seen.expected is not None and not is_control(seen)
        }
        self._where = {at: number for number, span in enumerate(self._live) for at in span.members}
        self._made = {entry.position: at for at, entry in self._asked.items()}

    def findings(self) -> Iterator[CallFinding]:
        """What differs, a transaction at a time."""
        partners: dict[int, Span] = {}
        for span in self._recorded:
            made = [position for position in span.members if position in self._made]
            telling = [position for position in made if self._entries[position].ask.writes] or made
            if not telling:
                continue
            partner = self._partner(telling)
            yield from self._moved(span, telling, partner)
            if partner != _OUTSIDE:
                if self._writes(telling) or not self._writes(span.members):  # where all writes are lost, that says it all
                    yield from self._changed(span, telling, self._live[partner])
                if partner in partners and self._writes(telling):
                    first = self._operation(partners[partner].members[0])
                    yield self._finding(telling, f"ran in a transaction of its own, now in that of {first}")
                partners.setdefault(partner, span)
        yield from self._enclosed()

    def _partner(self, telling: Sequence[int]) -> int:
        """The live transaction that most of these calls run in."""
        count = Counter(self._now(position) for position in telling)
        return max(count, key=lambda number: (count[number], number != _OUTSIDE))

    def _now(self, position: int) -> int:
        return self._where.get(self._made[position], _OUTSIDE)

    def _moved(self, span: Span, telling: list[int], partner: int) -> Iterator[CallFinding]:
        """Calls that ran inside of it and no longer do."""
        if span.begin is None and not self._one_connection:
            if partner == _OUTSIDE:
                yield self._finding(telling, f"{_word(span.end)} came after it, and no longer does")
            return
        if not self._writes(telling) and partner != _OUTSIDE:
            return  # reads may move
        outside = [position for position in telling if self._now(position) == _OUTSIDE]
        if outside:
            before = "ran before" if span.begin is None else "ran inside"
            after = "now it does not" if span.begin is None else "now outside"
            name = _word(span.end) if span.begin is None else span.words
            yield self._finding(outside, f"{before} {name}, {after}")
        elsewhere = [position for position in telling if self._now(position) not in (_OUTSIDE, partner)]
        if elsewhere:
            rest = [position for position in telling if position not in elsewhere]
            beside = self._operation(rest[0]) if rest else "the others"
            yield self._finding(elsewhere, f"ran in one transaction with {beside}, now in another")

    def _changed(self, span: Span, telling: list[int], now: Span) -> Iterator[CallFinding]:
        """Other words around the same calls: another isolation level, ROLLBACK for COMMIT, or no end at all."""
        if span.begin is None or now.begin is None:
            if span.begin is not now.begin:
                was, is_now = _word(span.begin) or "no BEGIN", _word(now.begin) or "no BEGIN"
                yield self._finding(telling, f"{was} came before it, now {is_now} does", span.begins if span.begin else None)
        elif span.begin.shape != now.begin.shape:
            yield self._finding(telling, f"ran inside {_word(span.begin)}, now inside {_word(now.begin)}", span.begins)
        if (span.end and span.end.shape) == (now.end and now.end.shape):
            return
        if now.end is None:
            gone = f"{_word(span.end)} came after it, and no longer does: the transaction is left open"
            yield self._finding(telling, gone, span.ends)
        elif span.end is None:
            yield self._finding(telling, f"its transaction was left open, now it ends with {_word(now.end)}")
        else:
            yield self._finding(telling, f"its transaction ended with {_word(span.end)}, now with {_word(now.end)}", span.ends)

    def _enclosed(self) -> Iterator[CallFinding]:
        """Calls that ran on their own and now run inside of a transaction."""
        inside = {position for span in self._recorded for position in span.members}
        for span in self._live:
            if span.begin is None and not self._one_connection:
                continue
            made = [self._asked[at].position for at in span.members if at in self._asked]
            alone = [position for position in made if position not in inside]
            writing = [position for position in alone if self._entries[position].ask.writes]
            if writing or (alone and len(alone) == len(span.members)):
                name = f"inside {span.words}" if span.begin is not None else f"before {_word(span.end)}"
                yield self._finding(writing or alone, f"ran outside of a transaction, now {name}")

    def _writes(self, positions: Sequence[int]) -> bool:
        return any(self._entries[position].ask.writes for position in positions)

    def _operation(self, position: int) -> str:
        return self._entries[position].call.operation

    def _finding(self, positions: Sequence[int], what: str, at: int | None = None) -> CallFinding:
        """About these calls; `at` is where to look, if not at the first of them."""
        first = self._entries[positions[0]]
        others = [self._operation(position) for position in positions[1 : 1 + _NAMED]]
        more = f" and {len(positions) - 1 - _NAMED} more" if len(positions) > 1 + _NAMED else ""
        return CallFinding(
            kind="transaction",
            target=self._target,
            operation=first.call.operation,
            recorded=first.call,
            details=(what, *([f"and so with it: {'; '.join(others)}{more}"] if others else [])),
            count=len(positions),
            writes=self._writes(positions),
            place=f"calls[{first.position if at is None else at}]",
        )
