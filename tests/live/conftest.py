"""Real servers that the live tests share, each started at its first use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.servers import mariadb


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[mariadb.MariaDb]:
    if not mariadb.installed():
        pytest.skip("no mariadbd on this machine")
    with mariadb.serve() as server:
        yield server
