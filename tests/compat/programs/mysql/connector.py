"""MySQL Connector/Python (pure Python, text protocol): reads, writes, warnings, errors, a procedure, several statements."""

import decimal
import json
import sys
from urllib.parse import urlsplit

import mysql.connector


def say(*values: object) -> None:
    print(json.dumps(values, default=repr, ensure_ascii=False))


at = urlsplit(sys.argv[1])
connection = mysql.connector.connect(
    host=at.hostname, port=at.port, user=at.username, password=at.password, database=at.path[1:], use_pure=True,
    get_warnings=True,
)  # fmt: skip
cursor = connection.cursor(buffered=True)
for number in (1, 2, 3):
    cursor.execute("SELECT * FROM compat_kinds WHERE id = %s", (number,))
    say(*(sorted(value) if isinstance(value, set) else value for value in cursor.fetchone()))
cursor.execute("INSERT INTO compat_items (sku, qty, price) VALUES (%s, %s, %s)", ("washer", 5, decimal.Decimal("2.50")))
say(cursor.rowcount, cursor.lastrowid)
cursor.executemany("INSERT INTO compat_items (sku, qty) VALUES (%s, %s)", [("a", 1), ("b", 2), ("c", 3)])
say(cursor.rowcount)
connection.commit()
try:
    cursor.execute("INSERT INTO compat_items (sku) VALUES (%s)", ("bolt",))
except mysql.connector.IntegrityError as error:
    say(error.errno, error.sqlstate, error.msg)
connection.rollback()
connection.start_transaction(isolation_level="READ COMMITTED")
cursor.execute("DELETE FROM compat_items WHERE qty < %s", (10,))
say(cursor.rowcount)
connection.rollback()
cursor.execute("SELECT COUNT(*) FROM compat_items")
say(cursor.fetchone())
cursor.execute("SELECT CAST('12x' AS SIGNED) AS n")
say(cursor.fetchall(), cursor.warnings)
cursor.callproc("compat_both", (2,))
for result in cursor.stored_results():
    say(result.fetchall())
connection.ping()
connection.cmd_reset_connection()
cursor = connection.cursor(dictionary=True)
cursor.execute("SELECT id, sku, made FROM compat_items WHERE id = %(id)s", {"id": 1})
say(cursor.fetchall())
connection.close()
