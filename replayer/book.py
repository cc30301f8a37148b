"""The book: the recorded calls available to the mocks at one moment, and the order in which one is chosen.

It never serves a guess: an answer is a recorded call of the very shape asked, with values that mean the same. What is shared by
all cases is kept here (the session's calls, the whole suite), what belongs to one case in its lane. Plain single-threaded code,
no input or output.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from normalizers.base import When
from replayer import nearest
from replayer.background import Background
from replayer.bindings import Bindings
from replayer.desk import Desk
from replayer.lane import How, Lane, Outcome, Seen, around_nothing, entries_of
from replayer.late import Late
from replayer.nearest import Recorded, Surroundings
from replayer.noise import Rules
from replayer.scope import Expected, Key, Scope
from replayer.whose import Whose
from wiretape.case import Call, Case, Suite
from wiretape.protocols.base import Ask, Codec, Miss, Waiting, about_nothing
from wiretape.tree import same

__all__ = ["CONTROL", "Book", "Desk", "Lane", "Outcome", "Seen", "around_nothing"]

CONTROL = frozenset(("begin", "end", "control"))
_STRAYS_KEPT = 1000


class Book:
    """The suite's calls. Between `begin` and `end` those of a case may answer, at any time those of the session.

    `on_miss` is called at every miss, `on_progress` when more may be due to be delivered unasked (`due`, and `turn` of asks
    that block). `passthrough`: a miss is to be put to the real server instead. `disguise`: what the service is told of a miss
    ends in its logs, where no secret may stand. `learning`: the build is the one that was recorded, so
    that a call of the case whose values only differ is answered, and found to have changed all the same.
    """

    def __init__(
        self,
        suite: Suite,
        codecs: Mapping[str, Codec],
        *,
        bindings: Bindings | None = None,
        when: When | None = None,
        passthrough: bool = False,
        disguise: Callable[[Miss], Miss] = lambda miss: miss,
        learning: bool = False,
    ) -> None:
        self.bindings = Bindings() if bindings is None else bindings
        self.on_miss: Callable[[Miss], None] = lambda _: None
        self.on_progress: Callable[[], None] = lambda: None
        self.memory: dict[str, object] = {}
        self.stray: list[Miss] = []
        self.lanes: list[Lane] = []
        self.closing: list[Lane] = []
        self._suite, self._codecs, self._passthrough, self._disguise = suite, codecs, passthrough, disguise
        self._learning = learning
        self._session_calls = [
            Recorded(case="", call=call, ask=self._ask(call), position=at) for at, call in enumerate(suite.session)
        ]
        clock = when or When(recorded=0.0, live=0.0)
        self._session = Scope((Expected(call, at, clock) for at, call in enumerate(self._session_calls)), repeat_writes=True)
        self._by_case: dict[int, tuple[Recorded, ...]] = {}
        self._index: dict[Key, list[Recorded]] | None = None
        self._nobody = Lane("", Scope(()), self.bindings)
        self._whose, self._late, self._background = Whose(self), Late(self), Background()
        self._connections = 0
        self._now = 0

    def _ask(self, call: Call) -> Ask:
        return self._codecs[call.target].ask(call)

    def recorded(self, case: Case) -> tuple[Recorded, ...]:
        """The calls of a case, with what they ask."""
        if id(case) not in self._by_case:
            asks = (
                Recorded(case=case.name, call=call, ask=self._ask(call), path=case.path, position=at)
                for at, call in enumerate(case.calls)
            )
            self._by_case[id(case)] = tuple(asks)
        return self._by_case[id(case)]

    def begin(
        self,
        case: Case,
        when: When,
        rules: Rules | None = None,
        *,
        beside: Bindings | None = None,
        trace: str = "",
    ) -> Lane:
        """From now on the calls of `case` answer. `beside`: other cases may be under way, too, and what this one binds is its
        own. `trace` is the id its request carries."""
        entries = entries_of(self.recorded(case), when, rules)
        lane = Lane(case.name, Scope(entries), self.bindings if beside is None else beside, trace=trace, alone=beside is None)
        self.lanes.append(lane)
        self.on_progress()
        return lane

    def answered(self, lane: Lane) -> None:
        """The service has answered the request of a case; calls may still come."""
        self._whose.answered(lane)

    def close(self, lane: Lane) -> None:
        """The case is over, but for calls that come late: those are still its own, if they cannot be anything else."""
        self.lanes.remove(lane)
        self.closing.append(lane)
        self._whose.closed(lane)

    def end(self, lane: Lane | None = None) -> Outcome:
        """The case is over: what comes from now on is not its own."""
        lane = lane or self.lanes[-1]
        (self.lanes if lane in self.lanes else self.closing).remove(lane)
        self._whose.closed(lane)
        return lane.outcome

    def open_all(self, when: Callable[[Case], When]) -> None:
        """All cases answer at once, and go on answering (`wiretape serve`)."""
        cases = ((case, when(case)) for case in self._suite.cases)
        calls = (Expected(recorded, at, clock) for case, clock in cases for at, recorded in enumerate(self.recorded(case)))
        self.lanes.append(Lane("", Scope(calls), self.bindings))

    def answers(self, connection: int | None = None) -> Desk:
        """The book as one connection sees it."""
        self._connections += 1
        return Desk(self, self._connections if connection is None else connection)

    def left(self, connection: int) -> None:
        """A connection is over, and with it the transaction that was open on it."""
        self._whose.left(connection)
        for lane in (*self.lanes, *self.closing):
            lane.settle(connection)

    def traced(self, target: str) -> bool:
        """Whether what the service asks a target carries the trace of the request that it is for."""
        return self._whose.traced(target)

    @property
    def _only(self) -> Lane | None:
        """The one case under way, if it is alone."""
        return self.lanes[0] if len(self.lanes) == 1 and self.lanes[0].alone else None

    def peek(self, ask: Ask) -> Call | None:
        """See wiretape.protocols.base.Answers. Looks in the whole suite: a statement may be prepared long before it is used."""
        for scope in (*(lane.scope for lane in self.lanes), self._session):
            entry = scope.like(ask)
            if entry is not None:
                return entry.call
        others = self.everywhere().get((ask.target, ask.shape), ())
        return min(others, key=lambda entry: "error" in entry.call.fields).call if others else None

    def take(self, ask: Ask, connection: int) -> Call | Miss | Waiting:
        """See wiretape.protocols.base.Answers."""
        if ask.blocks is not None:
            return self.turn(ask, connection) or Waiting()
        self._now += 1
        lane = self._only
        if lane is not None:
            late = self._late.lane(ask, connection, lane) if self.closing else None
            return self.for_lane(late or lane, ask, connection)
        if self.lanes:
            return self._whose.take(ask, connection, self._now)
        late = self._late.lane(ask, connection, None) if self.closing else None
        return self.for_lane(late, ask, connection) if late else self.outside(ask)

    def for_lane(self, lane: Lane, ask: Ask, connection: int, at: int = 0) -> Call | Miss | Waiting:
        """Answer an ask of one case, made at moment `at` (0: now)."""
        at = at or self._now
        if not self._is_background(lane, ask, connection):
            entry = lane.scope.find(ask, lane.bindings, lane.turns.shows if lane.name else None)
            if entry is not None:
                how: How = "repeat" if entry.used else "first"
                call = entry.serve(lane.bindings)
                self._note(lane, ask, connection, how, entry, at)
                return call
        # Transaction control is part of what a case does, however often the session did the same.
        found = None if lane.name and ask.role in CONTROL else self._session.find(ask, self.bindings)
        if found is not None:
            call = found.serve(self.bindings)
            self._note(lane, ask, connection, "session", found, at)
            return call
        if self._learning and (alike := lane.scope.unused(ask)):
            call = alike[0].serve(lane.bindings)
            self._note(lane, ask, connection, "missed", None, at)
            return call
        if ask.role != "query":
            self._note(lane, ask, connection, "synthesised", None, at)
            return Miss(ask=ask)
        self._note(lane, ask, connection, "missed", None, at)
        if self._passthrough:
            return Waiting()
        miss = lane.miss(ask, self._explain)
        if not lane.name:
            self._strayed(miss)
        self.on_miss(miss)
        return self._disguise(miss)

    def _is_background(self, lane: Lane, ask: Ask, connection: int) -> bool:
        """Whether an ask that a case expects is the session's all the same."""
        if ask.role != "query" or not lane.alone or not lane.name:
            return False
        untraced = bool(lane.trace) and ask.trace != lane.trace and self.traced(ask.target)
        return (untraced or self._background.makes(connection, ask)) and self.is_session(ask)

    def outside(self, ask: Ask) -> Call | Miss | Waiting:
        """Answer an ask of no case."""
        found = self._session.find(ask, self.bindings)
        if found is not None:
            return found.serve(self.bindings)
        if ask.role != "query":
            return Miss(ask=ask)
        if self._passthrough:
            return Waiting()
        miss = self._nobody.miss(ask, self._explain)
        self._strayed(miss)
        self.on_miss(miss)
        return self._disguise(miss)

    def _strayed(self, miss: Miss) -> None:
        if len(self.stray) < _STRAYS_KEPT:
            self.stray.append(miss)

    def is_session(self, ask: Ask) -> bool:
        """Whether a session call answers the ask. Nothing is bound and nothing consumed."""
        mark = self.bindings.mark()
        found = self._session.find(ask, self.bindings)
        self.bindings.undo(mark)
        return found is not None

    def wavers(self, ask: Ask) -> bool:
        """Whether what the session answers to such an ask depends on when it is asked."""
        return self._session.wavers(ask)

    def turn(self, ask: Ask, connection: int) -> Call | None:
        """The answer to an ask that blocks, if there is one and its turn has come."""
        lane = self._only
        entry = lane.scope.find(ask, self.bindings) if lane else None
        if entry is not None and lane is not None:
            if lane.name and not lane.turns.come(entry):
                return None
            call = entry.serve(self.bindings)
            self._note(lane, ask, connection, "first", entry, self._now)
            return call
        found = self._session.find(ask, self.bindings)
        if found is None:
            return None
        call = found.serve(self.bindings)
        if lane is not None:
            self._note(lane, ask, connection, "session", found, self._now)
        return call

    @property
    def pushes(self) -> bool:
        """Whether a push of the case under way is still to be delivered."""
        lane = self._only
        return lane is not None and lane.turns.pending

    def due(self) -> list[Expected]:
        """The pushes of the case under way that are to be delivered now, in recorded order."""
        lane = self._only
        return list(lane.turns.due()) if lane else []

    def push(self, entry: Expected, deliver: Callable[[Call], bool], connection: int) -> bool:
        """Offer a push to a connection; False where it does not take it."""
        lane = self._only
        if lane is None or not deliver(entry.served(self.bindings)):
            return False
        lane.turns.done(entry)
        entry.serve(self.bindings)
        self._note(lane, entry.ask, connection, "first", entry, self._now)
        return True

    def _explain(self, ask: Ask, lane: Lane) -> Miss:
        entries = lane.scope.entries
        around = Surroundings(
            here=lane.name,
            near=([replace(entry.recorded, used=entry.used) for entry in entries], self._session_calls),
            suite=self.everywhere(),
            alike=lane.bindings.alike(entries[0].when) if entries else same,
            about=self._codecs[ask.target].about if ask.target in self._codecs else about_nothing,
        )
        return nearest.explain(ask, around)

    def _note(self, lane: Lane, ask: Ask, connection: int, how: How, expected: Expected | None, at: int) -> None:
        if lane.name:
            self._background.note(connection, ask, how)
            if how != "session":
                self._whose.carried(ask, lane)
        lane.note(ask, connection, how, expected, at=at)
        if lane.turns.pending or ask.writes:
            self.on_progress()

    def everywhere(self) -> Mapping[Key, Sequence[Recorded]]:
        """Every call of the suite's cases, by what it asks."""
        if self._index is None:
            self._index = {}
            for case in self._suite.cases:
                for recorded in self.recorded(case):
                    self._index.setdefault((recorded.ask.target, recorded.ask.shape), []).append(recorded)
        return self._index
