"""`wiretape record` and `wiretape replay` as a person runs them, in a folder of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]

# A service of the standard library: GET /NAME does what the test's `work(name)` returns.
SERVICE = """
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        try:
            status, answer = 200, work(self.path.strip("/"))
        except Exception as error:
            status, answer = 500, f"{type(error).__name__}: {error}"
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
    def address_string(self):
        return ""

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@dataclass(kw_only=True)
class Program:
    """A service whose `work` the test gives, and the commands that record and replay it."""

    folder: Path
    port: int
    front: int
    work: str
    env: dict[str, str] = field(default_factory=dict)
    prefix: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.folder / "app.py").write_text(self.work + SERVICE)

    @property
    def command(self) -> list[str]:
        return ["--", sys.executable, "app.py", str(self.port)]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": str(ROOT), "WIRETAPE_DEBUG": "1", **self.env}
        return subprocess.run(
            [*self.prefix, sys.executable, "-m", "wiretape", *words],
            cwd=self.folder,
            env=env,
            text=True,
            capture_output=True,
            timeout=120,
            check=False,
        )

    def record(self, *options: str, paths: tuple[str, ...]) -> str:
        """Record the service while curl asks for `paths`; what was printed."""
        drive = " && ".join(f"curl -sS --noproxy '*' $WIRETAPE_URL/{path}" for path in paths)
        service = f"http://127.0.0.1:{self.port}@{self.front}"
        done = self.run("record", "--service", service, "--drive", drive, *options, *self.command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def replay(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self.run("replay", "--service", f"http://127.0.0.1:{self.port}", *options, *self.command)

    def case(self, name: str) -> Mapping[str, object]:
        read = yaml.safe_load((self.folder / "suite" / f"{name}.yaml").read_text())
        assert isinstance(read, dict)
        return read

    def facts(self) -> Mapping[str, Mapping[str, object]]:
        read = yaml.safe_load((self.folder / "suite" / "suite.yaml").read_text())
        facts = read["facts"]
        assert isinstance(facts, dict)
        return facts
