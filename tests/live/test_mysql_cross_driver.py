"""What one driver recorded, another is served: literals in the text or parameters beside it, rows as text or in binary."""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import asyncmy
import mysql.connector
import MySQLdb
import pymysql
import pytest

from tests.live import mysqlrows
from tests.live.mysqlrows import Recording, played
from tests.live.relay import Relay
from tests.live.servers import mariadb

pytestmark = pytest.mark.skipif(not mariadb.installed(), reason="no mariadbd on this machine")

type Step = tuple[str, tuple[object, ...]]
type Answers = list[object]

LOGIN = {"host": "127.0.0.1", "user": mariadb.USER, "password": mariadb.PASSWORD}
COLUMNS = (
    "id, tiny, flag, small, medium, big, huge, single, twice, money, code, name, body, raw, bytes, day, moment, precise, "
    "stamp, mood, doc"
)
STEPS: Sequence[Step] = (
    (f"SELECT {COLUMNS} FROM compat_kinds WHERE id = %s", (1,)),
    (f"SELECT {COLUMNS} FROM compat_kinds WHERE id = %s", (2,)),
    (f"SELECT {COLUMNS} FROM compat_kinds WHERE id = %s", (3,)),
    ("SELECT id, sku FROM compat_items WHERE price = %s AND sku <> %s", (decimal.Decimal("0.10"), "it's \\ \"odd\" ☃")),
    ("INSERT INTO compat_items (sku, qty, price, made) VALUES (%s, %s, %s, %s)",
     ("washer", -5, decimal.Decimal("2.50"), dt.datetime(2024, 5, 6, 7, 8, 9))),
    ("INSERT INTO compat_items (sku, qty, price, made) VALUES (%s, %s, %s, NULL)", ("ring", 5, None)),
    ("UPDATE compat_items SET note = %s, qty = qty + %s WHERE id = %s", ("changed", 1.5, 1)),
    ("SELECT COUNT(*), SUM(price), MAX(made) FROM compat_items WHERE qty BETWEEN %s AND %s", (-10, 100)),
)  # fmt: skip


def plain(value: object) -> object:
    """What is the same in every driver: dates, decimals and bytes by what they say."""
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex() if bytes(value) not in (b"",) else ""
    if isinstance(value, dt.datetime | dt.date | decimal.Decimal):
        return str(value)
    return value


def walk(cursor: object) -> Answers:
    out: Answers = []
    for sql, values in STEPS:
        cursor.execute(sql, values)  # type: ignore[attr-defined]
        rows = cursor.fetchall() if cursor.description else []  # type: ignore[attr-defined]
        out.append([[plain(value) for value in row] for row in rows] or [cursor.rowcount, cursor.lastrowid])  # type: ignore[attr-defined]
    return out


def with_pymysql(port: int) -> Answers:
    with pymysql.connect(port=port, database=mariadb.DATABASE, ssl_disabled=True, **LOGIN) as connection:
        found = walk(connection.cursor())
        connection.commit()
    return found


def with_mysqlclient(port: int) -> Answers:
    connection = MySQLdb.connect(port=port, database=mariadb.DATABASE, charset="utf8mb4", **LOGIN)
    found = walk(connection.cursor())
    connection.commit()
    connection.close()
    return found


def with_connector(port: int, **options: object) -> Answers:
    connection = mysql.connector.connect(port=port, database=mariadb.DATABASE, use_pure=True, ssl_disabled=True, **LOGIN)
    found = walk(connection.cursor(**options))
    connection.commit()
    connection.close()
    return found


def with_connector_prepared(port: int) -> Answers:
    return with_connector(port, prepared=True)


def with_asyncmy(port: int) -> Answers:
    async def run() -> Answers:
        connection = await asyncmy.connect(port=port, db=mariadb.DATABASE, **LOGIN)
        out: Answers = []
        async with connection.cursor() as cursor:
            for sql, values in STEPS:
                await cursor.execute(sql, values)
                rows = await cursor.fetchall() if cursor.description else []
                out.append([[plain(value) for value in row] for row in rows] or [cursor.rowcount, cursor.lastrowid])
        await connection.commit()
        connection.close()
        return out

    return asyncio.run(run())


DRIVERS: dict[str, Callable[[int], Answers]] = {
    "pymysql": with_pymysql,
    "mysqlclient": with_mysqlclient,
    "connector": with_connector,
    "connector-prepared": with_connector_prepared,
    "asyncmy": with_asyncmy,
}


@pytest.fixture(scope="module")
def recordings() -> dict[str, tuple[Answers, Recording]]:
    """What each driver was told by the server itself."""
    found = {}
    with mariadb.serve() as server:
        for name, walks in DRIVERS.items():
            mysqlrows.prepare(server.port)
            with Relay(server.port) as relay:
                answers = walks(relay.port)
            interactions, facts = mysqlrows.read(relay.connections)
            found[name] = (
                answers,
                Recording(output="", interactions=interactions, facts=facts, connections=relay.connections),
            )
    return found


@pytest.mark.parametrize("served", DRIVERS)
@pytest.mark.parametrize("made", DRIVERS)
def test_one_drivers_recording_serves_another(recordings, made: str, served: str) -> None:
    _, recording = recordings[made]
    with played(recording) as (port, book):
        answers = DRIVERS[served](port)
        outcome = book.end()
    assert [miss.explain() for miss in outcome.misses] == []
    assert answers == recordings[served][0]


NODE = """
import mysql from "mysql2/promise";
const connection = await mysql.createConnection(process.argv[2]);
for (const [sql, values] of JSON.parse(process.argv[3])) {
  const [rows] = await connection.execute(sql, values);
  console.log(JSON.stringify(Array.isArray(rows) ? rows : [rows.affectedRows, rows.insertId]));
}
await connection.end();
"""


@pytest.mark.skipif(not (mysqlrows.PROGRAMS.parent / "node_modules").exists(), reason="no node modules here")
def test_node_sends_every_number_as_a_double(recordings, tmp_path: Path) -> None:
    steps = [[sql.replace("%s", "?"), [*map(plain, values)]] for sql, values in STEPS[:3] + STEPS[6:]]
    script = mysqlrows.PROGRAMS / "mysql2.mjs"
    program = script.with_name(f"{tmp_path.name}.tmp.mjs")
    program.write_text(NODE)
    try:
        with played(recordings["pymysql"][1]) as (port, book):
            done = subprocess.run(
                ["node", str(program), mysqlrows.url(port), json.dumps(steps)],
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            outcome = book.end()
    finally:
        program.unlink()
    assert done.returncode == 0, done.stderr
    assert [miss.explain() for miss in outcome.misses] == []
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0][0]["money"] == "12345.6789"
    assert lines[0][0]["moment"] == "2024-12-31T23:59:59.000Z"
    assert lines[-2] == [1, 0]
