"""A service on SQLAlchemy whose statements say for which request they are, in comments. Run as a script:

    python commented.py PORT

TRACER says who writes the comments: `hook`, an event hook as many have, or `otel`, OpenTelemetry's instrumentation as it is.
PREPARE has statements prepared. The rest of the environment is that of traced.py.
"""

from __future__ import annotations

import os
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import uvicorn
from fastapi import FastAPI, Header
from sqlalchemy import create_engine, event, text

parent: ContextVar[str] = ContextVar("parent", default="")

app = FastAPI()
given: dict[str, Any] = {"prepare_threshold": 0} if os.environ.get("PREPARE") else {}
engine = create_engine(os.environ["DATABASE_URL"], pool_size=8, max_overflow=0, connect_args=given)
stock = httpx.Client(base_url=os.environ["STOCK_URL"])
SERIAL = "NEXTVAL(truth)" if engine.dialect.name == "mysql" else "nextval('truth')"


class Trace:
    """Remembers the traceparent of the request that is being answered."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        parent.set(dict(scope.get("headers", ())).get(b"traceparent", b"").decode())
        await self.app(scope, receive, send)


def comment(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> tuple[str, Any]:
    mark = f"/*db_driver='sqlalchemy',traceparent='{quote(parent.get())}'*/"
    leading = statement.startswith("SELECT")
    return (f"{mark} {statement}" if leading else f"{statement} {mark}") if parent.get() else statement, parameters


if os.environ["TRACER"] == "otel":
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
    from opentelemetry.instrumentation.pymysql import PyMySQLInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import set_tracer_provider

    set_tracer_provider(TracerProvider())
    FastAPIInstrumentor.instrument_app(app)
    HTTPXClientInstrumentor().instrument_client(stock)
    for driver in (PsycopgInstrumentor(), PyMySQLInstrumentor()):
        driver.instrument(enable_commenter=True)
else:
    app.add_middleware(Trace)
    event.listen(engine, "before_cursor_execute", comment, retval=True)


def note(number: str, *serials: object) -> None:
    with Path(os.environ["TRUTH"]).open("a") as truth:
        truth.write(f"{number}: {' '.join(map(str, serials))}\n")


def called(method: str, path: str) -> Any:
    headers = {"traceparent": parent.get()} if parent.get() else {}
    return stock.request(method, path, headers=headers).json()


@app.get("/items/{item}")
def show(item: int, x_number: Annotated[str, Header()]) -> Any:
    with engine.connect() as session:
        found = session.execute(text(f"SELECT {SERIAL} AS serial, name FROM items WHERE id = :item"), {"item": item}).one()
    left = called("GET", f"/stock/{item}")
    with engine.connect() as session:
        again = session.execute(
            text(f"SELECT {SERIAL} AS serial, count(*) FROM orders WHERE item = :item"), {"item": item}
        ).one()
    note(x_number, found.serial, left["serial"], again.serial)
    return {"name": found.name, "left": left["left"]}


@app.post("/items/{item}/orders")
def order(item: int, x_number: Annotated[str, Header()]) -> Any:
    serials = []
    with engine.begin() as session:
        for _ in range(2):
            session.execute(text("INSERT INTO orders (item, qty) VALUES (:item, :qty)"), {"item": item, "qty": 1})
            serials.append(
                session.execute(text(f"SELECT {SERIAL} AS serial FROM items WHERE id = :item"), {"item": item}).scalar()
            )
    note(x_number, *serials, called("POST", f"/stock/{item}/taken")["serial"])
    return {"item": item}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
