"""The standard library's server, a thread for each connection: GET /now, /pause. `python python_threads.py PORT [DATES]`."""

import contextlib
import os
import queue
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DATES = sys.argv[2] if len(sys.argv) > 2 else ""


def pause() -> str:
    """Every way of waiting takes as long as it should."""
    condition = threading.Condition()
    with condition:
        waits = {
            "sleep": lambda: time.sleep(0.05),
            "condition": lambda: condition.wait(0.05),
            "event": lambda: threading.Event().wait(0.05),
            "lock": lambda: threading.Lock().acquire() and _taken(),
            "queue": _empty,
        }
        wrong = []
        for name, wait in waits.items():
            began = time.monotonic()
            wait()
            if not 0.04 < time.monotonic() - began < 5:
                wrong.append(name)
    return f"waited{''.join(f', not {name}' for name in wrong)}"


def _taken() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=0.05)


def _empty() -> None:
    with contextlib.suppress(queue.Empty):
        queue.Queue().get(timeout=0.05)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = (pause() if self.path == "/pause" else f"{datetime.now(UTC):%Y/%m/%d %Hh%M}").encode()
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        if DATES == "real":  # what a proxy that was not frozen would write
            return os.popen("env -i date -u '+%a, %d %b %Y %H:%M:%S GMT'").read().strip()
        return super().date_time_string(timestamp)

    def send_header(self, keyword: str, value: str) -> None:
        if DATES != "undated" or keyword != "Date":
            super().send_header(keyword, value)

    def log_message(self, *args: object) -> None:
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
