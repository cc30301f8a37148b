"""`wiretape doctor`: options in, one line for each check out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from wiretape.cli import common
from wiretape.config import load_config


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A JSON list instead of lines.")
@common
def doctor(*, config: Path | None, service: str | None, dep: Sequence[str], suite: Path | None, as_json: bool) -> None:
    """Check what recording and replaying need here, and say what to do.

    Disk, clock, authority, ports, local capture, the service and each target: whether it can be reached, its TLS, and whether
    it speaks what is configured. Exit code 1 if anything is wrong.
    """
    from recorder.doctor import run

    found = load_config(file=config, environ=os.environ, cwd=Path.cwd(), service=service, deps=dep, suite=suite)
    findings = run(found)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(str(finding))
    sys.exit(1 if any(finding.status == "fail" for finding in findings) else 0)
