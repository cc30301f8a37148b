"""MariaDB and Redis killed in the middle of an answer: the driver sees what it would see without us, the call says so."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pymysql
import pymysql.cursors
import pytest
import redis as redis_client

from recorder.taps import watch
from recorder.wire import Listener
from tests.live.servers import mariadb
from tests.live.servers import redis as redis_server
from tests.recorder.conftest import recording
from wiretape.config import Address


def mariadb_killed(port: int, pid: int) -> str:
    link = pymysql.connect(
        host="127.0.0.1",
        port=port,
        user=mariadb.USER,
        password=mariadb.PASSWORD,
        database=mariadb.DATABASE,
        cursorclass=pymysql.cursors.SSCursor,
    )
    cursor = link.cursor()
    try:
        cursor.execute("SELECT REPEAT('x', 1000) FROM seq_1_to_10000000")
        for number, _ in enumerate(cursor):
            if number == 100:
                os.kill(pid, signal.SIGKILL)
    finally:
        cursor._result.unbuffered_active = False  # else it reads on, from nobody, when it is collected
        link._force_close()
    raise AssertionError("it was not killed")


def redis_killed(port: int, pid: int) -> str:
    with redis_client.Redis(port=port, retry=None, password="") as client:
        client.set("big", b"x" * 50_000_000)
        connection = client.connection_pool.get_connection()
        try:
            connection.send_command("GET", "big")
            assert connection._sock.recv(1000)  # the first of it
            os.kill(pid, signal.SIGKILL)
            while connection._sock.recv(1_000_000):
                pass
        finally:
            connection.disconnect()
        raise EOFError


def listener(port: int, protocol: str) -> Listener:
    at = Address(host="127.0.0.1", port=port)
    return Listener(target="main", protocol=protocol, listen=Address(host="127.0.0.1", port=0), upstream=at)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # PyMySQL's cursor, collected without its link
@pytest.mark.parametrize("server", ["mariadb", "redis"])
def test_killed_in_the_middle_of_an_answer(server: str, tmp_path: Path) -> None:
    protocol, work = ("mysql", mariadb_killed) if server == "mariadb" else ("redis", redis_killed)
    serve = mariadb.serve if server == "mariadb" else lambda: redis_server.serve(password="")
    ends = []
    for through in (False, True):
        with serve() as one, recording(tmp_path / str(through), listener(one.port, protocol)) as recorder:
            with pytest.raises((OSError, EOFError, pymysql.err.Error)) as error:
                work(recorder.port() if through else one.port, one.pid)
            ends.append((type(error.value), str(error.value)))
    assert ends[0] == ends[1]
    wanted = "seq_1_to_10000000" if server == "mariadb" else "GET"
    calls = [one.interaction for one in watch(recorder.records(), 10_000).outbound if wanted in one.interaction.operation]
    assert [bool(call.incomplete) for call in calls] == [True]
