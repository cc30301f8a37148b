"""Records the golden transcripts anew; run by hand: `python tests/live/record_transcripts.py [NAME]...` (`mongo [NAME]...`).

Real drivers do their scenarios against a real server, through a relay. The passwords inside are those of that throwaway server.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import psycopg  # noqa: E402

from tests.laws import transcripts  # noqa: E402
from tests.live import mongo_transcripts  # noqa: E402
from tests.live.drivers import SCENARIOS, SETUP, dsn  # noqa: E402
from tests.live.relay import Relay  # noqa: E402


def record(port: int, name: str) -> None:
    with psycopg.connect(dsn(port), autocommit=True) as admin:
        admin.execute(SETUP.encode())
    with Relay(port) as relay:
        SCENARIOS[name](relay.port)
    for number, chunks in enumerate(relay.connections):
        suffix = f"-{number + 1}" if number else ""
        path = transcripts.FOLDER / "postgres" / f"{name}{suffix}.transcript"
        path.parent.mkdir(parents=True, exist_ok=True)
        transcripts.write(path, f"{name} and PostgreSQL 18, recorded by tests/live/record_transcripts.py", chunks)
        print(path.relative_to(ROOT), sum(len(data) for _, data in chunks), "bytes")


def record_mongo(names: list[str]) -> None:
    """MongoDB's, all of them or those of the scenarios named."""
    for name in names or mongo_transcripts.SCENARIOS:
        for number, chunks in enumerate(mongo_transcripts.record(name)):
            suffix = f"-{number + 1}" if number else ""
            path = transcripts.FOLDER / "mongo" / f"{name}{suffix}.transcript"
            path.parent.mkdir(parents=True, exist_ok=True)
            transcripts.write(path, f"{name} and SecantusDB, recorded by tests/live/record_transcripts.py", chunks)
            print(path.relative_to(ROOT), sum(len(data) for _, data in chunks), "bytes")


def main() -> None:
    if sys.argv[1:2] == ["mongo"]:
        record_mongo(sys.argv[2:])
        return
    command = [sys.executable, str(ROOT / "fixtures/demo/database.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        port = int(server.stdout.readline().rsplit(":", 1)[1].split("/")[0])
        for name in sys.argv[1:] or SCENARIOS:
            record(port, name)
        server.stdin.close()


if __name__ == "__main__":
    main()
