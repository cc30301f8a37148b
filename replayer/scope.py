"""The calls that may answer at one moment, by what they ask, and the order in which one is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from normalizers.base import When
from replayer.bindings import Bindings, may_vary
from replayer.callnoise import CallNoise
from replayer.nearest import Recorded
from wiretape.case import Call
from wiretape.protocols.base import Ask
from wiretape.tree import Tree, same

type Key = tuple[str, str]
type Shows = Callable[[Expected, int], bool]


class Expected:
    """One recorded call within a scope, and how often it has been served."""

    __slots__ = (
        "_may_vary",
        "_served",
        "_version",
        "ask",
        "call",
        "case",
        "noise",
        "position",
        "recorded",
        "required",
        "used",
        "when",
    )

    def __init__(self, recorded: Recorded, position: int, when: When, noise: CallNoise | None = None) -> None:
        self.recorded = recorded
        self.call, self.ask, self.case = recorded.call, recorded.ask, recorded.case
        self.position, self.when, self.noise = position, when, noise
        self.required = False
        self.used = 0
        self._version: tuple[Bindings | None, int] = (None, -1)
        self._may_vary: bool | None = None
        self._served = self.call

    def serve(self, bindings: Bindings) -> Call:
        """The call with live values in place of the recorded ones they stand for. What it says is known from now on."""
        if not self.used:
            bindings.learn(dict(self.call.fields))
        self.used += 1
        return self.served(bindings)

    def served(self, bindings: Bindings) -> Call:
        """As it would be served now."""
        version = bindings.version
        if self._version[0] is not bindings or self._version[1] != version:
            self._version = (bindings, version)
            fields = bindings.stand(dict(self.call.fields))
            if all(value is self.call.fields[name] for name, value in fields.items()):
                self._served = self.call
            elif not same(fields, dict(self._served.fields)):
                self._served = replace(self.call, fields=fields)
                bindings.learn(fields)
        return self._served

    def meets(self, ask: Ask, bindings: Bindings) -> bool:
        """Whether the ask's values mean what was recorded; binds what is fresh."""
        if self.noise is None:
            return bindings.meet_all(self.ask.values, ask.values, self.when)
        pairings = self.noise.pairings(self.ask.values, ask.values, bindings.recorded)
        return any(bindings.meet_all([mine for mine, _ in kept], [now for _, now in kept], self.when) for kept in pairings)

    @property
    def may_vary(self) -> bool:
        """Whether other values than its own may mean the same."""
        if self._may_vary is None:
            self._may_vary = self.noise is not None or any(map(may_vary, self.ask.values))
        return self._may_vary


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

    def meant(self, ask: Ask, bindings: Bindings) -> Expected | None:
        """One of these that the ask's values mean the same as: if possible without a noise rule, so that a rule never takes
        what another call stands for."""
        entries = self.variable()
        plainly = (entry for entry in entries if bindings.meet_all(entry.ask.values, ask.values, entry.when))
        found = next(plainly, None)
        if found is not None:
            return found
        return next((entry for entry in entries if entry.noise is not None and entry.meets(ask, bindings)), None)

    def last_used(self, ask: Ask, bindings: Bindings, before: int | None = None) -> Expected | None:
        """The last call that was served and answers the ask, of those before a position."""
        served = (entry for entry in reversed(self.entries) if entry.used and (before is None or entry.position < before))
        return next((entry for entry in served if entry.meets(ask, bindings)), None)


class Scope:
    """Calls that may answer now."""

    def __init__(self, entries: Iterable[Expected], *, repeat_writes: bool = False) -> None:
        self.entries = tuple(entries)
        self._repeat_writes = repeat_writes
        self._shelves: dict[Key, _Shelf] = {}
        for entry in self.entries:
            if entry.ask.role != "push":
                self._shelves.setdefault((entry.ask.target, entry.ask.shape), _Shelf()).add(entry)

    def find(self, ask: Ask, bindings: Bindings, shows: Shows | None = None) -> Expected | None:
        """The call that answers: unused before used, equal values before those that merely mean the same.

        `shows` tells whether what was written since a position, and before a read, has been seen: until then the read shows too
        much, and one before it is answered again.
        """
        shelf = self._shelves.get((ask.target, ask.shape))
        if shelf is None:
            return None
        values = tuple(map(bindings.recorded, ask.values)) if len(bindings) else ask.values
        exact = shelf.exact.get(_key(values), ())
        used = None
        for entry in exact:
            if _typed_alike(entry.ask.values, values):
                if not entry.used:
                    return entry if used is None or _may_follow(used, entry, ask, shows) else used
                used = entry
        meant = shelf.meant(ask, bindings)
        if meant is not None:
            early = shows is not None and not ask.writes and not shows(meant, -1)
            before = shelf.last_used(ask, bindings, meant.position) if early else None
            return meant if before is None or _may_follow(before, meant, ask, shows) else before
        if ask.blocks is not None or (ask.writes and not (ask.settles or self._repeat_writes)):
            return None
        if used is not None:
            return used
        return shelf.last_used(ask, bindings)

    def has(self, key: Key) -> bool:
        """Whether there is any call of a shape."""
        return key in self._shelves

    def unused(self, ask: Ask) -> list[Expected]:
        """The calls of the ask's shape that were not served yet."""
        shelf = self._shelves.get((ask.target, ask.shape))
        return [entry for entry in shelf.entries if not entry.used] if shelf else []

    def wavers(self, ask: Ask) -> bool:
        """Whether the calls of the ask's shape do not all answer the same."""
        shelf = self._shelves.get((ask.target, ask.shape))
        entries = shelf.entries if shelf else []
        return any(not same(dict(entry.call.fields), dict(entries[0].call.fields)) for entry in entries[1:])

    def like(self, ask: Ask) -> Expected | None:
        """A call of the ask's shape: one with its values if there is, else rather one that did not fail and is unused."""
        shelf = self._shelves.get((ask.target, ask.shape))
        if shelf is None:
            return None
        exact = shelf.exact.get(_key(ask.values), ())
        if ask.values and exact:
            return next((entry for entry in exact if not entry.used), exact[0])
        return min(shelf.entries, key=lambda entry: ("error" in entry.call.fields, entry.used > 0))


def _may_follow(used: Expected, entry: Expected, ask: Ask, shows: Shows | None) -> bool:
    """Whether the next call may answer, one having been served: it says the same, or what made it differ was seen."""
    if shows is None or ask.writes or same(dict(used.call.fields), dict(entry.call.fields)):
        return True
    return shows(entry, used.position)


def _typed_alike(left: tuple[Tree, ...], right: tuple[Tree, ...]) -> bool:
    """Whether values of equal key are the same: 1 and True have one key."""
    return list(map(type, left)) == list(map(type, right)) or all(map(same, left, right))


def _key(values: tuple[Tree, ...]) -> object:
    try:
        hash(values)
    except TypeError:
        return repr(values)
    return values
