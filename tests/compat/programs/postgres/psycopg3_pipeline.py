"""psycopg 3 in pipeline mode: many statements before one Sync, an error among them, executemany that returns rows."""

import json
import sys

import psycopg


def say(*values: object) -> None:
    print(json.dumps(values, default=str, ensure_ascii=False))


with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    with connection.pipeline():
        found = [
            connection.execute("SELECT name, price, tags FROM walk_items WHERE id = %s", (number,)) for number in (1, 2, 3)
        ]
        made = connection.execute("INSERT INTO walk_items (name) VALUES (%s) RETURNING id, mood", ("piped",))
        for each in found:
            say(each.fetchall())
        say(made.fetchall())
    try:
        with connection.pipeline() as pipeline:
            connection.execute("INSERT INTO walk_lines (id) VALUES (%s)", (20,))
            connection.execute("INSERT INTO walk_items (name) VALUES (%s)", ("bolt",))
            connection.execute("SELECT 'never'")
            pipeline.sync()
    except psycopg.errors.UniqueViolation as error:
        say(error.sqlstate, error.diag.constraint_name)
    with connection.pipeline(), connection.transaction():
        connection.execute("UPDATE walk_lines SET qty = qty + 1 WHERE id = %s", (1,))
        total = connection.execute("SELECT sum(qty) FROM walk_lines")
        say(total.fetchone())
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO walk_lines (id, qty) VALUES (%s, %s) RETURNING id", [(30, 1), (31, 2), (32, 3)], returning=True
        )
        say([result.fetchall() for result in cursor.results()])
    say(connection.execute("SELECT count(*) FROM walk_lines").fetchone())
