"""One case tried on the service: its request sent with live values, its calls answered, what came of it judged."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace

from normalizers.base import When
from replayer.app import App
from replayer.bindings import Bindings
from replayer.book import Book, Outcome
from replayer.client import Client, Expected, NoAnswer
from replayer.clock import Clock
from replayer.events import CaseFinished
from replayer.judge import Judge, Judged
from replayer.linked import Linked
from replayer.noise import Rules
from replayer.plan import Plan
from replayer.received import Received
from replayer.talk import Bound
from wiretape.case import Case, Request
from wiretape.errors import EncodeError


class Trials:
    """Tries one case after the other. Once the service has ended, every further case is broken by that."""

    def __init__(
        self, plan: Plan, app: App, client: Client, book: Book, bindings: Bindings, linked: Linked, judge: Judge, clock: Clock
    ) -> None:
        self._plan, self._app, self._client, self._clock = plan, app, client, clock
        self._book, self._bindings, self._linked, self._judge = book, bindings, linked, judge
        self._settled = asyncio.Event()
        self._book.on_settled = self._settled.set
        self._gone = ""

    async def run(self, stored: Case, case: Case) -> Judged:
        """The verdict on a case: `stored` as in its file, `case` with its secrets."""
        if case.incomplete:
            reason = f"its recording is not whole ({case.incomplete}); record it again"
            return Judged(finished=CaseFinished(case=stored, verdict="skipped", reason=reason))
        started = time.perf_counter()
        if not self._gone:
            self._gone = await self._app.ended()
        if self._gone:
            return self._judge.silent(stored, self._gone, 0.0, gone=True)
        when = self._clock.at(case)
        rules = self._judge.rules(case)
        received, outcome = await self._exchange(case, when, rules)
        elapsed = time.perf_counter() - started
        if isinstance(received, Received):
            said = self._clock.check(case, received.headers)
            judged = self._judge.answered(stored, case, received, outcome, when, rules, elapsed)
            return replace(judged, finished=replace(judged.finished, warnings=(*said, *judged.finished.warnings)))
        self._gone = await self._app.ended(dying=isinstance(received, NoAnswer))
        reason = self._gone or str(received)
        return self._judge.silent(stored, reason, elapsed, gone=bool(self._gone), outcome=outcome, when=when)

    async def _exchange(self, case: Case, when: When, rules: Rules) -> tuple[Received | NoAnswer | EncodeError, Outcome]:
        request = case.request
        headers = (*request.headers, *request.trailers)
        self._bindings.learn([request.target, *(value for _, value in headers), request.body.value])
        self._settled.clear()
        self._book.begin(case, when, rules)
        received: Received | NoAnswer | EncodeError
        try:
            expected = Expected.of(case.response, case.messages)
            received = await self._send(self._linked.request(case), expected, Bound(self._bindings, when))
            await self._late_calls()
        except (NoAnswer, EncodeError) as error:
            received = error
        finally:
            outcome = self._book.end()
        return received, outcome

    async def _send(self, request: Request, expected: Expected, talk: Bound) -> Received:
        try:
            return await self._client.send(request, expected, talk)
        except NoAnswer as error:
            if not error.unheard or self._book.asked:
                raise
        return await self._client.send(request, expected, talk)

    async def _late_calls(self) -> None:
        """Calls may come after the answer: a commit, a task in the background."""
        await asyncio.sleep(0)
        if self._book.settled:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._plan.grace):
                while not self._book.settled:
                    self._settled.clear()
                    await self._settled.wait()
