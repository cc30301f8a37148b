"""The statements of the cross-driver rows, with psycopg2."""

import json
import sys

import psycopg2


def say(*values: object) -> None:
    print(json.dumps(values, default=str))


connection = psycopg2.connect(sys.argv[1])
cursor = connection.cursor()
cursor.execute("SELECT id, customer, total, paid FROM compat_orders WHERE id <= %s ORDER BY id", (3,))
say(cursor.fetchall())
cursor.execute("INSERT INTO compat_orders (customer, total) VALUES (%s, %s) RETURNING id, placed", ("it's new", 12.5))
say(*cursor.fetchone())
connection.commit()
for customer in ("customer 2", "nobody", "it's new"):
    cursor.execute("SELECT count(*), max(total) FROM compat_orders WHERE customer = %s", (customer,))
    say(*cursor.fetchone())
cursor.execute("UPDATE compat_orders SET paid = %s WHERE id = %s", (True, 4))
say(cursor.rowcount)
connection.commit()
try:
    cursor.execute("INSERT INTO compat_orders (customer) VALUES (%s)", (None,))
except psycopg2.errors.NotNullViolation as error:
    say(error.diag.sqlstate, error.diag.column_name)
connection.rollback()
connection.close()
