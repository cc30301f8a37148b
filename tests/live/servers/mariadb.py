"""A private MariaDB for tests: its own data folder, a free port, loopback only; gone when the test is done."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wiretape.ca import ensure_ca, leaf

USER, PASSWORD, DATABASE = "app", "secret", "app"
INSTALL = shutil.which("mariadb-install-db")
DAEMON = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/libexec")

_ACCOUNT = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class MariaDb:
    """A running server. `authority` is the certificate its clients may verify it with, where it takes TLS."""

    port: int
    socket: Path
    pid: int
    authority: Path | None = None

    @property
    def url(self) -> str:
        return f"mysql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{DATABASE}"


@contextmanager
def serve(*, tls: bool = False, options: tuple[str, ...] = ()) -> Iterator[MariaDb]:
    """Start a server with the user USER and the database DATABASE; stop it and remove its data at the end."""
    if not (INSTALL and DAEMON):
        raise FileNotFoundError("mariadbd is not installed; run .ci/servers")
    with tempfile.TemporaryDirectory(prefix="wiretape-mariadb-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir()
        init = folder / "init.sql"
        init.write_text(
            f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4;\n"
            f"CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\n"
            f"GRANT ALL ON *.* TO '{USER}'@'%';\n"
        )
        flags = list(options)
        if tls:
            flags += _certified(folder)
        _own(folder)
        _run(
            [str(INSTALL), "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", *_as_account(),
             "--skip-test-db"]
        )  # fmt: skip
        yield from _running(folder, data, init, flags, tls=tls)


def _running(folder: Path, data: Path, init: Path, flags: list[str], *, tls: bool) -> Iterator[MariaDb]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [
        str(DAEMON), "--no-defaults", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1",
        f"--socket={folder / 's'}", f"--init-file={init}", "--skip-name-resolve", "--skip-log-bin", f"--tmpdir={folder}",
        "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M", "--character-set-server=utf8mb4",
        "--default-time-zone=+00:00", f"--pid-file={folder / 'pid'}", "--max-connections=60", *_as_account(), *flags,
    ]  # fmt: skip
    with subprocess.Popen(command, cwd="/", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        try:
            _await_ready(server)
            authority = folder / "ca" / "mitmproxy-ca-cert.pem" if tls else None
            yield MariaDb(port=port, socket=folder / "s", pid=server.pid, authority=authority)
        finally:
            server.kill()  # nothing of it is kept
            server.wait(20)


def _await_ready(server: subprocess.Popen[str]) -> None:
    assert server.stderr is not None
    lines = []
    for line in server.stderr:
        lines.append(line)
        if "ready for connections" in line:
            threading.Thread(target=lambda: [None for _ in server.stderr or ()], daemon=True).start()
            return
    raise RuntimeError("mariadbd did not start:\n" + "".join(lines[-20:]))


def _certified(folder: Path) -> list[str]:
    ca = ensure_ca(folder)
    pair = leaf(ca, ("localhost", "127.0.0.1"))
    key, certificate = folder / "key.pem", folder / "cert.pem"
    pem = pair.read_text()
    end = pem.index("-----BEGIN CERTIFICATE-----")
    key.write_text(pem[:end])
    certificate.write_text(pem[end:])
    return [f"--ssl-key={key}", f"--ssl-cert={certificate}"]


def _as_account() -> list[str]:
    """Root runs it as another account, as MariaDB demands."""
    return [f"--user={_ACCOUNT}"] if os.getuid() == 0 else []


def _own(folder: Path) -> None:
    if os.getuid() == 0:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, _ACCOUNT)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {done.stdout}{done.stderr}")
