"""`wiretape replay --parallel N` against one case at a time, in the same rounds: the demo's kept suite, and a service that
takes 20 ms for each request. The verdicts must be the same.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from harness import ROOT, WIRETAPE, Result, Unavailable, free_port, in_turn

CASES = 200
DELAY = 20  # milliseconds that the slow service takes for each request
WHO = """\
- main: BEGIN
- main: SELECT name FROM users WHERE token = $1
  params: [t-1]
  columns: {name: text}
  rows: [[Alice]]
"""
GET = """\
wiretape: 1
name: get-thing-%(number)03d
recorded: "2026-11-20T10:00:%(second)02dZ"
request: {method: GET, path: /things/%(number)d}
response:
  status: 200
  headers: {content-type: application/json}
  body: {number: %(number)d, name: Lamp %(number)d, by: Alice}
calls:
%(who)s- main: SELECT number, name FROM things WHERE number = $1
  params: [%(number)d]
  columns: {number: int4, name: text}
  rows: [[%(number)d, Lamp %(number)d]]
- main: COMMIT
"""
POST = """\
wiretape: 1
name: post-thing-%(number)03d
recorded: "2026-11-20T10:00:%(second)02dZ"
request: {method: POST, path: /things/%(number)d}
response:
  status: 201
  headers: {content-type: application/json}
  body: {id: 7b0e4d2a-1111-4222-8333-%(number)012d, by: Alice}
calls:
%(who)s- main: INSERT INTO things (id, number) VALUES ($1, $2)
  params: [7b0e4d2a-1111-4222-8333-%(number)012d, %(number)d]
  columns: {}
  tag: INSERT 0 1
- main: COMMIT
"""

type Verdicts = dict[str, str]


def write_suite(folder: Path, cases: int = CASES) -> None:
    """Three reads to a write, every one of them by the same user."""
    (folder / "suite").mkdir(parents=True, exist_ok=True)
    (folder / "suite/suite.yaml").write_text("wiretape: 1\n")
    for number in range(cases):
        form = POST if number % 4 == 3 else GET
        text = form % {"number": number, "second": number % 60, "who": WHO}
        (folder / f"suite/thing-{number:03d}.yaml").write_text(text)


def slow(folder: Path, at_once: int) -> tuple[float, Verdicts]:
    """Replay the suite in a folder against the slow service."""
    port, database = free_port(), free_port()
    url = f"postgresql://app:any@127.0.0.1:{database}/app?sslmode=disable"
    service = [sys.executable, str(ROOT / "benchmarks/slow_service.py"), str(port), url, str(DELAY)]
    words = ["--suite", "suite", "--service", f"http://127.0.0.1:{port}", "--dep", f"main=postgres://@{database}"]
    return replay(folder, [*words, "--parallel", str(at_once)], service, {})


def demo(folder: Path, at_once: int) -> tuple[float, Verdicts]:
    """Replay the demo's kept suite, a copy of which is in a folder."""
    port, database = free_port(), free_port()
    secrets = dict(line.partition("=")[::2] for line in (folder / "secrets.env").read_text().splitlines())
    env = {name: shlex.split(value)[0] for name, value in secrets.items()} | {
        "PORT": str(port),
        "DB_PORT": str(database),
        "DATABASE_URL": f"postgresql://app:any@127.0.0.1:{database}/app?sslmode=disable",
    }
    service = [sys.executable, str(ROOT / "fixtures/demo/service/app.py")]
    return replay(folder, ["--parallel", str(at_once)], service, env)


def replay(folder: Path, words: Sequence[str], service: Sequence[str], env: dict[str, str]) -> tuple[float, Verdicts]:
    """Seconds that the run took, start of the service and all, and the verdicts."""
    report = folder / "report.jsonl"
    command = [*WIRETAPE, "replay", *words, "--report", f"json:{report}", "--", *service]
    told = {**os.environ, "PYTHONPATH": str(ROOT), **env}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=told)
    if done.returncode:
        raise Unavailable(f"replay exited with {done.returncode}: {(done.stdout + done.stderr).strip()[-300:]}")
    events = [json.loads(line) for line in report.read_text().splitlines()]
    return events[-1]["elapsed"], {event["case"]: event["verdict"] for event in events if event["event"] == "case"}


def measure(rounds: int, seconds: float) -> list[Result]:  # noqa: ARG001
    with tempfile.TemporaryDirectory(prefix="wiretape-bench-") as name:
        folder = Path(name)
        write_suite(folder / "slow")
        shutil.copytree(ROOT / "fixtures/suites/orders", folder / "demo")
        return [
            *_results(f"{CASES} cases of {DELAY} ms", CASES, rounds, lambda n: slow(folder / "slow", n), 3),
            *_results("the demo's suite", 10, rounds, lambda n: demo(folder / "demo", n), 0.9),
        ]


def _results(name: str, cases: int, rounds: int, run: Callable[[int], tuple[float, Verdicts]], aim: float) -> list[Result]:
    verdicts: list[Verdicts] = []

    def rate(at_once: int) -> float:
        took, found = run(at_once)
        verdicts.append(found)
        return cases / took

    found = in_turn(rounds, {str(n): lambda n=n: rate(n) for n in (1, 4, 8)})  # type: ignore[misc]  # n is bound here
    if any(each != verdicts[0] for each in verdicts):
        raise Unavailable(f"{name}: the verdicts differ")
    one = found["1"]
    return [
        Result(name=f"{name}, {n} at once", ours=found[n], other=one, unit="cases/s", aim=aim, other_name="one at a time")
        for n in ("4", "8")
    ]
