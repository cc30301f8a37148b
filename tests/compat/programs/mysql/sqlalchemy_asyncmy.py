"""SQLAlchemy Core over asyncmy: one engine, transactions, streaming."""

import asyncio
import json
import sys

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine


def say(*values: object) -> None:
    print(json.dumps(values, default=repr, ensure_ascii=False))


async def main() -> None:
    engine = create_async_engine(sys.argv[1].replace("mysql://", "mysql+asyncmy://"))
    async with engine.begin() as connection:
        made = await connection.execute(text("INSERT INTO compat_items (sku, qty) VALUES (:sku, :qty)"), {"sku": "x", "qty": 3})
        say(made.rowcount, made.lastrowid)
        for row in await connection.execute(text("SELECT id, sku, price, made FROM compat_items ORDER BY id")):
            say(*row)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE compat_items SET qty = 0"))
            await connection.execute(text("INSERT INTO compat_items (sku) VALUES ('bolt')"))
    except IntegrityError as error:
        say(*error.orig.args)
    async with engine.connect() as connection:
        rows = await connection.stream(text("SELECT sku, qty FROM compat_items WHERE qty >= :low"), {"low": 1})
        async for row in rows:
            say(*row)
    await engine.dispose()


asyncio.run(main())
