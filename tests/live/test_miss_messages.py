"""What a service's own driver raises where no recording answers: it names the nearest recorded call, its place, the first
difference and what to do, and no secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pymongo
import pymongo.errors
import pymysql
import pytest
import redis

from normalizers.base import When
from replayer.book import Book
from replayer.material import prepare
from replayer.mocks import Mocks
from tests.live.replayed import listening
from wiretape.config import load_config

HEAD = "wiretape: 1\nname: get-lamp-200\nrequest: {method: GET, path: /lamp}\nresponse: {status: 200}\ncalls:\n"
SECRET = {"WIRETAPE_SECRET_TOKEN": "s3cr3t-t0ken-of-alice"}
WHEN = When(recorded=0.0, live=0.0)


@contextmanager
def serving(folder: Path, scheme: str, call: str) -> Iterator[int]:
    """The mock of target `main` while the case with this one call is under way."""
    (folder / "suite").mkdir()
    (folder / "suite/get-lamp-200.yaml").write_text(HEAD + call)
    config = load_config(
        file=None, environ={}, cwd=folder, service="http://127.0.0.1:1", deps=[f"main={scheme}://127.0.0.1:1@0"],
        suite=folder / "suite",
    )  # fmt: skip
    material = prepare(config, SECRET)
    book = Book(material.suite, material.codecs, when=WHEN, disguise=material.mask.miss)
    book.begin(material.suite.cases[0], WHEN)
    with listening(Mocks(material.targets, material.suite.facts, material.codecs, book, folder)) as port:
        yield port


def postgres(port: int) -> str:
    url = f"postgresql://a:b@127.0.0.1:{port}/c?sslmode=disable"
    with psycopg.connect(url, autocommit=True) as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute("SELECT name FROM goods WHERE token = %s AND id = %s", (SECRET["WIRETAPE_SECRET_TOKEN"], 8))
    assert caught.value.sqlstate == "WT001"
    return str(caught.value)


def mysql(port: int) -> str:
    connection = pymysql.connect(host="127.0.0.1", port=port, user="a", password="b", autocommit=True)
    with connection, connection.cursor() as cursor, pytest.raises(pymysql.Error) as caught:
        cursor.execute("SELECT name FROM goods WHERE token = %s AND id = %s", (SECRET["WIRETAPE_SECRET_TOKEN"], 8))
    return str(caught.value)


def redis_py(port: int) -> str:
    with redis.Redis(port=port) as client, pytest.raises(redis.ResponseError) as caught:
        client.execute_command("SETEX", "session:7", 60, SECRET["WIRETAPE_SECRET_TOKEN"])
    return str(caught.value)


def mongo(port: int) -> str:
    with (
        pymongo.MongoClient("127.0.0.1", port, directConnection=True) as client,
        pytest.raises(pymongo.errors.OperationFailure) as caught,
    ):
        client.shop.goods.find_one({"token": SECRET["WIRETAPE_SECRET_TOKEN"], "id": 8})
    assert caught.value.code == 77001
    return str(caught.value)


def http(port: int) -> str:
    answer = httpx.post(
        f"http://127.0.0.1:{port}/charges",
        json={"amount": 8, "token": SECRET["WIRETAPE_SECRET_TOKEN"]},
        headers={"accept": "*/*"},
        trust_env=False,
    )
    assert (answer.status_code, answer.headers["wiretape-miss"]) == (502, "1")
    return answer.text


SQL = "SELECT name FROM goods WHERE token = {} AND id = {}"
CASES: dict[str, tuple[str, Callable[[int], str], str, str]] = {
    "psycopg": (
        "postgres",
        postgres,
        f"- main: {SQL.format('$1', '$2')}\n  params: ['${{secret:token}}', 7]\n  columns: {{name: text}}\n  rows: [[Lamp]]\n",
        "value 2 (id): recorded '7', live '8'",
    ),
    "PyMySQL": (
        "mysql",
        mysql,
        f"- main: {SQL.format('?', '?')}\n  params: ['${{secret:token}}', 7]\n  columns: {{name: varchar}}\n  rows: [[Lamp]]\n",
        "value 2 (id): recorded '7', live '8'",
    ),
    "redis-py": ("redis", redis_py, "- main: SET session:7\n  args: ['${secret:token}']\n  reply: OK\n", "SET → SETEX (and"),
    "pymongo": (
        "mongodb",
        mongo,
        "- main: find shop.goods\n  query: {filter: {token: '${secret:token}', id: 7}, limit: 1, singleBatch: true}\n"
        "  documents: [{name: Lamp}]\n",
        "filter.id: recorded 7, live 8",
    ),
    "httpx": (
        "http",
        http,
        "- main: POST /charges\n  headers: {content-type: application/json}\n  body: {amount: 7, token: '${secret:token}'}\n"
        "  response: {status: 200}\n",
        "body.amount: recorded 7, live 8",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_driver_raises_it(tmp_path: Path, name: str) -> None:
    scheme, ask, call, difference = CASES[name]
    with serving(tmp_path, scheme, call) as port:
        said = ask(port)
    assert "wiretape: no recorded call on main answers: " in said
    assert "(WT001)" in said
    assert "nearest: calls[0] at get-lamp-200.yaml:6" in said
    assert difference in said
    assert "a regression, unless it is meant; then record the case again" in said
    assert SECRET["WIRETAPE_SECRET_TOKEN"] not in said
    assert len(said.encode()) < 700
