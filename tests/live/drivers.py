"""What the real drivers are made to do, each scenario against whatever listens on `port`, and what they answered.

A scenario returns plain values, so that the answers of a real server and of a mock can be compared. It does not clean up after
itself: `SETUP` makes the same start for each.
"""

from __future__ import annotations

import asyncio
import decimal
import io
import shutil
import subprocess
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import asyncpg
import pg8000.dbapi
import psycopg
import psycopg2
import psycopg2.extras
from psycopg import sql
from psycopg.types.composite import CompositeInfo, register_composite
from psycopg.types.enum import EnumInfo
from psycopg.types.range import RangeInfo

USER, PASSWORD, DATABASE = "app", "secret", "app"

SETUP = """
DROP TABLE IF EXISTS line, thing, kind CASCADE;
DROP TYPE IF EXISTS mood, point2, floatspan CASCADE;
DROP DOMAIN IF EXISTS email CASCADE;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE point2 AS (x int4, label text);
CREATE TYPE floatspan AS RANGE (subtype = float8);
CREATE DOMAIN email AS text CHECK (value LIKE '%@%');
CREATE TABLE thing (
    id int4 PRIMARY KEY GENERATED ALWAYS AS IDENTITY, name varchar(20) UNIQUE NOT NULL, price numeric(10,2), big int8,
    ratio float8, ok bool, made timestamptz, day date, data bytea, doc jsonb, tags text[], nums int4[], ref uuid, net inet,
    span int4range, lasts interval
);
CREATE TABLE line (id int4 PRIMARY KEY, thing int4 REFERENCES thing (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE kind (id int4 PRIMARY KEY, m mood, p point2, e email, f floatspan, ms mood[]);
INSERT INTO thing (name, price, big, ratio, ok, made, day, data, doc, tags, nums, ref, net, span, lasts) VALUES
 ('bolt', 12.50, 9007199254740993, 0.1, true, '2026-11-20 10:00:00.123+00', '2026-11-20', '\\x00ff10', '{"a": [1, null]}',
  '{a,"b c",NULL}', '{1,2,3}', '7b0e0000-0000-4000-8000-000000000001', '10.0.0.1/24', '[1,5)', '1 mon 2 days 03:04:05.6'),
 ('nut', NULL, -1, 'NaN', false, NULL, 'infinity', '', 'null', '{}', NULL, NULL, '::1', 'empty', '-1 days'),
 ('Ünïcode ✓', 0.00, 0, 1e300, NULL, '1999-12-31 23:59:59.999999+00', '0001-01-01', NULL, '"x"', NULL, '{{1,2},{3,4}}', NULL,
  NULL, NULL, NULL);
INSERT INTO kind VALUES (1, 'happy', (1, 'one'), 'a@b', '[1.5,2.5)', '{sad,ok}'), (2, NULL, NULL, NULL, NULL, NULL);
"""
COLUMNS = "id, name, price, big, ratio::text, ok, made, day, data, doc, tags, nums, ref, net, span, lasts"
# psycopg cannot read what Python has no value for (infinity dates, negative intervals as text it can)
PORTABLE = "id, name, price, big, ok, data, doc, tags, ref"

type Answers = list[Any]


def dsn(port: int, **more: str) -> str:
    extra = "".join(f" {name}={value}" for name, value in more.items())
    plain = "sslmode=disable gssencmode=disable"
    return f"host=127.0.0.1 port={port} user={USER} password={PASSWORD} dbname={DATABASE} {plain}{extra}"


def said(error: Exception) -> tuple[str, str | None]:
    """What an error tells of itself, whatever the driver."""
    code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    return type(error).__name__, code


def psycopg2_simple(port: int) -> Answers:
    out: Answers = []
    connection = psycopg2.connect(dsn(port))
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT {PORTABLE} FROM thing WHERE id <= %s ORDER BY id", (3,))
            out += [
                [tuple(map(_plain, row)) for row in cursor.fetchall()],
                [column.name for column in cursor.description or ()],
            ]
            cursor.execute("INSERT INTO thing (name, price, ok) VALUES (%s, %s, %s) RETURNING id, name", ("it's", 1, True))
            out.append(cursor.fetchall())
            cursor.execute("UPDATE thing SET price = price + 1 WHERE id > %s", (0,))
            out.append((cursor.rowcount, cursor.statusmessage))
            cursor.execute("SELECT 1 AS one, 2 AS one; SELECT 'x'")
            out.append(cursor.fetchall())
        for broken in ("SELECT * FROM nowhere", "INSERT INTO thing (name) VALUES ('bolt')", "SELECT 1/(id-1) FROM thing"):
            try:
                with connection, connection.cursor() as cursor:
                    cursor.execute(broken)
            except psycopg2.Error as error:
                out.append((*said(error), error.diag.message_primary, error.diag.constraint_name))
        with connection, connection.cursor(name="srv1") as cursor:
            cursor.itersize = 2
            cursor.execute("SELECT id, name FROM thing ORDER BY id")
            out.append([row for row in cursor])  # noqa: C416 - iterating is what fetches bit by bit
        with connection.cursor() as cursor:
            cursor.execute("SAVEPOINT s1")
            try:
                cursor.execute("INSERT INTO thing (name) VALUES (NULL)")
            except psycopg2.Error as error:
                out.append(said(error))
            cursor.execute("ROLLBACK TO SAVEPOINT s1")
            cursor.execute("SELECT count(*) FROM thing")
            out.append(cursor.fetchone())
        connection.rollback()
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE NOTICE 'hello %', 1; END $$")
            out.append(list(connection.notices))
            cursor.execute("SET TimeZone TO 'Europe/Paris'")
            cursor.execute("SELECT made FROM thing WHERE id = 1")
            out.append(str(cursor.fetchone()))
            cursor.execute("SHOW TimeZone")
            out.append(cursor.fetchone())
            cursor.execute("")
    except psycopg2.ProgrammingError as error:
        out.append(str(error))
    finally:
        connection.close()
    return out


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def psycopg_steps(port: int, *, binary: bool = False, **options: Any) -> Answers:
    """One walk through psycopg 3's ways of asking; `options` go to `connect`."""
    out: Answers = []
    with psycopg.connect(dsn(port), **options) as connection:
        cursor = connection.cursor(binary=binary)
        cursor.execute(f"SELECT {PORTABLE}, nums, span FROM thing WHERE id <= %s ORDER BY id", (3,))
        out += [cursor.fetchall(), [(column.name, column.type_code) for column in cursor.description or ()]]
        for number in (1, 2, 70000, 1):
            cursor.execute("SELECT id, name, price FROM thing WHERE id = %s AND name <> %s", (number, "zzz"))
            out.append(cursor.fetchall())
        for _ in range(7):
            out.append(cursor.execute("SELECT name FROM thing WHERE id = %s", (1,)).fetchone())
        cursor.execute(
            "INSERT INTO thing (name, price, ok, data) VALUES (%s, %s, %s, %s) RETURNING id", ("p3", 3.5, None, b"\0\1")
        )
        out.append(cursor.fetchall())
        cursor.execute("UPDATE thing SET price = 9 WHERE id = %s", (2,))
        out.append((cursor.rowcount, cursor.statusmessage))
        connection.commit()
        try:
            with connection.transaction():
                cursor.execute("INSERT INTO thing (name) VALUES (%s)", ("bolt",))
        except psycopg.Error as error:
            out.append((*said(error), error.diag.message_primary, error.diag.message_detail))
        try:
            cursor.execute("SELECT 1/(id-1) FROM thing WHERE id = %s", (1,))
        except psycopg.Error as error:
            out.append(said(error))
        try:
            cursor.execute("SELECT 2")
        except psycopg.Error as error:
            out.append(said(error))
        connection.rollback()
        with connection.transaction(), connection.transaction():
            out.append(cursor.execute("SELECT count(*) FROM thing WHERE name = %s", ("p3",)).fetchone())
        connection.commit()
        with connection.cursor("srv", binary=binary) as server:
            server.itersize = 2
            server.execute("SELECT id, name FROM thing WHERE id < %s ORDER BY id", (4,))
            out.append([column.name for column in server.description or ()])
            out.append(list(server))
        connection.commit()
    return out


def psycopg_pipeline(port: int) -> Answers:
    out: Answers = []
    with psycopg.connect(dsn(port), autocommit=True) as connection:
        with connection.pipeline():
            first = connection.execute("SELECT id, name FROM thing WHERE id = %s", (1,))
            second = connection.execute("SELECT price FROM thing WHERE id = %s", (2,))
            out += [first.fetchall(), second.fetchall()]
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO line (id) VALUES (%s)", [(number,) for number in range(3)])
            out.append(cursor.rowcount)
            cursor.executemany("SELECT name FROM thing WHERE id = %s", [(1,), (2,)], returning=True)
            out.append(cursor.fetchall())
            while cursor.nextset():
                out.append(cursor.fetchall())
        try:
            with connection.pipeline():
                connection.execute("SELECT 1/(id-1) FROM thing WHERE id = %s", (1,))
                connection.execute("SELECT 'never'")
        except psycopg.Error as error:
            out.append(said(error))
        try:
            connection.execute("INSERT INTO line (id, thing) VALUES (%s, %s)", (99, 12345))
        except psycopg.Error as error:
            out.append((*said(error), error.diag.constraint_name))
        connection.execute("SELECT set_config('application_name', %s, false)", ("renamed",))
        out.append(connection.info.parameter_status("application_name"))
        client = psycopg.ClientCursor(connection)
        client.execute("SELECT id FROM thing WHERE id = 1; SELECT name FROM thing WHERE id = 2; UPDATE thing SET ok = true")
        out.append(client.fetchall())
        while client.nextset():
            out.append(client.fetchall() if client.description else client.statusmessage)
    return out


def psycopg_types(port: int) -> Answers:
    out: Answers = []
    with psycopg.connect(dsn(port), autocommit=True) as connection:
        mood = EnumInfo.fetch(connection, "mood")
        assert mood is not None
        mood.register(connection)
        point = CompositeInfo.fetch(connection, "point2")
        assert point is not None
        register_composite(point, connection)
        span = RangeInfo.fetch(connection, "floatspan")
        assert span is not None
        span.register(connection)
        for binary in (False, True):
            cursor = connection.cursor(binary=binary)
            cursor.execute("SELECT id, m, p, e, f, ms FROM kind ORDER BY id")
            out.append([tuple(map(repr, row)) for row in cursor.fetchall()])
    return out


def psycopg_copy(port: int) -> Answers:
    """COPY in all its formats, both ways; one that the server refuses, one that the client gives up."""
    out: Answers = []
    with psycopg.connect(dsn(port), autocommit=True) as connection:
        cursor = connection.cursor()
        with cursor.copy("COPY line (id) FROM STDIN") as copy:
            copy.write_row((50,))
            copy.write_row((51,))
        out.append((cursor.rowcount, cursor.statusmessage))
        with cursor.copy("COPY thing (name, price, tags, doc) FROM STDIN (FORMAT text, NULL 'nil')") as copy:
            copy.write('tab\\tbed\t1.50\t{a,b}\tnil\nback\\\\slash\tnil\tnil\t"x"\n')
        with cursor.copy("COPY thing (name, price) FROM STDIN WITH (FORMAT csv, HEADER true, DELIMITER ';')") as copy:
            copy.write('name;price\r\n"semi;colon";2\r\n"quo""ted\nlines";\r\n')
        out.append((cursor.rowcount, cursor.statusmessage))
        with cursor.copy("COPY line (id, thing) FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int4", "int4"])
            copy.write_row((60, 1))
            copy.write_row((61, None))
        for query in (
            "COPY (SELECT id FROM thing ORDER BY id) TO STDOUT",
            "COPY (SELECT name, price, tags, ok FROM thing ORDER BY id) TO STDOUT",
            "COPY (SELECT name, price, tags, ok FROM thing ORDER BY id) TO STDOUT WITH CSV HEADER",
            "COPY (SELECT name, price FROM thing ORDER BY id) TO STDOUT (FORMAT csv, FORCE_QUOTE *)",
            "COPY (SELECT id, name, price FROM thing ORDER BY id) TO STDOUT (FORMAT binary)",
            "COPY (SELECT 1 WHERE false) TO STDOUT",
        ):
            with cursor.copy(query) as copy:
                out.append(b"".join(bytes(part) for part in copy))
            out.append(cursor.statusmessage)
        with cursor.copy("COPY (SELECT id, thing FROM line ORDER BY id) TO STDOUT") as copy:
            copy.set_types(["int4", "int4"])
            out.append(list(copy.rows()))
        for broken in ("COPY nowhere FROM STDIN", "COPY line (id) FROM STDIN", "COPY (SELECT 1/0) TO STDOUT"):
            try:
                with cursor.copy(broken) as copy:
                    if "FROM" in broken:
                        copy.write("no number\n")
                    else:
                        out.append(b"".join(bytes(part) for part in copy))
            except psycopg.Error as error:
                out.append((*said(error), error.diag.message_primary, error.diag.context))
        try:
            with cursor.copy("COPY line (id) FROM STDIN") as copy:
                copy.write_row((70,))
                out.append(1 // 0)
        except ZeroDivisionError as error:
            out.append(said(error))
        out.append(cursor.execute("SELECT name FROM thing WHERE id = %s", (1,)).fetchone())
    return out


def psycopg_notify(port: int) -> Answers:
    """A connection that hears itself, in and out of transactions."""
    out: Answers = []
    heard: Answers = []
    with psycopg.connect(dsn(port), autocommit=True) as connection:
        connection.add_notify_handler(lambda notify: heard.append((notify.channel, notify.payload)))
        connection.execute("LISTEN bell")
        connection.execute(sql.SQL('LISTEN "Other Bell"'))
        connection.execute("NOTIFY bell, 'ding'")
        out.append(list(heard))
        with connection.transaction():
            connection.execute("SELECT pg_notify(%s, %s)", ("Other Bell", "dong"))
            connection.execute("NOTIFY bell")
            out.append(list(heard))
        out.append(list(heard))
        connection.execute("UNLISTEN bell")
        connection.execute("NOTIFY bell, 'unheard'")
        out.append(list(heard))
        out.append(connection.execute("SELECT name FROM thing WHERE id = %s", (2,)).fetchone())
    return out


def psycopg2_notify(port: int) -> Answers:
    out: Answers = []
    connection = psycopg2.connect(dsn(port))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("LISTEN bell")
        cursor.execute("NOTIFY bell, 'ding'")
        out.append([(notify.channel, notify.payload) for notify in connection.notifies])
        cursor.execute("UNLISTEN *")
    connection.close()
    return out


def asyncpg_notify(port: int) -> Answers:
    return asyncio.run(_asyncpg_notify(port))


async def _asyncpg_notify(port: int) -> Answers:
    out: Answers = []
    connection = await asyncpg.connect(host="127.0.0.1", port=port, user=USER, password=PASSWORD, database=DATABASE, ssl=False)
    try:
        heard: asyncio.Queue[Any] = asyncio.Queue()
        await connection.add_listener("bell", lambda *told: heard.put_nowait(told[2:]))
        await connection.execute("NOTIFY bell, 'ding'")
        out.append(await asyncio.wait_for(heard.get(), 10))
        await connection.execute("SELECT pg_notify('bell', $1)", "dong")
        out.append(await asyncio.wait_for(heard.get(), 10))
        await connection.reset()
        await connection.execute("NOTIFY bell, 'unheard'")
        out.append(heard.qsize())
    finally:
        await connection.close()
    return out


def psycopg2_copy(port: int) -> Answers:
    out: Answers = []
    connection = psycopg2.connect(dsn(port))
    with connection, connection.cursor() as cursor:
        cursor.copy_from(io.StringIO("90\t1\n91\t\\N\n"), "line", columns=("id", "thing"))
        out.append((cursor.rowcount, cursor.statusmessage))
        sink = io.StringIO()
        cursor.copy_to(sink, "line", sep="|", null="none")
        out.append(sink.getvalue())
        cursor.copy_expert("COPY line FROM STDIN WITH CSV NULL AS 'x'", io.StringIO("92,x\n"))
        bytes_sink = io.BytesIO()
        cursor.copy_expert("COPY line TO STDOUT WITH BINARY", bytes_sink)
        out.append(bytes_sink.getvalue())
    try:
        with connection, connection.cursor() as cursor:
            cursor.copy_expert("COPY line (id) FROM STDIN", io.StringIO("90\n"))
    except psycopg2.Error as error:
        out.append((*said(error), error.diag.message_primary, error.diag.constraint_name))
    connection.close()
    return out


def psycopg2_lobject(port: int) -> Answers:
    """Large objects, whose functions libpq calls by their OIDs."""
    out: Answers = []
    connection = psycopg2.connect(dsn(port))
    with connection:
        large = connection.lobject(0, "wb", 77001)
        out.append((large.oid, large.write(b"\0large\xff object")))
        large.close()
    with connection:
        large = connection.lobject(77001, "rb")
        out += [large.read(3), large.read(), large.seek(0), large.tell()]
        large.unlink()
    try:
        connection.lobject(77001, "rb")
    except psycopg2.Error as error:
        out.append(str(error))
    connection.close()
    return out


def psycopg_pooled(port: int) -> Answers:
    """What a pooler in transaction mode does between clients (`server_reset_query`), all by simple queries."""
    out: Answers = []
    for name in ("one", "two"):
        with psycopg.connect(
            dsn(port), autocommit=True, cursor_factory=psycopg.ClientCursor, prepare_threshold=None
        ) as connection:
            connection.execute("SET application_name TO %s", (name,))
            connection.execute("LISTEN bell")
            out.append(connection.execute("SELECT name FROM thing WHERE id = %s", (1,)).fetchall())
            connection.execute("DISCARD ALL")
            out.append(connection.info.parameter_status("application_name"))
            out.append(connection.execute("SHOW application_name").fetchall())
            connection.execute("NOTIFY bell, 'unheard'")
    return out


def asyncpg_copy(port: int) -> Answers:
    return asyncio.run(_asyncpg_copy(port))


async def _asyncpg_copy(port: int) -> Answers:
    out: Answers = []
    connection = await asyncpg.connect(host="127.0.0.1", port=port, user=USER, password=PASSWORD, database=DATABASE, ssl=False)
    try:
        rows = [("copied", decimal.Decimal("1.50"), ["a", None]), ("ünï", None, None)]
        out.append(await connection.copy_records_to_table("thing", records=rows, columns=["name", "price", "tags"]))
        out.append(await connection.copy_records_to_table("line", records=[(95, 1), (96, None)]))
        sink = io.BytesIO()
        out.append(await connection.copy_from_query("SELECT id, thing FROM line WHERE id > $1", 0, output=sink, format="csv"))
        out.append(sink.getvalue())
        out.append(await connection.copy_to_table("line", source=io.BytesIO(b"97,1\n"), format="csv"))
        try:
            await connection.copy_records_to_table("line", records=[(95, None)])
        except asyncpg.PostgresError as error:
            out.append((type(error).__name__, error.sqlstate, str(error)))
        out.append(tuple(await connection.fetchrow("SELECT count(*) FROM line WHERE id > 94")))
    finally:
        await connection.close()
    return out


def pg8000_copy(port: int) -> Answers:
    out: Answers = []
    connection = pg8000.dbapi.connect(
        user=USER, password=PASSWORD, host="127.0.0.1", port=port, database=DATABASE, ssl_context=False
    )
    cursor = connection.cursor()
    cursor.execute("COPY line (id) FROM STDIN", stream=io.BytesIO(b"98\n99\n"))
    out.append(cursor.rowcount)
    sink = io.BytesIO()
    cursor.execute("COPY line TO STDOUT WITH (FORMAT csv)", stream=sink)
    out.append(sink.getvalue())
    connection.commit()
    connection.close()
    return out


def asyncpg_steps(port: int) -> Answers:
    return asyncio.run(_asyncpg(port))


async def _asyncpg(port: int) -> Answers:
    out: Answers = []
    connection = await asyncpg.connect(
        host="127.0.0.1", port=port, user=USER, password=PASSWORD, database=DATABASE, ssl=False, statement_cache_size=100
    )
    try:
        for number in (1, 2, 1):
            row = await connection.fetchrow("SELECT id, name, price, made, doc, tags FROM thing WHERE id = $1", number)
            out.append(tuple(row))
        out.append(
            [tuple(row) for row in await connection.fetch("SELECT id, ok, data, ref, lasts FROM thing WHERE id < $1", 3)]
        )
        async with connection.transaction():
            out.append(await connection.execute("INSERT INTO line (id) VALUES ($1)", 71))
            cursor = await connection.cursor("SELECT id, name FROM thing WHERE id < $1 ORDER BY id", 4)
            out.append([tuple(row) for row in await cursor.fetch(2)])
            out.append([tuple(row) for row in await cursor.fetch(2)])
            async for record in connection.cursor("SELECT id FROM thing WHERE id < 4 ORDER BY id", prefetch=2):
                out.append(tuple(record))
            out.append(await connection.fetchval("SELECT name FROM thing ORDER BY id"))
        for broken, args in (
            ("SELECT * FROM nowhere", ()),
            ("SELECT 1/0", ()),
            ("INSERT INTO thing (name) VALUES ($1)", ("bolt",)),
        ):
            try:
                await connection.fetch(broken, *args)
            except asyncpg.PostgresError as error:
                out.append((type(error).__name__, error.sqlstate, str(error)))
        await connection.executemany("INSERT INTO line (id) VALUES ($1)", [(81,), (82,)])
        out.append([tuple(row) for row in await connection.fetch("SELECT id, m, p, e, f, ms FROM kind ORDER BY id")])
        out.append(await connection.execute("UPDATE thing SET ok = true; SELECT 1"))
        await connection.reset()
    finally:
        await connection.close()
    return [str(answer) for answer in out]


def pg8000_steps(port: int) -> Answers:
    out: Answers = []
    connection = pg8000.dbapi.connect(
        user=USER, password=PASSWORD, host="127.0.0.1", port=port, database=DATABASE, ssl_context=False
    )
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT id, name, price, ok, tags FROM thing WHERE id = %s", (1,))
        out += [list(cursor.fetchall()), [column[0] for column in cursor.description or ()]]
        cursor.execute("INSERT INTO line (id) VALUES (%s)", (91,))
        out.append(cursor.rowcount)
        connection.commit()
        try:
            cursor.execute("INSERT INTO thing (name) VALUES (%s)", ("bolt",))
        except pg8000.dbapi.DatabaseError as error:
            out.append(error.args[0].get("C"))
        connection.rollback()
        cursor.execute("SELECT count(*) FROM line WHERE id = 91")
        out.append(list(cursor.fetchall()))
    finally:
        connection.close()
    return out


def psycopg_encoded(port: int) -> Answers:
    """A client that writes and reads Latin-1."""
    out: Answers = []
    with psycopg.connect(dsn(port, client_encoding="latin1"), autocommit=True) as connection:
        out.append(connection.execute("SELECT 'é' || %s AS \"ü\"", ("à",)).fetchone())
        cursor = connection.execute('INSERT INTO thing (name) VALUES (%s) RETURNING name AS "ñame"', ("Zoë",), binary=True)
        out += [[column.name for column in cursor.description or ()], cursor.fetchall()]
        try:
            connection.execute('SELECT "größe" FROM thing')
        except psycopg.Error as error:
            out.append((*said(error), error.diag.message_primary))
    return out


def psycopg_cancel(port: int) -> Answers:
    """A query that is cancelled, over a second connection; a statement that times out; a connection that the server ends."""
    out: Answers = []
    with psycopg.connect(dsn(port), autocommit=True) as connection:
        out.append(connection.execute("SELECT name FROM thing WHERE id = %s", (1,)).fetchone())
        connection.cancel_safe()
        connection.execute("SET statement_timeout = '5ms'")
        try:
            connection.execute("SELECT pg_sleep(5)")
        except psycopg.Error as error:
            out.append((*said(error), error.diag.message_primary))
        connection.execute("RESET statement_timeout")
        try:
            connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        except psycopg.Error as error:
            out.append(said(error))
    return out


def psycopg2_large(port: int) -> Answers:
    """Rows that come in many pieces; a large value."""
    out: Answers = []
    connection = psycopg2.connect(dsn(port))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT n, repeat('x', 100) FROM generate_series(1, 300) AS n")
        rows = cursor.fetchall()
        out += [len(rows), rows[-1]]
        cursor.execute("SELECT repeat('y', 70000)")
        out.append(cursor.fetchall())
    connection.close()
    return out


def psql(port: int) -> Answers:
    """psql's own way: what a person does by hand."""
    script = """
SELECT id, name, price FROM thing ORDER BY id;
BEGIN; SELECT nothing; ROLLBACK;
SELECT 1 AS a \\; SELECT 2 AS b;
\\dT mood
"""
    done = subprocess.run(
        ["psql", dsn(port), "-X", "-A", "-q"], input=script, capture_output=True, text=True, check=False, timeout=30
    )
    return [done.stdout, done.stderr, done.returncode]


SCENARIOS: Mapping[str, Callable[[int], Answers]] = MappingProxyType(
    {
        "psycopg2": psycopg2_simple,
        "psycopg3-text": psycopg_steps,
        "psycopg3-binary": lambda port: psycopg_steps(port, binary=True),
        "psycopg3-prepared": lambda port: psycopg_steps(port, prepare_threshold=0),
        "psycopg3-unprepared": lambda port: psycopg_steps(port, prepare_threshold=None),
        "psycopg3-pipeline": psycopg_pipeline,
        "psycopg3-types": psycopg_types,
        "psycopg3-copy": psycopg_copy,
        "psycopg3-notify": psycopg_notify,
        "psycopg2-notify": psycopg2_notify,
        "asyncpg-notify": asyncpg_notify,
        "psycopg2-copy": psycopg2_copy,
        "psycopg2-lobject": psycopg2_lobject,
        "psycopg3-pooled": psycopg_pooled,
        "asyncpg-copy": asyncpg_copy,
        "pg8000-copy": pg8000_copy,
        "psycopg3-latin1": psycopg_encoded,
        "psycopg3-cancel": psycopg_cancel,
        "psycopg2-large": psycopg2_large,
        **({"psql": psql} if shutil.which("psql") else {}),
        "asyncpg": asyncpg_steps,
        "pg8000": pg8000_steps,
    }
)
