"""Real drivers against the mocks of `wiretape replay`: TLS within the conversation, every way to log in, a huge row."""

from __future__ import annotations

import asyncio
import subprocess
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import asyncmy
import mysql.connector
import MySQLdb
import pymysql
import pytest

from normalizers.base import When
from replayer.book import Book
from replayer.mocks import Mocks
from tests.live.replayed import listening
from wiretape.ca import ensure_ca
from wiretape.case import Call, Case, Request, Response, Suite
from wiretape.config import Address, Target
from wiretape.protocols import codec
from wiretape.tree import Tree

SQL = "SELECT id, name, big FROM t"
ROW = (7, "Zoë ☃", "x" * (17 << 20))
MYSQL: Mapping[str, Tree] = {"server_version": "8.0.36", "plugin": "caching_sha2_password", "collation": 255}
MARIADB: Mapping[str, Tree] = {"server_version": "5.5.5-10.11.6-MariaDB", "plugin": "mysql_native_password"}
LOGIN = {"host": "127.0.0.1", "user": "anyone", "password": "anything"}


@contextmanager
def mocked(home: Path, facts: Mapping[str, Tree]) -> Iterator[int]:
    """The mocks of a suite whose only case reads one row; where they listen."""
    call = Call(
        target="main", operation=SQL,
        fields={"columns": {"id": "int", "name": "varchar(40)", "big": "longtext"}, "rows": [list[Tree](ROW)]},
    )  # fmt: skip
    case = Case(
        name="one", request=Request(method="GET", target="/"), response=Response(status=200), calls=(call,),
        recorded="2026-01-01T00:00:00Z",
    )  # fmt: skip
    codecs = {"main": codec("mysql")}
    book = Book(Suite(root=home, cases=(case,)), codecs)
    book.begin(case, When(recorded=0.0, live=0.0))
    target = Target(name="main", protocol="mysql", listen=Address(host="127.0.0.1", port=0))
    mocks = Mocks({"main": target}, {"main": facts}, codecs, book, home)
    with listening(mocks) as port:
        yield port


def with_pymysql(port: int, authority: Path | None) -> tuple[object, bool]:
    options: dict[str, object] = {"ssl": {"ca": str(authority)}} if authority else {}
    with (
        pymysql.connect(port=port, max_allowed_packet=1 << 26, **LOGIN, **options) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(SQL)
        return cursor.fetchone(), bool(connection._secure)


def with_connector(port: int, authority: Path | None) -> tuple[object, bool]:
    options: dict[str, object] = {"ssl_ca": str(authority), "ssl_verify_cert": True} if authority else {}
    connection = mysql.connector.connect(port=port, use_pure=True, **LOGIN, **options)
    cursor = connection.cursor()  # its prepared cursor cannot read a row of 16 MiB, be it from a real server
    cursor.execute(SQL)
    row, secure = cursor.fetchone(), connection._ssl_active
    connection.close()
    return row, bool(secure)


def with_mysqlclient(port: int, authority: Path | None) -> tuple[object, bool]:
    options: dict[str, object] = {"ssl": {"ca": str(authority)}} if authority else {"ssl_mode": "DISABLED"}
    connection = MySQLdb.connect(port=port, charset="utf8mb4", **LOGIN, **options)
    cursor = connection.cursor()
    cursor.execute(SQL)
    row = cursor.fetchone()
    connection.close()
    return row, authority is not None


def with_asyncmy(port: int, authority: Path | None) -> tuple[object, bool]:
    import ssl

    async def run() -> object:
        options = {"ssl": ssl.create_default_context(cafile=str(authority))} if authority else {}
        connection = await asyncmy.connect(port=port, **LOGIN, **options)
        async with connection.cursor() as cursor:
            await cursor.execute(SQL)
            row = await cursor.fetchone()
        await connection.ensure_closed()
        return row

    return asyncio.run(run()), authority is not None


DRIVERS: dict[str, Callable[[int, Path | None], tuple[object, bool]]] = {
    "pymysql": with_pymysql,
    "connector": with_connector,
    "mysqlclient": with_mysqlclient,
    "asyncmy": with_asyncmy,
}


@pytest.mark.parametrize("facts", [MYSQL, MARIADB], ids=["caching_sha2", "native"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_is_served(driver: str, tls: bool, facts: Mapping[str, Tree], tmp_path: Path) -> None:
    authority = ensure_ca(tmp_path) / "mitmproxy-ca-cert.pem" if tls else None
    with mocked(tmp_path, {**facts, "tls": tls}) as port, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        row, secure = DRIVERS[driver](port, authority)
    assert row == ROW
    assert secure == tls


@pytest.mark.parametrize("facts", [MYSQL, MARIADB], ids=["caching_sha2", "native"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_the_command_line_is_served(tls: bool, facts: Mapping[str, Tree], tmp_path: Path) -> None:
    options = ["--ssl", "--ssl-verify-server-cert", f"--ssl-ca={ensure_ca(tmp_path) / 'mitmproxy-ca-cert.pem'}"] if tls else []
    with mocked(tmp_path, {**facts, "tls": tls}) as port:
        command = [
            "mariadb",
            "--no-defaults",
            "-h127.0.0.1",
            f"-P{port}",
            "-uanyone",
            "-panything",
            "--max-allowed-packet=64M",
            *options,
            "-N",
            "-e",
            SQL,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("7\tZoë")
