"""Fixtures every part may use: a private PostgreSQL, free ports."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A server that runs until its fixture ends."""

    url: str

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port


def serve_postgres(*flags: str) -> Iterator[Postgres]:
    """A fresh server with the given flags of fixtures/demo/database.py; stopped when the generator ends."""
    command = [sys.executable, str(ROOT / "fixtures/demo/database.py"), *flags]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        word, _, url = server.stdout.readline().strip().partition(" ")
        if word != "ready":
            pytest.fail(f"PostgreSQL did not start: {server.stderr.read()}")
        yield Postgres(url=url)
        server.terminate()
        server.communicate(timeout=30)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    yield from serve_postgres()


@pytest.fixture(scope="session")
def postgres_tls() -> Iterator[Postgres]:
    yield from serve_postgres("--tls")


@pytest.fixture
def free_port() -> Callable[[], int]:
    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find
