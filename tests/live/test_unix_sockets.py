"""Dependencies over Unix sockets: recorded from one to another, replayed on the same path; a mix with TCP as well."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import serve_postgres
from tests.live.wholeprogram import Program

WORK = """
import os, psycopg, redis
def work(name):
    with psycopg.connect(os.environ["DATABASE"]) as link:
        row = link.execute("select upper(%s)", [name]).fetchone()
    cache = redis.Redis(unix_socket_path=os.environ["CACHE"])
    cache.set("name", row[0])
    return [row[0], cache.get("name").decode()]
"""


@contextmanager
def redis_at(path: Path) -> Iterator[None]:
    command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--dir", str(path.parent), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        assert any("eady to accept" in line for line in server.stdout)
        yield
        server.terminate()
        server.stdout.read()


def test_recorded_and_replayed(tmp_path: Path, free_port) -> None:
    real, ours = tmp_path / "real", tmp_path / "ours"
    real.mkdir()
    ours.mkdir()
    tmp_path.chmod(0o755)
    for folder in (tmp_path, *tmp_path.parents[:3], real):
        folder.chmod(0o777)
    program = Program(folder=tmp_path, port=free_port(), front=free_port(), work=WORK)
    program.env = {
        "DATABASE": f"host={ours} port=5432 user=app dbname=app password=secret",
        "CACHE": f"{ours}/redis.sock",
    }
    for postgres in serve_postgres("--option", f"unix_socket_directories={real}"):
        (tmp_path / "wiretape.yaml").write_text(f"""
wiretape: 1
targets:
  main: {{protocol: postgres, listen: "unix:{ours}/.s.PGSQL.5432", upstream: "unix:{real}/.s.PGSQL.{postgres.port}"}}
  cache: {{protocol: redis, listen: "unix:{ours}/redis.sock", upstream: "unix:{real}/redis.sock"}}
""")
        with redis_at(real / "redis.sock"):
            said = program.record(paths=("a", "b"))
    case = program.case("get-a-200")
    assert case["response"]["body"] == ["A", "A"], said  # type: ignore[index]
    assert {next(iter(call)) for call in case["calls"]} == {"main", "cache"}  # type: ignore[attr-defined]
    assert list(ours.iterdir()) == []
    done = program.replay()
    assert "2 passed, 0 failed" in done.stdout, done.stdout + done.stderr
    assert list(ours.iterdir()) == []
