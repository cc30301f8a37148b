"""All cases of a run, one after the other or several at a time (`--parallel`), with the same verdicts.

A case begins beside others where its calls can be told from theirs (`replayer.apart`). It sees what was bound before it and
keeps what it binds to itself; once it and all that ran beside it are over, cases are looked at in recorded order: one that went
as recorded, and would have gone the same way after those before it, counts. Any other is tried again alone, in its place in the
order, and only that counts. So a green run is fast and a red one exact.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from normalizers.base import When
from replayer.apart import Profile, apart, needs, profile
from replayer.book import Book
from replayer.judge import Judged
from replayer.lane import entries_of
from replayer.material import recorded_at
from replayer.overlay import Overlay
from replayer.received import Received
from replayer.trial import Trial, Trials
from wiretape.case import Case
from wiretape.protocols.base import Codec

_AHEAD = 4  # times as many cases as may run at once are looked through for one that can begin


@dataclass(slots=True, kw_only=True, eq=False)
class _Job:
    """A case of the run, by its turn. Moments are counted: when it `began`, when it `ended`."""

    stored: Case
    case: Case
    profile: Profile
    overlay: Overlay | None = None
    trial: Trial | None = None
    refused: Judged | None = None
    began: int = -1
    ended: int = -1
    beside: bool = False


@dataclass(slots=True)
class Tally:
    """How many cases ran beside others, and how many of those were tried again alone."""

    beside: int = 0
    again: int = 0


class Cases:
    """Runs the cases; `emit` gets each verdict, in recorded order."""

    def __init__(
        self, trials: Trials, book: Book, codecs: Mapping[str, Codec], at_once: int, emit: Callable[[Case, Judged], None]
    ) -> None:
        self._trials, self._book, self._codecs, self._at_once, self._emit = trials, book, codecs, at_once, emit
        self._running: dict[asyncio.Task[None], _Job] = {}
        self._last: _Job | None = None
        self._over = False
        self._moment = 0
        self.tally = Tally()

    async def run(self, pairs: Sequence[tuple[Case, Case]]) -> None:
        """Try them all: each as it is stored, and with its secrets."""
        jobs = [_Job(stored=stored, case=case, profile=self._profile(case)) for stored, case in pairs]
        done = 0
        try:
            while done < len(jobs):
                if await self._counts(jobs[done]):
                    done += 1
                    continue
                self._begin(jobs[done:])
                if not self._running:
                    await self._alone(jobs[done])
                else:
                    await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                    self._reap()
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
        self._conclude(None)

    def _profile(self, case: Case) -> Profile:
        if self._at_once == 1:
            return Profile(alone="one at a time", name=case.name)
        at = recorded_at(case)
        entries = entries_of(self._book.recorded(case), When(recorded=at, live=at), self._trials.rules(case))
        return profile(case, entries, self._codecs)

    def _begin(self, waiting: Sequence[_Job]) -> None:
        """Start what can run beside what runs."""
        if self._spoilt(waiting[0]):
            return
        earlier: list[_Job] = []
        for job in waiting[: self._at_once * _AHEAD]:
            if len(self._running) >= self._at_once or job.profile.alone or job.case.incomplete:
                return
            if job.began < 0 and self._may_begin(job, earlier):
                self._start(job)
            earlier.append(job)

    def _may_begin(self, job: _Job, earlier: Sequence[_Job]) -> bool:
        bindings = self._book.bindings
        if any(needs(job.profile, other.profile, bindings) for other in earlier):
            return False
        return all(apart(job.profile, other.profile, bindings, self._book.traced) for other in self._running.values())

    def _start(self, job: _Job) -> None:
        self._moment += 1
        job.began = self._moment
        job.overlay = Overlay(self._book.bindings)
        for other in self._running.values():
            other.beside = job.beside = True
        self._running[asyncio.ensure_future(self._beside(job))] = job

    async def _beside(self, job: _Job) -> None:
        job.refused = await self._trials.refused(job.stored)
        if job.refused is None:
            job.trial = await self._trials.send(job.stored, job.case, beside=job.overlay)
        self._moment += 1
        job.ended = self._moment

    def _reap(self) -> None:
        for task in [task for task in self._running if task.done()]:
            del self._running[task]
            task.result()

    def _spoilt(self, job: _Job) -> bool:
        """Whether what came of a case beside others does not count."""
        if job.ended < 0 or job.overlay is None:
            return False
        if job.trial is None or self._over:
            return True
        return job.trial.lane.doubtful or not isinstance(job.trial.came, Received) or not job.overlay.holds()

    async def _counts(self, job: _Job) -> bool:
        """Whether the first case not concluded is through, and counts. One that does not is tried again when nothing runs."""
        if job.ended < 0 or any(other.began < job.ended for other in self._running.values()):
            return False
        if job.overlay is None:
            self._conclude(job)
            return True
        if not self._spoilt(job):
            assert job.trial is not None
            self._trials.compare(job.trial)
            if _as_recorded(self._trials.verdict(job.trial)):
                job.overlay.commit()
                job.trial.lane.bindings, job.trial.lane.judged = self._book.bindings, True
                self._conclude(job)
                return True
            job.trial.lane.doubtful = True
        if self._running:
            return False
        await self._again(job)
        return True

    async def _again(self, job: _Job) -> None:
        """Try a case a second time. Where it lacks nothing but what it read the first time, the service may remember that."""
        read: set[int] = set()
        if job.trial is not None:
            read = job.trial.lane.read
            self._book.end(job.trial.lane)
        self.tally.again += job.beside
        if not self._over:
            await self._trials.revive()
        await self._alone(job)
        if job.trial is not None and not job.trial.changes:
            job.trial.lane.spare(read)
        self._conclude(job)

    async def _alone(self, job: _Job) -> None:
        job.overlay = None
        job.refused = await self._trials.refused(job.stored)
        job.trial = None
        if job.refused is None:
            job.trial = await self._trials.send(job.stored, job.case)
            self._trials.compare(job.trial)
            job.trial.lane.judged = True
        self._over = bool(self._trials.gone)
        self._moment += 1
        job.ended = self._moment

    def _conclude(self, job: _Job | None) -> None:
        """The verdict on the case before, now that late calls of it would have come."""
        last, self._last = self._last, job
        if last is None:
            return
        self.tally.beside += last.beside
        if last.trial is not None:
            self._book.end(last.trial.lane)
            last.refused = self._trials.verdict(last.trial)
        assert last.refused is not None
        self._emit(last.case, last.refused)


def _as_recorded(judged: Judged) -> bool:
    finished = judged.finished
    return finished.verdict == "passed" and not (finished.changes or finished.calls or finished.misses)
