"""PyMySQL: reads of every type, writes, an error, a transaction undone, a procedure with two results."""

import decimal
import json
import sys
from urllib.parse import urlsplit

import pymysql


def say(*values: object) -> None:
    print(json.dumps(values, default=repr, ensure_ascii=False))


at = urlsplit(sys.argv[1])
connection = pymysql.connect(
    host=at.hostname, port=at.port, user=at.username, password=at.password, database=at.path[1:], charset="utf8mb4"
)
with connection, connection.cursor() as cursor:
    for number in (1, 2, 3):
        cursor.execute("SELECT * FROM compat_kinds WHERE id = %s", (number,))
        for row in cursor.fetchall():
            say(*row)
    say([column[:2] for column in cursor.description])
    cursor.execute("SELECT id, sku FROM compat_items WHERE sku IN %s ORDER BY id", (["bolt", "nut"],))
    say(cursor.fetchall())
    cursor.execute("INSERT INTO compat_items (sku, qty, price) VALUES (%s, %s, %s)", ("washer", 5, decimal.Decimal("2.50")))
    say(cursor.rowcount, cursor.lastrowid)
    cursor.executemany("INSERT INTO compat_items (sku, qty) VALUES (%s, %s)", [("a", 1), ("b", 2), ("c", 3)])
    say(cursor.rowcount)
    cursor.execute("UPDATE compat_items SET qty = qty + 1, note = %s WHERE qty > %s", (b"\xff\x00bytes"[2:], 4))
    say(cursor.rowcount)
    connection.commit()
    try:
        cursor.execute("INSERT INTO compat_items (sku) VALUES (%s)", ("bolt",))
    except pymysql.err.IntegrityError as error:
        say(*error.args)
    cursor.execute("DELETE FROM compat_items")
    say(cursor.rowcount)
    connection.rollback()
    cursor.execute("SELECT COUNT(*) FROM compat_items")
    say(cursor.fetchone())
    cursor.callproc("compat_both", (2,))
    say(cursor.fetchall())
    while cursor.nextset():
        say(cursor.fetchall())
    cursor.execute("SELECT CAST('12x' AS SIGNED) AS n")
    say(cursor.fetchone(), cursor.warning_count)
    cursor.execute("SHOW WARNINGS")
    say(cursor.fetchall())
    try:
        cursor.execute("SELECT nothing FROM compat_items")
    except pymysql.err.OperationalError as error:
        say(*error.args)
    connection.commit()
