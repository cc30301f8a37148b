"""A tiny service for the replayer's tests: `python service.py PORT [BEHAVIOUR]`; asks PostgreSQL where DATABASE_URL is set."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BEHAVIOUR = sys.argv[2] if len(sys.argv) > 2 else ""


def rows(sql: str, *params: object) -> list[tuple[object, ...]]:
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        return connection.execute(sql, params).fetchall()


def lamp() -> object:
    name = "price" if BEHAVIOUR == "other-shape" else "id"
    for _ in range(3 if BEHAVIOUR == "n+1" else 1):
        found = rows(f"SELECT id, name FROM goods WHERE {name} = %s", 8 if BEHAVIOUR == "other-value" else 7)
    return {"id": found[0][0], "name": found[0][1]}


def order() -> object:
    fresh = str(uuid.uuid4())
    rows("INSERT INTO orders (id) VALUES (%s) RETURNING id", fresh)
    return {"id": fresh, "self": f"/orders/{fresh}"}


def late() -> object:
    thread = threading.Timer(0.05, rows, ("INSERT INTO late (id) VALUES (%s) RETURNING id", 1))
    thread.start()
    return {"ok": True}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/die":
            sys.stderr.write("about to die\n")
            sys.stderr.flush()
            os._exit(7)
        if self.path == "/hang":
            threading.Event().wait()
        answers = {"/": lambda: {"greeting": "hello", "n": "1" if BEHAVIOUR == "retyped" else 1}, "/lamp": lamp, "/late": late}
        if self.path.startswith("/orders/"):
            self.answer({"path": self.path})
        elif self.path in answers:
            self.answer(answers[self.path]())
        else:
            self.answer({"error": "unknown"}, 404)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.answer(order(), 201)

    def answer(self, tree: object, status: int = 200) -> None:
        data = json.dumps(tree).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        sys.stderr.write(f"{sys.exception()}\n")


def main() -> None:
    if BEHAVIOUR == "child":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(os.environ["CHILD_FILE"]).write_text(f"{os.getpid()} {child.pid}")
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()


if __name__ == "__main__":
    main()
