"""asyncpg: reads, writes, a transaction, an error, executemany, introspection of an array of a composite."""

import asyncio
import json
import sys

import asyncpg


def say(*values: object) -> None:
    print(json.dumps(values, default=str))


async def main() -> None:
    connection = await asyncpg.connect(sys.argv[1])
    for row in await connection.fetch(
        "SELECT id, customer, total, paid, placed, extra FROM compat_orders WHERE id <= $1 ORDER BY id", 3
    ):
        say(*row)
    async with connection.transaction():
        say(
            *await connection.fetchrow(
                "INSERT INTO compat_orders (customer, total) VALUES ($1, $2) RETURNING id, placed", "new", 12
            )
        )
        await connection.executemany("INSERT INTO compat_lines VALUES ($1, $2, $3)", [(1, "A", 1), (1, "B", 2)])
    try:
        await connection.execute("INSERT INTO compat_orders (customer) VALUES (NULL)")
    except asyncpg.NotNullViolationError as error:
        say(error.sqlstate, error.column_name)
    say(await connection.fetchval("SELECT array_agg(l ORDER BY sku) FROM compat_lines l"))
    await connection.close()


asyncio.run(main())
