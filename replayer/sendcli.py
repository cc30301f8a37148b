"""`wiretape send`: the recorded requests of a suite as traffic."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from replayer.cli import NOT_RUN, interruptible, load
from wiretape.cli import common
from wiretape.errors import ConfigError

if TYPE_CHECKING:
    from replayer.send import Answered


@click.command()
@click.option("--case", "cases", multiple=True, metavar="GLOB", help="Only the cases whose name matches. Repeatable.")
@click.option("--cases-from", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Globs, one a line.")
@click.option("--url", default="", metavar="URL", help="Send there; else to the configured service.")
@click.option("--allow-remote", is_flag=True, help="Let --url be another machine.")
@click.option(
    "--timeout", type=click.FloatRange(min=0.001), default=30.0, show_default=True, metavar="SECONDS", help="For an answer."
)
@click.option(
    "--log",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write there what was sent for which case, readable by its owner only: it holds live tokens.",
)
@common
def send(
    *,
    config: Path | None,
    service: str | None,
    dep: Sequence[str],
    suite: Path | None,
    cases: tuple[str, ...],
    cases_from: Path | None,
    url: str,
    allow_remote: bool,
    timeout: float,
    log: Path | None,
) -> None:
    """Send the recorded requests in order, one at a time, to a service that works on its real dependencies.

    Tokens and ids that the service makes anew are carried from its answers into the requests that follow; a case that another
    one builds on is sent first. Nothing is compared. Exit code 3 where a request got no answer.
    """
    from replayer.app import chosen
    from replayer.send import Round
    from replayer.send import send as send_all
    from wiretape.sent import SentLog

    found = load(config, service, dep, suite)
    globs = (*cases, *(_globs(cases_from) if cases_from else ()))
    plan = Round(
        config=found,
        service=chosen(found.service, url, (), allow_remote=allow_remote, freeze=False),
        environ=os.environ,
        cases=globs,
        limit=timeout,
    )
    count: Counter[str] = Counter()
    with SentLog(log) if log else contextlib.nullcontext() as kept:

        def emit(one: Answered) -> None:
            if kept is not None:
                kept.add(one.sent)
            count["unanswered" if one.sent.error else "sent"] += 1
            count["other"] += not one.sent.error and one.sent.status != one.recorded
            click.echo(_line(one))

        interruptible(send_all(plan, emit))
    click.echo(
        f"{count['sent']} answered, {count['other']} with another status than recorded, {count['unanswered']} unanswered"
    )
    if count["unanswered"]:
        sys.exit(NOT_RUN)


def _globs(path: Path) -> list[str]:
    try:
        globs = path.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as error:
        raise ConfigError(f"--cases-from {path}: cannot be read: {getattr(error, 'strerror', '') or error}") from None
    return [glob for glob in globs if glob]


def _line(one: Answered) -> str:
    needed = "; sent because others need its answer" if one.needed else ""
    if one.sent.error:
        return f"{one.sent.case}: no answer: {one.sent.error}{needed}"
    other = "" if one.sent.status == one.recorded else f", recorded {one.recorded}"
    return f"{one.sent.case}: {one.request} -> {one.sent.status}{other} ({one.elapsed * 1000:.0f} ms{needed})"
