"""MySQL Connector/Python with prepared statements: reused, with every type, NULL, long values, an error."""

import datetime as dt
import decimal
import json
import sys
from urllib.parse import urlsplit

import mysql.connector


def say(*values: object) -> None:
    print(json.dumps(values, default=repr, ensure_ascii=False))


at = urlsplit(sys.argv[1])
connection = mysql.connector.connect(
    host=at.hostname, port=at.port, user=at.username, password=at.password, database=at.path[1:], use_pure=True
)
cursor = connection.cursor(prepared=True)
columns = (
    "id, tiny, flag, small, medium, big, huge, single, twice, money, code, name, body, raw, bytes, day, exact, moment, "
    "precise, stamp, mood, tags, doc"
)
for number in (1, 2, 3):
    cursor.execute(f"SELECT {columns} FROM compat_kinds WHERE id = %s", (number,))
    say(*cursor.fetchone())
insert = "INSERT INTO compat_items (sku, qty, price, made, note) VALUES (%s, %s, %s, %s, %s)"
cursor.execute(insert, ("washer", 5, decimal.Decimal("2.50"), dt.datetime(2024, 5, 6, 7, 8, 9), "x" * 3000))
say(cursor.rowcount, cursor.lastrowid)
cursor.execute(insert, ("ring", -5, None, dt.datetime(2024, 5, 6, 7, 8, 9, 120000), b"bytes"))
say(cursor.rowcount, cursor.lastrowid)
connection.commit()
try:
    cursor.execute(insert, ("bolt", 1, None, None, None))
except mysql.connector.IntegrityError as error:
    say(error.errno, error.sqlstate, error.msg)
try:
    cursor.execute("SELECT nothing FROM compat_items WHERE id = %s", (1,))
except mysql.connector.ProgrammingError as error:
    say(error.errno, error.sqlstate, error.msg)
connection.rollback()
cursor = connection.cursor(prepared=True)
cursor.execute("SELECT id, sku, price, made FROM compat_items WHERE qty > %s ORDER BY id", (-100,))
for row in cursor:
    say(*row)
cursor.close()
connection.close()
