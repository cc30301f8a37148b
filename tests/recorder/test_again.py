"""`wiretape record --again` as a person runs it: doubtful cases are sent once more, one at a time, and replaced in their files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

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
        if together is not None:
            together.wait(20)
        found = self.ask("select name from tokens where token = %s", self.headers["Authorization"].removeprefix("Bearer "))
        return found and found[0]

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
        self.folder = folder
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
    return Project(tmp_path, free_port, postgres.port)


def test_doubtful_cases_are_replaced_and_what_cannot_be_repeated_stays(project: Project) -> None:
    code, out, err = project.run("record", "--drive", f"{sys.executable} drive.py", *project.command, TOGETHER="1")
    assert code == 0, err
    before = project.cases()
    doubtful = {name for name, case in before.items() if case.attributed == "ambiguous"}
    assert doubtful == {"get-me-200", "get-me-200-2", "post-orders-201", "post-orders-201-2"}
    me = project.folder / "suite/get-me-200.yaml"
    me.write_text(me.read_text() + "noise:  # by hand\n- response.body.name: any  # names change\n- calls[0].rows: any\n")

    code, out, err = project.run("record", "--again", *project.command)
    assert code == 0, err
    print(out, err)
    assert 0
