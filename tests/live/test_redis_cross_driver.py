"""What one driver recorded is played to itself, to the other protocol, and to another driver, with the server stopped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from replayer import calls
from tests.live.relay import Relay
from tests.live.replayed import Taped, playing, taped
from tests.live.servers import redis as redis_server
from wiretape.protocols import codec

CODEC = codec("redis")
PROGRAMS = Path(__file__).parents[1] / "compat/programs"


@dataclass(frozen=True, slots=True)
class Program:
    """How a program is run."""

    words: tuple[str, ...]
    file: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def run(self, url: str) -> str:
        if shutil.which(self.words[0]) is None:
            pytest.fail(f"{self.words[0]} is not installed; run .ci/servers")
        environ = {**os.environ, "LONG": "1000", **self.environ}
        done = subprocess.run(
            [*self.words, str(self.file), url], env=environ, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout
        return done.stdout


def python(name: str, **environ: str) -> Program:
    return Program((sys.executable,), PROGRAMS / "redis" / name, environ)


PROGRAM: Mapping[str, Program] = {
    "redis-py RESP2": python("redis_sync.py", PROTOCOL="2"),
    "redis-py RESP3": python("redis_sync.py", PROTOCOL="3"),
    "redis-py RESP2, its own parser": python("redis_sync.py", PROTOCOL="2", PARSER="python"),
    "redis-py RESP3, its own parser": python("redis_sync.py", PROTOCOL="3", PARSER="python"),
    "redis-py asyncio RESP2": python("redis_async.py", PROTOCOL="2"),
    "redis-py asyncio RESP3": python("redis_async.py", PROTOCOL="3"),
    "redis-cli": Program(("sh",), PROGRAMS / "redis/redis_cli.sh"),
}
OTHER_PROTOCOL = [
    ("redis-py RESP2", "redis-py RESP3"),
    ("redis-py RESP3", "redis-py RESP2"),
    ("redis-py asyncio RESP2", "redis-py asyncio RESP3"),
    ("redis-py asyncio RESP3", "redis-py asyncio RESP2"),
]


def record(program: Program) -> tuple[str, Taped]:
    with redis_server.serve() as server, Relay(server.port) as relay:
        said = program.run(server.at(relay.port))
    tape = taped(CODEC, relay)
    assert [one.operation for one in tape.interactions if one.incomplete] == []
    return said, tape


def play(tape: Taped, program: Program, home: Path) -> tuple[str, list[str]]:
    with playing(CODEC, tape, home) as mock:
        said = program.run(f"redis://:any@127.0.0.1:{mock.port}/0")
    assert mock.outcome is not None
    return said, [miss.explain() for miss in mock.outcome.misses] + [repr(each) for each in calls.compare(mock.outcome)]


@pytest.mark.parametrize("name", PROGRAM)
def test_a_driver_gets_the_recorded_answers(name: str, tmp_path: Path) -> None:
    said, tape = record(PROGRAM[name])
    assert play(tape, PROGRAM[name], tmp_path) == (said, [])


@pytest.mark.parametrize(("recorded", "played"), OTHER_PROTOCOL, ids=lambda name: name.replace(" ", "-"))
def test_the_protocol_may_change(recorded: str, played: str, tmp_path: Path) -> None:
    _, tape = record(PROGRAM[recorded])
    expected, _ = record(PROGRAM[played])
    assert play(tape, PROGRAM[played], tmp_path) == (expected, [])


@pytest.mark.parametrize("made", ["redis-py", "ioredis"])
def test_the_driver_may_change(made: str, tmp_path: Path) -> None:
    both = {
        "redis-py": Program((sys.executable, "-P"), PROGRAMS / "cross/redis_py.py"),
        "ioredis": Program(("node",), PROGRAMS / "cross/redis_ioredis.mjs"),
    }
    said, tape = record(both[made])
    for program in both.values():
        assert play(tape, program, tmp_path) == (said, [])
