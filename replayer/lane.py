"""One case under way: which of its calls were asked for, what else was, and what is still to come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Literal

from normalizers.base import When
from replayer.bindings import Bindings
from replayer.nearest import Recorded
from replayer.noise import Rules
from replayer.overlay import Overlay
from replayer.scope import Expected, Key, Scope
from replayer.turns import Turns
from wiretape.protocols.base import Ask, Miss

type How = Literal["first", "repeat", "session", "synthesised", "missed"]
type Explain = Callable[[Ask, Lane], Miss]

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


class Lane:
    """The calls of one case, and what the service asked for it so far.

    `name` is the case's; empty where all cases answer at once (`wiretape serve`): then nothing is noted. `trace` is the id that
    the case's request carried. `on_settled` is called whenever the case has seen all it needs and no transaction it opened is
    still open. `alone`: no other case is under way, so what comes is its own unless something says otherwise. `doubtful`:
    something came that this case or another may have asked for. `judged`: only what is certainly its own is given to it now.
    `strange` counts the asks that were not expected. `open` are the connections with a transaction of this case, `awaited`
    those with one that may be. `read` are the positions of reads that were this case's, rather than perhaps another's.
    """

    def __init__(self, name: str, scope: Scope, bindings: Bindings, *, trace: str = "", alone: bool = True) -> None:
        self.name, self.scope, self.bindings, self.trace, self.alone = name, scope, bindings, trace, alone
        self.on_settled: Callable[[], None] = lambda: None
        self.doubtful = self.judged = False
        self.turns: Turns[Expected] = Turns(scope.entries if name else ())
        self.open: set[int] = set()
        self.awaited: set[int] = set()
        self._left = sum(entry.required for entry in scope.entries)
        self._seen: list[tuple[int, Seen]] = []
        self._shapes: set[Key] = set()
        self._surmising = False
        self.read: set[int] = set()
        self.strange = 0
        self._misses: list[Miss] = []
        self._explained: dict[Key, tuple[int, Miss | None]] = {}

    @property
    def asked(self) -> int:
        """How many asks the case has made."""
        return len(self._seen)

    @property
    def lacking(self) -> bool:
        """Whether a required call was not seen."""
        return self._left > 0

    @property
    def settled(self) -> bool:
        """Every required call has been seen, and no transaction opened in this case, or perhaps in it, is still open."""
        return not self._left and not self.open and not self.awaited

    @property
    def outcome(self) -> Outcome:
        """What happened so far."""
        seen = tuple(one for _, one in sorted(self._seen, key=lambda timed: timed[0]))
        return Outcome(expected=self.scope.entries, seen=seen, misses=tuple(self._misses))

    def note(self, ask: Ask, connection: int, how: How, expected: Expected | None = None, *, at: int = 0) -> None:
        """An ask was made for this case at moment `at`, and answered."""
        if not self.name:
            return
        self._seen.append((at, Seen(ask=ask, connection=connection, how=how, expected=expected)))
        self._shapes.add((ask.target, ask.shape))
        self.strange += ask.role == "query" and how in ("repeat", "missed")
        if ask.role == "begin":
            self.open.add(connection)
        elif ask.role == "end":
            self.open.discard(connection)
        if how == "first" and expected is not None:
            self._left -= expected.required
            if not self._surmising and (not ask.writes or ask.role != "query"):
                self.read.add(expected.position)
        self.heard()

    def spare(self, positions: Set[int]) -> None:
        """Where nothing but calls at these positions is missing, and nothing else came, they need not have been made."""
        missing = [entry for entry in self.scope.entries if entry.required and not entry.used]
        if not self.strange and all(entry.position in positions for entry in missing):
            for entry in missing:
                entry.required = False

    @contextmanager
    def surmising(self) -> Iterator[None]:
        """What is noted within may be another case's."""
        self._surmising = True
        yield
        self._surmising = False

    def withdraw_begin(self, connection: int) -> tuple[int, Ask] | None:
        """Forget the transaction that a connection has just begun, nothing having come of it here: it is another case's."""
        if not self._seen or connection not in self.open:
            return None
        at, last = next(timed for timed in reversed(self._seen) if timed[1].connection == connection)
        if last.ask.role != "begin":
            return None
        self._seen.remove((at, last))
        self.open.discard(connection)
        if last.how == "first" and last.expected is not None:
            last.expected.used -= 1
            self._left += last.expected.required
        return at, last.ask

    def inside(self, connection: int) -> bool:
        """Whether a connection has a transaction open in which this case asked something."""
        if connection not in self.open:
            return False
        return next(seen.ask.role for _, seen in reversed(self._seen) if seen.connection == connection) != "begin"

    def heard(self) -> None:
        """Something that this case waited for is over."""
        if self.settled:
            self.on_settled()

    def settle(self, connection: int) -> None:
        """A connection is over, and with it its transaction."""
        if connection in self.open:
            self.open.discard(connection)
            self.heard()

    def miss(self, ask: Ask, explain: Explain) -> Miss:
        """Nothing answers an ask of this case. Explaining compares with the whole suite, so a statement asked over and over is
        explained a few times only."""
        key = (ask.target, ask.shape)
        times, first = self._explained.get(key, (0, None))
        if first is not None and times >= _EXPLAINED:
            found = replace(first, ask=ask)
        else:
            found = explain(ask, self)
            self._explained[key] = (times + 1, found)
        if self.name and len(self._misses) < _MISSES_KEPT:
            self._misses.append(found)
        return found

    def knows(self, ask: Ask) -> bool:
        """Whether this case has a call of the ask's shape, recorded or seen."""
        key = (ask.target, ask.shape)
        return key in self._shapes or self.scope.has(key)

    def left(self, ask: Ask) -> int:
        """How many calls of this case that would answer the ask were not asked for yet. Nothing is bound."""
        with self._aside() as forget:
            found = 0
            for entry in self.scope.unused(ask):
                found += entry.meets(ask, self.bindings)
                forget()
            return found

    def wants(self, ask: Ask) -> Expected | None:
        """The call that would answer the ask as the next of this case, or again. Nothing is bound and nothing consumed."""
        with self._aside():
            return self.scope.find(ask, self.bindings, self.turns.shows)

    @contextmanager
    def _aside(self) -> Iterator[Callable[[], None]]:
        """A look at what might be: what is bound within is forgotten."""
        mark = self.bindings.mark()

        def forget() -> None:
            self.bindings.undo(mark)

        with self.bindings.aside() if isinstance(self.bindings, Overlay) else nullcontext():
            yield forget
        forget()


def entries_of(recorded: Sequence[Recorded], when: When, rules: Rules | None) -> list[Expected]:
    """The calls that a case's service is expected to make; the driver's own and transactions around nothing need not come."""
    entries = [
        Expected(one, at, when, rules.of_call(one.call, at, one.ask) if rules else None)
        for at, one in enumerate(recorded)
        if one.ask.role != "housekeeping"
    ]
    idle = around_nothing([(entry.ask, entry.position) for entry in entries])
    for entry in entries:
        entry.required = not entry.call.ambiguous and entry.position not in idle
    return entries


def around_nothing[T](asks: Sequence[tuple[Ask, T]]) -> set[T]:
    """The marks of begin/end pairs on one target with nothing between them but savepoints: a pool's probe or a driver's own
    question, not the service's doing."""
    idle: set[T] = set()
    for target in {ask.target for ask, _ in asks}:
        stack: list[tuple[Ask, list[T]]] = []
        for ask, mark in asks:
            if ask.target != target or ask.role == "housekeeping":
                continue
            begun = bool(stack) and stack[-1][0].role == "begin"
            if begun and ask.role == "control":
                stack[-1][1].append(mark)
            elif begun and ask.role == "end":
                idle |= {*stack.pop()[1], mark}
            else:
                stack.append((ask, [mark]))
    return idle
