"""Local capture: a service with a database, a cache and an HTTP dependency is recorded with no configuration at all.

Needs root and a kernel that can.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import serve_postgres
from tests.live.test_forward_proxy import web
from tests.live.wholeprogram import Program
from wiretape import ebpf

WORK = """
import os, urllib.request, psycopg, redis
def work(name):
    with psycopg.connect(os.environ["DATABASE"]) as link:
        row = link.execute("select upper(%s)", [name]).fetchone()
    cache = redis.Redis(host="127.0.0.1", port=int(os.environ["CACHE"]))
    cache.set("name", row[0])
    with urllib.request.urlopen(os.environ["WEB"] + "/hello/" + name) as answer:
        return [cache.get("name").decode(), answer.read().decode()]
"""


@contextmanager
def redis_server(port: int, folder: Path) -> Iterator[None]:
    command = ["redis-server", "--port", str(port), "--dir", str(folder), "--save", "", "--bind", "127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        assert any("Ready to accept" in line for line in server.stdout)
        yield
        server.terminate()
        server.stdout.read()


@pytest.mark.skipif(bool(ebpf.missing()), reason="; ".join(ebpf.missing()))
def test_recorded_with_no_configuration_and_replayed_with_the_servers_gone(tmp_path: Path, free_port) -> None:
    program = Program(folder=tmp_path, port=free_port(), front=free_port(), work=WORK)
    cache = free_port()
    for postgres in serve_postgres():
        with web() as port, redis_server(cache, tmp_path):
            program.env = {
                "DATABASE": f"host=127.0.0.1 port={postgres.port} user=app dbname=app password=secret",
                "CACHE": str(cache),
                "WEB": f"http://127.0.0.1:{port}",
            }
            said = program.record("--capture", "local", paths=("a", "b"))
            main = postgres.port
    case = program.case("get-a-200")
    assert case["response"]["body"] == ["A", "hello from /hello/a"], said  # type: ignore[index]
    names = ("postgres", "redis", f"host-127-0-0-1-{port}")
    assert {next(iter(call)) for call in case["calls"]} == {*names}  # type: ignore[attr-defined]
    facts = program.facts()
    assert (facts["postgres"]["protocol"], facts["postgres"]["address"]) == ("postgres", f"127.0.0.1:{main}")
    assert "target redis speaks redis" in said
    assert not list((ebpf.control_groups() or tmp_path).glob("wiretape-*"))
    done = program.replay()
    assert "2 passed, 0 failed" in done.stdout, done.stdout + done.stderr


FORKING = """
import os, subprocess, sys
def work(name):
    code = "import urllib.request,sys; print(urllib.request.urlopen(sys.argv[1]).read().decode())"
    return subprocess.run([sys.executable, "-c", code, os.environ["WEB"] + "/" + name], capture_output=True, text=True).stdout
"""


@pytest.mark.skipif(bool(ebpf.missing()), reason="; ".join(ebpf.missing()))
def test_children_are_captured_from_their_first_instruction_on(tmp_path: Path, free_port) -> None:
    program = Program(folder=tmp_path, port=free_port(), front=free_port(), work=FORKING)
    with web() as port:
        program.env = {"WEB": f"http://127.0.0.1:{port}"}
        program.record("--capture", "local", paths=("a",))
    (call,) = program.case("get-a-200")["calls"]  # type: ignore[misc]
    assert next(iter(call.items())) == (f"host-127-0-0-1-{port}", "GET /a")


def test_what_is_missing_is_said_and_nothing_is_recorded(tmp_path: Path, free_port) -> None:
    program = Program(folder=tmp_path, port=free_port(), front=free_port(), work="def work(name): return name\n")
    program.prefix = ["unshare", "-m", "sh", "-c", 'umount -a -t cgroup2 -l; exec "$@"', "sh"]
    service = f"http://127.0.0.1:{program.port}@{program.front}"
    done = program.run("record", "--service", service, "--capture", "local", *program.command)
    assert done.returncode == 3, done.stderr
    assert "local capture cannot work here: no control groups (cgroup2) are mounted; mount -t cgroup2" in done.stderr
    assert not (tmp_path / "suite").exists()


def test_local_capture_needs_a_command(tmp_path: Path, free_port) -> None:
    program = Program(folder=tmp_path, port=free_port(), front=free_port(), work="")
    service = f"http://127.0.0.1:{program.port}@{program.front}"
    done = program.run("record", "--service", service, "--capture", "local")
    assert done.returncode == 2
    assert "give its command after --" in done.stderr
