"""The client of the real server: every way to log in, and answers in the words of a recording."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.conftest import Postgres, serve_postgres
from wiretape.case import Call
from wiretape.errors import TargetError
from wiretape.protocols import codec
from wiretape.protocols.base import Ask, Upstream

CODEC = codec("postgres")
LOGIN = {"user": "app", "password": "secret", "database": "app"}


@pytest.fixture(scope="module", params=["scram-sha-256", "md5", "password", "trust"])
def server(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    yield from serve_postgres("--auth", request.param)


def converse(upstream: Upstream, port: int, asks: list[Ask]) -> list[Call]:
    out: list[Call] = []
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(upstream.greet())
        while len(out) < len(asks):
            send, call = upstream.receive(connection.recv(65536))
            if call is not None:
                out.append(call)
            if upstream.ready and len(out) < len(asks):
                send += upstream.ask(asks[len(out)])
            connection.sendall(send)
    return out


def asked(sql: str, *params: object) -> Ask:
    return CODEC.ask(Call(target="main", operation=sql, fields={"params": list(params)}))  # type: ignore[arg-type]


def test_answers_are_those_of_a_recording(server: Postgres) -> None:
    asks = [
        asked("SELECT $2::text || 'x' AS word, $1::int4 + 1 AS number", 41, "a"),
        asked("SELECT 1/0"),
        asked("SELECT 1 AS a; SELECT 2 AS b"),
        asked("CREATE TEMP TABLE t (id int)"),
        asked("INSERT INTO t VALUES ($1), (NULL)", 7),
    ]
    word, failed, both, made, inserted = converse(CODEC.upstream(LOGIN), server.port, asks)
    assert word.operation == asks[0].operation
    assert word.fields == {"params": ["41", "a"], "columns": {"word": "text", "number": "int4"}, "rows": [["ax", 42]]}
    assert failed.fields["error"] == {"severity": "ERROR", "code": "22012", "message": "division by zero"}
    assert both.fields["results"] == [{"columns": {"a": "int4"}, "rows": [[1]]}, {"columns": {"b": "int4"}, "rows": [[2]]}]
    assert made.fields == {"tag": "CREATE TABLE"}
    assert inserted.fields == {"params": ["7"], "tag": "INSERT 0 2"}


def test_a_wrong_password_is_said_in_one_line(postgres: Postgres) -> None:
    with pytest.raises(TargetError, match="refuses the connection of user app: password authentication failed"):
        converse(CODEC.upstream({**LOGIN, "password": "wrong"}), postgres.port, [asked("SELECT 1")])
