"""Calls made for no request, known by their beat: a poller, a heartbeat, a pool's ping.

What clients ask comes irregularly, and so do the calls their requests make; what a timer makes comes at near-regular intervals.
But a client may keep a beat as well (a health check, a load generator of constant rate), and then its requests' calls do: so a
beat is nobody's only where no requests keep the same one around it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, median
from typing import Final

_BEATS: Final = 8  # calls before a beat is heard
_REGULAR: Final = 0.75  # share of the intervals that are like the median
# A timer on a busy machine is late now and then, but never early: what came by chance has short intervals as well.
_LATE: Final = 0.45  # share of the intervals that are like the median all the same
_SHORT: Final = 0.4  # of the median: nine of ten intervals are longer
_MANY: Final = 16  # intervals from which that can be told
_LIKE: Final = 0.35  # of the median: jitter, and what a loaded machine adds
_NEAR: Final = 0.15  # how near to a whole number the ratio of two beats is where one may cause the other
_AROUND: Final = 0.5  # share of the calls with such a request in flight from which they may be its own
_NEARLY_ALL: Final = 0.9
_NO_CHANCE: Final = 14.0  # natural logarithm of the odds against chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """A call, or a transaction of some: what kind it is, its values, when it began, and the windows that may have caused it."""

    kind: tuple[str, ...]
    given: tuple[str, ...]
    at: float
    connection: int
    candidates: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request: the groups it belongs to (its route, say), when it began, and the texts it holds."""

    groups: tuple[str, ...]
    at: float
    texts: Set[str]


def background(beats: Sequence[Beat], requests: Sequence[Asked]) -> frozenset[tuple[str, ...]]:
    """The kinds of calls that are made for no request."""
    kinds: dict[tuple[str, ...], list[Beat]] = defaultdict(list)
    for one in beats:
        kinds[one.kind].append(one)
    regular = {kind: beat for kind, ones in kinds.items() if kind and (beat := _pace_of(ones))}
    resting = {kind for kind, ones in kinds.items() if kind and rest(one.at for one in ones) >= _NO_CHANCE} - regular.keys()
    if not regular and not resting:
        return frozenset()
    said = frozenset[str]().union(*(request.texts for request in requests))
    starts = _starts(requests)
    rested = [group for group, times in starts.items() if rest(times) >= _NO_CHANCE / 2]
    found = {kind for kind, beat in regular.items() if not _kept(kinds[kind], beat, requests, starts)}
    found |= {kind for kind in resting if not any(_around(kinds[kind], group, requests) for group in rested)}
    return frozenset(kind for kind in found if not _speaks_of(kinds[kind], said))


def pace(times: Iterable[float], *, hint: bool = False) -> float:
    """The interval at which these moments follow each other, in seconds; 0 where they keep no beat. `hint`: or only seem to."""
    between = [later - earlier for earlier, later in pairwise(sorted(times))]
    if len(between) + 1 < _BEATS:
        return 0.0
    middle = median(between)
    like = sum(abs(one - middle) <= _LIKE * middle for one in between) / len(between)
    shortest = sorted(between)[len(between) // 10] / middle if middle > 0 else 0.0
    late = shortest >= _SHORT and like >= _LATE and len(between) >= _MANY
    return middle if middle > 0 and (like >= _REGULAR or late or (hint and like >= _LATE / 2)) else 0.0


def rest(times: Iterable[float]) -> float:
    """How sure it is that these moments keep a distance from each other, whatever else delays them: minus the logarithm of the
    odds that moments as many, which know nothing of each other, would."""
    between = [later - earlier for earlier, later in pairwise(sorted(times))]
    return len(between) * min(between) / mean(between) if len(between) >= _MANY and any(between) else 0.0


def _pace_of(beats: Sequence[Beat]) -> float:
    """The beat of all together; else that which nearly all keep on their connections, each for itself."""
    if together := pace(beat.at for beat in beats):
        return together
    lines: dict[int, list[float]] = defaultdict(list)
    for beat in beats:
        lines[beat.connection].append(beat.at)
    paces = {line: found for line, times in lines.items() if (found := pace(times))}
    if sum(len(lines[line]) for line in paces) < _NEARLY_ALL * len(beats):
        return 0.0
    return median(paces.values())


def _starts(requests: Sequence[Asked]) -> Mapping[str, Sequence[float]]:
    """When the requests of each group began."""
    starts: dict[str, list[float]] = defaultdict(list)
    for request in requests:
        for group in request.groups:
            starts[group].append(request.at)
    return starts


def _speaks_of(beats: Sequence[Beat], said: Set[str]) -> bool:
    """Whether these calls pass on what requests say. Values that never vary are the service's own."""
    return len({beat.given for beat in beats}) > 1 and any(not said.isdisjoint(beat.given) for beat in beats)


def _kept(beats: Sequence[Beat], beat: float, requests: Sequence[Asked], starts: Mapping[str, Sequence[float]]) -> bool:
    """Whether requests keep the same beat, one of them mostly being in flight. Of those that all have their share of calls, a
    hint of it is enough: calls come as regularly as what makes them, but for a little."""
    for group, times in starts.items():
        theirs = pace(times, hint=_shared(beats, group, requests, len(times)))
        ratio = beat / theirs if theirs else 0.0
        if ratio > 1 - _NEAR and abs(ratio - round(ratio)) <= _NEAR and _around(beats, group, requests):
            return True
    return False


def _shared(beats: Sequence[Beat], group: str, requests: Sequence[Asked], size: int) -> bool:
    """Whether each request of the group may have made one of the calls, or each the same few."""
    times = round(len(beats) / size)
    if not times or abs(len(beats) / size - times) > 1 - _NEARLY_ALL:
        return False
    held = Counter(window for one in beats for window in one.candidates if group in requests[window].groups)
    return sum(count >= times for count in held.values()) >= _NEARLY_ALL * size


def _around(beats: Sequence[Beat], group: str, requests: Sequence[Asked]) -> bool:
    """Whether mostly one of these requests was in flight."""
    return sum(any(group in requests[window].groups for window in beat.candidates) for beat in beats) >= _AROUND * len(beats)
