"""`wiretape record` and `wiretape compile`: options in, one recording or compilation, a summary out."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.live import Live

from recorder.compile import Summary, compile_captures
from wiretape.cli import common
from wiretape.config import Config, load_config
from wiretape.errors import WiretapeError

if TYPE_CHECKING:
    from recorder.run import Recording

_SHOWN = 10


def choices[F: Callable[..., object]](command: F) -> F:
    """The options that say what becomes a case; compiling again may choose otherwise."""
    options = (
        click.option(
            "--include", multiple=True, metavar="FILTER", help="Keep only these: 'GET /api/*', '/health', '5xx'. Repeatable."
        ),
        click.option("--exclude", multiple=True, metavar="FILTER", help="Leave these out. Repeatable."),
        click.option("--sample", type=float, metavar="SHARE", help="Keep this share of the requests, 0 to 1."),
        click.option("--dedupe", is_flag=True, help="Keep one case of each kind: same route, status, forms, calls."),
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
    include: Sequence[str],
    exclude: Sequence[str],
    sample: float | None,
    max_body: int | None,
    dedupe: bool,
    command: Sequence[str],
) -> None:
    """Record real traffic of a service and its dependencies into cases.

    With a COMMAND the service is started and stopped by us; without, it already runs. ${main.port} in the command stands for
    where target main listens.
    """
    chosen = _chosen(
        include=include,
        exclude=exclude,
        sample=sample,
        max_body=max_body,
        dedupe=dedupe or None,
        serialize=serialize or None,
        trace=trace or None,
    )
    found = _load(config, service, dep, suite, chosen, proxy)
    if command and found.service:
        found = replace(found, service=replace(found.service, command=tuple(command)))
    requests, failure = asyncio.run(_record(found, drive, local=capture == "local"))
    if requests or failure is None:
        _print(compile_captures(found, keep=keep_capture))
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
) -> None:
    """Turn what was captured into cases, again or after a crash."""
    chosen = _chosen(include=include, exclude=exclude, sample=sample, max_body=max_body, dedupe=dedupe or None)
    _print(compile_captures(_load(config, service, dep, suite, chosen), keep=keep))


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


def _print(summary: Summary) -> None:
    for line in _report(summary):
        click.echo(line)


def _report(summary: Summary) -> Iterator[str]:
    """What compiling came to, one fact a line, nothing that is nought."""
    inside = f"{_count(summary.calls, 'call')}, {_count(summary.session, 'session call')}"
    yield f"{_count(len(summary.written), 'case')} written to {summary.suite} ({inside})"
    if not summary.requests:
        yield "  no request was seen"
    if summary.filtered:
        yield f"  left out by filters: {_count(summary.filtered, 'request')}"
    if summary.deduped:
        yield f"  left out because they are like others: {_count(summary.deduped, 'case')}"
    if summary.unanswered:
        yield f"  without a response, so no case: {_count(summary.unanswered, 'request')}"
    if summary.ambiguous:
        some = f"{_count(len(summary.ambiguous), 'case')} ({_some(summary.ambiguous)})"
        yield f"  ambiguous: {some}; record with --serialize to be certain"
    for name, why in summary.incomplete[:_SHOWN]:
        yield f"  incomplete: {name}: {why}"
    if len(summary.incomplete) > _SHOWN:
        yield f"  incomplete: {len(summary.incomplete) - _SHOWN} more"
    if summary.secrets:
        yield f"  secrets kept out of the cases, in .wiretape/secrets.yaml: {_some(summary.secrets)}"
    for note in summary.notes:
        yield f"  {note}"
    for path in summary.kept:
        yield f"  capture kept: {path}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
