"""pg8000: many types, RETURNING, an error, a transaction undone, a prepared statement of its native interface, COPY."""

import datetime as dt
import decimal
import io
import json
import sys
from urllib.parse import urlsplit

import pg8000.dbapi
import pg8000.native


def plain(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else str(value)


def say(*values: object) -> None:
    print(json.dumps(values, default=plain, ensure_ascii=False))


at = urlsplit(sys.argv[1])
options = {"user": at.username, "password": at.password, "host": at.hostname, "port": at.port, "database": at.path[1:]}
connection = pg8000.dbapi.connect(**options)
cursor = connection.cursor()
cursor.execute("SELECT * FROM walk_items WHERE id <= %s ORDER BY id", (3,))
for row in cursor.fetchall():
    say(*row)
made = dt.datetime(2026, 11, 20, 12, 0, 0, 5000, tzinfo=dt.UTC)
cursor.execute(
    "INSERT INTO walk_items (name, price, ok, made, day, data, doc, tags, ratio) VALUES"
    " (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id, name, made, tags, doc",
    ("it's", decimal.Decimal("3.10"), None, made, made.date(), b"\0\x01'", '{"k": ["v", 1]}', ["x", "y z", None], 0.25),
)
say(cursor.fetchall(), cursor.rowcount)
cursor.execute("UPDATE walk_items SET price = price + %s WHERE name = %s", (1, "bolt"))
say(cursor.rowcount)
connection.commit()
try:
    cursor.execute("INSERT INTO walk_items (name) VALUES (%s)", ("bolt",))
except pg8000.dbapi.DatabaseError as error:
    say(error.args[0]["C"], error.args[0]["n"])
connection.rollback()
cursor.execute("DELETE FROM walk_lines WHERE id = %s", (1,))
say(cursor.rowcount)
connection.rollback()
cursor.execute("COPY walk_lines (id, qty) FROM STDIN", stream=io.BytesIO(b"12\t5\n13\t6\n"))
sink = io.BytesIO()
cursor.execute("COPY (SELECT id, qty FROM walk_lines ORDER BY id) TO STDOUT WITH (FORMAT csv)", stream=sink)
say(sink.getvalue().decode())
connection.commit()
connection.close()
native = pg8000.native.Connection(**options)
prepared = native.prepare("SELECT name, price FROM walk_items WHERE id = :number")
for number in (1, 2, 70000, 1):
    say(prepared.run(number=number))
say(native.run("SELECT sum(qty), max(p) FROM walk_lines"))
native.close()
