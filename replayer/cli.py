"""`wiretape replay` and `serve`: options in, one run, an exit code out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from replayer.events import Event, SuiteFinished
from replayer.report import REPORTS, Report, make
from wiretape.cli import common
from wiretape.config import Config, load_config
from wiretape.errors import ConfigError

if TYPE_CHECKING:
    from replayer.plan import Plan
    from replayer.severity import Severity

REGRESSIONS, NOT_RUN = 1, 3
_NEVER_SHOWN_AGAIN = ("--case", "--report", "--parallel")

PROXY_FLAG = click.option(
    "--proxy", metavar="ADDRESS", help="Where the forward proxy listens, for HTTP_PROXY and HTTPS_PROXY; else on any port."
)

_ON_A_BUILD = (
    click.option("--case", "cases", multiple=True, metavar="GLOB", help="Only the cases whose name matches. Repeatable."),
    click.option("--url", default="", metavar="URL", help="Replay against a service that already runs there."),
    click.option(
        "--freeze-time/--no-freeze-time",
        "freeze",
        default=None,
        help="Run the service at each case's recorded time, by libfaketime.",
    ),
    click.option("--allow-remote", is_flag=True, help="Let --url be another machine."),
    click.option(
        "--timeout", type=click.FloatRange(min=0.001), default=30.0, show_default=True, metavar="SECONDS", help="For an answer."
    ),
    click.option(
        "--grace",
        type=click.FloatRange(min=0),
        default=0.5,
        show_default=True,
        metavar="SECONDS",
        help="How long recorded calls may come after the answer.",
    ),
)


def on_a_build[**P, R](command: Callable[P, R]) -> Callable[P, R]:
    """Add the options of every command that replays cases against a build: which cases, which service, how long to wait."""
    for option in reversed(_ON_A_BUILD):
        command = option(command)
    return command


@click.command()
@on_a_build
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="KIND[:FILE]",
    help=f"{', '.join(REPORTS)}; to FILE, else to standard output. Repeatable.",
)
@click.option(
    "--on-miss",
    type=click.Choice(["error", "passthrough"]),
    default="error",
    show_default=True,
    help="A call that nothing recorded answers: an error for the service, or put to the real upstream.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["high", "medium", "low"]),
    default="low",
    show_default=True,
    help="Fail by differences from this severity up. high: a status, a field gone or retyped, a write lost or new, a call that "
    "nothing answers; medium: another value, other reads; low: a new field, a read asked again, a transaction around reads.",
)
@click.option(
    "--parallel",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="So many cases at once, where their calls can be told apart; what fails is tried again alone.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@PROXY_FLAG
@common
def replay(
    *,
    config: Path | None,
    service: str | None,
    dep: Sequence[str],
    suite: Path | None,
    cases: tuple[str, ...],
    url: str,
    freeze: bool | None,
    allow_remote: bool,
    reports: tuple[str, ...],
    on_miss: str,
    timeout: float,
    grace: float,
    fail_on: Severity,
    parallel: int,
    proxy: str | None,
    command: tuple[str, ...],
) -> None:
    """Replay the cases against a build, dependencies played back; report what changed.

    COMMAND starts the build; ${main.port} in it stands for where the mock of target main listens. Exit codes: 0 all passed,
    1 regressions, 2 usage or configuration, 3 could not run.
    """
    from replayer.app import chosen
    from replayer.plan import Plan

    found = load(config, service, dep, suite, proxy)
    plan = Plan(
        config=found,
        service=chosen(found.service, url, command, allow_remote=allow_remote, freeze=freeze),
        environ=os.environ,
        cases=cases,
        passthrough=on_miss == "passthrough",
        limit=timeout,
        grace=grace,
        fail_on=fail_on,
        parallel=parallel,
        rerun=_rerun(sys.argv[1:], command),
    )
    with _reports(reports) as opened:
        closing = interruptible(_replay(plan, opened))
    sys.exit(exit_code(closing))


def exit_code(closing: SuiteFinished) -> int:
    """0 only where cases ran and all of them passed."""
    if closing.failed:
        return REGRESSIONS
    return NOT_RUN if closing.broken or not closing.passed else 0


async def _replay(plan: Plan, reports: Sequence[Report]) -> SuiteFinished:
    from replayer.runner import run

    def emit(event: Event) -> None:
        for report in reports:
            report.on(event)

    return await run(plan, emit)


@click.command()
@PROXY_FLAG
@common
def serve(*, config: Path | None, service: str | None, dep: Sequence[str], suite: Path | None, proxy: str | None) -> None:
    """Run just the mocks of the dependencies, for a service under development.

    All cases answer at once: a read as often as it is asked, a write once.
    """
    from replayer.serving import serve as serve_mocks

    found = load(config, service, dep, suite, proxy)

    def speak(line: str) -> None:
        click.echo(f"wiretape: {line}", err=True)

    interruptible(serve_mocks(found, os.environ, speak), quiet=True)


def load(config: Path | None, service: str | None, dep: Sequence[str], suite: Path | None, proxy: str | None = None) -> Config:
    """The configuration that a command's common options (`wiretape.cli.common`) name. Raises ConfigError."""
    return load_config(file=config, environ=os.environ, cwd=Path.cwd(), service=service, deps=dep, suite=suite, proxy=proxy)


def _rerun(words: Sequence[str], command: Sequence[str]) -> tuple[str, str]:
    """The command line without its cases and reports, before and after the place for one case."""
    kept: list[str] = []
    own = iter(words[: len(words) - len(command)])
    for word in own:
        name = word.partition("=")[0]
        if name in _NEVER_SHOWN_AGAIN:
            if "=" not in word:
                next(own, None)
        elif word != "--":
            kept.append(word)
    return shlex.join(["wiretape", *kept]), f"-- {shlex.join(command)}" if command else ""


@contextlib.contextmanager
def _reports(wanted: Sequence[str]) -> Iterator[list[Report]]:
    """The reports asked for; the terminal's, too, unless one of them goes to standard output."""
    with ExitStack() as stack:
        reports: list[Report] = []
        if all(":" in each for each in wanted):
            wanted = (*wanted, "terminal")
        for each in wanted:
            kind, _, file = each.partition(":")
            if kind not in REPORTS:
                raise ConfigError(f"--report {each}: there is no report {kind!r}; there are {', '.join(REPORTS)}")
            stream = stack.enter_context(_open(each, Path(file))) if file not in ("", "-") else sys.stdout
            report = make(kind, stream)
            stack.callback(report.close)
            reports.append(report)
        yield reports


def _open(wanted: str, path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--report {wanted}: cannot write {path}: {error.strerror or error}") from None


def interruptible[T](work: Coroutine[None, None, T], *, quiet: bool = False) -> T:
    """Run to the end. A signal cancels the work, which stops what it started; later signals wait for that."""
    import uvloop

    received: list[int] = []

    async def guarded() -> T:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()

        def stop(number: int) -> None:
            if not received:
                task.cancel()
            received.append(number)

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stop, number)
        return await task

    try:
        # A query costs a mock 30 microseconds less than on asyncio's own loop.
        return asyncio.run(guarded(), loop_factory=uvloop.new_event_loop)
    except asyncio.CancelledError:
        if quiet and received[:1] == [signal.SIGINT]:
            sys.exit(0)
        sys.exit(128 + received[0] if received else NOT_RUN)
