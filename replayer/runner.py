"""One replay from start to end: mocks up, build started and ready, every case tried, everything stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from replayer.app import App
from replayer.bindings import Bindings
from replayer.book import Book
from replayer.client import Client
from replayer.clock import clock
from replayer.events import Event, SuiteFinished, SuiteStarted, Verdict, unexplained
from replayer.forward import Forward, proxy, surroundings
from replayer.judge import Judge, Judged
from replayer.lastrun import LastRun
from replayer.linked import Linked
from replayer.material import check_passthrough, prepare
from replayer.mocks import Mocks
from replayer.parallel import Cases
from replayer.plan import Plan
from replayer.trial import Trials
from wiretape.case import Case
from wiretape.errors import ConfigError, TargetError
from wiretape.service import endpoint

type Watch = Callable[[Case, Judged], None]


def _look_away(_: Case, __: Judged) -> None:
    """Nobody asks for more than the events say."""


async def run(plan: Plan, emit: Callable[[Event], None], watch: Watch = _look_away) -> SuiteFinished:
    """Replay; the closing event, which was emitted, too. Whatever happens, what was started is stopped.

    `watch` sees each case, its secrets in place, and what came of it, bare. Raises ConfigError, StoreError and TargetError
    where nothing can be run.
    """
    return await _Run(plan, emit, watch).run()


class _Run:
    def __init__(self, plan: Plan, emit: Callable[[Event], None], watch: Watch) -> None:
        self._plan, self._emit, self._watch = plan, emit, watch
        self._material = prepare(plan.config, plan.environ, plan.cases)
        if plan.parallel > 1 and plan.service.freeze_time:
            raise ConfigError(
                "--freeze-time sets the service's clock anew for each case, one at a time; leave it or --parallel out"
            )
        if plan.parallel > 1 and plan.passthrough:
            raise ConfigError("--parallel may try a case twice, and the real server would see both; leave it or --on-miss out")
        if plan.passthrough:
            check_passthrough(self._material.codecs)
        suite = self._material.suite
        self._bindings = Bindings()
        self._clock = clock(plan.service, suite.cases, plan.config.home)
        self._book = Book(
            replace(suite, cases=(*suite.cases, *self._material.others)),
            self._material.codecs,
            bindings=self._bindings,
            when=self._clock.opening,
            passthrough=plan.passthrough,
            disguise=self._material.mask.miss,
            learning=plan.learning,
        )
        config = plan.config
        self._mocks = Mocks(
            self._material.targets, suite.facts, self._material.codecs, self._book, config.home, self._clock.span
        )
        self._forward: Forward | None = None
        self._told: Mapping[str, str] = {}
        self._app = App(plan.service, config.home, self._clock)
        url = plan.service.url
        connect = partial(Client, endpoint(url), tls=url.startswith("https:"), limit=plan.limit, trusted=config.home / "ca")
        linked = Linked(suite.cases, self._bindings)
        judge = Judge(plan, self._material, self._bindings, linked)
        self._trials = Trials(plan, self._book, judge, linked, self._app, self._clock, restart=self._restart, connect=connect)
        self._last = LastRun(config.home)
        self._cases = Cases(self._trials, self._book, self._material.codecs, plan.parallel, self._judged)
        self._verdicts: list[Verdict] = []

    async def run(self) -> SuiteFinished:
        started = time.monotonic()
        stored, revealed = self._material.stored.cases, self._material.suite.cases
        try:
            await self._start()
            self._emit(SuiteStarted(total=len(revealed), also=self._material.also))
            await self._cases.run(list(zip(stored, revealed, strict=True)))
        finally:
            self._last.close()
            self._trials.close()
            await self._app.stop()
            if self._forward is not None:
                await self._forward.stop()
            await self._mocks.stop()
        closing = self._closing(time.monotonic() - started)
        self._emit(closing)
        return closing

    def _judged(self, case: Case, judged: Judged) -> None:
        self._watch(case, judged)
        finished = judged.finished
        if finished.verdict == "failed" and judged.received is not None:
            self._last.add(case, judged.changes, len(finished.calls) + len(unexplained(finished)), judged.received)
        self._verdicts.append(finished.verdict)
        self._emit(finished)

    async def _start(self) -> None:
        await self._mocks.start()
        config, targets = self._plan.config, self._material.targets
        self._forward = await proxy(config.proxy, targets, self._mocks, self._book)
        self._told = surroundings(config.home, targets, self._mocks, self._forward, self._plan.environ)
        try:
            await self._app.start(self._mocks.addresses, self._told)
        except TargetError as error:
            strays = "".join(f"; {self._material.mask.miss(miss).explain()}" for miss in self._book.stray[:3])
            raise TargetError(f"{error}{strays}") from None

    async def _restart(self) -> None:
        await self._app.stop()
        await self._app.start(self._mocks.addresses, self._told)

    def _closing(self, elapsed: float) -> SuiteFinished:
        count = self._verdicts.count
        return SuiteFinished(
            passed=count("passed"),
            failed=count("failed"),
            broken=count("broken"),
            skipped=count("skipped"),
            elapsed=elapsed,
            stray=tuple(map(self._material.mask.miss, self._book.stray)),
            beside=self._cases.tally.beside,
            again=self._cases.tally.again,
        )
