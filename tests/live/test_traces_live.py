"""`record --trace`: a service that passes on the traces of its requests is recorded under load, and every call is right."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest

from recorder.compile import compile_captures
from recorder.wire import Listener
from tests.live.servers.shop import serve
from tests.live.test_inbound_kinds import ask, chat
from tests.live.test_inbound_whole import config, replay, verdicts
from tests.recorder.conftest import recording
from wiretape.case import Case
from wiretape.config import Address
from wiretape.store import load_suite
from wiretape.tree import walk

ROOT = Path(__file__).parents[2]
SERVERS = Path(__file__).parent / "servers"
SCHEMA = """
DROP TABLE IF EXISTS items, orders, audit;
DROP SEQUENCE IF EXISTS truth;
CREATE SEQUENCE truth START 1000000;
CREATE TABLE items (id int PRIMARY KEY, name text);
CREATE TABLE orders (item int, qty int);
CREATE TABLE audit (what text);
INSERT INTO items SELECT n, 'item ' || n FROM generate_series(1, 5) n;
"""
SCHEMA_MARIADB = """
DROP TABLE IF EXISTS items, orders;
DROP SEQUENCE IF EXISTS truth;
CREATE SEQUENCE truth START 1000000;
CREATE TABLE items (id int PRIMARY KEY, name varchar(20));
CREATE TABLE orders (item int, qty int);
INSERT INTO items VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e');
"""
DRIVE = """
import asyncio, os, random, sys
import httpx

async def main(count, level, headers):
    draw = random.Random(1)
    todo = iter(range(count))
    async with httpx.AsyncClient(base_url=os.environ["WIRETAPE_URL"], timeout=60) as client:
        async def worker():
            for number in todo:
                item = draw.randint(1, 5)
                mine = {"x-number": str(number), **(headers(number))}
                if draw.random() < 0.5:
                    answer = await client.get(f"/items/{item}", headers=mine)
                else:
                    answer = await client.post(f"/items/{item}/orders", headers=mine)
                assert answer.status_code == 200, answer.text
        await asyncio.gather(*(worker() for _ in range(level)))
        if headers is shared:  # at rest it shows that the service goes on after its response
            await client.post("/items/1/orders", headers={"x-number": str(count), **shared(count)})

def none(number):
    return {}

def shared(number):
    return {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}

asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), globals()[sys.argv[3]]))
"""


@contextmanager
def stock() -> Iterator[int]:
    """An upstream that numbers its answers."""
    serials = itertools.count(2000000)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            body = json.dumps({"left": 7, "serial": next(serials)}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()


@dataclass(kw_only=True)
class Stage:
    """A folder with a service, and the commands that record and replay it."""

    folder: Path
    service: Path
    ports: tuple[int, int]
    targets: Mapping[str, str]  # name -> where it really is, as of --dep
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self, *words: str) -> str:
        env = {
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}",
            "TRUTH": str(self.folder / "truth"),
            **self.env,
        }
        done = subprocess.run(
            [sys.executable, "-m", "wiretape", *words, "--", sys.executable, str(self.service), str(self.ports[0])],
            cwd=self.folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=180,
        )  # fmt: skip
        return f"exit {done.returncode}\n{done.stdout}"

    def record(self, *options: str, requests: int = 120, level: int = 16, headers: str = "none") -> str:
        (self.folder / "drive.py").write_text(DRIVE)
        deps = [word for target in self.targets.values() for word in ("--dep", target)]
        drive = f"{sys.executable} drive.py {requests} {level} {headers}"
        front = f"http://127.0.0.1:{self.ports[0]}@{self.ports[1]}"
        said = self.run("record", "--service", front, *deps, "--drive", drive, *options)
        assert said.startswith("exit 0"), said
        return said

    def replay(self, *options: str) -> str:
        deps = [word for target in self.targets.values() for word in ("--dep", re.sub(r"//[^@]*@", "//@", target))]
        return self.run("replay", "--service", f"http://127.0.0.1:{self.ports[0]}", *deps, *options)

    @property
    def cases(self) -> tuple[Case, ...]:
        return load_suite(self.folder / "suite").cases

    @property
    def truth(self) -> dict[str, list[str]]:
        lines = (self.folder / "truth").read_text().splitlines()
        return {number: sorted(serials.split()) for number, serials in (line.split(": ") for line in lines)}

    @property
    def found(self) -> dict[str, list[str]]:
        """The serials in the calls of each case, but for those that are said to be ambiguous."""
        return {
            next(value for name, value in case.request.headers if name.lower() == "x-number"): sorted(
                str(leaf) for call in case.calls if not call.ambiguous for leaf in leaves(call.fields) if is_serial(leaf)
            )
            for case in self.cases
        }

    @property
    def wrong(self) -> dict[str, set[str]]:
        """What cases claim that is not theirs."""
        truth = self.truth
        claimed = {number: set(serials) - set(truth[number]) for number, serials in self.found.items()}
        return {number: serials for number, serials in claimed.items() if serials}


def leaves(fields: Mapping[str, Any]) -> Iterator[object]:
    for _, value in walk(dict(fields)):
        yield value
        if isinstance(value, dict) and isinstance(value.get("body"), str):
            yield from re.findall(r"\d+", value["body"])


def is_serial(leaf: object) -> bool:
    return isinstance(leaf, int) and 1000000 <= leaf < 3000000


@contextmanager
def staged(folder: Path, service: str, database: str, url: str, find: Callable[[], int], **env: str) -> Iterator[Stage]:
    """A service of tests/live/servers; `url` is its database, as the service is to be told of it but for the port."""
    at = urlsplit(url)
    front, main, upstream = find(), find(), find()
    with stock() as real:
        yield Stage(
            folder=folder,
            service=SERVERS / service,
            ports=(find(), front),
            targets={
                "main": f"main={database}://127.0.0.1:{at.port}@{main}",
                "stock": f"stock=http://127.0.0.1:{real}@{upstream}",
            },
            env={
                "DATABASE_URL": f"{at.scheme}://{at.username}:{at.password}@127.0.0.1:{main}{at.path}",
                "STOCK_URL": f"http://127.0.0.1:{upstream}",
                **env,
            },
        )


@pytest.fixture
def stage(tmp_path: Path, postgres: Any, free_port: Callable[[], int]) -> Iterator[Stage]:
    """The service of servers/traced.py, with a database and an upstream."""
    with psycopg.connect(postgres.url, autocommit=True) as session:
        session.execute(SCHEMA)
    with staged(tmp_path, "traced.py", "postgres", postgres.url, free_port) as one:
        yield one


def test_under_load_with_colliding_ids_every_call_is_certain(stage: Stage) -> None:
    said = stage.record("--trace")
    assert "ambiguous" not in said
    assert stage.found == stage.truth
    assert len(stage.found) == 120
    assert {call.ambiguous for case in stage.cases for call in case.calls} == {()}
    requests = {name.lower() for case in stage.cases for name, _ in case.request.headers}
    assert requests.isdisjoint(("traceparent", "x-request-id"))  # as the client sent them
    text = "".join(path.read_text() for path in sorted((stage.folder / "suite").glob("*.yaml")))
    assert "traceparent" not in text
    assert "/*route" not in text
    replayed = stage.replay()
    assert "120 passed, 0 failed, 0 broken" in replayed, replayed


def test_without_ids_the_same_load_is_not_told_apart(stage: Stage) -> None:
    said = stage.record(requests=60)
    assert "  ambiguous: " in said
    assert "traced" not in (stage.folder / "suite/suite.yaml").read_text()


def test_cases_side_by_side_are_told_apart_by_their_traces(stage: Stage) -> None:
    stage.record("--trace", requests=40)
    replayed = stage.replay("--parallel", "8")
    assert "40 passed, 0 failed, 0 broken" in replayed, replayed


@pytest.mark.parametrize("tracer", ["hook", "otel"])
@pytest.mark.parametrize("prepare", ["", "yes"])
def test_comments_of_sqlalchemy_on_postgres(
    tmp_path: Path, postgres: Any, free_port: Callable[[], int], tracer: str, prepare: str
) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as session:
        session.execute(SCHEMA)
    url = postgres.url.replace("postgres://", "postgresql+psycopg://").replace("postgresql://", "postgresql+psycopg://")
    with staged(tmp_path, "commented.py", "postgres", url, free_port, TRACER=tracer, PREPARE=prepare) as stage:
        exact_and_green(stage)


@pytest.mark.parametrize("tracer", ["hook", "otel"])
def test_comments_of_sqlalchemy_on_mariadb(
    tmp_path: Path, mariadb_server: Any, free_port: Callable[[], int], tracer: str
) -> None:
    with pymysql.connect(host="127.0.0.1", port=mariadb_server.port, user="app", password="secret", database="app") as session:
        for statement in SCHEMA_MARIADB.split(";"):
            if statement.strip():
                session.cursor().execute(statement)
        session.commit()
    url = mariadb_server.url.replace("mysql://", "mysql+pymysql://")
    with staged(tmp_path, "commented.py", "mysql", url, free_port, TRACER=tracer) as stage:
        exact_and_green(stage)


def exact_and_green(stage: Stage) -> None:
    said = stage.record("--trace", requests=60)
    assert "ambiguous" not in said, said
    assert stage.found == stage.truth
    assert len(stage.found) == 60
    text = "".join(path.read_text() for path in sorted((stage.folder / "suite").glob("*.yaml")))
    assert "traceparent" not in text
    assert "db_driver" not in text
    replayed = stage.replay()
    assert "60 passed, 0 failed, 0 broken" in replayed, replayed


@contextmanager
def odd(stage: Stage, oddity: str) -> Iterator[Stage]:
    yield replace(stage, env={**stage.env, "ODDITY": oddity})


def test_a_service_may_show_and_keep_the_ids(stage: Stage) -> None:
    with odd(stage, "echo") as one:
        said = one.record("--trace", requests=60)
        assert "ambiguous" not in said, said
        assert one.found == one.truth
        replayed = one.replay()
        assert "60 passed, 0 failed, 0 broken" in replayed, replayed


def test_an_id_that_all_clients_send_is_believed_of_none(stage: Stage) -> None:
    said = stage.record("--trace", requests=60, headers="shared")
    assert "  ambiguous: " in said  # the statements; the calls of the upstream carry request ids, too
    assert stage.wrong == {}
    assert {call.target for case in stage.cases for call in case.calls if call.attributed == "trace"} == {"stock"}
    assert {call.target for case in stage.cases for call in case.calls if call.ambiguous} == {"main"}


def test_an_id_that_a_client_goes_on_sending_is_not_believed(stage: Stage) -> None:
    with odd(stage, "sticky") as one:
        said = one.record("--trace", requests=60)
        assert "  ambiguous: " in said
        assert one.wrong == {}
        assert {call.target for case in one.cases for call in case.calls if call.ambiguous} == {"stock"}


def test_a_call_made_for_several_requests_is_said_to_be_that(stage: Stage) -> None:
    with odd(stage, "batch") as one:
        said = one.record("--trace", requests=80)
        assert "  ambiguous: " in said
        assert one.wrong == {}
        shared = {call.operation for case in one.cases for call in case.calls if call.ambiguous}
        assert shared == {"SELECT nextval('truth') AS serial, id, name FROM items WHERE id = ANY($1) ORDER BY id"}


def test_requests_one_at_a_time_with_ids(stage: Stage) -> None:
    said = stage.record("--trace", "--serialize", requests=30)
    assert "ambiguous" not in said
    assert stage.found == stage.truth
    replayed = stage.replay()
    assert "30 passed, 0 failed, 0 broken" in replayed, replayed


def test_other_kinds_of_http_go_on_as_before(tmp_path: Path) -> None:
    """WebSockets, streams, uploads, HTTP/2: with ids where that can be, untouched where it cannot."""
    here = Address(host="127.0.0.1", port=0)
    with serve() as shop:
        upstream = Address(host="127.0.0.1", port=shop.port)
        with recording(tmp_path, Listener(target="", protocol="http", listen=here, upstream=upstream, trace=True)) as recorder:
            ask(f"http://127.0.0.1:{recorder.port()}", False)
            assert recorder.said == []
            ask(f"http://127.0.0.1:{recorder.port()}", True)
            chat(recorder.port())
        assert recorder.said == ["the service: a client speaks HTTP/2: --trace adds nothing to its requests"]
        summary = compile_captures(config(tmp_path, shop.port))
        assert summary.incomplete == []
        assert len(summary.written) == 21
        assert verdicts(replay(tmp_path, shop.port)) == {}
