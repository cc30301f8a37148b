"""What the benchmarks share: servers that come and go, rounds in turn, medians, and the table."""

from __future__ import annotations

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
WIRETAPE = (sys.executable, "-m", "wiretape")


class Unavailable(Exception):
    """A benchmark cannot run here; the message says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of the table: `ours` against `other`, the ratio aimed at, and whether a higher figure is better."""

    name: str
    ours: float
    other: float
    unit: str
    aim: float
    other_name: str
    less_is_better: bool = False

    @property
    def ratio(self) -> float:
        return self.ours / self.other

    @property
    def met(self) -> bool:
        return self.ratio <= self.aim if self.less_is_better else self.ratio >= self.aim


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server and what it says."""

    process: subprocess.Popen[bytes]
    log: IO[bytes]

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace").strip()

    def interrupt(self) -> str:
        """Ends it as Ctrl-C would; all it said."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=120)
        return self.said()

    def await_port(self, port: int) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Unavailable(f"{self.process.args!r} exited with {self.process.returncode}: {self.said()[-500:]}")
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise Unavailable(f"{self.process.args!r} did not listen on port {port} within 30 s")


@contextmanager
def running(command: Sequence[str], port: int, cwd: Path = ROOT) -> Iterator[Server]:
    """A server in its own process group, from the moment `port` accepts connections; killed after the block."""
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True) as process,
    ):
        server = Server(process=process, log=log)
        try:
            server.await_port(port)
            yield server
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=30)


@contextmanager
def postgres(*flags: str) -> Iterator[str]:
    """A private PostgreSQL; its URL."""
    command = [sys.executable, str(ROOT / "fixtures/demo/database.py"), *flags]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        word, _, url = server.stdout.readline().strip().partition(" ")
        if word != "ready":
            raise Unavailable("PostgreSQL did not start")
        try:
            yield url
        finally:
            server.terminate()
            server.wait(timeout=30)


def in_turn(rounds: int, contenders: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """The median figure of each contender; they run in turn, so that a busy machine is busy for all of them."""
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            figures[name].append(run())
    return {name: statistics.median(found) for name, found in figures.items()}


def figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(results: Sequence[Result]) -> str:
    head = ("what", "wiretape", "against", "", "ratio", "aim", "")
    lines = [
        (
            result.name,
            f"{figure(result.ours)} {result.unit}",
            f"{figure(result.other)} {result.unit}",
            result.other_name,
            f"{result.ratio:.2f}",
            f"{'<=' if result.less_is_better else '>='} {result.aim:g}",
            "met" if result.met else "NOT MET",
        )
        for result in results
    ]
    widths = [max(len(line[column]) for line in (head, *lines)) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in (head, *lines)
    )
