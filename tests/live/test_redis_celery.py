"""Celery, whole: a producer and a worker recorded with a real broker, then played without one.

Every id, token and time in its messages is another one in each run, and the worker is handed a job that it must find to be the
one just queued.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from normalizers.base import When
from tests.live.relay import Relay
from tests.live.replayed import playing, taped
from tests.live.servers import redis as redis_server
from wiretape.protocols import codec

PROGRAM = Path(__file__).parents[1] / "compat/programs/redis/celery_jobs.py"
CODEC = codec("redis")


def run(url: str) -> str:
    done = subprocess.run([sys.executable, str(PROGRAM), url], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_worker_is_handed_the_job_that_was_queued(tmp_path: Path) -> None:
    began = time.time()
    with redis_server.serve() as server, Relay(server.port) as relay:
        said = run(server.at(relay.port))
    assert '["chain", 13]' in said
    tape = taped(CODEC, relay)
    assert [one.operation for one in tape.interactions if one.incomplete] == []
    with playing(CODEC, tape, tmp_path, When(recorded=began, live=time.time())) as mock:
        assert run(f"redis://:any@127.0.0.1:{mock.port}/0") == said
    assert mock.outcome is not None
    assert [miss.explain() for miss in mock.outcome.misses] == []
