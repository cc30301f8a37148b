"""One case tried on the service: its request sent with live values, its calls answered, what came of it judged."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from normalizers.base import When
from replayer.app import App
from replayer.bindings import Bindings
from replayer.book import Book, Lane
from replayer.client import Client, Expected, NoAnswer
from replayer.clock import Clock
from replayer.events import CaseFinished, Change
from replayer.judge import Judge, Judged
from replayer.linked import Linked
from replayer.noise import Rules
from replayer.plan import Plan
from replayer.received import Received
from replayer.talk import Bound
from wiretape import tracing
from wiretape.case import Case, Request
from wiretape.errors import EncodeError


@dataclass(slots=True, kw_only=True, eq=False)
class Trial:
    """A case that was sent: `stored` as in its file, `case` with its secrets. `came` is the answer, or why there is none;
    `changes` how it differs, once compared, and `warnings` what else is to be said. Calls may still be given to its lane.
    `elapsed` in seconds."""

    stored: Case
    case: Case
    when: When
    rules: Rules
    lane: Lane
    came: Received | NoAnswer | EncodeError
    elapsed: float
    changes: tuple[Change, ...] = field(default=())
    warnings: tuple[str, ...] = ()


class Trials:
    """Tries cases. Once the service has ended, every further case is broken by that."""

    def __init__(
        self,
        plan: Plan,
        book: Book,
        judge: Judge,
        linked: Linked,
        app: App,
        clock: Clock,
        *,
        restart: Callable[[], Awaitable[None]],
        connect: Callable[[], Client],
    ) -> None:
        self._plan, self._book, self._judge, self._linked = plan, book, judge, linked
        self._app, self._clock, self._restart, self._connect = app, clock, restart, connect
        self._idle: list[Client] = []
        self.gone = ""

    def rules(self, case: Case) -> Rules:
        """The noise rules that hold for a case."""
        return self._judge.rules(case)

    async def revive(self) -> None:
        """Start the service again, if it ended while several cases were under way: which of them ended it will be seen."""
        if self.gone and self._plan.service.command:
            await self._restart()
            self.gone = ""

    async def refused(self, stored: Case) -> Judged | None:
        """The verdict on a case that is not even sent."""
        if stored.incomplete:
            reason = f"its recording is not whole ({stored.incomplete}); record it again"
            return Judged(finished=CaseFinished(case=stored, verdict="skipped", reason=reason))
        self.gone = self.gone or await self._app.ended()
        return self._judge.silent(stored, self.gone, 0.0, gone=True) if self.gone else None

    async def send(self, stored: Case, case: Case, *, beside: Bindings | None = None) -> Trial:
        """Try a case: alone, or `beside` others with bindings of its own."""
        started = time.perf_counter()
        when = self._clock.at(case)
        rules = self._judge.rules(case)
        bindings = self._book.bindings if beside is None else beside
        headers = (*case.request.headers, *case.request.trailers)
        told = [value for name, value in headers if name.lower() != tracing.TRACEPARENT]
        bindings.learn([case.request.target, *told, case.request.body.value])
        request, trace = self._traced(case.request)
        lane = self._book.begin(case, when, rules, beside=beside, trace=trace)
        client = self._idle.pop() if self._idle else self._connect()
        try:
            came = await self._exchange(replace(case, request=request), lane, client, when)
        finally:
            self._book.close(lane)
            self._idle.append(client)
        if not isinstance(came, Received):
            self.gone = self.gone or await self._app.ended(dying=isinstance(came, NoAnswer))
        elapsed = time.perf_counter() - started
        return Trial(stored=stored, case=case, when=when, rules=rules, lane=lane, came=came, elapsed=elapsed)

    def _traced(self, request: Request) -> tuple[Request, str]:
        """The request under a trace-id of its own, and that id; empty where it goes without."""
        trace = tracing.trace_id(os.urandom(tracing.SIZE))
        sent = tracing.traced(request, trace, added=self._plan.parallel > 1 or self._judge.traced)
        return sent, trace if trace in tracing.in_pairs(sent.headers) else ""

    async def _exchange(self, case: Case, lane: Lane, client: Client, when: When) -> Received | NoAnswer | EncodeError:
        settled = asyncio.Event()
        lane.on_settled = settled.set
        try:
            expected = Expected.of(case.response, case.messages)
            request = self._linked.request(case, lane.bindings)
            came = await _send(client, request, expected, Bound(lane.bindings, when), lane)
            self._book.answered(lane)
            await self._late_calls(lane, settled)
        except (NoAnswer, EncodeError) as error:
            return error
        return came

    async def _late_calls(self, lane: Lane, settled: asyncio.Event) -> None:
        """Calls may come after the answer: a commit, a task in the background."""
        await asyncio.sleep(0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._plan.grace):
                while not lane.settled:
                    settled.clear()
                    await settled.wait()

    def compare(self, trial: Trial) -> None:
        """See how the answer differs. What the service made up is bound."""
        if isinstance(trial.came, Received):
            missing = self._linked.missing(trial.case)
            trial.warnings = (*self._clock.check(trial.case, trial.came.headers), *missing)
            trial.changes = self._judge.changes(trial.case, trial.came, trial.when, trial.rules, trial.lane.bindings)

    def verdict(self, trial: Trial) -> Judged:
        """The verdict on a case that was compared, by the calls that came so far."""
        outcome, when = trial.lane.outcome, trial.when
        if not isinstance(trial.came, Received):
            reason = self.gone or str(trial.came)
            return self._judge.silent(trial.stored, reason, trial.elapsed, gone=bool(self.gone), outcome=outcome, when=when)
        return self._judge.answered(
            trial.stored,
            trial.case,
            trial.came,
            trial.changes,
            elapsed=trial.elapsed,
            warnings=trial.warnings,
            outcome=outcome,
            when=when,
        )

    def close(self) -> None:
        """Hang up."""
        for client in self._idle:
            client.close()


async def _send(client: Client, request: Request, expected: Expected, talk: Bound, lane: Lane) -> Received:
    try:
        return await client.send(request, expected, talk)
    except NoAnswer as error:
        if not error.unheard or lane.asked:
            raise
    return await client.send(request, expected, talk)
