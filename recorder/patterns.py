"""What holds of every call of a kind in the whole recording: from which requests its values come, and how many each makes.

`SELECT … FROM users WHERE id = $1` was asked a hundred times, and each time a `GET /users/{}` with that very id was in flight:
so that is where such calls come from, though not one of those requests was ever alone. A pattern is taken only where it holds
without exception and chance would hardly bring that about; it rules out and never votes.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final, NamedTuple

from recorder.evidence import Said, Told

# Natural logarithm of how likely chance may be to bring a pattern about.
_NO_CHANCE: Final = -14.0
_HARDLY: Final = -10.0
_OFTEN: Final = 5  # calls of a kind before anything is concluded of it

type _Feature = tuple[str, str]  # ("given", "0") or ("found", "rows.1")


class _Pattern(NamedTuple):
    """Requests of `group` hold the value at `place`, of what they were asked or what they answered (`side`)."""

    group: str
    side: str
    place: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A call, and the windows that may have made it."""

    call: Told
    candidates: tuple[int, ...]


class Patterns:
    """Learned once, from all calls and requests of a recording."""

    def __init__(self, occurrences: Iterable[Occurrence], requests: Sequence[Said]) -> None:
        self._requests = requests
        self._groups = [groups(said.route) for said in requests]
        self._sizes = Counter(group for groups in self._groups for group in groups)
        self._holders: dict[_Pattern, Counter[str]] = {}
        by_kind: dict[tuple[str, int], list[Occurrence]] = defaultdict(list)
        for one in occurrences:
            by_kind[one.call.shape, len(one.call.given)].append(one)
        self._patterns = {kind: self._learn(ones) for kind, ones in by_kind.items() if len(ones) >= _OFTEN}
        self._means: dict[tuple[str, str], float] = {}
        self._times = dict(self._once(by_kind))

    def possible(self, call: Told, window: int) -> bool:
        """Whether the request may have made the call, as far as is known of such calls."""
        return self._placed(call, window) and self._times.get((self._groups[window][0], call.shape), 1) > 0

    def _placed(self, call: Told, window: int) -> bool:
        groups, said = self._groups[window], self._requests[window]
        for feature, patterns in self._of(call).items():
            texts = _texts(call, feature)
            if not any(one.group in groups and (not texts or texts <= _held(said, one)) for one in patterns):
                return False
        return True

    def explains(self, call: Told) -> bool:
        """Whether it is known where such calls come from."""
        return bool(self._of(call))

    def times(self, route: str, shape: str) -> int | None:
        """How many calls of this kind each request of the route makes; None where that is not known."""
        return self._times.get((route, shape))

    def mean(self, route: str, shape: str) -> float | None:
        """How many such calls its requests make in the mean, where all of them are theirs; None where that is not known."""
        return self._means.get((route, shape))

    def _of(self, call: Told) -> Mapping[_Feature, Sequence[_Pattern]]:
        return self._patterns.get((call.shape, len(call.given)), {})

    def _learn(self, ones: Sequence[Occurrence]) -> Mapping[_Feature, Sequence[_Pattern]]:
        given: list[_Feature] = [("given", str(at)) for at in range(len(ones[0].call.given))]
        found: set[_Feature] = {("found", place) for one in ones for place in one.call.found}
        learned = {feature: self._hold(ones, feature) for feature in [*given, *sorted(found)]}
        return {feature: patterns for feature, patterns in learned.items() if patterns}

    def _hold(self, ones: Sequence[Occurrence], feature: _Feature) -> Sequence[_Pattern]:
        """The patterns that hold every time, of the narrowest groups for which some do."""
        telling = [(texts, one) for one in ones if (texts := _texts(one.call, feature))]
        if len(telling) < _OFTEN:
            return ()
        sides = ("asked", "answered") if feature[0] == "given" else ("answered",)
        left = set(self._matching(*telling[0], sides))
        chances: Counter[_Pattern] = Counter()
        for texts, one in telling:
            left = {pattern for pattern in left if self._matches(texts, one, pattern)}
            for pattern in left:
                chances[pattern] += self._chance(texts, one, pattern)  # type: ignore[assignment]
        sure = sorted(pattern for pattern in left if chances[pattern] <= _NO_CHANCE)
        for level in range(3):
            if narrow := [pattern for pattern in sure if _level(pattern.group) == level]:
                return narrow
        return ()

    def _matching(self, texts: frozenset[str], one: Occurrence, sides: Sequence[str]) -> Iterator[_Pattern]:
        for window in one.candidates:
            for side in sides:
                for place, held in getattr(self._requests[window], side).items():
                    if texts <= held:
                        yield from (_Pattern(group, side, place) for group in self._groups[window])

    def _matches(self, texts: frozenset[str], one: Occurrence, pattern: _Pattern) -> bool:
        able = (window for window in one.candidates if pattern.group in self._groups[window])
        return any(texts <= _held(self._requests[window], pattern) for window in able)

    def _chance(self, texts: frozenset[str], one: Occurrence, pattern: _Pattern) -> float:
        """The logarithm of how likely one of the requests in flight holds these by accident."""
        holders = self._held_by(pattern)
        share = min(holders[text] for text in texts) / self._sizes[pattern.group]
        able = sum(pattern.group in self._groups[window] for window in one.candidates)
        return math.log(max(1 - (1 - share) ** able, 1e-9))

    def _held_by(self, pattern: _Pattern) -> Counter[str]:
        if pattern not in self._holders:
            self._holders[pattern] = Counter(
                text
                for said, groups in zip(self._requests, self._groups, strict=True)
                if pattern.group in groups
                for text in _held(said, pattern)
            )
        return self._holders[pattern]

    def _once(self, by_kind: Mapping[tuple[str, int], Sequence[Occurrence]]) -> Iterator[tuple[tuple[str, str], int]]:
        """The kinds of calls that each request of a route makes just once: all come from it, are as many, and go round. More
        than one each is not concluded: as many in the mean, some requests making more and some less, look the same."""
        of_shape: dict[str, list[Occurrence]] = defaultdict(list)
        known: dict[str, list[Set[str]]] = defaultdict(list)
        for kind, ones in by_kind.items():
            of_shape[kind[0]] += ones
            known[kind[0]].append({one.group for found in self._patterns.get(kind, {}).values() for one in found})
        for shape, ones in of_shape.items():
            placed = all(known[shape])
            owners = set().union(*known[shape]) if placed else set(self._owners_by_number(ones))
            if len(owners) != 1:
                continue
            owner = owners.pop()
            if placed:
                mean = len(ones) / self._sizes[owner]
                self._means |= {(groups[0], shape): mean for groups in self._groups if owner in groups}
            if self._goes_round(ones, owner):
                yield from (((groups[0], shape), 1) for groups in set(self._groups) if owner in groups)
                if not placed:
                    yield from (((groups[0], shape), 0) for groups in set(self._groups) if owner not in groups)

    def _goes_round(self, ones: Sequence[Occurrence], group: str) -> bool:
        """Whether there are just as many calls as requests, and one that may be its own for each."""
        if len(ones) != self._sizes[group]:
            return False
        served = {window for one in ones for window in one.candidates if self._placed(one.call, window)}
        return all(window in served for window, groups in enumerate(self._groups) if group in groups)

    def _owners_by_number(self, ones: Sequence[Occurrence]) -> Iterator[str]:
        """The routes of which a request is in flight at every call, and a call at every request, of which there are as many."""
        for route in {groups[0] for groups in self._groups}:
            size = self._sizes[route]
            if size < _OFTEN or not self._goes_round(ones, route):
                continue
            chance = 0.0
            for one in ones:
                if not any(self._groups[window][0] == route for window in one.candidates):
                    break
                chance += math.log(1 - (1 - size / len(self._requests)) ** len(one.candidates))
            else:
                if chance * 2 <= _HARDLY:  # the same again for the other direction
                    yield route


def groups(route: str) -> tuple[str, str, str]:
    """The groups a request belongs to, narrowest first: its route, its route whatever the status, all requests."""
    return route, route.rpartition(" ")[0], ""


def _level(group: str) -> int:
    return 2 if not group else 0 if group.rpartition(" ")[2].isdecimal() else 1


def _held(said: Said, pattern: _Pattern) -> frozenset[str]:
    return (said.asked if pattern.side == "asked" else said.answered).get(pattern.place, frozenset())


def _texts(call: Told, feature: _Feature) -> frozenset[str]:
    """What a call says at one place."""
    side, place = feature
    return frozenset((call.given[int(place)],)) if side == "given" else call.found.get(place, frozenset())
