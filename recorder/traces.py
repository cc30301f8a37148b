"""Whose a call is by the id it carries: where that can be trusted, nothing is more certain. Pure.

An id that two requests came with tells neither. One that was about before its request came, or stands in one transaction with
another's, is not what it seems. And a kind of call that goes on carrying the ids of requests that are over, the same ones again
and again, was given its id once and for all: a header set on a shared client, a comment in a statement prepared long ago.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

_OVER: Final = 0.5  # the share of a kind's calls that came when their request was over, from which that is no exception
_AGAIN: Final = 2.0  # calls of a kind for each id, likewise


class Span(Protocol):
    """The time of a request, seconds since the epoch."""

    @property
    def started(self) -> float: ...

    @property
    def ended(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A call with ids. `kind`: what other calls are like it."""

    kind: str
    started: float
    traces: tuple[str, ...]


@dataclass(slots=True)
class _Kind:
    calls: int = 0
    over: int = 0
    owners: set[int] = field(default_factory=set)

    @property
    def stale(self) -> bool:
        return self.over > self.calls * _OVER and self.calls >= len(self.owners) * _AGAIN


class Traces:
    """The ids of all requests, and what the calls make of them."""

    def __init__(self, spans: Sequence[Span], ids: Sequence[frozenset[str]], carriers: Iterable[Carrier]) -> None:
        """`ids` are those each request carries."""
        count = Counter(trace for each in ids for trace in each)
        self._spans = spans
        self._owners = {trace: window for window, each in enumerate(ids) for trace in each if count[trace] == 1}
        self._kinds: dict[str, _Kind] = defaultdict(_Kind)
        for carrier in carriers:
            self._learn(carrier)

    def _learn(self, carrier: Carrier) -> None:
        for owner in {self._owners[trace] for trace in carrier.traces if trace in self._owners}:
            kind = self._kinds[carrier.kind]
            kind.calls += 1
            kind.over += carrier.started >= self._spans[owner].ended
            kind.owners.add(owner)

    def owners(self, unit: Iterable[Carrier]) -> tuple[frozenset[int], bool]:
        """The requests whose ids the calls of a unit carry, and whether that is certain: then it is one."""
        found: set[int] = set()
        doubtful = False
        for carrier in unit:
            mine = {self._owners[trace] for trace in carrier.traces if trace in self._owners}
            found |= mine
            early = any(carrier.started < self._spans[owner].started for owner in mine)
            doubtful = doubtful or early or (bool(mine) and self._kinds[carrier.kind].stale)
        return frozenset(found), len(found) == 1 and not doubtful
