"""`wiretape replay --parallel` with real services in processes of their own: the verdicts are those of one case at a time."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "fixtures/demo"
KEPT = ROOT / "fixtures/suites/orders"

type Found = dict[str, tuple[Any, ...]]


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """benchmarks/parallel_replay.py, which is a script and no package."""
    path = ROOT / "benchmarks/parallel_replay.py"
    spec = importlib.util.spec_from_file_location("wiretape_bench_parallel", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(made)
    finally:
        sys.path.remove(str(path.parent))
    return made


def replayed(folder: Path, words: Sequence[str], service: Sequence[str], env: Mapping[str, str]) -> tuple[int, Found, str]:
    """Exit code, everything found in each case, what was said."""
    report = folder / "report.jsonl"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "wiretape", "replay", *words, "--report", f"json:{report}", "--report", "terminal"]
    done = subprocess.run(
        [*command, "--", *service],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    events = [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []
    cases = [event for event in events if event["event"] == "case"]
    return done.returncode, {event["case"]: found(event) for event in cases}, done.stdout


def found(event: dict[str, Any]) -> tuple[Any, ...]:
    """What a report says of a case, but for what the service draws at random."""
    changes = [(change["path"], change["kind"]) for change in event.get("changes", ())]
    calls = [(call["kind"], call["operation"], call["count"]) for call in event.get("calls", ())]
    return event["verdict"], changes, calls, [miss["operation"] for miss in event.get("misses", ())]


def slow(folder: Path, free_port: Callable[[], int], at_once: int, *, service: Path) -> tuple[int, Found, str]:
    port, database = free_port(), free_port()
    url = f"postgresql://app:any@127.0.0.1:{database}/app?sslmode=disable"
    words = ["--suite", "suite", "--service", f"http://127.0.0.1:{port}", "--dep", f"main=postgres://@{database}"]
    command = [sys.executable, str(service), str(port), url, "5"]
    return replayed(folder, [*words, "--parallel", str(at_once)], command, {})


@pytest.mark.parametrize("at_once", [4, 8])
def test_an_asynchronous_service_does_many_cases_at_once(
    bench: ModuleType, tmp_path: Path, free_port: Callable[[], int], at_once: int
) -> None:
    bench.write_suite(tmp_path, 40)
    code, cases, said = slow(tmp_path, free_port, at_once, service=ROOT / "benchmarks/slow_service.py")
    assert code == 0, said
    assert {verdict for verdict, *_ in cases.values()} == {"passed"}
    assert list(cases) == sorted(cases, key=lambda name: int(name[-3:]) % 60)  # reported in recorded order
    shown = re.search(r"parallel: (\d+) of 40 cases beside others, (\d+) tried again alone", said)
    assert shown is not None
    assert int(shown[1]) >= 30


REGRESSIONS = {
    "another write": ('"INSERT INTO things (id, number) VALUES ($1, $2)", made, number', '"SELECT 1"'),
    "asked twice": ("row = await", "await connection.fetchval('SELECT name FROM users WHERE token = $1', 't-1'); row = await"),
    "another thing": ("WHERE number = $1\", number)", "WHERE number = $1\", number + (number == 6))"),
    "an answer less": ('{**row, "by": who}', '{**row} if number % 5 == 0 else {**row, "by": who}'),
    "it dies": ("number = int(", "path.endswith('/9') and __import__('os')._exit(3); number = int("),
}  # fmt: skip


@pytest.mark.parametrize("planted", REGRESSIONS)
def test_regressions_are_found_as_one_at_a_time(
    bench: ModuleType, tmp_path: Path, free_port: Callable[[], int], planted: str
) -> None:
    bench.write_suite(tmp_path, 12)
    old, new = REGRESSIONS[planted]
    source = (ROOT / "benchmarks/slow_service.py").read_text()
    assert source.count(old) == 1
    service = tmp_path / "service.py"
    service.write_text(source.replace(old, new))
    one = slow(tmp_path, free_port, 1, service=service)
    many = slow(tmp_path, free_port, 4, service=service)
    assert one[0] in (1, 3), one[2]
    assert many[:2] == one[:2], many[2]


@pytest.mark.parametrize("build", ["service/app.py", "build2.py"])
def test_the_demo(tmp_path: Path, free_port: Callable[[], int], build: str) -> None:
    shutil.copytree(KEPT, tmp_path, dirs_exist_ok=True)
    lines = (tmp_path / "secrets.env").read_text().splitlines()
    secrets = {name: shlex.split(value)[0] for name, _, value in (line.partition("=") for line in lines)}

    def run(at_once: int) -> tuple[int, Found, str]:
        port, database = free_port(), free_port()
        url = f"postgresql://app:any@127.0.0.1:{database}/app?sslmode=disable"
        env = {**secrets, "PORT": str(port), "DB_PORT": str(database), "DATABASE_URL": url}
        return replayed(tmp_path, ["--parallel", str(at_once)], [sys.executable, str(DEMO / build)], env)

    one, many = run(1), run(4)
    assert one[0] == (0 if build == "service/app.py" else 1), one[2]
    assert many[:2] == one[:2], many[2]
    assert "beside others" in many[2]
    assert "beside others" not in one[2]


def test_what_cannot_go_together(tmp_path: Path, free_port: Callable[[], int], bench: ModuleType) -> None:
    bench.write_suite(tmp_path, 2)
    service = f"http://127.0.0.1:{free_port()}"
    words = ["--suite", "suite", "--service", service, "--dep", f"main=postgres://@{free_port()}", "--parallel", "2"]
    code, _, said = replayed(tmp_path, [*words, "--freeze-time"], ["true"], {})
    assert code == 2
    assert "--freeze-time sets the service's clock anew for each case, one at a time; leave it or --parallel out" in said
    code, _, said = replayed(tmp_path, [*words, "--on-miss", "passthrough"], ["true"], {})
    assert code == 2
    assert "--parallel may try a case twice, and the real server would see both; leave it or --on-miss out" in said
