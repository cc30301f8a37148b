"""A service that reaches HTTP(S) through `HTTP_PROXY`: recorded with no address changed, replayed with the servers gone."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.live.wholeprogram import Program
from tests.recorder.tlsservers import Authority

WORK = """
import os, urllib.request
def work(name):
    with urllib.request.urlopen(os.environ["PLAIN"] + "/plain/" + name) as one:
        first = one.read().decode()
    with urllib.request.urlopen(os.environ["SECURE"] + "/secure?name=" + name) as two:
        return [first, two.read().decode()]
"""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"hello from {self.path}".encode()
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None: ...


@contextmanager
def web(context: ssl.SSLContext | None = None) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_recorded_and_replayed_with_the_servers_gone(tmp_path: Path, free_port) -> None:
    other = Authority(tmp_path / "other")
    program = Program(folder=tmp_path, port=free_port(), front=free_port(), work=WORK)
    (tmp_path / "wiretape.yaml").write_text(f"wiretape: 1\nproxy: {{listen: {free_port()}, ca: {other.certificate}}}\n")
    with web() as plain, web(other.serving()) as secure:
        program.env = {"PLAIN": f"http://127.0.0.1:{plain}", "SECURE": f"https://localhost:{secure}"}
        said = program.record(paths=("a", "b"))
    assert "the forward proxy listens on" in said
    names = (f"host-127-0-0-1-{plain}", f"localhost-{secure}")
    case = program.case("get-a-200")
    assert case["response"]["body"] == ["hello from /plain/a", "hello from /secure?name=a"]  # type: ignore[index]
    assert [next(iter(call.items())) for call in case["calls"]] == [  # type: ignore[attr-defined]
        (names[0], "GET /plain/a"),
        (names[1], "GET /secure?name=a"),
    ]
    assert program.facts()[names[1]]["address"] == f"localhost:{secure}"
    done = program.replay()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed, 0 failed" in done.stdout

    program.env["PLAIN"] = "http://127.0.0.1:1"
    done = program.replay()
    assert done.returncode == 1
    assert "nothing was recorded of 127.0.0.1:1" in done.stdout + done.stderr or "HTTP to 127.0.0.1:1" in done.stdout
