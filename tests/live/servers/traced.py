"""A service that passes on the trace of each request, in headers of HTTP calls and in comments of SQL. Run as a script:

    python traced.py PORT

DATABASE_URL, STOCK_URL and TRUTH come from the environment. Every statement and every call is answered with a serial number
that no response shows; which request got which is written to the file TRUTH, a line each: `X-Number: serials`.

ODDITY has it behave in a way that services do: `echo`: it shows the ids in responses and writes them down; `sticky`: its HTTP
client goes on sending the ids of the first request; `batch`: what requests look up at the same time is looked up at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import asyncpg
import httpx
import uvicorn
from fastapi import BackgroundTasks, FastAPI, Header, Request, Response

ODDITY = os.environ.get("ODDITY", "")
parent: ContextVar[str] = ContextVar("parent", default="")
request_id: ContextVar[str] = ContextVar("request_id", default="")


def commented(sql: str) -> str:
    """As sqlcommenter writes it."""
    return f"{sql} /*route='%2Fitems',traceparent='{quote(parent.get())}'*/" if parent.get() else sql


@contextlib.asynccontextmanager
async def life(app: FastAPI) -> AsyncIterator[None]:
    async with (
        asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=8, max_size=8) as app.state.pool,
        httpx.AsyncClient(base_url=os.environ["STOCK_URL"]) as app.state.stock,
    ):
        yield


app = FastAPI(lifespan=life)


@app.middleware("http")
async def trace(request: Request, go_on: Any) -> Response:
    parent.set(request.headers.get("traceparent", ""))
    request_id.set(request.headers.get("x-request-id", ""))
    answer: Response = await go_on(request)
    answer.headers["x-request-id"] = request_id.get()  # as many do
    answer.headers["traceresponse"] = parent.get()
    return answer


first: dict[str, str] = {}


def note(number: str, *serials: object) -> None:
    with Path(os.environ["TRUTH"]).open("a") as truth:
        truth.write(f"{number}: {' '.join(map(str, serials))}\n")


async def stock(method: str, path: str) -> Any:
    headers = {"traceparent": parent.get(), "tracestate": "shop=1", "x-request-id": request_id.get()} if parent.get() else {}
    if ODDITY == "sticky" and headers:
        first.update(headers if not first else {})
        headers = first
    return (await app.state.stock.request(method, path, headers=headers)).json()


@app.get("/items/{item}")
async def show(item: int, x_number: Annotated[str, Header()]) -> Any:
    if ODDITY == "batch":
        found = await batch(item)
    else:
        found = await app.state.pool.fetchrow(
            commented("SELECT nextval('truth') AS serial, name FROM items WHERE id = $1"), item
        )
    left = await stock("GET", f"/stock/{item}")
    again = await app.state.pool.fetchrow(
        commented("SELECT nextval('truth') AS serial, count(*) AS orders FROM orders WHERE item = $1"), item
    )
    note(x_number, found["serial"], left["serial"], again["serial"])
    told = {"trace": parent.get()[3:35], "request": request_id.get()} if ODDITY == "echo" else {}
    return {"name": found["name"], "left": left["left"], **told}


waiting: dict[int, list[asyncio.Future[Any]]] = {}


async def batch(item: int) -> Any:
    """What those that ask within a moment want, asked by the first of them."""
    mine = asyncio.get_running_loop().create_future()
    waiting.setdefault(item, []).append(mine)
    if sum(map(len, waiting.values())) == 1:
        await asyncio.sleep(0.005)
        wanted = dict(waiting)
        waiting.clear()
        rows = await app.state.pool.fetch(
            commented("SELECT nextval('truth') AS serial, id, name FROM items WHERE id = ANY($1) ORDER BY id"), sorted(wanted)
        )
        for row in rows:
            for one in wanted[row["id"]]:
                one.set_result(row)
    return await mine


@app.post("/items/{item}/orders")
async def order(item: int, x_number: Annotated[str, Header()], later: BackgroundTasks) -> Any:
    serials = []
    async with app.state.pool.acquire() as session, session.transaction():
        for _ in range(2):  # the second is an execution of what was prepared for the first
            row = await session.fetchrow(
                commented("INSERT INTO orders (item, qty) VALUES ($1, $2) RETURNING nextval('truth') AS serial"), item, 1
            )
            serials.append(row["serial"])
    serials.append((await stock("POST", f"/stock/{item}/taken"))["serial"])
    later.add_task(audit, item, x_number, serials)
    return {"item": item}


async def audit(item: int, number: str, serials: list[int]) -> None:
    """After the response."""
    row = await app.state.pool.fetchrow(
        commented("INSERT INTO audit (what) VALUES ($1) RETURNING nextval('truth') AS serial"),
        f"order {item} of {request_id.get()}" if ODDITY == "echo" else f"order {item}",
    )
    note(number, *serials, row["serial"])


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
