"""`wiretape record --again` as a person runs it: doubtful cases are sent once more, one at a time, and replaced."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from wiretape.case import Case
from wiretape.store import load_suite

ROOT = Path(__file__).parent.parent.parent
SERVICE = """
import http.server, json, os, secrets, signal, sys, threading, psycopg
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
together = threading.Barrier(2) if os.environ.get("TOGETHER") else None
with psycopg.connect(os.environ["DSN"]) as base:
    base.execute("create table if not exists tokens (token text, name text)")
    base.execute("create table if not exists orders (id uuid default gen_random_uuid(), ref text unique, name text)")

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/login":
            token = secrets.token_hex(16)
            self.ask("insert into tokens values (%s, %s)", token, wanted["name"])
            return self.answer(200, {"token": token})
        try:
            return self.answer(201, {"id": str(self.ask(
                "insert into orders (ref, name) values (%s, %s) returning id", wanted["ref"], self.name())[0])})
        except psycopg.errors.UniqueViolation:
            return self.answer(409, {"error": "taken"})

    def do_GET(self):
        name = self.name()
        self.answer(200 if name else 401, {"name": name})

    def name(self):
        self.meet()
        found = self.ask("select name from tokens where token = %s", self.headers["Authorization"].removeprefix("Bearer "))
        self.meet()
        return found and found[0]

    def meet(self):
        if together is not None:
            together.wait(20)

    def ask(self, sql, *values):
        with psycopg.connect(os.environ["DSN"], autocommit=True) as base:
            asked = base.execute(sql, values)
            return asked.fetchone() if asked.description else None

    def answer(self, status, tree):
        data = json.dumps(tree).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_): pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
DRIVE = """
import json, os, threading, urllib.request

def send(method, path, body=None, token=""):
    data = json.dumps(body).encode() if body else None
    head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(os.environ["WIRETAPE_URL"] + path, data, head, method=method)
    return json.loads(urllib.request.urlopen(request, timeout=20).read())

def both(*requests):
    threads = [threading.Thread(target=send, args=one) for one in requests]
    for one in threads: one.start()
    for one in threads: one.join()

token = send("POST", "/login", {"name": "ann"})["token"]
both(("GET", "/me", None, token), ("GET", "/me?again", None, token))
both(("POST", "/orders", {"ref": "first"}, token), ("POST", "/orders", {"ref": "second"}, token))
"""


class Project:
    """A folder with a service, its traffic and a configuration."""

    def __init__(self, folder: Path, free_port: Callable[[], int], database: int) -> None:
        self.folder, self.database = folder, database
        self.service, self.front, self.main = free_port(), free_port(), free_port()
        (folder / "service.py").write_text(SERVICE)
        (folder / "drive.py").write_text(DRIVE)
        (folder / "wiretape.yaml").write_text(
            "wiretape: 1\n"
            f"service: {{url: 'http://127.0.0.1:{self.service}', listen: '127.0.0.1:{self.front}', ready_timeout: 20}}\n"
            "targets:\n"
            f"  main: {{protocol: postgres, listen: '127.0.0.1:{self.main}', upstream: '127.0.0.1:{database}'}}\n"
        )

    def run(self, *arguments: str, **environ: str) -> tuple[int, str, str]:
        dsn = f"postgresql://app:secret@127.0.0.1:{self.main}/app"
        told = {**os.environ, "PYTHONPATH": str(ROOT), "DSN": dsn, "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(
            [sys.executable, "-m", "wiretape", *arguments],
            cwd=self.folder,
            env={**told, **environ},
            text=True,
            capture_output=True,
            timeout=60,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout, done.stderr

    @property
    def command(self) -> list[str]:
        return ["--", sys.executable, "service.py", str(self.service)]

    def cases(self) -> dict[str, Case]:
        return {case.name: case for case in load_suite(self.folder / "suite").cases}


@pytest.fixture
def project(tmp_path: Path, free_port: Callable[[], int], postgres) -> Project:  # type: ignore[no-untyped-def]
    with psycopg.connect(postgres.url, autocommit=True) as admin:  # other tests of this run have tables of these names, too
        admin.execute("drop table if exists tokens, orders")
    return Project(tmp_path, free_port, postgres.port)


def test_doubtful_cases_are_replaced_and_what_cannot_be_repeated_stays(project: Project) -> None:
    code, out, err = project.run("record", "--drive", f"{sys.executable} drive.py", *project.command, TOGETHER="1")
    assert code == 0, err
    before = project.cases()
    doubtful = {name for name, case in before.items() if case.attributed == "ambiguous"}
    assert doubtful == {"get-me-200", "get-me-200-2", "post-orders-201", "post-orders-201-2"}
    me = project.folder / "suite/get-me-200.yaml"
    me.write_text(me.read_text() + "noise:  # by hand\n- response.body.name: any  # names change\n- calls[1].rows: any\n")
    old = project.cases()["get-me-200"]

    code, again, err = project.run("record", "--again", *project.command)
    assert code == 0, err
    why = (
        "answered 409 this time, 201 when it was recorded (what it did then may stand in its way now: put the service's data "
        "back as they were)"
    )
    assert again.splitlines() == [
        "recorded again: get-me-200 (1 call, certain; the noise rule calls[1].rows has no place any more and is gone)",
        "recorded again: get-me-200-2 (1 call, certain)",
        f"left as it was: post-orders-201: {why}",
        f"left as it was: post-orders-201-2: {why}",
        "2 cases recorded again, 2 left as before",
    ]
    assert "post-login-200: POST /login -> 200" in err
    assert "; sent because others need its answer)" in err
    after = project.cases()
    assert list(after) == list(before)  # in the order in which they were recorded first
    assert {name for name, case in after.items() if case.attributed == "ambiguous"} == {"post-orders-201", "post-orders-201-2"}
    new = after["get-me-200"]
    assert (new.attributed, len(new.calls), len(old.calls)) == ("serialize", 1, 2)
    assert new.first_recorded == old.recorded < new.recorded
    # The token is another one, but the case speaks of the one that was recorded.
    assert new.request == old.request
    assert "Bearer ${post-login-200.response.body.token}" in me.read_text()
    assert new.calls[0].fields["params"] == ["${secret:post-login-200-token}"] == old.calls[0].fields["params"]
    assert "noise:  # by hand\n- response.body.name: any  # names change\n" in me.read_text()
    assert sorted(path.name for path in (project.folder / ".wiretape").iterdir()) == [
        ".gitignore",
        "ca",
        "captures",
        "secrets.yaml",
    ]
    assert list((project.folder / ".wiretape/captures").iterdir()) == []
    code, out, err = project.run("replay", *project.command)
    assert code == 0, out + err

    with psycopg.connect(f"postgresql://app:secret@127.0.0.1:{project.database}/app", autocommit=True) as admin:
        admin.execute("delete from orders")
    code, again, err = project.run("record", "--again", "--case", "post-orders-201*", *project.command)
    assert code == 0, err
    assert again.splitlines()[-1] == "2 cases recorded again, 0 left as before"
    last = project.cases()
    assert {case.attributed for case in last.values()} == {"in-flight", "serialize"}
    # The id is another one, too, and stands where the former one stood.
    assert last["post-orders-201"].response.body == before["post-orders-201"].response.body
    code, out, err = project.run("replay", *project.command)
    assert code == 0, out + err
    assert project.run("record", "--again", *project.command)[:2] == (
        0,
        "nothing to record again: no case is ambiguous or incomplete; name one with --case\n",
    )


def test_options_that_do_not_go_together(project: Project) -> None:
    code, _, err = project.run("record", "--again", "--drive", "true", *project.command)
    assert (code, err) == (
        2,
        "wiretape: --again sends the requests of the cases itself; leave out --drive and what filters requests\n",
    )
    code, _, err = project.run("record", "--case", "x", *project.command)
    assert (code, err) == (2, "wiretape: --case is for --again, which sends the requests of these cases once more\n")
    code, _, err = project.run("record", "--again", *project.command)
    assert (code, err) == (
        2,
        f"wiretape: there is no suite folder {project.folder / 'suite'}; record one with `wiretape record`\n",
    )
