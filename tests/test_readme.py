"""What README shows is true: its YAML is read by wiretape, its kinds and commands are those there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from normalizers.pipeline import NORMALIZERS
from replayer.report import REPORTS
from wiretape.cli import COMMANDS
from wiretape.config import load_config
from wiretape.store import load_case

README = (Path(__file__).parents[1] / "README.md").read_text()
CONFIG, CASE, NOISE = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


def test_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "wiretape.yaml").write_text(CONFIG)
    found = load_config(file=None, environ={}, cwd=tmp_path)
    assert found.service is not None
    assert (found.service.ready, str(found.targets["main"].upstream)) == ("/health", "127.0.0.1:5432")


def test_the_case_and_the_noise(tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text(CASE + NOISE)
    case = load_case(tmp_path / "case.yaml")
    assert [call.operation.split()[0] for call in case.calls] == ["BEGIN", "SELECT", "COMMIT"]
    assert {noise.kind for noise in case.noise} <= NORMALIZERS.keys()


def test_the_kinds() -> None:
    found = re.search(r"^Kinds: (.*)\.$", README, re.MULTILINE)
    assert found is not None
    assert set(found[1].split(", ")) == NORMALIZERS.keys()


@pytest.mark.parametrize("name", [*COMMANDS, *REPORTS])
def test_every_command_and_report_is_named(name: str) -> None:
    assert name in README
