"""The book: the recorded calls available to the mocks at one moment, and the order in which one is chosen.

It never serves a guess: an answer is a recorded call of the very shape asked, with values that mean the same. Plain
single-threaded code, no input or output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from normalizers.base import Normalizer, When
from replayer import nearest
from replayer.bindings import Bindings, may_vary
from replayer.nearest import Recorded
from replayer.noise import Rules
from wiretape.case import Call, Case, Suite
from wiretape.protocols.base import Answers, Ask, Codec, Miss, Waiting
from wiretape.tree import Tree, same

type How = Literal["first", "repeat", "session", "synthesised", "missed"]
type Key = tuple[str, str]

_CONTROL = frozenset(("begin", "end", "control"))
_MISSES_KEPT = 1000
_EXPLAINED = 20


class Expected:
    """One recorded call within a scope, and how often it has been served."""

    __slots__ = ("_may_vary", "_served", "_version", "ask", "call", "case", "noise", "position", "required", "used", "when")

    def __init__(self, recorded: Recorded, position: int, when: When, noise: tuple[tuple[str, Normalizer], ...] = ()) -> None:
        self.call, self.ask, self.case = recorded.call, recorded.ask, recorded.case
        self.position, self.when, self.noise = position, when, noise
        self.required = False
        self.used = 0
        self._version = -1
        self._may_vary: bool | None = None
        self._served = self.call

    def serve(self, bindings: Bindings) -> Call:
        """The call with live values in place of the recorded ones they stand for. What it says is known from now on."""
        if not self.used:
            bindings.learn(dict(self.call.fields))
        self.used += 1
        if self._version != bindings.version:
            self._version = bindings.version
            fields = bindings.stand(dict(self.call.fields))
            if all(value is self.call.fields[name] for name, value in fields.items()):
                self._served = self.call
            elif not same(fields, dict(self._served.fields)):
                self._served = replace(self.call, fields=fields)
                bindings.learn(fields)
        return self._served

    def meets(self, ask: Ask, bindings: Bindings) -> bool:
        """Whether the ask's values mean what was recorded; binds what is fresh."""
        if not self.noise:
            return bindings.meet_all(self.ask.values, ask.values, self.when)
        if len(self.ask.values) != len(ask.values):
            return False
        pairs = zip(self.ask.values, ask.values, strict=True)
        kept = [pair for pair in pairs if not self._is_noise(*pair)]
        return bindings.meet_all([mine for mine, _ in kept], [theirs for _, theirs in kept], self.when)

    @property
    def may_vary(self) -> bool:
        """Whether other values than its own may mean the same."""
        if self._may_vary is None:
            self._may_vary = bool(self.noise) or any(map(may_vary, self.ask.values))
        return self._may_vary

    def _is_noise(self, recorded: Tree, live: Tree) -> bool:
        return any(text == str(recorded) and kind.recognises(live) for text, kind in self.noise)


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


class _Shelf:
    """The calls of one shape, in recorded order."""

    __slots__ = ("_variable", "entries", "exact")

    def __init__(self) -> None:
        self.entries: list[Expected] = []
        self._variable: list[Expected] = []
        self.exact: dict[object, list[Expected]] = {}

    def add(self, entry: Expected) -> None:
        self.entries.append(entry)
        self._variable.append(entry)
        self.exact.setdefault(_key(entry.ask.values), []).append(entry)

    def variable(self) -> Sequence[Expected]:
        """Those never served that may answer other values than their own. Neither the served ones nor the rest are looked at
        again: a shape may have thousands of calls."""
        if self._variable:
            self._variable = [entry for entry in self._variable if not entry.used and entry.may_vary]
        return self._variable


class _Scope:
    """Calls that may answer now."""

    def __init__(self, entries: Iterable[Expected], *, repeat_writes: bool = False) -> None:
        self.entries = tuple(entries)
        self._repeat_writes = repeat_writes
        self._shelves: dict[Key, _Shelf] = {}
        for entry in self.entries:
            self._shelves.setdefault((entry.ask.target, entry.ask.shape), _Shelf()).add(entry)

    def find(self, ask: Ask, bindings: Bindings) -> Expected | None:
        """The call that answers: unused before used, equal values before those that merely mean the same."""
        shelf = self._shelves.get((ask.target, ask.shape))
        if shelf is None:
            return None
        values = tuple(map(bindings.recorded, ask.values)) if len(bindings) else ask.values
        exact = shelf.exact.get(_key(values), ())
        used = None
        for entry in exact:
            if _typed_alike(entry.ask.values, values):
                if not entry.used:
                    return entry
                used = entry
        for entry in shelf.variable():
            if entry.meets(ask, bindings):
                return entry
        if ask.writes and not self._repeat_writes:
            return None
        if used is not None:
            return used
        return next((entry for entry in reversed(shelf.entries) if entry.used and entry.meets(ask, bindings)), None)

    def like(self, ask: Ask) -> Expected | None:
        """A call of the ask's shape: one with its values if there is, else rather one that did not fail and is unused."""
        shelf = self._shelves.get((ask.target, ask.shape))
        if shelf is None:
            return None
        exact = shelf.exact.get(_key(ask.values), ())
        if ask.values and exact:
            return next((entry for entry in exact if not entry.used), exact[0])
        return min(shelf.entries, key=lambda entry: ("error" in entry.call.fields, entry.used > 0))


def _typed_alike(left: tuple[Tree, ...], right: tuple[Tree, ...]) -> bool:
    """Whether values of equal key are the same: 1 and True have one key."""
    return list(map(type, left)) == list(map(type, right)) or all(map(same, left, right))


def _key(values: tuple[Tree, ...]) -> object:
    try:
        hash(values)
    except TypeError:
        return repr(values)
    return values


class Book:
    """The suite's calls. Between `begin` and `end` those of one case may answer, at any time those of the session.

    `on_settled` is called whenever the case under way has seen all it needs and no transaction it opened is still open,
    `on_miss` at every miss.
    `passthrough`: a miss is to be put to the real server instead.
    """

    def __init__(
        self,
        suite: Suite,
        codecs: Mapping[str, Codec],
        *,
        bindings: Bindings | None = None,
        when: When | None = None,
        passthrough: bool = False,
    ) -> None:
        self.bindings = Bindings() if bindings is None else bindings
        self.on_settled: Callable[[], None] = lambda: None
        self.on_miss: Callable[[Miss], None] = lambda _: None
        self._suite, self._codecs, self._passthrough = suite, codecs, passthrough
        self._session_calls = [Recorded(case="", call=call, ask=self._ask(call)) for call in suite.session]
        clock = when or When(recorded=0.0, live=0.0)
        self._session = _Scope((Expected(call, at, clock) for at, call in enumerate(self._session_calls)), repeat_writes=True)
        self._by_case: dict[int, tuple[Recorded, ...]] = {}
        self._index: dict[Key, list[Recorded]] | None = None
        self._scope: _Scope | None = None
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

    def _ask(self, call: Call) -> Ask:
        return self._codecs[call.target].ask(call)

    def _recorded(self, case: Case) -> tuple[Recorded, ...]:
        if id(case) not in self._by_case:
            asks = (Recorded(case=case.name, call=call, ask=self._ask(call)) for call in case.calls)
            self._by_case[id(case)] = tuple(asks)
        return self._by_case[id(case)]

    def begin(self, case: Case, when: When, rules: Rules | None = None) -> None:
        """From now on the calls of `case` answer."""
        entries = [
            Expected(recorded, at, when, rules.of_call(recorded.call, at) if rules else ())
            for at, recorded in enumerate(self._recorded(case))
            if recorded.ask.role != "housekeeping"
        ]
        idle = around_nothing([(entry.ask, entry.position) for entry in entries])
        for entry in entries:
            entry.required = not entry.call.ambiguous and entry.position not in idle
        self._clear()
        self._scope, self._case = _Scope(entries), case.name
        self._left = sum(entry.required for entry in entries)

    def end(self) -> Outcome:
        """The case is over: what comes from now on is not its own."""
        scope, self._scope, self._case = self._scope, None, ""
        outcome = Outcome(expected=scope.entries if scope else (), seen=tuple(self._seen), misses=tuple(self._misses))
        self._clear()
        return outcome

    def open_all(self, when: Callable[[Case], When]) -> None:
        """All cases answer at once, and go on answering (`wiretape serve`)."""
        cases = ((case, when(case)) for case in self._suite.cases)
        self._scope = _Scope(
            Expected(recorded, at, clock) for case, clock in cases for at, recorded in enumerate(self._recorded(case))
        )

    def answers(self, target: str, connection: int | None = None) -> Answers:
        """The book as the responder of one connection sees it."""
        self._connections += 1
        return _Desk(self, target, self._connections if connection is None else connection)

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
        entry = self._scope.find(ask, self.bindings) if self._scope else None
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

    def _miss(self, ask: Ask, connection: int) -> Miss | Waiting:
        self._note(ask, connection, "missed")
        if self._passthrough:
            return Waiting()
        found = self._misses if self._case else self.stray
        miss = self._explain(ask)
        if len(found) < _MISSES_KEPT:
            found.append(miss)
        self.on_miss(miss)
        return miss

    def _explain(self, ask: Ask) -> Miss:
        """Explaining compares with the whole suite, so a statement asked over and over is explained a few times only."""
        times, first = self._explained.get((ask.target, ask.shape), (0, None))
        if first is not None and times >= _EXPLAINED:
            return replace(first, ask=ask)
        entries = self._scope.entries if self._scope else ()
        own = [Recorded(case=entry.case, call=entry.call, ask=entry.ask) for entry in entries]
        miss = nearest.explain(ask, self._case, (own, self._session_calls), self._everywhere())
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
        if self.settled:
            self.on_settled()

    def _everywhere(self) -> Mapping[Key, Sequence[Recorded]]:
        if self._index is None:
            self._index = {}
            for case in self._suite.cases:
                for recorded in self._recorded(case):
                    self._index.setdefault((recorded.ask.target, recorded.ask.shape), []).append(recorded)
        return self._index


class _Desk:
    """The book from where one connection stands."""

    __slots__ = ("_book", "_connection", "_target")

    def __init__(self, book: Book, target: str, connection: int) -> None:
        self._book, self._target, self._connection = book, target, connection

    def peek(self, ask: Ask) -> Call | None:
        return self._book.peek(ask)

    def take(self, ask: Ask) -> Call | Miss | Waiting:
        return self._book.take(ask, self._connection)


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
