"""asyncmy: a pool, reads of every type, writes, an error, a transaction undone."""

import asyncio
import decimal
import json
import sys
from urllib.parse import urlsplit

import asyncmy
from asyncmy.errors import IntegrityError


def say(*values: object) -> None:
    print(json.dumps(values, default=repr, ensure_ascii=False))


async def main() -> None:
    at = urlsplit(sys.argv[1])
    pool = await asyncmy.create_pool(
        host=at.hostname, port=at.port, user=at.username, password=at.password, db=at.path[1:], minsize=1, maxsize=2
    )
    async with pool.acquire() as connection, connection.cursor() as cursor:
        for number in (1, 2, 3):
            await cursor.execute("SELECT * FROM compat_kinds WHERE id = %s", (number,))
            say(*(sorted(value) if isinstance(value, set) else value for value in await cursor.fetchone()))
        await cursor.execute(
            "INSERT INTO compat_items (sku, qty, price) VALUES (%s, %s, %s)", ("washer", 5, decimal.Decimal("2.50"))
        )
        say(cursor.rowcount, cursor.lastrowid)
        await connection.commit()
        try:
            await cursor.execute("INSERT INTO compat_items (sku) VALUES (%s)", ("bolt",))
        except IntegrityError as error:
            say(*error.args)
        await connection.begin()
        await cursor.execute("UPDATE compat_items SET qty = qty + 1")
        say(cursor.rowcount)
        await connection.rollback()
        await cursor.execute("SELECT COUNT(*), SUM(qty), MAX(made) FROM compat_items")
        say(*await cursor.fetchone())
        await cursor.callproc("compat_both", (2,))
        say(await cursor.fetchall())
        while await cursor.nextset():
            say(await cursor.fetchall())
    pool.close()
    await pool.wait_closed()


asyncio.run(main())
