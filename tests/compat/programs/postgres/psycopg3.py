"""psycopg 3: reads, writes, a transaction, an error, a pipeline."""

import json
import sys

import psycopg


def say(*values: object) -> None:
    print(json.dumps(values, default=str))


with psycopg.connect(sys.argv[1]) as connection:
    cursor = connection.cursor()
    cursor.execute("SELECT id, customer, total, paid, placed, extra FROM compat_orders WHERE id <= %s ORDER BY id", (3,))
    for row in cursor:
        say(*row)
    cursor.execute("INSERT INTO compat_orders (customer, total) VALUES (%s, %s) RETURNING id, placed", ("new", "12.50"))
    say(*cursor.fetchone())
    connection.commit()
    try:
        cursor.execute("INSERT INTO compat_orders (customer) VALUES (NULL)")
    except psycopg.errors.NotNullViolation as error:
        say(error.sqlstate, error.diag.column_name)
    connection.rollback()
    for number in range(7):
        say(cursor.execute("SELECT sum(total), count(*) FROM compat_orders WHERE id > %s", (number,)).fetchone())
    with connection.pipeline():
        first = connection.execute("SELECT %s::int + 1", (41,))
        second = connection.execute("SELECT customer FROM compat_orders WHERE id = %s", (2,))
    say(first.fetchone(), second.fetchone())
