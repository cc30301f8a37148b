"""The whole program on traffic that collides as much as it can: few ids, many requests in flight, a real database."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_suite_recorded_under_load_is_made_certain_and_replays_without_a_false_alarm() -> None:
    options = ["--level", "24", "--requests", "90", "--ids", "4", "--replays", "5"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/attribution_whole.py"), *options],
        text=True,
        capture_output=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["cases"] == 111
    assert found["ambiguous"] > 0  # or there was nothing to record again
    assert (found["again"], found["serialized"], found["replays"], found["false_alarms"]) == (0, 0, 5, 0)
