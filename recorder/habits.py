"""What the requests of a route always do, as far as those tell whose calls are certain.

A habit is claimed only after it was seen several times and never otherwise, with values that varied.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from recorder.evidence import Places, Said, Told

_SEEN: Final = 3
_STEADY: Final = 12  # requests that all made the same number of calls of a kind, more than one, until that is a habit
# A kind of call that nobody's request explains belongs to a route only where nearly all its requests make it.
_NEARLY_ALL: Final = 0.9
_OFTEN: Final = 5


class Habits:
    """`calls` counts every kind of call, `outside` those made while no request was in flight, `fixed` are the kinds whose
    values never varied, `mean` tells how many of a kind all requests of a route make in the mean, where that is known."""

    def __init__(
        self, calls: Counter[str], outside: Counter[str], fixed: frozenset[str], mean: Callable[[str, str], float | None]
    ) -> None:
        self._calls, self._outside, self._fixed, self._mean = calls, outside, fixed, mean
        self._background: dict[str, bool] = {}
        self._whole: dict[str, list[Counter[str]]] = defaultdict(list)
        self._sources: dict[tuple[str, str, int], _Link] = defaultdict(_Link)
        self._sinks: dict[tuple[str, str, str], _Link] = defaultdict(_Link)

    def observe(self, said: Said, calls: Sequence[Told], known: Places, *, whole: bool) -> None:
        """A request with calls that are certainly its own, and what it may have known; `whole`: it made no others."""
        if whole:
            self._whole[said.route].append(Counter(call.shape for call in calls))
        for call in calls:
            for number, text in enumerate(call.given):
                self._sources[said.route, call.shape, number].observe(frozenset((text,)), known)
            for place, texts in call.found.items():
                self._sinks[said.route, call.shape, place].observe(texts, said.answered)

    def knows(self, route: str) -> bool:
        """Whether enough requests of the route are known whole."""
        return len(self._whole.get(route, ())) >= _SEEN

    def background(self, shape: str) -> bool:
        """Whether calls of this kind are made for no request: a poller, a heartbeat, a pool's probe.

        They are made while no request is in flight; or always with the same values, often, and for no route in particular: by
        some requests of several, or by none of all that are known.
        """
        if shape not in self._background:
            self._background[shape] = self._outside[shape] > 0 or (
                shape in self._fixed and self._calls[shape] >= _OFTEN and self._unexplained(shape)
            )
        return self._background[shape]

    def _unexplained(self, shape: str) -> bool:
        known = [whole for route, whole in self._whole.items() if self.knows(route)]
        shares = [sum(one[shape] > 0 for one in whole) / len(whole) for whole in known]
        makers = sum(share > 0 for share in shares)
        return makers != 1 and bool(shares) and max(shares) < _NEARLY_ALL

    def strange(self, route: str, calls: Iterable[Told]) -> bool:
        """Whether requests of this route do not regularly make calls of these kinds, as far as is known."""
        seen = self._whole.get(route, ())
        return all(sum(one[call.shape] > 0 for one in seen) < _NEARLY_ALL * max(len(seen), 1) for call in calls)

    def allow(self, said: Said, calls: Iterable[Told], made: Counter[str]) -> bool:
        """Whether a request that has made calls of these kinds may have made these, too."""
        if not self.knows(said.route):
            return True
        wanted = Counter(call.shape for call in calls)
        return all(self._room(said.route, shape, made[shape] + count) for shape, count in wanted.items())

    def _room(self, route: str, shape: str, count: int) -> bool:
        seen = [one[shape] for one in self._whole[route]]
        if sum(map(bool, seen)) < _NEARLY_ALL * len(seen) and self.background(shape):
            return False
        most = max(seen)
        steady = self._steady(route, shape, seen) or (most == 1 and self._mean(route, shape) is None)
        return count <= most if steady or not most else True

    def lacking(self, route: str, shapes: Sequence[str], made: Counter[str]) -> int | None:
        """How many units of these kinds a request of the route is still to make; None where that varies or is not known."""
        if not self.knows(route):
            return None
        room: set[int] = set()
        for shape, times in Counter(shapes).items():
            seen = [one[shape] for one in self._whole[route]]
            if not self._steady(route, shape, seen):
                return None
            room.add((seen[0] - made[shape]) // times)
        return max(min(room), 0)

    def _steady(self, route: str, shape: str, seen: Sequence[int]) -> bool:
        """Whether requests make so many calls each time. Several may be as many as there were lines to look up: those few that
        were seen may just have had as many; and those with few are the first to be known whole."""
        mean = self._mean(route, shape)
        known = seen[0] <= 1 or len(seen) >= _STEADY
        return len(set(seen)) == 1 and (known if mean is None else mean == seen[0])

    def fits(self, said: Said, call: Told, known: Places) -> bool:
        """Whether the call's values come from and go to where they do in every other request of the route."""
        for number, text in enumerate(call.given):
            link = self._sources.get((said.route, call.shape, number))
            if link is not None and link.places and not link.holds(frozenset((text,)), known):
                return False
        for place, texts in call.found.items():
            link = self._sinks.get((said.route, call.shape, place))
            if link is not None and link.places and not link.holds(texts, said.answered):
                return False
        return True


class _Link:
    """The places that held a value's texts in every request seen."""

    __slots__ = ("_count", "_held", "_texts")

    def __init__(self) -> None:
        self._count = 0
        self._texts: set[frozenset[str]] = set()
        self._held: frozenset[str] | None = None

    def observe(self, texts: frozenset[str], places: Places) -> None:
        self._count += 1
        if len(self._texts) < _SEEN:
            self._texts.add(texts)
        candidates = places.keys() if self._held is None else self._held
        self._held = frozenset(place for place in candidates if texts <= places.get(place, frozenset()))

    @property
    def places(self) -> frozenset[str]:
        """Empty unless there is a habit."""
        if self._count < _SEEN or len(self._texts) < 2 or self._held is None:
            return frozenset()
        return self._held

    def holds(self, texts: frozenset[str], places: Places) -> bool:
        """Whether one of the places has them here, too."""
        return any(texts <= places.get(place, frozenset()) for place in self.places)


def known(said: Said, calls: Iterable[Told]) -> Places:
    """What a request may know: what it was asked, and what these calls, which may be its own, were answered."""
    places = dict(said.asked)
    for call in calls:
        _learn(places, call)
    return places


def _learn(places: dict[str, frozenset[str]], call: Told) -> None:
    for place, texts in call.found.items():
        key = f"{call.shape} {place}"
        before = places.get(key, frozenset())
        if not texts <= before:
            places[key] = before | texts
