"""A result of 100,000 rows is recorded and played back, in memory that is a small multiple of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.conftest import ROOT, Postgres
from tests.live.drivers import dsn
from tests.live.relay import Relay
from tests.live.replayed import playing, taped
from wiretape.protocols import codec

CODEC = codec("postgres")
ROWS = 100_000
QUERY = (
    f"SELECT n, 'name ' || n AS name, n / 7.0 AS price, 'epoch'::timestamptz + n * interval '1 second' AS made,"
    f" n % 2 = 0 AS even, CASE WHEN n % 3 = 0 THEN 'note' END AS note FROM generate_series(1, {ROWS}) AS n"
)

# Peak of the resident set, in MiB, before and after each step. In a process of its own, where nothing else takes memory.
MEASURE = rf"""
import json, re, sys
sys.path.insert(0, {str(ROOT)!r})
from tests.laws.book import Book, calls
from wiretape.protocols import codec
from wiretape.protocols.base import Side
from wiretape.protocols.postgres.backend import AuthenticationOk, Column, CommandComplete, DataRow
from wiretape.protocols.postgres.backend import ReadyForQuery, RowDescription
from wiretape.protocols.postgres.frontend import Query, StartupMessage

def peak():
    return int(re.search(r"VmHWM:\s*([0-9]+)", open("/proc/self/status").read())[1]) / 1024

POSTGRES, READY = codec("postgres"), ReadyForQuery(status=b"I").encode()
start, query = StartupMessage(version=3 << 16, parameters=(("user", "app"),)).encode(), Query(sql="SELECT * FROM big").encode()
kinds = (("id", 23), ("name", 25), ("price", 1700), ("made", 1184), ("note", 25))
columns = tuple(Column(name=name, table=0, number=0, type=oid, size=-1, modifier=-1, format=0) for name, oid in kinds)
steps = [peak()]
tap = POSTGRES.tap()
found = [*tap.feed(Side.CLIENT, start, 0), *tap.feed(Side.SERVER, AuthenticationOk().encode() + READY, 0)]
found += [*tap.feed(Side.CLIENT, query, 0), *tap.feed(Side.SERVER, RowDescription(columns=columns).encode(), 0)]
size = 0
for n in range({ROWS}):
    moment = b"2026-11-20 10:00:00.%06d+00" % n
    row = DataRow(values=(b"%d" % n, b"a name %d" % n, b"%d.50" % n, moment, None if n % 3 else b"note")).encode()
    size += len(row)
    found += tap.feed(Side.SERVER, row, 0)
found += tap.feed(Side.SERVER, CommandComplete(command="SELECT {ROWS}").encode() + READY, 0)
steps.append(peak())
responder = POSTGRES.responder({{}}, Book(POSTGRES, calls(found)), "main")
responder.receive(start)
answer = responder.receive(query)
steps.append(peak())
print(json.dumps({{"size": size, "answer": len(answer), "rows": len(found[0].fields["rows"]), "steps": steps}}))
"""


@pytest.mark.parametrize("binary", [False, True])
def test_a_hundred_thousand_rows_come_back_as_they_were(postgres: Postgres, tmp_path: Path, binary: bool) -> None:
    def ask(port: int) -> list[tuple[object, ...]]:
        with psycopg.connect(dsn(port), autocommit=True) as connection:
            return connection.execute(QUERY, binary=binary).fetchall()

    with Relay(postgres.port) as relay:
        recorded = ask(relay.port)
    with playing(CODEC, taped(CODEC, relay), tmp_path) as mock:
        assert ask(mock.port) == recorded
    assert len(recorded) == ROWS


def test_memory_is_a_small_multiple_of_the_result() -> None:
    """A value is an object in Python, of some 50 bytes more than it has on the wire; the answer is held twice."""
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True, timeout=120)
    told = json.loads(done.stdout)
    size = told["size"] / 2**20
    before, recorded, played = told["steps"]
    assert told["rows"] == ROWS
    assert told["answer"] > told["size"]
    assert recorded - before < 8 * size  # 5.4 measured
    assert played - recorded < 6 * size  # 3.6 measured
