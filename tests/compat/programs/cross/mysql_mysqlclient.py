"""The statements of the cross-driver rows, with mysqlclient."""

import json
import sys
from urllib.parse import urlsplit

import MySQLdb


def say(*values: object) -> None:
    print(json.dumps(values, default=str))


at = urlsplit(sys.argv[1])
connection = MySQLdb.connect(
    host=at.hostname, port=at.port, user=at.username, password=at.password, database=at.path[1:], charset="utf8mb4"
)
cursor = connection.cursor()
cursor.execute("SELECT id, sku, qty, price, made FROM compat_items WHERE id <= %s ORDER BY id", (3,))
say(cursor.fetchall())
cursor.execute("INSERT INTO compat_items (sku, qty, price) VALUES (%s, %s, %s)", ("it's new", 5, "2.50"))
say(cursor.rowcount, cursor.lastrowid)
connection.commit()
for sku in ("bolt", "nothing", "it's new"):
    cursor.execute("SELECT count(*), max(price) FROM compat_items WHERE sku = %s", (sku,))
    say(*cursor.fetchone())
cursor.execute("UPDATE compat_items SET note = %s WHERE qty > %s", (None, 5))
say(cursor.rowcount)
connection.commit()
try:
    cursor.execute("INSERT INTO compat_items (sku) VALUES (%s)", ("bolt",))
except MySQLdb.IntegrityError as error:
    say(*error.args)
connection.rollback()
connection.close()
