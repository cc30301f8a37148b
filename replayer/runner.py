"""One replay from start to end: mocks up, build started and ready, every case sent and compared, everything stopped."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from normalizers.base import When
from normalizers.pipeline import NORMALIZERS
from replayer import calls, diff
from replayer.app import App
from replayer.bindings import Bindings
from replayer.book import Book, Outcome
from replayer.client import Client, Expected, NoAnswer
from replayer.curl import curl
from replayer.diff import Comparison
from replayer.events import CaseFinished, Event, SuiteFinished, SuiteStarted, Verdict
from replayer.forward import Forward, proxy, surroundings
from replayer.lastrun import LastRun
from replayer.masking import Mask
from replayer.mocks import Mocks
from replayer.noise import Rules, check_kinds, unmatched
from replayer.received import Received
from replayer.select import select
from replayer.severity import Severity, counted, fails
from replayer.talk import Bound
from wiretape.body import header
from wiretape.case import Call, Case, Request, Suite
from wiretape.config import Config, Service, Target, spoken
from wiretape.errors import CaseFormatError, ConfigError, EncodeError, TargetError
from wiretape.protobuf.sources import load as load_types
from wiretape.protocols import codec
from wiretape.protocols.base import Codec
from wiretape.secrets import load_secrets, reveal
from wiretape.service import endpoint
from wiretape.store import load_suite
from wiretape.tree import Tree
from wiretape.typed import typed_suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to replay and how. `limit`: seconds for an answer; `grace`: seconds to wait, after it, for calls that were recorded.
    `fail_on`: a case fails by differences from this severity up. `rerun` is the command line but for the case: what comes
    before `--case NAME`, and after it."""

    config: Config
    service: Service
    environ: Mapping[str, str]
    cases: tuple[str, ...] = ()
    passthrough: bool = False
    limit: float = 30.0
    grace: float = 0.5
    rerun: tuple[str, str] = ("wiretape replay", "")
    fail_on: Severity = "low"


async def run(plan: Plan, emit: Callable[[Event], None]) -> SuiteFinished:
    """Replay; the closing event, which was emitted, too. Whatever happens, what was started is stopped.

    Raises ConfigError, StoreError and TargetError where nothing can be run.
    """
    return await _Run(plan, emit).run()


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """A suite ready to be replayed: `stored` as on disk, `suite` with its secrets, both for the cases selected. `others` are
    the rest, as on disk: what a miss may point at, and a statement prepared early may be described by. `targets` are those of
    the configuration, with the protocols that were found while recording."""

    stored: Suite
    suite: Suite
    others: tuple[Case, ...]
    mask: Mask
    targets: Mapping[str, Target]
    codecs: Mapping[str, Codec]


def prepare(config: Config, environ: Mapping[str, str], globs: Sequence[str] = ()) -> Material:
    """Load and check the suite. Raises ConfigError, StoreError."""
    whole = load_suite(config.suite)
    stored = replace(whole, cases=select(whole.cases, globs))
    for case in stored.cases:
        check_kinds(case.noise, NORMALIZERS, case.path)
    check_kinds(stored.noise, NORMALIZERS, stored.root / "suite.yaml")
    secrets = load_secrets(config.home, environ)
    targets = spoken(config.targets, whole.facts)
    _check_targets(whole, targets)
    revealed = typed_suite(reveal(stored, secrets), load_types(config.service.protos if config.service else ()))
    codecs = {name: codec(target.protocol) for name, target in targets.items()}
    _check_calls(revealed, codecs)
    return Material(
        stored=stored,
        suite=revealed,
        others=tuple(case for case in whole.cases if case not in stored.cases) if globs else (),
        mask=Mask(secrets),
        targets=targets,
        codecs=codecs,
    )


def _all_calls(suite: Suite) -> Iterator[tuple[Path, Call]]:
    """Every call with the file it stands in."""
    for case in suite.cases:
        yield from ((case.path or suite.root / f"{case.name}.yaml", call) for call in case.calls)
    yield from ((suite.root / "session.yaml", call) for call in suite.session)


def _check_calls(suite: Suite, codecs: Mapping[str, Codec]) -> None:
    """A call that could not be served is a mistake in its file, not something for the service to stumble over."""
    for path, call in _all_calls(suite):
        for problem in codecs[call.target].check(call, suite.facts.get(call.target)):
            where = f"{problem.path}: " if problem.path else ""
            raise CaseFormatError(path, call.line, 0, f"{call.target} call cannot be served: {where}{problem.reason}")


def _check_targets(suite: Suite, targets: Mapping[str, Target]) -> None:
    for path, call in _all_calls(suite):
        name = path.name
        if call.target not in targets:
            known = ", ".join(targets) or "none"
            raise ConfigError(
                f"{name} calls target {call.target}, which is not configured (known: {known}); "
                f"add targets.{call.target} to wiretape.yaml, or --dep {call.target}=PROTOCOL://@LISTEN"
            )


def _check_passthrough(codecs: Mapping[str, Codec]) -> None:
    for name, each in codecs.items():
        if each.upstream is None:
            raise ConfigError(
                f"--on-miss passthrough: what target {name} ({each.name}) is asked cannot be passed on; leave the option out"
            )


def recorded_at(case: Case) -> float:
    """When a case was recorded, seconds since the epoch: as it says, else by its response's Date, else now."""
    with contextlib.suppress(ValueError):
        at = datetime.fromisoformat(case.recorded)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    with contextlib.suppress(ValueError):
        return parsedate_to_datetime(header(case.response.headers, "date")).timestamp()
    return time.time()


class _Run:
    def __init__(self, plan: Plan, emit: Callable[[Event], None]) -> None:
        self._plan, self._emit = plan, emit
        self._material = prepare(plan.config, plan.environ, plan.cases)
        if plan.passthrough:
            _check_passthrough(self._material.codecs)
        suite = self._material.suite
        self._bindings = Bindings()
        began = min(map(recorded_at, suite.cases))
        self._book = Book(
            replace(suite, cases=(*suite.cases, *self._material.others)),
            self._material.codecs,
            bindings=self._bindings,
            when=When(recorded=began, live=time.time()),
            passthrough=plan.passthrough,
        )
        config = plan.config
        self._mocks = Mocks(self._material.targets, suite.facts, self._material.codecs, self._book, config.home)
        self._forward: Forward | None = None
        self._app = App(plan.service, config.home)
        url = plan.service.url
        self._client = Client(endpoint(url), tls=url.startswith("https:"), limit=plan.limit, trusted=config.home / "ca")
        self._settled = asyncio.Event()
        self._book.on_settled = self._settled.set
        self._gone = ""
        self._verdicts: list[Verdict] = []

    async def run(self) -> SuiteFinished:
        started = time.monotonic()
        last = LastRun(self._plan.config.home)
        try:
            await self._start()
            self._emit(SuiteStarted(total=len(self._material.suite.cases)))
            for stored, case in zip(self._material.stored.cases, self._material.suite.cases, strict=True):
                finished = await self._replay(stored, case, last)
                self._verdicts.append(finished.verdict)
                self._emit(finished)
        finally:
            last.close()
            self._client.close()
            await self._app.stop()
            if self._forward is not None:
                await self._forward.stop()
            await self._mocks.stop()
        closing = self._closing(time.monotonic() - started)
        self._emit(closing)
        return closing

    async def _start(self) -> None:
        await self._mocks.start()
        config, targets = self._plan.config, self._material.targets
        self._forward = await proxy(config.proxy, targets, self._mocks, self._book)
        told = surroundings(config.home, targets, self._mocks, self._forward, self._plan.environ)
        try:
            await self._app.start(self._mocks.addresses, told)
        except TargetError as error:
            strays = "".join(f"; {self._material.mask.miss(miss).explain()}" for miss in self._book.stray[:3])
            raise TargetError(f"{error}{strays}") from None

    def _closing(self, elapsed: float) -> SuiteFinished:
        count = self._verdicts.count
        return SuiteFinished(
            passed=count("passed"),
            failed=count("failed"),
            broken=count("broken"),
            skipped=count("skipped"),
            elapsed=elapsed,
            stray=tuple(map(self._material.mask.miss, self._book.stray)),
        )

    async def _replay(self, stored: Case, case: Case, last: LastRun) -> CaseFinished:
        if case.incomplete:
            reason = f"its recording is not whole ({case.incomplete}); record it again"
            return CaseFinished(case=stored, verdict="skipped", reason=reason)
        started = time.perf_counter()
        if not self._gone:
            self._gone = await self._app.ended()
        if self._gone:
            return self._broken(stored, self._gone, 0.0)
        when = When(recorded=recorded_at(case), live=time.time())
        rules = Rules((*case.noise, *self._material.suite.noise), NORMALIZERS)
        received, outcome = await self._exchange(case, when, rules)
        if isinstance(received, Received):
            by = Comparison(bindings=self._bindings, rules=rules, when=when)
            return self._compared(stored, case, received, outcome, by, last, started)
        self._gone = await self._app.ended(dying=isinstance(received, NoAnswer))
        return self._broken(stored, self._gone or str(received), time.perf_counter() - started, outcome)

    def _compared(
        self, stored: Case, case: Case, received: Received, outcome: Outcome, by: Comparison, last: LastRun, started: float
    ) -> CaseFinished:
        changes = diff.compare(case.response, received, by, case.messages)
        findings = counted(calls.compare(outcome), self._material.suite.calls)
        failed = fails(changes, findings, outcome.misses, self._plan.fail_on)
        if failed:
            last.add(case, changes, len(findings) + len(outcome.misses), received)
        mask = self._material.mask
        finished = CaseFinished(
            case=stored,
            verdict="failed" if failed else "passed",
            changes=tuple(map(mask.change, changes)),
            calls=tuple(map(mask.finding, findings)),
            misses=tuple(map(mask.miss, outcome.misses)),
            elapsed=time.perf_counter() - started,
            warnings=self._warnings(case, received) if case.noise else (),
        )
        return self._with_commands(finished) if failed else finished

    def _broken(self, stored: Case, reason: str, elapsed: float, outcome: Outcome | None = None) -> CaseFinished:
        """No answer. From a service that lives and was refused an answer by a mock this is a regression, not a broken run."""
        mask = self._material.mask
        misses = outcome.misses if outcome else ()
        return self._with_commands(
            CaseFinished(
                case=stored,
                verdict="failed" if misses and not self._gone else "broken",
                calls=tuple(map(mask.finding, calls.compare(outcome))) if outcome and misses else (),
                misses=tuple(map(mask.miss, misses)),
                reason=mask.text(reason),
                elapsed=elapsed,
            )
        )

    def _with_commands(self, finished: CaseFinished) -> CaseFinished:
        before, after = self._plan.rerun
        rerun = f"{before} --case {finished.case.name}" + (f" {after}" if after else "")
        request = self._standing(finished.case.request)
        return replace(finished, rerun=rerun, curl=self._material.mask.text(curl(request, self._plan.service.url)))

    def _warnings(self, case: Case, received: Received) -> tuple[str, ...]:
        recorded_calls: list[Tree] = [dict(call.fields) for call in case.calls]
        trees: list[Tree] = [
            {
                "response": dict(diff.recorded_tree(case.response)),
                "messages": diff.messages_tree(case.messages),
                "calls": recorded_calls,
            },
            {"response": dict(diff.live_tree(received, case.response)), "messages": diff.messages_tree(received.messages)},
        ]
        return unmatched(case, trees)

    async def _exchange(self, case: Case, when: When, rules: Rules) -> tuple[Received | NoAnswer | EncodeError, Outcome]:
        request = case.request
        headers = (*request.headers, *request.trailers)
        self._bindings.learn([request.target, *(value for _, value in headers), request.body.value])
        self._settled.clear()
        self._book.begin(case, when, rules)
        received: Received | NoAnswer | EncodeError
        try:
            expected = Expected.of(case.response, case.messages)
            received = await self._send(self._standing(request), expected, Bound(self._bindings, when))
            await self._late_calls()
        except (NoAnswer, EncodeError) as error:
            received = error
        finally:
            outcome = self._book.end()
        return received, outcome

    def _standing(self, request: Request) -> Request:
        """The request with live values in place of the recorded ones they stand for."""
        stand = self._bindings.stand
        if not len(self._bindings):
            return request
        return replace(
            request,
            target=self._bindings.text(request.target),
            headers=tuple((name, self._bindings.text(value)) for name, value in request.headers),
            body=replace(request.body, value=stand(request.body.value)),
            trailers=tuple((name, self._bindings.text(value)) for name, value in request.trailers),
        )

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
