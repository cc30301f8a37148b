"""A program recorded with one driver replays with another, the statements being the same: what drivers write differently means
the same."""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import json
import re
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import asyncpg
import pg8000.dbapi
import psycopg
import psycopg2
import psycopg2.extras
import pytest

from tests.conftest import Postgres
from tests.live.drivers import DATABASE, PASSWORD, SETUP, USER, dsn
from tests.live.relay import Relay
from tests.live.replayed import playing, taped
from wiretape.protocols import codec

CODEC = codec("postgres")
AT = dt.datetime(2026, 11, 20, 12, 0, 0, 5000, tzinfo=dt.UTC)
PARIS = AT.astimezone(dt.timezone(dt.timedelta(hours=1)))
WHO = uuid.UUID("7b0e0000-0000-4000-8000-000000000001")

type Statement = tuple[str, tuple[object, ...]]
# What a service asks; the values as its code has them. `{}` is a placeholder.
PROGRAM: tuple[Statement, ...] = (
    ("SELECT id, name, price, big, ok, doc, tags, nums, ref FROM thing WHERE id <= {} ORDER BY id", (3,)),
    ("SELECT name FROM thing WHERE price = {} AND name <> {}", (decimal.Decimal("12.50"), "it's a \\ ✓")),
    ("SELECT name FROM thing WHERE price = {} AND name <> {}", (decimal.Decimal("0"), "zzz")),
    ("SELECT count(*) FROM thing WHERE big = {}", (9007199254740993,)),
    ("SELECT count(*) FROM thing WHERE big = {}", (-1,)),
    ("SELECT count(*) FROM thing WHERE ratio = {}", (0.1,)),
    ("SELECT count(*) FROM thing WHERE ratio > {}", (1e100,)),
    ("SELECT count(*) FROM thing WHERE ok = {}", (True,)),
    ("SELECT count(*) FROM thing WHERE ok = {}", (False,)),
    ("SELECT name FROM thing WHERE made < {}", (AT,)),
    ("SELECT name FROM thing WHERE made > {}", (PARIS,)),
    ("SELECT count(*) FROM thing WHERE day = {}", (dt.date(2026, 11, 20),)),
    ("SELECT count(*) FROM thing WHERE lasts < {}", (dt.timedelta(days=1, hours=6),)),
    ("SELECT count(*) FROM thing WHERE data = {}", (b"\0\xff\x10",)),
    ("SELECT count(*) FROM thing WHERE ref = {}", (WHO,)),
    ("SELECT name FROM thing WHERE id = ANY({}) ORDER BY id", ([1, 2],)),
    ("SELECT name FROM thing WHERE name = ANY({}) ORDER BY id", (["bolt", "b c", 'q"q', None],)),
    ("INSERT INTO thing (name, price, big, ok, made, day, tags) VALUES ({}, {}, {}, {}, {}, {}, {}) RETURNING id, name, tags",
     ("new", decimal.Decimal("3.10"), 7, None, AT, dt.date(2000, 2, 29), ["x", "y z"])),
    ("UPDATE thing SET price = price + {} WHERE id = {}", (1, 2)),
    ("DELETE FROM line WHERE id = {}", (12345,)),
    ("SELECT price, big, ratio, made, day, span IS NULL AS none FROM thing WHERE id = {}", (1,)),
)  # fmt: skip
BROKEN: Statement = ("INSERT INTO thing (name) VALUES ({})", ("bolt",))


def plain(value: object) -> object:
    """What drivers give for the same value."""
    match value:
        case memoryview() | bytes():
            return bytes(value).hex()
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat()
        case dict() | list():
            return json.dumps(value)
        case str() if value[:1] in ("{", "["):
            return json.dumps(json.loads(value))  # asyncpg gives JSON as text
        case str() if value == '"x"':
            return "x"
        case str() if value == "null":
            return None
    return str(value) if value is not None else None


def rows(found: Any) -> list[list[object]]:
    return [[plain(value) for value in row] for row in found]


def by_psycopg2(port: int) -> list[Any]:
    connection = psycopg2.connect(dsn(port))
    psycopg2.extras.register_uuid(conn_or_curs=connection)
    return by_cursor(connection, psycopg2.Error, "pgcode")


def by_cursor(connection: Any, failure: type[Exception], code: str, **options: Any) -> list[Any]:
    out: list[Any] = []
    cursor = connection.cursor(**options)
    for query, values in PROGRAM:
        cursor.execute(query.replace("{}", "%s"), values)
        out.append(rows(cursor.fetchall()) if cursor.description else cursor.rowcount)
    connection.commit()
    try:
        cursor.execute(BROKEN[0].replace("{}", "%s"), BROKEN[1])
    except failure as error:
        out.append(getattr(error, code))
    connection.rollback()
    connection.close()
    return out


def by_psycopg(port: int, *, binary: bool = False, factory: Any = psycopg.Cursor, **options: Any) -> list[Any]:
    connection = psycopg.connect(dsn(port), cursor_factory=factory, **options)
    return by_cursor(connection, psycopg.Error, "sqlstate", **({"binary": True} if binary else {}))


def by_pg8000(port: int) -> list[Any]:
    connection = pg8000.dbapi.connect(
        user=USER, password=PASSWORD, host="127.0.0.1", port=port, database=DATABASE, ssl_context=False
    )

    out: list[Any] = []
    cursor = connection.cursor()
    for query, values in PROGRAM:
        cursor.execute(query.replace("{}", "%s"), values)
        out.append(rows(cursor.fetchall()) if cursor.description else cursor.rowcount)
    connection.commit()
    try:
        cursor.execute(BROKEN[0].replace("{}", "%s"), BROKEN[1])
    except pg8000.dbapi.DatabaseError as error:
        out.append(error.args[0]["C"])
    connection.rollback()
    connection.close()
    return out


def by_asyncpg(port: int) -> list[Any]:
    return asyncio.run(asynchronous(port))


def numbered(query: str) -> str:
    numbers = iter(range(1, 99))
    return re.sub(r"\{\}", lambda _: f"${next(numbers)}", query)


async def asynchronous(port: int) -> list[Any]:
    connection = await asyncpg.connect(host="127.0.0.1", port=port, user=USER, password=PASSWORD, database=DATABASE, ssl=False)
    out: list[Any] = []
    async with connection.transaction():
        for query, values in PROGRAM:
            if query.startswith(("UPDATE", "DELETE")):
                out.append(int((await connection.execute(numbered(query), *values)).split()[-1]))
            else:
                out.append(rows(await connection.fetch(numbered(query), *values)))
    try:
        await connection.execute(numbered(BROKEN[0]), *BROKEN[1])
    except asyncpg.PostgresError as error:
        out.append(error.sqlstate)
    await connection.close()
    return out


DRIVERS: Mapping[str, Callable[[int], list[Any]]] = MappingProxyType(
    {
        "psycopg2": by_psycopg2,
        "psycopg": by_psycopg,
        "psycopg-binary": lambda port: by_psycopg(port, binary=True),
        "psycopg-client": lambda port: by_psycopg(port, factory=psycopg.ClientCursor),
        "psycopg-prepared": lambda port: by_psycopg(port, prepare_threshold=0),
        "asyncpg": by_asyncpg,
        "pg8000": by_pg8000,
    }
)


@pytest.mark.parametrize("recorder", DRIVERS)
def test_what_one_driver_recorded_answers_the_others(postgres: Postgres, tmp_path: Path, recorder: str) -> None:
    with psycopg.connect(dsn(postgres.port), autocommit=True) as admin:
        admin.execute(SETUP.encode())
    with Relay(postgres.port) as relay:
        recorded = DRIVERS[recorder](relay.port)
    tape = taped(CODEC, relay)
    for name, driver in DRIVERS.items():
        with playing(CODEC, tape, tmp_path) as mock:
            answers = driver(mock.port)
        assert mock.outcome is not None
        assert [f"{name}: {miss.explain()}" for miss in mock.outcome.misses if miss.ask.role == "query"] == []
        assert (name, answers) == (name, recorded)
