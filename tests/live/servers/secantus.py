"""A private server that speaks MongoDB's protocol: SecantusDB (an embeddable one), in memory, on a free loopback port."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymongo

from wiretape.ca import ensure_ca, leaf

USER, PASSWORD, DATABASE = "app", "secret", "app"
_READY = 30_000  # milliseconds
_START = "from secantus.cli import main; raise SystemExit(main())"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secantus:
    """A running server. `authority` is the certificate its clients may verify it with, where it takes TLS."""

    port: int
    pid: int
    authority: Path | None = None
    credentials: str = ""
    replicas: bool = False

    @property
    def url(self) -> str:
        return self.at(self.port)

    def at(self, port: int) -> str:
        """The URL by which a program reaches the server through something else that listens on `port`."""
        more = "?directConnection=true" if self.replicas else ""
        return f"mongodb://{self.credentials}127.0.0.1:{port}/{DATABASE}{more}"


def installed() -> bool:
    """Whether the server's package is here."""
    return importlib.util.find_spec("secantus") is not None


@contextmanager
def serve(*, tls: bool = False, auth: bool = False, replicas: bool = False) -> Iterator[Secantus]:
    """Start a server, and stop it at the end. `replicas`: it says that it is a replica set (transactions, change streams);
    `auth`: it lets only USER in."""
    with tempfile.TemporaryDirectory(prefix="wiretape-secantus-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        port = _free()
        flags = [] if replicas else ["--standalone"]
        certified = _certified(folder) if tls else []
        if auth:
            with _running(port, folder, flags), pymongo.MongoClient(**_client(port)) as admin:  # type: ignore[var-annotated]
                roles = [{"role": "root", "db": "admin"}]
                admin[DATABASE].command("createUser", USER, pwd=PASSWORD, roles=roles)
            flags = [*flags, "--auth"]
        with _running(port, folder, flags + certified) as process:
            authority = folder / "ca" / "mitmproxy-ca-cert.pem" if tls else None
            with pymongo.MongoClient(  # type: ignore[var-annotated]
                **_client(port), tls=tls, tlsCAFile=str(authority) if authority else None
            ) as client:
                client.admin.command("ping")
            yield Secantus(
                port=port,
                pid=process.pid,
                authority=authority,
                credentials=f"{USER}:{PASSWORD}@" if auth else "",
                replicas=replicas,
            )


def _client(port: int) -> Mapping[str, object]:
    return {"host": "127.0.0.1", "port": port, "directConnection": True, "serverSelectionTimeoutMS": _READY}


@contextmanager
def _running(port: int, folder: Path, flags: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", _START, "--port", str(port), "--storage-path", str(folder / "data"), *flags]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            yield server
        finally:
            server.terminate()
            server.wait(20)


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _certified(folder: Path) -> list[str]:
    pem = leaf(ensure_ca(folder), ("localhost", "127.0.0.1")).read_text()
    end = pem.index("-----BEGIN CERTIFICATE-----")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    key.write_text(pem[:end])
    certificate.write_text(pem[end:])
    return ["--tls-cert-file", str(certificate), "--tls-key-file", str(key)]
