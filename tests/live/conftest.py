"""Servers that the live tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.servers import redis as redis_server
from tests.live.servers import secantus


@pytest.fixture(scope="session")
def redis() -> Iterator[redis_server.RedisServer]:
    """A private Redis, which asks for a password."""
    if not redis_server.installed():
        pytest.fail("redis-server is not installed; run .ci/servers")
    with redis_server.serve() as server:
        yield server


@pytest.fixture(scope="session")
def mongo() -> Iterator[secantus.Secantus]:
    with secantus.serve() as server:
        yield server


@pytest.fixture(scope="session")
def mongo_replicas() -> Iterator[secantus.Secantus]:
    with secantus.serve(replicas=True) as server:
        yield server
