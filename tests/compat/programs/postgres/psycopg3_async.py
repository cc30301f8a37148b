"""psycopg 3, asyncio, with a pool: connections used side by side, a transaction undone, an error, NOTIFY across connections."""

import asyncio
import json
import sys

import psycopg
from psycopg_pool import AsyncConnectionPool


def say(*values: object) -> None:
    print(json.dumps(values, default=str, ensure_ascii=False))


async def main() -> None:
    async with AsyncConnectionPool(sys.argv[1], min_size=2, max_size=3, open=False) as pool:

        async def name(number: int) -> object:
            async with pool.connection() as connection:
                cursor = await connection.execute("SELECT name, made, doc FROM walk_items WHERE id = %s", (number,))
                return await cursor.fetchone()

        say(*await asyncio.gather(*map(name, (1, 2, 3))))
        try:
            async with pool.connection() as connection:
                await connection.execute("INSERT INTO walk_lines (id) VALUES (%s)", (40,))
                await connection.execute("INSERT INTO walk_items (name) VALUES (%s)", ("nut",))
        except psycopg.errors.UniqueViolation as error:
            say(error.sqlstate, error.diag.constraint_name)
        async with pool.connection() as connection:
            say(await (await connection.execute("SELECT count(*) FROM walk_lines WHERE id = %s", (40,))).fetchone())
            async with connection.cursor() as cursor:
                await cursor.executemany("UPDATE walk_lines SET qty = %s WHERE id = %s", [(7, 1), (8, 2)])
                say(cursor.rowcount)
        async with await psycopg.AsyncConnection.connect(sys.argv[1], autocommit=True) as listener, pool.connection() as other:
            await listener.execute("LISTEN walk")
            await other.execute("NOTIFY walk, 'from elsewhere'")
            await other.commit()
            async for told in listener.notifies(timeout=20, stop_after=1):
                say(told.channel, told.payload)


asyncio.run(main())
