"""`wiretape accept`, `audit` and `lint`: what is done with a suite when nothing runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from replayer.cli import REGRESSIONS, load
from wiretape.cli import common
from wiretape.errors import ConfigError

if TYPE_CHECKING:
    from replayer.severity import Severity


@click.command()
@click.option("--case", "cases", multiple=True, metavar="GLOB", help="Only the cases whose name matches. Repeatable.")
@common
def accept(*, config: Path | None, service: str | None, dep: Sequence[str], suite: Path | None, cases: tuple[str, ...]) -> None:
    """Take what the last replay found as the new expectation.

    Rewrites the responses of the cases that failed, where they differed; comments survive. Calls are not accepted: record the
    case again.
    """
    from replayer.accept import accept as rewrite
    from replayer.lastrun import read
    from wiretape.protobuf.sources import load as load_types
    from wiretape.secrets import load_secrets
    from wiretape.select import select

    found = load(config, service, dep, suite)
    failed = select(read(found.home), cases)
    for each in rewrite(
        failed, load_secrets(found.home, os.environ), load_types(found.service.protos if found.service else ())
    ):
        if each.places:
            click.echo(f"{each.path}: {', '.join(each.places)}")
        if each.calls:
            click.echo(f"{each.path}: {each.calls} findings about its calls stay; record the case again to accept them")
    if not failed:
        click.echo("nothing to accept: no case failed in the last run")


@click.command()
@click.option(
    "--min", "least", type=click.FloatRange(0, 100), default=0.0, metavar="PERCENT", help="Fail where less than this is found."
)
@click.option("--case", "cases", multiple=True, metavar="GLOB", help="Only the cases whose name matches. Repeatable.")
@click.option("--all", "everything", is_flag=True, help="List every mutation that slips through.")
@click.option(
    "--fail-on",
    type=click.Choice(["high", "medium", "low"]),
    default="low",
    show_default=True,
    help="As replays of the suite are run: what is less severe counts as let through.",
)
@common
def audit(
    *,
    config: Path | None,
    service: str | None,
    dep: Sequence[str],
    suite: Path | None,
    cases: tuple[str, ...],
    least: float,
    everything: bool,
    fail_on: Severity,
) -> None:
    """Falsify every recorded answer and call, one thing at a time, and tell what the suite's rules would let through.

    Nothing is run. Exit code 1 where less than --min is found, a case asserts nothing, a rule matches nothing, or a call is
    needed by nobody.
    """
    from replayer.audit.audit import audit as falsify
    from replayer.audit.text import lines
    from replayer.material import prepare, recorded_at

    found = load(config, service, dep, suite)
    material = prepare(found, os.environ, cases, alone=True)
    report = falsify(material.suite, material.codecs, recorded_at, fail_on)
    for line in lines(report, everything=everything):
        click.echo(material.mask.text(line))
    if report.share < least or report.empty or report.dead or report.unused:
        sys.exit(REGRESSIONS)


@click.command()
@common
def lint(*, config: Path | None, service: str | None, dep: Sequence[str], suite: Path | None) -> None:
    """Check every file of the suite; report each problem with file, line and column."""
    from normalizers.pipeline import NORMALIZERS
    from wiretape.lint import lint as check
    from wiretape.protobuf.sources import load as load_types

    found = load(config, service, dep, suite)
    targets = {name: target.protocol for name, target in found.targets.items()}
    types = load_types(found.service.protos if found.service else ())
    problems = check(found.suite, NORMALIZERS, targets or None, types)
    for problem in problems:
        click.echo(str(problem))
    if problems:
        sys.exit(ConfigError.exit_code)
