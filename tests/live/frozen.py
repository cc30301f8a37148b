"""Suites whose answers are the time of their cases, and `wiretape replay --freeze-time` over them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "clocks"
# Around the turn of a year, a leap day, and, later than now, the night in which Europe's clocks are put forward.
MOMENTS = ("2019-12-31T23:59:30.250Z", "2020-01-01T00:00:00Z", "2024-02-29T12:00:00.999Z", "2037-03-29T01:00:00Z")


def shown(moment: str) -> str:
    """The time as the services write it: in no form that the comparison knows, so that nothing stands for anything else."""
    return moment[:16].replace("-", "/").replace("T", " ").replace(":", "h")


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """A folder with a suite, and the port of its service."""

    folder: Path
    port: int
    prefix: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def case(self, name: str, recorded: str, body: str, *, path: str = "/now", more: str = "") -> None:
        """A case that expects `body`, a text."""
        suite = self.folder / "suite"
        suite.mkdir(exist_ok=True)
        when = f'recorded: "{recorded}"\n' if recorded else ""
        (suite / f"{name}.yaml").write_text(
            f"wiretape: 1\nname: {name}\n{when}request: {{method: GET, path: {path}, headers: {{Host: localhost}}}}\n"
            f"response: {{status: 200, headers: {{content-type: text/plain}}, body: '{body}'}}\n{more}"
        )

    def moments(self) -> None:
        """A case of each of MOMENTS, and pauses between."""
        for moment in MOMENTS:
            self.case(f"now-{moment[:10]}", moment, shown(moment))
        self.case("pause", "2024-03-01T00:00:00Z", "waited", path="/pause")

    def replay(self, *command: str, options: Sequence[str] = ("--freeze-time",), home: Path | None = None) -> tuple[int, str]:
        """The exit code, and what was said."""
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PORT": str(self.port), **self.env}
        words = [*self.prefix, sys.executable, "-m", "wiretape", "replay", "--service", self.url, *options]
        done = subprocess.run(
            [*words, *(["--", *command] if command else [])], cwd=self.folder, env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120,
        )  # fmt: skip
        return done.returncode, done.stdout
