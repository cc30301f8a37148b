"""How long `wiretape --help` takes: it must not load what it does not need."""

from __future__ import annotations

import subprocess
import time

from harness import BIN, Result, Unavailable, in_turn

LIMIT = 0.15  # seconds


def timed(*command: str) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise Unavailable(f"{' '.join(command)}: {done.stderr.decode().strip()}")
    return time.perf_counter() - began


def measure(rounds: int, seconds: float) -> list[Result]:  # noqa: ARG001
    found = in_turn(rounds * 5, {"ours": lambda: timed(str(BIN / "wiretape"), "--help")})
    return [
        Result(
            name="wiretape --help",
            ours=found["ours"],
            other=LIMIT,
            unit="s",
            aim=1,
            other_name="the limit",
            less_is_better=True,
        )
    ]
