"""Real services in their frameworks: recorded afresh and replayed with every server stopped; the suites kept replay, too."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "fixtures/services"
NAMES = sorted(path.parent.name for path in SERVICES.glob("*/service.yaml"))


def script(name: str, *words: str) -> str:
    """Run a script of fixtures/services; what it said. Its own checks decide whether all is well."""
    done = subprocess.run(
        [sys.executable, str(SERVICES / name), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, timeout=600,
    )  # fmt: skip
    if done.returncode:
        pytest.fail(done.stdout, pytrace=False)
    return done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_a_service_recorded_now_replays_without_its_servers(name: str, tmp_path: Path) -> None:
    script("record.py", name, "--into", str(tmp_path))
    said = script("replay.py", name, "--from", str(tmp_path), "--times", "2")
    assert f"{name}: 2 of 2 replays green" in said
    assert f"{name}: planted regression found" in said


@pytest.mark.parametrize("name", NAMES)
def test_the_suite_kept_replays(name: str) -> None:
    said = script("replay.py", name)
    assert f"{name}: 1 of 1 replays green" in said


def test_no_rule_of_a_suite_was_written_by_hand() -> None:
    """`wiretape learn` puts beside each rule what it was learned from; the noisy service has some of every kind."""
    rules = [
        rule
        for path in (ROOT / "fixtures/suites").rglob("*.yaml")
        for rule in re.findall(r"^- .*", path.read_text(encoding="utf-8").partition("\nnoise:\n")[2], re.MULTILINE)
    ]
    assert [rule for rule in rules if not re.search(r"  # \d+ runs: ", rule)] == []
    for kind in ("unordered", "unordered by", "within", "counter", "like", "timestamp %", "optional", "boolean"):
        assert any(f": {kind} " in rule for rule in rules), kind


def test_every_stack_has_a_service_and_a_suite() -> None:
    kept = {path.parent.name for path in (ROOT / "fixtures/suites").glob("*/wiretape.yaml")}
    assert set(NAMES) <= kept
    assert len(NAMES) >= 6
