"""asyncpg: everything in binary, prepared statements, cursors, types of the database's own, COPY, its own notifications."""

import asyncio
import datetime as dt
import decimal
import io
import json
import sys

import asyncpg


def plain(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else tuple(value) if isinstance(value, asyncpg.Record) else str(value)


def say(*values: object) -> None:
    print(json.dumps(values, default=plain, ensure_ascii=False))


async def main() -> None:
    connection = await asyncpg.connect(sys.argv[1])
    for row in await connection.fetch("SELECT * FROM walk_items WHERE id <= $1 ORDER BY id", 3):
        say(*row)
    prepared = await connection.prepare("SELECT name, price FROM walk_items WHERE id = $1")
    for number in (1, 2, 70000, 1):
        say(await prepared.fetchrow(number))
    made = dt.datetime(2026, 11, 20, 12, 0, 0, 5000, tzinfo=dt.UTC)
    say(
        await connection.fetchrow(
            "INSERT INTO walk_items (name, price, ok, made, day, data, doc, tags, ratio, lasts, mood) VALUES"
            " ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id, name, made, tags, doc, lasts, mood",
            "it's", decimal.Decimal("3.10"), None, made, made.date(), b"\0\x01'", '{"k": ["v", 1]}', ["x", "y z", None], 0.25,
            dt.timedelta(hours=30), "ok",
        )
    )  # fmt: skip
    say(await connection.execute("UPDATE walk_items SET price = price + $1 WHERE name = ANY($2)", 1, ["bolt", "nut"]))
    try:
        await connection.execute("INSERT INTO walk_items (name) VALUES ($1)", "bolt")
    except asyncpg.UniqueViolationError as error:
        say(error.sqlstate, error.constraint_name, error.detail)
    transaction = connection.transaction()
    await transaction.start()
    say(await connection.execute("DELETE FROM walk_lines WHERE id = $1", 1))
    await transaction.rollback()
    async with connection.transaction(isolation="repeatable_read"):
        say(await connection.fetchrow("SELECT count(*), sum(qty), max(p) FROM walk_lines"))
        say([record["id"] async for record in connection.cursor("SELECT id FROM walk_lines ORDER BY id", prefetch=2)])
    await connection.executemany("INSERT INTO walk_lines (id, item) VALUES ($1, $2)", [(10, 1), (11, None)])
    say(
        await connection.copy_records_to_table("walk_lines", records=[(12, 1, 5), (13, None, 6)], columns=["id", "item", "qty"])
    )
    sink = io.BytesIO()
    say(await connection.copy_from_query("SELECT id, item, qty FROM walk_lines WHERE id > $1", 9, output=sink, format="csv"))
    say(sink.getvalue().decode())
    heard: asyncio.Queue[object] = asyncio.Queue()
    await connection.add_listener("walk", lambda *told: heard.put_nowait(told[3]))
    await connection.execute("NOTIFY walk, 'own'")
    say(await asyncio.wait_for(heard.get(), 20))
    await connection.close()
    async with asyncpg.create_pool(sys.argv[1], min_size=1, max_size=2) as pool:
        say(await pool.fetchval("SELECT name FROM walk_items WHERE id = $1", 3))
        say(*await asyncio.gather(*(pool.fetchval("SELECT qty FROM walk_lines WHERE id = $1", number) for number in (1, 2))))


asyncio.run(main())
