"""Small SELECTs a second from psycopg: real PostgreSQL over loopback, and wiretape's mock of it."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from harness import WIRETAPE, Result, free_port, in_turn, postgres, running

QUERY = "SELECT sku, name, price, quantity FROM goods WHERE sku = %s"
SUITE = """\
wiretape: 1
name: get-product
request: {method: GET, path: /products/LAMP-01}
response: {status: 200}
calls:
- main: SELECT sku, name, price, quantity FROM goods WHERE sku = $1
  params: [LAMP-01]
  columns: {sku: text, name: text, price: "numeric(10,2)", quantity: int4}
  rows:
  - [LAMP-01, Desk lamp, 39.90, 50]
"""


def rate(url: str, seconds: float, threshold: int | None) -> float:
    with psycopg.connect(url, autocommit=True, prepare_threshold=threshold) as connection:
        cursor = connection.cursor()
        deadline = time.perf_counter() + seconds
        began, done = time.perf_counter(), 0
        while time.perf_counter() < deadline:
            row = cursor.execute(QUERY, ("LAMP-01",)).fetchone()
            assert row is not None
            done += 1
        assert (row[0], str(row[2]), row[3]) == ("LAMP-01", "39.90", 50)
        return done / (time.perf_counter() - began)


def prepare(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE goods (sku text PRIMARY KEY, name text, price numeric(10, 2), quantity int)")
        connection.execute("INSERT INTO goods VALUES ('LAMP-01', 'Desk lamp', 39.90, 50)")


def measure(rounds: int, seconds: float) -> list[Result]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wiretape-bench-")))
        url, port = stack.enter_context(postgres()), free_port()
        prepare(url)
        (folder / "suite").mkdir()
        (folder / "suite/get-product.yaml").write_text(SUITE)
        (folder / "suite/suite.yaml").write_text("wiretape: 1\n")
        dep = f"main=postgres://127.0.0.1:{urlsplit(url).port}@{port}"
        stack.enter_context(running([*WIRETAPE, "serve", "--suite", "suite", "--dep", dep], port, cwd=folder))
        parts = urlsplit(url)
        mock = urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{port}")))
        results = []
        for name, threshold in (("unprepared", None), ("prepared", 0)):
            found = in_turn(
                rounds,
                {
                    "real": lambda limit=threshold: rate(url, seconds, limit),
                    "mock": lambda limit=threshold: rate(mock, seconds, limit),
                },
            )
            results.append(
                Result(name=f"mock, small SELECT, {name}", ours=found["mock"], other=found["real"], unit="queries/s", aim=1,
                       other_name="PostgreSQL 18 over loopback")
            )  # fmt: skip
    return results
