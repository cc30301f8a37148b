"""The book: the recorded calls available to the mocks at one moment, and the order in which one is chosen.

It never serves a guess: an answer is a recorded call of the very shape asked, with values that mean the same. Plain
single-threaded code, no input or output.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from normalizers.base import When
from replayer import nearest
from replayer.bindings import Bindings
from replayer.nearest import Recorded, Surroundings
from replayer.noise import Rules
from replayer.scope import Expected, Key, Scope
from replayer.turns import Turns
from wiretape.case import Call, Case, Suite
from wiretape.protocols.base import Ask, Codec, Miss, Waiting
from wiretape.tree import same

type How = Literal["first", "repeat", "session", "synthesised", "missed"]

_CONTROL = frozenset(("begin", "end", "control"))
_MISSES_KEPT = 1000
_EXPLAINED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One ask of the service, and how it was answered. `connection` numbers the connections of the run."""

    ask: Ask
    connection: int
    how: How
    expected: Expected | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happened in one case: the calls expected, the asks seen in order, those that nothing answers."""

    expected: tuple[Expected, ...]
    seen: tuple[Seen, ...]
    misses: tuple[Miss, ...]


class Book:
    """The suite's calls. Between `begin` and `end` those of one case may answer, at any time those of the session.

    `on_settled` is called whenever the case under way has seen all it needs and no transaction it opened is still open,
    `on_miss` at every miss, `on_progress` when more may be due to be delivered unasked (`due`, and `turn` of asks that block).
    `passthrough`: a miss is to be put to the real server instead. `disguise`: what the service is told of a miss ends in its
    logs, where no secret may stand.
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
    ) -> None:
        self.bindings = Bindings() if bindings is None else bindings
        self.on_settled: Callable[[], None] = lambda: None
        self.on_miss: Callable[[Miss], None] = lambda _: None
        self.on_progress: Callable[[], None] = lambda: None
        self.memory: dict[str, object] = {}
        self._suite, self._codecs, self._passthrough, self._disguise = suite, codecs, passthrough, disguise
        self._session_calls = [
            Recorded(case="", call=call, ask=self._ask(call), position=at) for at, call in enumerate(suite.session)
        ]
        clock = when or When(recorded=0.0, live=0.0)
        self._session = Scope((Expected(call, at, clock) for at, call in enumerate(self._session_calls)), repeat_writes=True)
        self._by_case: dict[int, tuple[Recorded, ...]] = {}
        self._index: dict[Key, list[Recorded]] | None = None
        self._scope: Scope | None = None
        self._case = ""
        self._clear()
        self.stray: list[Miss] = []
        self._connections = 0

    def _clear(self) -> None:
        self._seen: list[Seen] = []
        self._misses: list[Miss] = []
        self._explained: dict[Key, tuple[int, Miss | None]] = {}
        self._left = 0
        self._open: set[int] = set()
        self._turns: Turns[Expected] = Turns()

    def _ask(self, call: Call) -> Ask:
        return self._codecs[call.target].ask(call)

    def _recorded(self, case: Case) -> tuple[Recorded, ...]:
        if id(case) not in self._by_case:
            asks = (
                Recorded(case=case.name, call=call, ask=self._ask(call), path=case.path, position=at)
                for at, call in enumerate(case.calls)
            )
            self._by_case[id(case)] = tuple(asks)
        return self._by_case[id(case)]

    def begin(self, case: Case, when: When, rules: Rules | None = None) -> None:
        """From now on the calls of `case` answer."""
        entries = [
            Expected(recorded, at, when, rules.of_call(recorded.call, at, recorded.ask) if rules else None)
            for at, recorded in enumerate(self._recorded(case))
            if recorded.ask.role != "housekeeping"
        ]
        idle = around_nothing([(entry.ask, entry.position) for entry in entries])
        for entry in entries:
            entry.required = not entry.call.ambiguous and entry.position not in idle
        self._clear()
        self._scope, self._case = Scope(entries), case.name
        self._left = sum(entry.required for entry in entries)
        self._turns = Turns(entries)
        self.on_progress()

    def end(self) -> Outcome:
        """The case is over: what comes from now on is not its own."""
        scope, self._scope, self._case = self._scope, None, ""
        outcome = Outcome(expected=scope.entries if scope else (), seen=tuple(self._seen), misses=tuple(self._misses))
        self._clear()
        return outcome

    def open_all(self, when: Callable[[Case], When]) -> None:
        """All cases answer at once, and go on answering (`wiretape serve`)."""
        cases = ((case, when(case)) for case in self._suite.cases)
        self._scope = Scope(
            Expected(recorded, at, clock) for case, clock in cases for at, recorded in enumerate(self._recorded(case))
        )

    def answers(self, connection: int | None = None) -> Desk:
        """The book as one connection sees it."""
        self._connections += 1
        return Desk(self, self._connections if connection is None else connection)

    @property
    def asked(self) -> int:
        """How many asks the case under way has made."""
        return len(self._seen)

    @property
    def settled(self) -> bool:
        """Every required call has been seen, and no transaction opened in this case is still open."""
        return not self._left and not self._open

    def peek(self, ask: Ask) -> Call | None:
        """See wiretape.protocols.base.Answers. Looks in the whole suite: a statement may be prepared long before it is used."""
        for scope in (self._scope, self._session):
            entry = scope.like(ask) if scope else None
            if entry is not None:
                return entry.call
        others = self._everywhere().get((ask.target, ask.shape), ())
        return min(others, key=lambda entry: "error" in entry.call.fields).call if others else None

    def take(self, ask: Ask, connection: int) -> Call | Miss | Waiting:
        """See wiretape.protocols.base.Answers."""
        if ask.blocks is not None:
            return self.turn(ask, connection) or Waiting()
        shows = self._turns.shows if self._case else None
        entry = self._scope.find(ask, self.bindings, shows) if self._scope else None
        if entry is not None:
            how: How = "repeat" if entry.used else "first"
            call = entry.serve(self.bindings)
            self._note(ask, connection, how, entry)
            return call
        # Transaction control is part of what a case does, however often the session did the same.
        entry = None if self._case and ask.role in _CONTROL else self._session.find(ask, self.bindings)
        if entry is not None:
            call = entry.serve(self.bindings)
            self._note(ask, connection, "session", entry)
            return call
        if ask.role != "query":
            self._note(ask, connection, "synthesised")
            return Miss(ask=ask)
        return self._miss(ask, connection)

    def turn(self, ask: Ask, connection: int) -> Call | None:
        """The answer to an ask that blocks, if there is one and its turn has come."""
        entry = self._scope.find(ask, self.bindings) if self._scope else None
        how: How = "first"
        if entry is None:
            entry, how = self._session.find(ask, self.bindings), "session"
        elif self._case and not self._turns.come(entry):
            return None
        if entry is None:
            return None
        call = entry.serve(self.bindings)
        self._note(ask, connection, how, entry)
        return call

    @property
    def pushes(self) -> bool:
        """Whether a push of the case under way is still to be delivered."""
        return self._turns.pending

    def due(self) -> list[Expected]:
        """The pushes of the case under way that are to be delivered now, in recorded order."""
        return list(self._turns.due())

    def push(self, entry: Expected, deliver: Callable[[Call], bool], connection: int) -> bool:
        """Offer a push to a connection; False where it does not take it."""
        if not deliver(entry.served(self.bindings)):
            return False
        self._turns.done(entry)
        entry.serve(self.bindings)
        self._note(entry.ask, connection, "first", entry)
        return True

    def _miss(self, ask: Ask, connection: int) -> Miss | Waiting:
        self._note(ask, connection, "missed")
        if self._passthrough:
            return Waiting()
        found = self._misses if self._case else self.stray
        miss = self._explain(ask)
        if len(found) < _MISSES_KEPT:
            found.append(miss)
        self.on_miss(miss)
        return self._disguise(miss)

    def _explain(self, ask: Ask) -> Miss:
        """Explaining compares with the whole suite, so a statement asked over and over is explained a few times only."""
        times, first = self._explained.get((ask.target, ask.shape), (0, None))
        if first is not None and times >= _EXPLAINED:
            return replace(first, ask=ask)
        entries = self._scope.entries if self._scope else ()
        own = [replace(entry.recorded, used=entry.used) for entry in entries]
        clock = entries[0].when if entries else None
        miss = nearest.explain(
            ask,
            Surroundings(
                here=self._case,
                near=(own, self._session_calls),
                suite=self._everywhere(),
                alike=self.bindings.alike(clock) if clock else same,
                about=self._codecs[ask.target].about,
            ),
        )
        self._explained[ask.target, ask.shape] = (times + 1, miss)
        return miss

    def _note(self, ask: Ask, connection: int, how: How, expected: Expected | None = None) -> None:
        if not self._case:
            return
        self._seen.append(Seen(ask=ask, connection=connection, how=how, expected=expected))
        if ask.role == "begin":
            self._open.add(connection)
        elif ask.role == "end":
            self._open.discard(connection)
        if how == "first" and expected is not None and expected.required:
            self._left -= 1
        if self._turns.pending or ask.writes:
            self.on_progress()
        if self.settled:
            self.on_settled()

    def _everywhere(self) -> Mapping[Key, Sequence[Recorded]]:
        if self._index is None:
            self._index = {}
            for case in self._suite.cases:
                for recorded in self._recorded(case):
                    self._index.setdefault((recorded.ask.target, recorded.ask.shape), []).append(recorded)
        return self._index


class Desk:
    """The book from where one connection stands."""

    __slots__ = ("_book", "_connection")

    def __init__(self, book: Book, connection: int) -> None:
        self._book, self._connection = book, connection

    @property
    def memory(self) -> dict[str, object]:
        return self._book.memory

    def peek(self, ask: Ask) -> Call | None:
        return self._book.peek(ask)

    def take(self, ask: Ask) -> Call | Miss | Waiting:
        return self._book.take(ask, self._connection)

    @property
    def pushes(self) -> bool:
        """Whether any push is still to be delivered."""
        return self._book.pushes

    def turn(self, ask: Ask) -> Call | None:
        """See `Book.turn`."""
        return self._book.turn(ask, self._connection)

    def push(self, entry: Expected, deliver: Callable[[Call], bool]) -> bool:
        """See `Book.push`."""
        return self._book.push(entry, deliver, self._connection)


def around_nothing[T](asks: Sequence[tuple[Ask, T]]) -> set[T]:
    """The marks of begin/end pairs on one target with nothing between them: a pool's probe, not the service's doing."""
    idle: set[T] = set()
    for target in {ask.target for ask, _ in asks}:
        stack: list[tuple[Ask, T]] = []
        for ask, mark in asks:
            if ask.target != target or ask.role == "housekeeping":
                continue
            if ask.role == "end" and stack and stack[-1][0].role == "begin":
                idle |= {stack.pop()[1], mark}
            else:
                stack.append((ask, mark))
    return idle
