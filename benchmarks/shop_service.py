"""The service behind the attribution benchmark: FastAPI and asyncpg on a real PostgreSQL.

    python shop_service.py PORT DSN pool|connection [background]

Every statement holds the marker of the request that caused it, if it has one (`x-rid`), in a condition that is always true, so
that the truth is known; the benchmark takes the markers out before the attributor sees anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import uvicorn
from fastapi import FastAPI, Header, Response
from pydantic import BaseModel

PORT, DSN, MODE, *REST = sys.argv[1:]


class Wanted(BaseModel):
    user_id: int
    sku: str
    qty: int


async def work() -> None:
    await asyncio.sleep(random.expovariate(1 / 0.003))


class Db:
    """What one request does; its statements carry its marker."""

    def __init__(self, pool: asyncpg.Pool, marker: str) -> None:
        self._pool, self._marker = pool, marker

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        if MODE == "pool":
            async with self._pool.acquire() as one:
                yield one
        else:
            one = await asyncpg.connect(DSN, ssl=False)
            try:
                yield one
            finally:
                await one.close()

    def sql(self, text: str) -> str:
        return text.replace("TRUE", f"'rid:{self._marker}' <> ''") if self._marker else text

    async def rows(self, text: str, *values: object) -> list[Any]:
        async with self.connection() as one:
            return list(await one.fetch(self.sql(text), *values))


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(DSN, ssl=False, min_size=8, max_size=8) as pool:
        app.state.pool = pool
        poller = asyncio.create_task(poll(pool)) if REST else None
        yield
        if poller is not None:
            poller.cancel()


async def poll(pool: asyncpg.Pool) -> None:
    while True:
        await Db(pool, "none").rows("SELECT id FROM jobs WHERE TRUE AND state = 'new' LIMIT 1")
        await asyncio.sleep(0.02)


app = FastAPI(lifespan=lifespan)


def db(marker: str) -> Db:
    return Db(app.state.pool, marker)


@app.get("/users/{one}")
async def user(one: int, x_rid: str = Header(default="")) -> dict[str, object]:
    found = (await db(x_rid).rows("SELECT id, name, email FROM users WHERE TRUE AND id = $1", one))[0]
    await work()
    orders = await db(x_rid).rows("SELECT id, sku, total FROM orders WHERE TRUE AND user_id = $1 ORDER BY id DESC LIMIT 5", one)
    return {"id": one, "name": found["name"], "orders": [dict(row) for row in orders]}


@app.get("/users/{one}/basket")
async def basket(one: int, x_rid: str = Header(default="")) -> list[dict[str, object]]:
    """One query for each line: the N+1 that real services have."""
    lines = await db(x_rid).rows("SELECT sku, qty FROM baskets WHERE TRUE AND user_id = $1 ORDER BY sku", one)
    out = []
    for line in lines:
        await work()
        item = (await db(x_rid).rows("SELECT title, price FROM items WHERE TRUE AND sku = $1", line["sku"]))[0]
        out.append({"title": item["title"], "qty": line["qty"], "price": item["price"]})
    return out


@app.post("/orders", status_code=201)
async def order(wanted: Wanted, response: Response, x_rid: str = Header(default="")) -> dict[str, object]:
    mine = db(x_rid)
    tier = (await mine.rows("SELECT tier FROM users WHERE TRUE AND id = $1", wanted.user_id))[0]["tier"]
    await work()
    async with mine.connection() as one:
        await one.execute("BEGIN")
        price = (await one.fetch(mine.sql("SELECT price FROM items WHERE TRUE AND sku = $1"), wanted.sku))[0]["price"]
        await work()
        if wanted.qty == 5:  # now and then another way
            await one.execute("ROLLBACK")
            response.status_code = 409
            return {"error": "sold out", "sku": wanted.sku}
        total = price * wanted.qty - (1 if tier == "gold" else 0)
        made = await one.fetch(
            mine.sql("INSERT INTO orders (user_id, sku, qty, total) SELECT $1, $2, $3, $4 WHERE TRUE RETURNING id"),
            wanted.user_id,
            wanted.sku,
            wanted.qty,
            total,
        )
        await one.execute(mine.sql("UPDATE items SET stock = stock - $1 WHERE TRUE AND sku = $2"), wanted.qty, wanted.sku)
        await one.execute("COMMIT")
    return {"order": made[0]["id"], "total": total}


@app.get("/search")
async def search(q: str, x_rid: str = Header(default="")) -> list[dict[str, object]]:
    found = await db(x_rid).rows("SELECT id, name FROM users WHERE TRUE AND email LIKE $1 ORDER BY id LIMIT 10", f"%{q}%")
    await work()
    return [dict(row) for row in found]


@app.get("/stats")
async def stats(x_rid: str = Header(default="")) -> dict[str, object]:
    count = (await db(x_rid).rows("SELECT count(*) AS n FROM orders WHERE TRUE"))[0]["n"]
    await work()
    last = (await db(x_rid).rows("SELECT max(id) AS m FROM orders WHERE TRUE"))[0]["m"]
    return {"n": count, "m": last}


@app.get("/health")
async def health(x_rid: str = Header(default="")) -> dict[str, object]:
    await db(x_rid).rows("SELECT 1 AS ok WHERE TRUE")
    return {"ok": True}


uvicorn.run(app, host="127.0.0.1", port=int(PORT), log_level="error")
