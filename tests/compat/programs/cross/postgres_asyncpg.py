"""The statements of the cross-driver rows, with asyncpg."""

import asyncio
import json
import sys

import asyncpg


def say(*values: object) -> None:
    print(json.dumps(values, default=str))


async def main() -> None:
    connection = await asyncpg.connect(sys.argv[1])
    async with connection.transaction():
        found = await connection.fetch("SELECT id, customer, total, paid FROM compat_orders WHERE id <= $1 ORDER BY id", 3)
        say([list(row) for row in found])
        say(
            *await connection.fetchrow(
                "INSERT INTO compat_orders (customer, total) VALUES ($1, $2) RETURNING id, placed", "it's new", 12.5
            )
        )
    async with connection.transaction():
        for customer in ("customer 2", "nobody", "it's new"):
            say(*await connection.fetchrow("SELECT count(*), max(total) FROM compat_orders WHERE customer = $1", customer))
        done = await connection.execute("UPDATE compat_orders SET paid = $1 WHERE id = $2", True, 4)
        say(int(done.rpartition(" ")[2]))
    try:
        async with connection.transaction():
            await connection.execute("INSERT INTO compat_orders (customer) VALUES ($1)", None)
    except asyncpg.NotNullViolationError as error:
        say(error.sqlstate, error.column_name)
    await connection.close()


asyncio.run(main())
