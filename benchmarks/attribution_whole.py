"""The whole program on a suite recorded under load: what is ambiguous, what is left of that after `record --again`, and whether
an unchanged build then replays without a false alarm, after `learn --write` and with its database stopped.

    python benchmarks/attribution_whole.py [--requests N] [--level N] [--ids N] [--replays N]

Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from attribution_truth import Load, drive, fill
from harness import ROOT, WIRETAPE, Unavailable, free_port, postgres

from wiretape.store import load_suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Cases of the suite; those with ambiguous calls as recorded, after `record --again`, and with `--serialize` from the
    start; those that failed in any of the replays of the unchanged build."""

    cases: int
    ambiguous: int
    again: int
    serialized: int
    replays: int
    false_alarms: int


class Project:
    """A folder with a configuration, in front of one database."""

    def __init__(self, folder: Path, database: str) -> None:
        folder.mkdir()
        self._folder = folder
        parts = urlsplit(database)
        self._port, front, main = free_port(), free_port(), free_port()
        dsn = parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{main}", query="").geturl()
        self._service = ["--", sys.executable, str(ROOT / "benchmarks/shop_service.py"), str(self._port), dsn, "pool"]
        (folder / "wiretape.yaml").write_text(
            "wiretape: 1\n"
            f"service: {{url: 'http://127.0.0.1:{self._port}', listen: '127.0.0.1:{front}', ready_timeout: 60}}\n"
            f"targets:\n  main: {{protocol: postgres, listen: '127.0.0.1:{main}', upstream: '127.0.0.1:{parts.port}'}}\n"
        )

    def run(self, *words: str) -> str:
        """What a command says; Unavailable where it ends otherwise than well."""
        done = self.tried(*words)
        if done.returncode:
            raise Unavailable(
                f"wiretape {' '.join(words)} exited with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
            )
        return done.stdout

    def tried(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*WIRETAPE, *words, *self._service],
            cwd=self._folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
            capture_output=True,
            check=False,
        )

    def record(self, load: Load, count: int, *options: str) -> None:
        traffic = f"{sys.executable} {__file__} --drive --requests {count} --level {load.level} --ids {load.ids}"
        self.run("record", "--drive", traffic, *options)

    def ambiguous(self) -> tuple[int, int]:
        """The cases, and those of them with an ambiguous call."""
        cases = load_suite(self._folder / "suite").cases
        return len(cases), sum(any(call.ambiguous for call in case.calls) for case in cases)

    def false_alarms(self) -> int:
        """The cases that an unchanged build fails."""
        done = self.tried("replay", "--report", "json")
        verdicts = [json.loads(line).get("verdict") for line in done.stdout.splitlines() if line.startswith("{")]
        found = sum(verdict in ("failed", "broken") for verdict in verdicts)
        if bool(done.returncode) != bool(found):
            raise Unavailable(f"the replay exited with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return found


def measure(load: Load, count: int, replays: int) -> Whole:
    """Record, record again; with the database stopped learn what differs from run to run, and replay."""
    with tempfile.TemporaryDirectory(prefix="wiretape-bench-") as folder:
        with postgres() as url:
            fill(url)
            project = Project(Path(folder) / "load", url)
            project.record(load, count)
            cases, before = project.ambiguous()
            if before:
                project.run("record", "--again")
            _, after = project.ambiguous()
            fill(url)
            serial = Project(Path(folder) / "serial", url)
            serial.record(load, count, "--serialize")
            _, serialized = serial.ambiguous()
        project.run("learn", "--write")
        alarms = sum(project.false_alarms() for _ in range(replays))
    return Whole(
        cases=cases, ambiguous=before, again=after, serialized=serialized, replays=replays, false_alarms=alarms
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure what recording again brings.")
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--level", type=int, default=16)
    parser.add_argument("--ids", type=int, default=20)
    parser.add_argument("--replays", type=int, default=5)
    parser.add_argument("--drive", action="store_true", help="only send the requests, to WIRETAPE_URL")
    args = parser.parse_args(arguments)
    load = Load(level=args.level, ids=args.ids)
    if args.drive:
        asyncio.run(drive(urlsplit(os.environ["WIRETAPE_URL"]).port or 0, load, args.requests, marked=False))
        return
    sys.stdout.write(json.dumps(asdict(measure(load, args.requests, args.replays))) + "\n")


if __name__ == "__main__":
    main()
