"""`wiretape send`: which cases are sent, what is carried from one answer into the next request, what is said."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from wiretape.sent import read_sent

ROOT = Path(__file__).parent.parent.parent
HEAD = "wiretape: 1\nname: {name}\nrecorded: '2026-11-20T10:00:0{turn}Z'\n"
TOKEN = "5f2d1c9a7b3e4f60a1b2c3d4e5f60718"
CASES = {
    "login": "request: {method: POST, path: /login, headers: {content-type: application/json}, body: {name: ann}}\n"
    f"response: {{status: 200, headers: {{content-type: application/json}}, body: {{token: {TOKEN}}}}}\n",
    "order": "request: {method: POST, path: /orders, headers: {content-type: application/json}, body: {sku: A1}}\n"
    "response: {status: 201, headers: {content-type: application/json}, body: {id: 17}}\n",
    "other": "request: {method: GET, path: /other}\nresponse: {status: 200}\n",
    "mine": "request: {method: GET, path: '/orders/${order.response.body.id}', "
    f"headers: {{authorization: Bearer {TOKEN}}}}}\n"
    "response: {status: 200}\n",
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[tuple[str, str, str]]] = []

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        self.seen.append((f"{self.command} {self.path}", self.headers.get("authorization", ""), body))
        if self.path == "/other":
            self.close_connection = True
            return
        answer = {"/login": {"token": "ff" * 16}, "/orders": {"id": 99}}.get(self.path, {})
        data = json.dumps(answer).encode()
        self.send_response(201 if self.path == "/orders" else 404 if "99" in self.path else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _any  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002


@pytest.fixture
def service() -> Iterator[str]:
    Handler.seen.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "suite").mkdir()
    for turn, (name, text) in enumerate(CASES.items()):
        (tmp_path / f"suite/{name}.yaml").write_text(HEAD.format(name=name, turn=turn) + text)
    return tmp_path


def send(folder: Path, *arguments: str) -> tuple[int, list[str], str]:
    done = subprocess.run(
        [sys.executable, "-m", "wiretape", "send", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        capture_output=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, [line.partition(" (")[0] for line in done.stdout.splitlines()], done.stderr


def test_live_values_are_carried_and_what_a_case_builds_on_is_sent_first(suite: Path, service: str) -> None:
    log = suite / "sent.jsonl"
    code, out, err = send(suite, "--suite", "suite", "--url", service, "--case", "mine", "--log", str(log))
    assert (code, err) == (0, "")
    assert out == [
        "login: POST /login -> 200",
        "order: POST /orders -> 201",
        "mine: GET /orders/17 -> 404, recorded 200",
        "3 answered, 1 with another status than recorded, 0 unanswered",
    ]
    assert Handler.seen == [
        ("POST /login", "", '{"name":"ann"}'),
        ("POST /orders", "", '{"sku":"A1"}'),
        ("GET /orders/99", f"Bearer {'ff' * 16}", ""),
    ]
    assert log.stat().st_mode & 0o777 == 0o600
    sent = read_sent(log)
    assert [(one.case, one.status, dict(one.standing)) for one in sent] == [
        ("login", 200, {TOKEN: "ff" * 16}),
        ("order", 201, {"17": "99"}),
        ("mine", 404, {}),
    ]
    assert len({one.digest for one in sent}) == 3


def test_no_answer_is_said_and_the_rest_is_sent_all_the_same(suite: Path, service: str) -> None:
    (suite / "names.txt").write_text("oth*\nlogin\n")
    code, out, _ = send(suite, "--suite", "suite", "--url", service, "--cases-from", "names.txt")
    assert code == 3
    assert out == [
        "login: POST /login -> 200",
        "other: no answer: the answer is not whole: the connection ended before a response",
        "1 answered, 0 with another status than recorded, 1 unanswered",
    ]


def test_what_cannot_be_sent_is_one_line(suite: Path) -> None:
    def line(*arguments: str) -> tuple[int, str]:
        code, _, err = send(suite, "--suite", "suite", *arguments)
        return code, err

    assert line("--url", "http://192.0.2.1:80") == (
        2,
        "wiretape: http://192.0.2.1:80 is not on this machine; add --allow-remote to send recorded requests there\n",
    )
    assert line("--url", "http://127.0.0.1:1", "--cases-from", "none") == (
        2,
        "wiretape: --cases-from none: cannot be read: No such file or directory\n",
    )
    assert line("--url", "http://127.0.0.1:1", "--case", "mime") == (2, "wiretape: no case is called mime; there are mine\n")
    code, err = line("--url", "http://127.0.0.1:1", "--log", "none/x")
    assert (code, err) == (2, "wiretape: cannot write none/x: No such file or directory\n")
