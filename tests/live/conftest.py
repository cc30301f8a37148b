"""Real servers that the live tests share, each started at its first use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.servers import mariadb


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[mariadb.MariaDb]:
    with mariadb.serve() as server:
        yield server
