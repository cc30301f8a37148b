"""`wiretape record` and `wiretape compile`: options in, one recording or compilation, a summary out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.live import Live

from recorder.again import Again, doubtful, record_again, unsendable
from recorder.capture import captures, delete
from recorder.compile import compile_captures
from recorder.summary import count, report
from wiretape.cli import common
from wiretape.config import Config, load_config
from wiretape.errors import ConfigError, WiretapeError
from wiretape.secrets import ensure_home
from wiretape.sent import read_sent
from wiretape.store import load_suite

if TYPE_CHECKING:
    from recorder.run import Recording


def choices[F: Callable[..., object]](command: F) -> F:
    """The options that say what becomes a case; compiling again may choose otherwise."""
    options = (
        click.option(
            "--include", multiple=True, metavar="FILTER", help="Keep only these: 'GET /api/*', '/health', '5xx'. Repeatable."
        ),
        click.option("--exclude", multiple=True, metavar="FILTER", help="Leave these out. Repeatable."),
        click.option("--sample", type=float, metavar="SHARE", help="Keep this share of the requests, 0 to 1."),
        click.option("--dedupe", is_flag=True, help="Keep one case of each kind: same route, status, forms, calls."),
        click.option("--no-links", is_flag=True, help="Write what requests took from earlier responses as it was."),
        click.option("--max-body", type=int, metavar="BYTES", help="Bodies over this size make their case incomplete."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.option("--drive", default="", metavar="CMD", help="Run this shell command as the traffic; stop when it ends.")
@click.option("--proxy", metavar="ADDRESS", help="Listen here as a forward proxy, too, for HTTP_PROXY and HTTPS_PROXY.")
@click.option(
    "--capture",
    type=click.Choice(["listeners", "local"]),
    default="listeners",
    show_default=True,
    help="Where dependencies are recorded: at listeners of ours, or wherever the service's processes connect to (Linux, root).",
)
@click.option("--serialize", is_flag=True, help="Let one request at a time through, so that every call is certain.")
@click.option(
    "--trace",
    is_flag=True,
    help="Give every HTTP/1.1 request that has none a traceparent and an X-Request-Id, so that calls which pass them on, in "
    "headers or SQL comments, are certain. The service sees them: its own tracing joins these traces, as sampled.",
)
@click.option("--keep-capture", is_flag=True, help="Keep the raw capture, to compile it again.")
@click.option(
    "--again",
    is_flag=True,
    help="Send the requests of the ambiguous and incomplete cases, one at a time, and replace these cases by what comes of it.",
)
@click.option("--case", "cases", multiple=True, metavar="GLOB", help="With --again: these cases instead. Repeatable.")
@choices
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@common
def record(
    *,
    config: Path | None,
    service: str | None,
    dep: Sequence[str],
    suite: Path | None,
    drive: str,
    proxy: str | None,
    capture: str,
    serialize: bool,
    trace: bool,
    keep_capture: bool,
    again: bool,
    cases: Sequence[str],
    include: Sequence[str],
    exclude: Sequence[str],
    sample: float | None,
    max_body: int | None,
    dedupe: bool,
    no_links: bool,
    command: Sequence[str],
) -> None:
    """Record real traffic of a service and its dependencies into cases.

    With a COMMAND the service is started and stopped by us; without, it already runs. ${main.port} in the command stands for
    where target main listens.
    """
    if cases and not again:
        raise ConfigError("--case is for --again, which sends the requests of these cases once more")
    if again and (drive or include or exclude or sample is not None or dedupe):
        raise ConfigError("--again sends the requests of the cases itself; leave out --drive and what filters requests")
    chosen = _chosen(
        include=include,
        exclude=exclude,
        sample=sample,
        max_body=max_body,
        dedupe=dedupe or None,
        links="no" if no_links else None,
        serialize=serialize or again or None,
        trace=trace or None,
    )
    found = _load(config, service, dep, suite, chosen, proxy)
    if command and found.service:
        found = replace(found, service=replace(found.service, command=tuple(command)))
    options = _options(config=config, service=service, dep=dep, suite=suite, proxy=proxy, capture=capture)
    if again:
        _again(found, cases, local=capture == "local", keep=keep_capture)
        return
    requests, failure = asyncio.run(_record(found, drive, local=capture == "local"))
    if requests or failure is None:
        _print(found, options, command, keep=keep_capture)
    if failure is not None:
        raise failure


@click.command("compile")
@click.option("--keep", is_flag=True, help="Keep the captures, to compile them again.")
@choices
@common
def compile_(
    *,
    config: Path | None,
    service: str | None,
    dep: Sequence[str],
    suite: Path | None,
    keep: bool,
    include: Sequence[str],
    exclude: Sequence[str],
    sample: float | None,
    max_body: int | None,
    dedupe: bool,
    no_links: bool,
) -> None:
    """Turn what was captured into cases, again or after a crash."""
    chosen = _chosen(
        include=include,
        exclude=exclude,
        sample=sample,
        max_body=max_body,
        dedupe=dedupe or None,
        links="no" if no_links else None,
    )
    options = _options(config=config, service=service, dep=dep, suite=suite)
    _print(_load(config, service, dep, suite, chosen), options, (), keep=keep)


def _load(
    config: Path | None,
    service: str | None,
    dep: Sequence[str],
    suite: Path | None,
    chosen: Mapping[str, object],
    proxy: str | None = None,
) -> Config:
    here = Path.cwd()
    return load_config(
        file=config, environ=os.environ, cwd=here, service=service, deps=dep, suite=suite, proxy=proxy, record=chosen
    )


def _chosen(**options: object) -> dict[str, object]:
    """Only what was given: the rest is for the environment and the file."""
    return {name: value for name, value in options.items() if value not in (None, ())}


async def _record(config: Config, drive: str, *, local: bool) -> tuple[int, WiretapeError | None]:
    """Record; how many requests came, and the error that ended it: what came before can be compiled all the same."""
    from recorder.run import Recording  # the proxy takes half a second to import

    console = Console(stderr=True, highlight=False)

    def speak(line: str) -> None:
        console.print(f"wiretape: {line}", markup=False, soft_wrap=True)

    recording = Recording(config, drive, speak, local=local)
    with _live(console, recording):
        try:
            await recording.run()
        except WiretapeError as error:
            return recording.requests, error
    return recording.requests, None


@contextlib.contextmanager
def _live(console: Console, recording: Recording) -> Iterator[None]:
    """The count, on a terminal."""
    if not console.is_terminal:
        yield
        return
    with Live(console=console, get_renderable=lambda: _counts(recording), refresh_per_second=2, transient=True):
        yield


def _counts(recording: Recording) -> str:
    front, *targets = recording.listeners
    parts = [f"{front.turns} requests", *(f"{one.target}: {one.turns} round trips" for one in targets)]
    return "recording: " + " · ".join(parts)


def _again(config: Config, globs: Sequence[str], *, local: bool, keep: bool) -> None:
    """Have `wiretape send` send the requests of the doubtful cases, and replace the cases by what was recorded of them."""
    chosen = doubtful(load_suite(config.suite).cases, globs)
    sendable = [case.name for case in chosen if not unsendable(case)]
    if not sendable:
        click.echo("nothing to record again: no case is ambiguous or incomplete; name one with --case")
        return
    ensure_home(config.home)
    names, log = config.home / "again.txt", config.home / "again.jsonl"
    before = set(captures(config.home))
    try:
        names.write_text("".join(f"{escape(name)}\n" for name in sendable), encoding="utf-8")
        words = [sys.executable, "-m", "wiretape", "send", "--allow-remote", *_told(config)]
        drive = f'{shlex.join([*words, "--cases-from", str(names), "--log", str(log)])} --url "$WIRETAPE_URL"'
        _, failure = asyncio.run(_record(config, drive, local=local))
        for path in sorted(set(captures(config.home)) - before):
            for line in _outcomes(record_again(config, chosen, read_sent(log), path, os.environ)):
                click.echo(line)
            if keep:
                click.echo(f"  capture kept: {path}")
            else:
                delete(path)
        if failure is not None:
            raise failure
    finally:
        names.unlink(missing_ok=True)
        log.unlink(missing_ok=True)


def _outcomes(again: Again) -> Iterator[str]:
    for one in again.outcomes:
        yield f"recorded again: {one.name} ({one.said})" if one.replaced else f"left as it was: {one.name}: {one.said}"
    done = sum(one.replaced for one in again.outcomes)
    yield f"{count(done, 'case')} recorded again, {len(again.outcomes) - done} left as before"
    if again.strangers:
        yield f"  left out, being of no case: {count(again.strangers, 'request')} that came in between"
    if again.secrets:
        yield f"  secrets kept out of the cases, in .wiretape/secrets.yaml: {', '.join(again.secrets)}"


def _options(**given: object) -> list[str]:
    """The options as they were given, to be given again."""
    words: list[str] = []
    for name, value in given.items():
        values = value if isinstance(value, tuple) else (value,)
        words += [word for one in values if one and one != "listeners" for word in (f"--{name}", str(one))]
    return words


def _told(config: Config) -> list[str]:
    """What the sender needs of them: where the suite and its secrets are."""
    file = ["--config", str(config.file)] if config.file else []
    return [*file, "--suite", str(config.suite)]


def _print(config: Config, options: Sequence[str], command: Sequence[str], *, keep: bool) -> None:
    own = command or (config.service.command if config.service and not config.file else ())
    again = shlex.join(["wiretape", "record", "--again", *options, *(["--", *own] if own else [])])
    for line in report(compile_captures(config, keep=keep), again):
        click.echo(line)
