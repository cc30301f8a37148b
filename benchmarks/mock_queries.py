"""Small SELECTs a second from psycopg: real PostgreSQL over loopback, and wiretape's mock of it."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from harness import WIRETAPE, Result, free_port, in_turn, postgres, running

QUERY = "SELECT sku, name, price, quantity FROM goods WHERE sku = %s"
GOODS = 2000
# The same bytes every time flatter a mock that knows them again, so values are varied, too.
CONTENDERS = (
    (f"{GOODS} values, unprepared", None, GOODS),
    (f"{GOODS} values, prepared", 0, GOODS),
    ("one value, unprepared", None, 1),
    ("one value, prepared", 0, 1),
)
HEAD = """\
wiretape: 1
name: get-products
request: {method: GET, path: /products}
response: {status: 200}
calls:
"""
CALL = """\
- main: SELECT sku, name, price, quantity FROM goods WHERE sku = $1
  params: [SKU-{0}]
  columns: {{sku: text, name: text, price: "numeric(10,2)", quantity: int4}}
  rows:
  - [SKU-{0}, Desk lamp {0}, 39.90, {0}]
"""


def rate(url: str, seconds: float, threshold: int | None, different: int) -> float:
    """Queries a second, for as many different goods in turn."""
    skus = [f"SKU-{number}" for number in range(different)]
    with psycopg.connect(url, autocommit=True, prepare_threshold=threshold) as connection:
        cursor = connection.cursor()
        deadline = time.perf_counter() + seconds
        began, done = time.perf_counter(), 0
        while time.perf_counter() < deadline:
            sku = skus[done % different]
            row = cursor.execute(QUERY, (sku,)).fetchone()
            assert row is not None
            assert row[0] == sku
            done += 1
        assert (str(row[2]), f"SKU-{row[3]}") == ("39.90", sku)
        return done / (time.perf_counter() - began)


def prepare(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE goods (sku text PRIMARY KEY, name text, price numeric(10, 2), quantity int)")
        connection.execute(
            "INSERT INTO goods SELECT 'SKU-' || n, 'Desk lamp ' || n, 39.90, n FROM generate_series(0, %s) n", (GOODS - 1,)
        )


def measure(rounds: int, seconds: float) -> list[Result]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wiretape-bench-")))
        url, port = stack.enter_context(postgres()), free_port()
        prepare(url)
        (folder / "suite").mkdir()
        (folder / "suite/get-products.yaml").write_text(HEAD + "".join(map(CALL.format, range(GOODS))))
        (folder / "suite/suite.yaml").write_text("wiretape: 1\n")
        dep = f"main=postgres://127.0.0.1:{urlsplit(url).port}@{port}"
        stack.enter_context(running([*WIRETAPE, "serve", "--suite", "suite", "--dep", dep], port, cwd=folder))
        parts = urlsplit(url)
        mock = urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{port}")))
        results = []
        for name, threshold, different in CONTENDERS:
            found = in_turn(
                rounds,
                {
                    "real": partial(rate, url, seconds, threshold, different),
                    "mock": partial(rate, mock, seconds, threshold, different),
                },
            )
            results.append(
                Result(name=f"mock, small SELECT, {name}", ours=found["mock"], other=found["real"], unit="queries/s", aim=1,
                       other_name="PostgreSQL 18 over loopback")
            )  # fmt: skip
    return results
