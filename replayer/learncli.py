"""`wiretape learn`: replays the recorded build several times and says, or writes, what is noise."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from replayer.cli import PROXY_FLAG, REGRESSIONS, interruptible, load, on_a_build
from wiretape.cli import common


@click.command()
@click.option(
    "--runs", type=click.IntRange(min=2), default=3, show_default=True, metavar="N", help="Replays before a rule is proposed."
)
@click.option("--write", is_flag=True, help="Write the rules into the files of the suite, with their evidence.")
@on_a_build
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@PROXY_FLAG
@common
def learn(
    *,
    config: Path | None,
    service: str | None,
    dep: Sequence[str],
    suite: Path | None,
    runs: int,
    write: bool,
    cases: tuple[str, ...],
    url: str,
    freeze: bool | None,
    allow_remote: bool,
    timeout: float,
    grace: float,
    proxy: str | None,
    command: tuple[str, ...],
) -> None:
    """Replay the build the suite was recorded from, several times; propose noise rules for what differs from run to run.

    COMMAND starts that build, anew for each run. The rules are tried by as many runs again before they are proposed. What is
    the same in every run but not as recorded is no noise. Exit codes: 0 the suite passes with the rules, 1 something would
    still fail.
    """
    from replayer.app import chosen
    from replayer.learn.learn import learn as work
    from replayer.learn.text import files, lines
    from replayer.plan import Plan
    from wiretape.store import add_noise

    found = load(config, service, dep, suite, proxy)
    plan = Plan(
        config=found,
        service=chosen(found.service, url, command, allow_remote=allow_remote, freeze=freeze),
        environ=os.environ,
        cases=cases,
        limit=timeout,
        grace=grace,
    )
    learned = interruptible(work(plan, runs, lambda line: click.echo(f"wiretape: {line}", err=True)))
    if write:
        for path, rules in files(learned, found.suite).items():
            add_noise(path, rules)
    for line in lines(learned, found.suite, Path.cwd(), written=write):
        click.echo(line)
    if learned.remains:
        sys.exit(REGRESSIONS)
