"""psycopg2: many types, RETURNING, an error, a transaction undone, arrays, execute_values, a named cursor, COPY, NOTIFY."""

import datetime as dt
import decimal
import io
import json
import sys

import psycopg2
import psycopg2.extras


def plain(value: object) -> object:
    return bytes(value).hex() if isinstance(value, memoryview) else str(value)


def say(*values: object) -> None:
    print(json.dumps(values, default=plain, ensure_ascii=False))


connection = psycopg2.connect(sys.argv[1])
psycopg2.extras.register_uuid(conn_or_curs=connection)
with connection, connection.cursor() as cursor:
    cursor.execute("SELECT * FROM walk_items WHERE id <= %s ORDER BY id", (3,))
    for row in cursor.fetchall():
        say(*row)
    say([(column.name, column.internal_size if column.type_code < 16384 else "own") for column in cursor.description or ()])
    made = dt.datetime(2026, 11, 20, 12, 0, 0, 5000, tzinfo=dt.UTC)
    cursor.execute(
        "INSERT INTO walk_items (name, price, ok, made, day, data, doc, tags, ratio, lasts) VALUES"
        " (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id, name, made, tags, doc, lasts",
        ("it's", decimal.Decimal("3.10"), None, made, made.date(), b"\0\x01'", psycopg2.extras.Json({"k": ["v", 1]}),
         ["x", "y z", None], 0.25, dt.timedelta(hours=30)),
    )  # fmt: skip
    say(cursor.fetchall(), cursor.statusmessage)
    cursor.execute(
        "UPDATE walk_items SET price = price + %(more)s WHERE name = ANY(%(names)s)", {"more": 1, "names": ["bolt", "nut"]}
    )
    say(cursor.rowcount, cursor.statusmessage)
try:
    with connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO walk_items (name) VALUES (%s)", ("bolt",))
except psycopg2.errors.UniqueViolation as error:
    say(error.pgcode, error.diag.constraint_name, error.diag.message_detail)
with connection.cursor() as cursor:
    cursor.execute("DELETE FROM walk_lines WHERE id = %s", (1,))
    say(cursor.rowcount)
    connection.rollback()
    cursor.execute("SELECT count(*), sum(qty), max(p) FROM walk_lines")
    say(*cursor.fetchone() or ())
    psycopg2.extras.execute_values(cursor, "INSERT INTO walk_lines (id, item) VALUES %s RETURNING id", [(10, 1), (11, None)])
    say(cursor.fetchall())
    cursor.copy_expert("COPY walk_lines (id, item, qty) FROM STDIN WITH CSV", io.StringIO("12,1,5\n13,,6\n"))
    sink = io.StringIO()
    cursor.copy_to(sink, "walk_lines", columns=("id", "item", "qty"))
    say(sink.getvalue())
connection.commit()
with connection, connection.cursor("walk") as cursor:
    cursor.itersize = 2
    cursor.execute("SELECT id, qty FROM walk_lines WHERE id > %s ORDER BY id", (1,))
    say([row for row in cursor])  # noqa: C416 - iterating is what fetches bit by bit
connection.autocommit = True
with connection.cursor() as cursor:
    cursor.execute("LISTEN walk; NOTIFY walk, 'own'")
    say([notify.payload for notify in connection.notifies])
    cursor.execute("SELECT 1 AS one; SELECT name FROM walk_items WHERE id = 1")
    say(cursor.fetchall())
connection.close()
