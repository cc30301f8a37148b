"""psycopg2: reads, writes, an error."""

import json
import sys

import psycopg2


def say(*values: object) -> None:
    print(json.dumps(values, default=str))


connection = psycopg2.connect(sys.argv[1])
with connection, connection.cursor() as cursor:
    cursor.execute("SELECT id, customer, total, paid, placed, extra FROM compat_orders WHERE id <= %s ORDER BY id", (3,))
    for row in cursor:
        say(*row)
    cursor.execute("INSERT INTO compat_orders (customer, total) VALUES (%s, %s) RETURNING id, placed", ("new", "12.50"))
    say(*cursor.fetchone())
with connection, connection.cursor() as cursor:
    try:
        cursor.execute("INSERT INTO compat_orders (customer) VALUES (NULL)")
    except psycopg2.errors.NotNullViolation as error:
        say(error.pgcode, error.diag.column_name)
        connection.rollback()
    cursor.execute("SELECT count(*) FROM compat_orders WHERE customer = ANY(%s)", (["new", "customer 2"],))
    say(*cursor.fetchone())
connection.close()
