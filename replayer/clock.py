"""The clocks of a replay: what time it is for the service at each case, and what time the recording says it was.

With `--freeze-time` the service runs at each case's recorded time (`wiretape.faketime`): set anew before each case, and moving
on from there. Where the cases before took longer than when they were recorded, it goes back, but not into an earlier second:
a token that was issued a moment ago must not be from the future, and tokens count in seconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from normalizers.base import When
from replayer.evidence import answered_at, check_listener
from replayer.material import recorded_at, recorded_or_none
from wiretape.case import Case
from wiretape.config import Service
from wiretape.errors import ConfigError, TargetError
from wiretape.faketime import Faketime, inherited, ready, tidy
from wiretape.secrets import ensure_home

REWIND = 2.0  # seconds, from which it goes back all the same
_MARGIN = 5.0  # what a `Date` may lag: servers keep it for a second or so
FILE = "faketime"


class Clock(Protocol):
    """Asked before each case, and told of each answer."""

    @property
    def opening(self) -> When:
        """Both clocks as the service starts, before any case."""
        ...

    @property
    def span(self) -> tuple[float, float] | None:
        """The first and the last moment the service will see, in seconds since the epoch; None where that is now."""
        ...

    def surroundings(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        """Variables for a service that would else have `environ`."""
        ...

    def without(self, environ: Mapping[str, str]) -> Collection[str]:
        """Variables of `environ` that the service must not have."""
        ...

    def started(self, process: int) -> None:
        """The service is ready; `process` leads it. Raises TargetError where it does not go by this clock."""
        ...

    def stopped(self, process: int) -> None:
        """The service has been stopped."""
        ...

    def at(self, case: Case) -> When:
        """Both clocks as `case` begins."""
        ...

    def check(self, case: Case, headers: Sequence[tuple[str, str]]) -> tuple[str, ...]:
        """What is to be said of the time of a case, given its answer. Raises TargetError where it is by another clock."""
        ...


class RealClock:
    """The service goes by the machine's clock."""

    span = None

    def __init__(self, cases: Sequence[Case]) -> None:
        self.opening = When(recorded=min(map(recorded_at, cases)), live=time.time())

    def surroundings(self, environ: Mapping[str, str]) -> Mapping[str, str]:  # noqa: ARG002 - nothing depends on it
        return MappingProxyType({})

    def without(self, environ: Mapping[str, str]) -> Collection[str]:  # noqa: ARG002 - nothing depends on it
        return ()

    def started(self, process: int) -> None:
        pass

    def stopped(self, process: int) -> None:
        pass

    def at(self, case: Case) -> When:
        return When(recorded=recorded_at(case), live=time.time())

    def check(self, case: Case, headers: Sequence[tuple[str, str]]) -> tuple[str, ...]:  # noqa: ARG002 - nothing can be wrong
        return ()


class FrozenClock:
    """The service goes by the time at which `cases` were recorded."""

    def __init__(self, cases: Sequence[Case], service: Service, found: Faketime, home: Path) -> None:
        times = [at for case in cases if (at := recorded_or_none(case)) is not None]
        if not times:
            raise ConfigError("--freeze-time: no case says when it was recorded; give at least one a `recorded:`")
        self._service, self._found = service, found
        self._file = home / FILE
        self._ahead = 0.0  # of the service's clock before this process's own
        self._proven = False
        self.span = (min(times), max(times))
        self._first = times[0]
        starts = self._first - service.ready_timeout  # so that it is ready before the first case
        self._earliest = self._latest = starts  # that the service has seen
        self._set(starts)
        self.opening = When(recorded=self._first, live=starts)

    def surroundings(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        return self._found.surroundings(self._file, environ)

    def without(self, environ: Mapping[str, str]) -> Collection[str]:
        return inherited(environ)

    def started(self, process: int) -> None:
        self._proven = check_listener(process, self._service.url, self._found.library)

    def stopped(self, process: int) -> None:
        tidy(process)

    def at(self, case: Case) -> When:
        recorded, now = recorded_or_none(case), self._now()
        if recorded is None:
            recorded = max(now, self._first)
        self._set(max(recorded, float(int(now))) if recorded < now < recorded + REWIND else recorded)
        return When(recorded=recorded, live=self._now())

    def check(self, case: Case, headers: Sequence[tuple[str, str]]) -> tuple[str, ...]:
        said = answered_at(headers)
        now = self._now()
        self._latest = max(self._latest, now)
        if said is not None:
            if not self._earliest - _MARGIN <= said <= self._latest + _MARGIN:
                raise TargetError(
                    f"the service's time is not frozen: {case.name} was recorded at {_shown(now)}, and its answer is dated "
                    f"{_shown(said)}; a static or Go program, a container or a proxy in front keeps the real time: start the "
                    "service itself, or leave out --freeze-time"
                )
            self._proven = True
        told = [] if recorded_or_none(case) is not None else ["it does not say when it was recorded; it ran at the time before"]
        if not self._proven:
            told.append(
                "whether the service's time is frozen could not be checked: no Date in its answer, no process to look at"
            )
        return tuple(told)

    def _now(self) -> float:
        """What the service's clock shows."""
        return time.time() + self._ahead

    def _set(self, at: float) -> None:
        now = time.time()
        self._ahead = at - now
        self._earliest, self._latest = min(self._earliest, at), max(self._latest, at)
        fresh = self._file.with_suffix(f".{os.getpid()}")
        fresh.write_text(f"{self._ahead - self._found.ahead:+.6f}\n")
        fresh.replace(self._file)  # it may be read at any moment


def clock(service: Service, cases: Sequence[Case], home: Path) -> Clock:
    """The clock that `service.freeze_time` asks for. Raises ConfigError, TargetError."""
    if not service.freeze_time:
        return RealClock(cases)
    return FrozenClock(cases, service, ready(service.faketime, ensure_home(home)), home)


def _shown(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
