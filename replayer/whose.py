"""Whose an ask is while several cases are under way.

By the trace it carries; by its connection's open transaction; by being wanted in one case only. A transaction is begun before
anything tells whose it is: it is given to a case together with its first telling statement. What several cases want and would
all be answered alike is answered, and counted once they are through (`_Unit`). Whatever cannot be told makes every case that it
may concern doubtful: those are to be tried again alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replayer.lane import Lane
from replayer.scope import Expected
from wiretape.case import Call
from wiretape.protocols.base import Ask, Miss, Waiting
from wiretape.tree import same

if TYPE_CHECKING:
    from replayer.book import Book

_TRACED = 3  # asks of a target that carried their case's trace, and none that did not, until all are taken to

type Fit = tuple[Lane, Expected]


@dataclass(slots=True, kw_only=True, eq=False)
class _Unit:
    """Asks of one connection that belong together and may be those of any of `lanes`; `around` are the cases then under way."""

    connection: int
    around: Sequence[Lane]
    lanes: Sequence[Lane]
    asks: list[tuple[int, Ask]] = field(default_factory=list)

    @property
    def idle(self) -> bool:
        """Whether it is a transaction around nothing."""
        return all(ask.role != "query" for _, ask in self.asks)


class Whose:
    """Gives asks to the lanes of a book that are not alone."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._open: dict[int, _Unit] = {}
        self._floating: list[_Unit] = []
        self._claimed: list[tuple[Lane, _Unit]] = []
        self._through: set[Lane] = set()
        self._with_trace: Counter[str] = Counter()
        self._without: set[str] = set()

    def traced(self, target: str) -> bool:
        """See `Book.traced`."""
        return self._with_trace[target] >= _TRACED and target not in self._without

    def carried(self, ask: Ask, lane: Lane) -> None:
        """An ask was given to a case: did it carry its trace?"""
        if ask.role != "query" or not lane.trace:
            return
        if ask.trace == lane.trace:
            self._with_trace[ask.target] += 1
        else:
            self._without.add(ask.target)

    def take(self, ask: Ask, connection: int, at: int) -> Call | Miss | Waiting:
        """Answer an ask made at moment `at`."""
        if ask.role == "housekeeping":
            return self._book.outside(ask)
        for lane in self._all():
            if ask.trace and ask.trace == lane.trace:
                return self._given(lane, ask, connection, at, certain=True)
        for lane in self._all():
            if connection in lane.open:
                return self._given(lane, ask, connection, at)
        if ask.role != "query":
            return self._control(ask, connection, at)
        unit = self._open.get(connection)
        return self._query(ask, connection, at, unit)

    def _all(self) -> Iterator[Lane]:
        """Those that an ask may belong to: under way, or over and not forgotten."""
        yield from self._book.lanes
        yield from self._book.closing

    def _control(self, ask: Ask, connection: int, at: int) -> Miss:
        unit = self._open.get(connection)
        if unit is None and ask.role == "begin":
            lanes = tuple(self._all())
            unit = self._open[connection] = _Unit(connection=connection, around=lanes, lanes=lanes)
        if unit is not None:
            unit.asks.append((at, ask))
            if ask.role == "end":
                self._over(unit)
        return Miss(ask=ask)

    def _query(self, ask: Ask, connection: int, at: int, unit: _Unit | None) -> Call | Miss | Waiting:
        among = unit.lanes if unit else tuple(self._all())
        current = [lane for lane in among if not lane.judged]
        fits = _wanting(ask, current) or _wanting(ask, among)
        if len(fits) == 1:
            return self._given(fits[0][0], ask, connection, at)
        if fits and _alike(fits):
            return self._shared(fits, ask, at, unit or _Unit(connection=connection, around=tuple(self._all()), lanes=among))
        current = current or self._book.lanes
        again = next((lane for lane in current if lane.wants(ask) is not None), None)
        if again is None and self._book.is_session(ask):
            if self._book.wavers(ask):
                self._doubt()
            return self._book.outside(ask)
        self._doubt()
        lane = fits[0][0] if fits else again or next((lane for lane in current if lane.knows(ask)), current[0])
        return self._given(lane, ask, connection, at)

    def _shared(self, fits: Sequence[Fit], ask: Ask, at: int, unit: _Unit) -> Call:
        """Several cases want it and would all be answered the same."""
        answer = fits[0][1].served(fits[0][0].bindings)
        for lane, _ in fits:
            lane.bindings.learn(dict(answer.fields))
        unit.asks.append((at, ask))
        unit.lanes = tuple(lane for lane, _ in fits)
        if unit.connection not in self._open:
            self._floating.append(unit)
            self._claim()
        return answer

    def _given(self, lane: Lane, ask: Ask, connection: int, at: int, *, certain: bool = False) -> Call | Miss | Waiting:
        unit = self._open.pop(connection, None)
        if unit is not None:
            for when, earlier in unit.asks:
                self._book.for_lane(lane, earlier, connection, when)
            self._known(connection)
        strange = lane.strange
        answer = self._book.for_lane(lane, ask, connection, at)
        if lane.strange > strange and not certain:
            self._doubt()
        return answer

    def _known(self, connection: int) -> None:
        """It is known whose the transaction on a connection is, or it is over."""
        for lane in self._all():
            if connection in lane.awaited:
                lane.awaited.discard(connection)
                lane.heard()

    def _over(self, unit: _Unit) -> None:
        """A transaction ended, and nothing in it told whose it was."""
        self._open.pop(unit.connection, None)
        if not unit.idle:
            self._floating.append(unit)
            self._claim()
        self._known(unit.connection)

    def left(self, connection: int) -> None:
        """A connection is over."""
        unit = self._open.get(connection)
        if unit is not None:
            self._over(unit)

    def answered(self, lane: Lane) -> None:
        """See `Book.answered`: what may be this case's and is missing in it is this case's."""
        if lane.alone:
            return
        self._through.add(lane)
        lane.awaited = {connection for connection, unit in self._open.items() if lane in unit.lanes}
        self._claim()

    def _claim(self) -> None:
        for lane in self._all():
            if lane in self._through:
                for unit in list(self._floating):
                    if lane in unit.lanes and _fits(unit, lane):
                        self._claimed_by(lane, unit)

    def _claimed_by(self, lane: Lane, unit: _Unit) -> None:
        self._floating.remove(unit)
        self._claimed.append((lane, unit))
        with lane.surmising():
            for at, ask in unit.asks:
                self._book.for_lane(lane, ask, unit.connection, at)

    def closed(self, lane: Lane) -> None:
        """A case is over. What nobody claimed may have been anybody's, and what another claimed may have been this one's where
        it lacks something."""
        for claimer, unit in self._claimed:
            if lane.lacking and lane in unit.lanes and claimer is not lane:
                claimer.doubtful = True
        running = set(self._book.lanes)
        for unit in [unit for unit in self._floating if running.isdisjoint(unit.lanes)]:
            self._floating.remove(unit)
            self._doubt()
            for each in unit.around:
                each.doubtful = True
        if lane not in running and lane not in self._book.closing:
            self._through.discard(lane)
            self._claimed = [(claimer, unit) for claimer, unit in self._claimed if claimer is not lane]

    def _doubt(self) -> None:
        lanes = [lane for lane in self._all() if not lane.judged]
        if len(lanes) > 1:
            for lane in lanes:
                lane.doubtful = True


def _wanting(ask: Ask, among: Sequence[Lane]) -> list[Fit]:
    """The cases that still want an ask, each with the call that would answer."""
    return [(lane, entry) for lane in among if (entry := lane.wants(ask)) is not None and not entry.used]


def _alike(fits: Sequence[Fit]) -> bool:
    """Whether it does not matter which of several cases is answered."""
    (lane, entry), *others = fits
    first = dict(entry.served(lane.bindings).fields)
    return all(same(first, dict(other.served(there.bindings).fields)) for there, other in others)


def _fits(unit: _Unit, lane: Lane) -> bool:
    """Whether all of a unit is still wanted in a case."""
    asks = [ask for _, ask in unit.asks if ask.role == "query"]
    return all(lane.left(ask) >= sum(_same(ask, other) for other in asks) for ask in asks)


def _same(left: Ask, right: Ask) -> bool:
    return (left.target, left.shape) == (right.target, right.shape) and same(list(left.values), list(right.values))
