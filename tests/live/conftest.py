"""Servers that the live tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.servers import secantus


@pytest.fixture(scope="session")
def mongo() -> Iterator[secantus.Secantus]:
    with secantus.serve() as server:
        yield server


@pytest.fixture(scope="session")
def mongo_replicas() -> Iterator[secantus.Secantus]:
    with secantus.serve(replicas=True) as server:
        yield server
