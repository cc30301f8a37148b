"""psycopg 3: many types, prepared statements reused, executemany, transactions, types of the database's own, COPY, cursors."""

import datetime as dt
import decimal
import json
import sys
from typing import Any

import psycopg
from psycopg.types.composite import CompositeInfo, register_composite
from psycopg.types.enum import EnumInfo
from psycopg.types.json import Jsonb


def plain(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else str(value)


def say(*values: object) -> None:
    print(json.dumps(values, default=plain, ensure_ascii=False))


def walk(*, binary: bool = False, **options: Any) -> None:
    with psycopg.connect(sys.argv[1], **options) as connection:
        for info, register in ((EnumInfo, EnumInfo.register), (CompositeInfo, register_composite)):
            found = info.fetch(connection, "walk_mood" if info is EnumInfo else "walk_point")
            assert found is not None
            register(found, connection)  # type: ignore[operator]
        cursor = connection.cursor(binary=binary)
        cursor.execute("SELECT * FROM walk_items WHERE id <= %s ORDER BY id", (3,))
        for row in cursor.fetchall():
            say(*row)
        say([(column.name, column.type_code < 16384) for column in cursor.description or ()])
        for number in (1, 2, 70000, 1, 2, 1, 3, 1):
            say(cursor.execute("SELECT name, price FROM walk_items WHERE id = %s", (number,)).fetchone())
        made = dt.datetime(2026, 11, 20, 12, 0, 0, 5000, tzinfo=dt.UTC)
        cursor.execute(
            "INSERT INTO walk_items (name, price, ok, made, day, data, doc, tags, ratio, lasts) VALUES"
            " (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id, name, made, tags, doc, lasts",
            ("it's", decimal.Decimal("3.10"), None, made, made.date(), b"\0\x01'", Jsonb({"k": ["v", 1]}), ["x", "y z", None],
             0.25, dt.timedelta(hours=30)),
        )  # fmt: skip
        say(cursor.fetchall(), cursor.statusmessage)
        cursor.execute("UPDATE walk_items SET price = price + %s WHERE name = ANY(%s)", (1, ["bolt", "nut"]))
        say(cursor.rowcount, cursor.statusmessage)
        connection.commit()
        try:
            with connection.transaction():
                cursor.execute("INSERT INTO walk_items (name) VALUES (%s)", ("bolt",))
        except psycopg.errors.UniqueViolation as error:
            say(error.sqlstate, error.diag.constraint_name, error.diag.message_detail)
        with connection.transaction(force_rollback=True):
            say(cursor.execute("DELETE FROM walk_lines WHERE id = %s", (1,)).rowcount)
            with connection.transaction():
                cursor.execute("UPDATE walk_lines SET qty = %s WHERE id = 2", (50,))
        say(cursor.execute("SELECT count(*), sum(qty), max(p) FROM walk_lines").fetchone())
        cursor.executemany("INSERT INTO walk_lines (id, item) VALUES (%s, %s)", [(10, 1), (11, None)])
        say(cursor.rowcount)
        with cursor.copy("COPY walk_lines (id, item, qty) FROM STDIN") as copy:
            copy.write_row((12, 1, 5))
            copy.write_row((13, None, 6))
        with cursor.copy("COPY (SELECT id, item, qty FROM walk_lines ORDER BY id) TO STDOUT") as copy:
            say(list(copy.rows()))
        connection.commit()
        with connection.cursor("walk", binary=binary) as server:
            server.itersize = 2
            server.execute("SELECT id, qty FROM walk_lines WHERE id > %s ORDER BY id", (1,))
            say(list(server))


if __name__ == "__main__":
    walk()
