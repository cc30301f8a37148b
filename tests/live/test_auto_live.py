"""Targets that name no protocol, with real servers and real drivers: what they speak is found, TLS or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pymongo
import pymysql
import pytest
import redis as redis_client

from recorder.taps import Seen, watch
from recorder.wire import Listener
from tests.live.servers import mariadb, secantus
from tests.live.servers import redis as redis_server
from tests.recorder.conftest import recording
from wiretape.config import Address


@pytest.fixture(scope="module")
def mariadb_tls() -> Iterator[mariadb.MariaDb]:
    with mariadb.serve(tls=True) as server:
        yield server


@pytest.fixture(scope="module")
def redis_tls() -> Iterator[redis_server.RedisServer]:
    with redis_server.serve(tls=True) as server:
        yield server


def through(port: int, tmp_path: Path, work: Callable[[int], object]) -> Seen:
    """What a capture of `work(port of ours)` says."""
    at = Address(host="127.0.0.1", port=port)
    listener = Listener(target="main", protocol="auto", listen=Address(host="127.0.0.1", port=0), upstream=at)
    with recording(tmp_path, listener) as recorder:
        work(recorder.port())
    return watch(recorder.records(), 10_000)


def select(port: int, **options: object) -> None:
    with pymysql.connect(
        host="127.0.0.1", port=port, user=mariadb.USER, password=mariadb.PASSWORD, database=mariadb.DATABASE, **options
    ) as link:
        cursor = link.cursor()
        cursor.execute("SELECT 'found'")
        assert cursor.fetchone() == ("found",)


@pytest.mark.parametrize("options", [{"ssl_disabled": True}, {}], ids=["plain", "preferred"])
def test_mysql_whose_server_speaks_first(options: dict[str, object], mariadb_tls, tmp_path: Path) -> None:
    seen = through(mariadb_tls.port, tmp_path, lambda port: select(port, **options))
    assert seen.facts["main"]["protocol"] == "mysql"
    assert "SELECT 'found'" in [one.interaction.operation for one in seen.outbound]


@pytest.mark.parametrize("tls", [False, True])
def test_redis(tls: bool, redis, redis_tls, tmp_path: Path) -> None:
    server = redis_tls if tls else redis

    def work(port: int) -> None:
        options = {"ssl": True, "ssl_cert_reqs": "none"} if tls else {}
        with redis_client.Redis(port=port, password=server.password, **options) as client:
            client.set("found", 1)

    seen = through(server.port, tmp_path, work)
    assert seen.facts["main"]["protocol"] == "redis"
    assert seen.facts["main"].get("tls", False) is tls
    assert [one for one in seen.outbound if "found" in one.interaction.operation or "found" in str(one.interaction.fields)]


def test_mongo(mongo: secantus.Secantus, tmp_path: Path) -> None:
    def work(port: int) -> None:
        with pymongo.MongoClient("127.0.0.1", port, directConnection=True) as client:
            client.app.things.insert_one({"found": True})

    seen = through(mongo.port, tmp_path, work)
    assert seen.facts["main"]["protocol"] == "mongo"
    assert [one for one in seen.outbound if "insert" in one.interaction.operation]
