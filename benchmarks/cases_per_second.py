"""Cases replayed a second against a trivial service, from the command's start to its end."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import ROOT, WIRETAPE, Result, Unavailable, free_port, in_turn

CASES = 2000
AIM = 300  # cases a second
CASE = """\
wiretape: 1
name: get-product-{number}
request:
  method: GET
  path: /products/{number}
  headers: {{accept: "*/*"}}
response:
  status: 200
  headers: {{content-type: application/json}}
  body: {{id: 17, sku: LAMP-01, name: Desk lamp, price: "39.90", tags: [desk, led], available: 50}}
"""


def replay(folder: Path, port: int) -> float:
    service = [sys.executable, str(ROOT / "benchmarks/trivial.py"), str(port)]
    command = [*WIRETAPE, "replay", "--suite", "suite", "--service", f"http://127.0.0.1:{port}", "--", *service]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"replay exited with {done.returncode}: {(done.stdout + done.stderr).strip()[-300:]}")
    return CASES / (time.perf_counter() - began)


def measure(rounds: int, seconds: float) -> list[Result]:  # noqa: ARG001
    with tempfile.TemporaryDirectory(prefix="wiretape-bench-") as name:
        folder = Path(name)
        (folder / "suite").mkdir()
        (folder / "suite/suite.yaml").write_text("wiretape: 1\n")
        for number in range(CASES):
            (folder / f"suite/get-product-{number}.yaml").write_text(CASE.format(number=number))
        found = in_turn(rounds, {"ours": lambda: replay(folder, free_port())})
    return [
        Result(name=f"{CASES} cases, whole command", ours=found["ours"], other=AIM, unit="cases/s", aim=1, other_name="the aim")
    ]
