"""The client of the real server: every way to log in, and answers in the words of a recording."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.live.servers import redis as redis_server
from tests.live.servers.redis import PASSWORD, RedisServer
from wiretape.case import Call
from wiretape.errors import TargetError
from wiretape.protocols import codec
from wiretape.protocols.base import Ask, Upstream
from wiretape.protocols.redis.asks import prepare
from wiretape.protocols.redis.requests import words

CODEC = codec("redis")


def made(**options: str) -> Upstream:
    assert CODEC.upstream is not None
    return CODEC.upstream(options)


def converse(upstream: Upstream, port: int, asks: list[Ask]) -> list[Call]:
    out: list[Call] = []
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(upstream.greet())
        asked = 0
        while len(out) < len(asks):
            if upstream.ready and asked == len(out):
                connection.sendall(upstream.ask(asks[asked]))
                asked += 1
            send, call = upstream.receive(connection.recv(65536))
            out += [call] if call is not None else []
            connection.sendall(send)
    return out


def asked(line: str, db: int = 0) -> Ask:
    return prepare("cache", words(line.encode()) or (), db).ask


def said(calls: list[Call]) -> list[Any]:
    return [call.fields.get("reply", call.fields.get("error")) for call in calls]


def test_it_answers_as_a_recording_would(redis: RedisServer) -> None:
    lines = [
        "DEL wt:u",
        "HSET wt:u a 1 b 2",
        "HGETALL wt:u",
        "LPUSH wt:u x",
        "SET wt:v 1.0",
        "GET wt:v",
        "EVAL 'return {1,KEYS[1]}' 1 k",
        "ZADD wt:z 1.50 a",
        "ZRANGE wt:z 0 -1 WITHSCORES",
        "DEL wt:u wt:v wt:z",
    ]
    calls = converse(made(password=PASSWORD), redis.port, [asked(line) for line in lines])
    wrong = "WRONGTYPE Operation against a key holding the wrong kind of value"
    assert said(calls) == [0, 2, {"a": "1", "b": "2"}, wrong, "OK", "1.0", [1, "k"], 1, [["a", 1.5]], 3]
    assert [problem for call in calls for problem in CODEC.check(call)] == []


def test_it_asks_in_the_database_that_was_selected(redis: RedisServer) -> None:
    asks = [asked("SET wt:u three", 3), asked("GET wt:u"), asked("GET wt:u", 3), asked("DEL wt:u", 3)]
    assert said(converse(made(password=PASSWORD, database="0"), redis.port, asks)) == ["OK", None, "three", 1]
    asks = [asked("SET wt:u other"), asked("GET wt:u", 5), asked("DEL wt:u")]
    assert said(converse(made(password=PASSWORD, database="5"), redis.port, asks)) == ["OK", "other", 1]


def test_a_wrong_password_is_said_in_one_line(redis: RedisServer) -> None:
    with pytest.raises(TargetError, match="the real server refuses the connection: WRONGPASS"):
        converse(made(password="wrong"), redis.port, [asked("GET k")])


def test_a_database_that_is_not_there(redis: RedisServer) -> None:
    with pytest.raises(TargetError, match="has no database 99: ERR DB index is out of range"):
        converse(made(password=PASSWORD), redis.port, [asked("GET k", 99)])


def test_no_password_is_needed_where_none_is_asked_for() -> None:
    with redis_server.serve(password="") as server:
        assert said(converse(made(), server.port, [asked("GET k")])) == [None]
