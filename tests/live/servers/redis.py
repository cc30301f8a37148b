"""A private Redis on a free loopback port, in memory."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wiretape.ca import ensure_ca, leaf

PASSWORD = "secret"
_READY = 20  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisServer:
    """A running server. `authority` is the certificate its clients may verify it with, where it takes TLS."""

    port: int
    pid: int
    password: str
    authority: Path | None = None

    @property
    def url(self) -> str:
        return self.at(self.port)

    def at(self, port: int) -> str:
        """The URL by which a program reaches the server through something else that listens on `port`."""
        login = f":{self.password}@" if self.password else ""
        return f"{'rediss' if self.authority else 'redis'}://{login}127.0.0.1:{port}/0"


def installed() -> bool:
    """Whether the server is on this machine."""
    return shutil.which("redis-server") is not None


@contextmanager
def serve(*, tls: bool = False, password: str = PASSWORD) -> Iterator[RedisServer]:
    """Start a server, and stop it at the end. `tls`: it takes nothing else; `password`: empty, and it asks for none."""
    with tempfile.TemporaryDirectory(prefix="wiretape-redis-", ignore_cleanup_errors=True) as name:
        folder, port = Path(name), _free()
        flags = ["--requirepass", password] if password else []
        flags += ["--port", "0", "--tls-port", str(port), *_certified(folder)] if tls else ["--port", str(port)]
        command = ["redis-server", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder), *flags]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            try:
                _await(port, process)
                authority = folder / "ca" / "mitmproxy-ca-cert.pem" if tls else None
                yield RedisServer(port=port, pid=process.pid, password=password, authority=authority)
            finally:
                process.terminate()
                process.wait(20)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError(f"redis-server did not start (exit code {process.poll()})")


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _certified(folder: Path) -> list[str]:
    pem = leaf(ensure_ca(folder), ("localhost", "127.0.0.1"))
    authority = folder / "ca" / "mitmproxy-ca-cert.pem"
    files = ["--tls-cert-file", str(pem), "--tls-key-file", str(pem), "--tls-ca-cert-file", str(authority)]
    return [*files, "--tls-auth-clients", "no"]
