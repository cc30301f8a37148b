"""Commands as calls and as asks: what a person reads, and what means the same however it is spelled."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiretape.case import Call
from wiretape.protocols.base import Ask
from wiretape.protocols.redis.asks import ask, make, prepare
from wiretape.protocols.redis.commands import COMMANDS
from wiretape.protocols.redis.layout import call_fields, cut, digest, join, parts_of
from wiretape.protocols.redis.requests import words
from wiretape.tree import Tree

READ = [
    ("set order:17 v EX 10", "SET order:17", {"args": ["v", "EX", 10]}),
    ("GET k", "GET k", {}),
    ('GET "a b"', 'GET "a b"', {}),
    ("mset a 1 b 2", "MSET a b", {"args": [1, 2]}),
    ("del a b c", "DEL a b c", {}),
    ("BLPOP a b 0.5", "BLPOP a b", {"args": ["0.5"]}),
    ("ZUNIONSTORE d 2 a b WEIGHTS 1 2", "ZUNIONSTORE d a b", {"args": ["WEIGHTS", 1, 2]}),
    ("zinter 2 a b withscores", "ZINTER a b", {"args": ["WITHSCORES"]}),
    ("BLMPOP 1 2 a b LEFT COUNT 3", "BLMPOP a b", {"args": [1, "LEFT", "COUNT", 3]}),
    ("XREAD COUNT 1 STREAMS a b 0 0-1", "XREAD a b", {"args": ["COUNT", 1, "STREAMS", 0, "0-1"]}),
    ("XGROUP CREATE s g $", "XGROUP CREATE s", {"args": ["g", "$"]}),
    ("BITOP and d a b", "BITOP AND d a b", {}),
    ("eval 'return 1' 1 k a", "EVAL k", {"script": "return 1", "args": ["a"]}),
    ("FCALL f 1 k a", "FCALL k", {"function": "f", "args": ["a"]}),
    ("SCAN 0 match x*", "SCAN", {"args": [0, "MATCH", "x*"]}),
    ("JSON.SET doc $ {}", "JSON.SET doc", {"args": ["$", "{}"]}),
    ("NOSUCH a b", "NOSUCH", {"args": ["a", "b"]}),
    ("ZINTER x a", "ZINTER", {"args": ["x", "a"]}),
    ("SET k 007 ", "SET k", {"args": ["007"]}),
    ("SET k -0", "SET k", {"args": ["-0"]}),
]


def asked(line: str, db: int = 0) -> Ask:
    return prepare("main", words(line.encode()) or (), db).ask


def recorded(line: str, **fields: Tree) -> Call:
    parts = cut(words(line.encode()) or ())
    return Call(target="main", operation=parts.headline, fields={**call_fields(parts, {}), **fields})


@pytest.mark.parametrize(("line", "headline", "fields"), READ, ids=[line for line, _, _ in READ])
def test_a_command_is_read_as_a_person_would_write_it(line: str, headline: str, fields: dict[str, Tree]) -> None:
    call = recorded(line)
    assert (call.operation, call.fields) == (headline, fields)


@given(
    st.sampled_from([*COMMANDS, "NOSUCH", "JSON.GET", "SUBSCRIBE"]),
    st.lists(
        st.one_of(st.sampled_from([b"1", b"2", b"STREAMS", b"LIMIT", b"k", b"", b"MAXLEN", b"~"]), st.binary(max_size=5)),
        max_size=7,
    ),
)
def test_a_call_gives_the_command_again(name: str, args: list[bytes]) -> None:
    argv = (*name.encode().split(b" "), *args)
    parts = cut(argv)
    call = Call(target="main", operation=parts.headline, fields=call_fields(parts, {}))
    if parts.script is not None and parts.command.name.startswith("EVALSHA"):
        argv = (argv[0], parts.script.lower(), *argv[2:])
    again = join(parts_of(call))
    assert [word.upper() for word in again] == [word.upper() for word in argv]
    live = prepare("main", argv, 0).ask
    assert (ask(call).shape, ask(call).values, ask(call).labels) == (live.shape, live.values, live.labels)
    assert len(live.labels) == len(live.values)


SAME = [
    ("SET k v EX 10 NX", "set k v nx ex 10"),
    ("INCRBYFLOAT k 1.0", "INCRBYFLOAT k 1"),
    ("ZADD z 1.0 a 2 b", "ZADD z 2.0 b 1 a"),
    ("HSET h a 1 b 2", "HSET h b 2 a 1"),
    ("MSET a 1 b 2", "MSET b 2 a 1"),
    ("DEL a b", "DEL b a"),
    ("SADD s a b", "SADD s b a"),
    ("INCR k", "INCRBY k 1"),
    ("DECR k", "decrby k 1"),
    ("ZRANGEBYSCORE z 0 10 WITHSCORES LIMIT 0 5", "ZRANGEBYSCORE z 0.0 1e1 limit 0 5 withscores"),
    ("XREAD BLOCK 10 COUNT 1 STREAMS s 0", "XREAD COUNT 1 BLOCK 10 STREAMS s 0"),
    ("EVAL 'return 1' 1 k a", f"EVALSHA {digest(b'return 1').decode().upper()} 1 k a"),
]
OTHER = [
    ("SET k v", "SET k w"),
    ("SET k EX", "SET k v EX 10"),
    ("SET k v EX 10", "SET k v PX 10"),
    ("MGET a b", "MGET b a"),
    ("RPUSH l a b", "RPUSH l b a"),
    ("ZADD z 1 a", "ZADD z 2 a"),
    ("SET k 1", "SET k 1.0"),
    ("EVAL 'return 1' 1 k a", "EVAL 'return 1' 2 k a"),
    ("LPOP k", "LPOP k 1"),
    ("GET k", "GETDEL k"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_that_mean_the_same_meet(one: str, other: str) -> None:
    assert (asked(one).shape, asked(one).values) == (asked(other).shape, asked(other).values)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_means_something_else_does_not_meet(one: str, other: str) -> None:
    assert (asked(one).shape, asked(one).values) != (asked(other).shape, asked(other).values)


def test_values_are_named() -> None:
    assert asked("SET k v EX 10").labels == ("key", "value", "EX")
    assert asked("HSET h name Ann age 41").labels == ("key", "field", "age", "field", "name")
    assert asked("MGET a b").labels == ("key 1", "key 2")


def test_a_database_is_part_of_what_is_asked() -> None:
    assert asked("GET k", 3).shape == "GET @3"
    assert ask(recorded("GET k", db=3)).shape == "GET @3"


@pytest.mark.parametrize(
    ("line", "role", "writes"),
    [
        ("GET k", "query", False),
        ("SET k v", "query", True),
        ("NOSUCH", "query", True),
        ("MULTI", "begin", True),
        ("EXEC", "end", True),
        ("DISCARD", "end", True),
        ("WATCH k", "control", False),
        ("PING", "housekeeping", True),
        ("CONFIG GET x", "housekeeping", False),
        ("CONFIG SET x y", "query", True),
        ("SUBSCRIBE c", "housekeeping", True),
        ("PUBLISH c m", "query", True),
        ("EVAL_RO 'return 1' 0", "query", False),
        ("CLUSTER SLOTS", "housekeeping", False),
        ("SCRIPT LOAD x", "housekeeping", False),
    ],
)
def test_roles_and_writes(line: str, role: str, writes: bool) -> None:
    found = asked(line)
    assert found.role == role
    if role == "query":
        assert found.writes is writes


@pytest.mark.parametrize(
    ("line", "blocks"),
    [
        ("BLPOP a 5", 5.0),
        ("BLPOP a 0", math.inf),
        ("BRPOP a b 0.25", 0.25),
        ("BLMOVE a b LEFT RIGHT 3", 3.0),
        ("BLMPOP 2 1 a LEFT", 2.0),
        ("XREAD BLOCK 1500 STREAMS s $", 1.5),
        ("XREAD BLOCK 0 STREAMS s $", math.inf),
        ("XREAD STREAMS s 0", None),
        ("BLPOP a x", None),
        ("BLPOP a -1", None),
        ("LPOP a", None),
        ("BZPOPMIN z 1", 1.0),
    ],
)
def test_how_long_a_command_waits(line: str, blocks: float | None) -> None:
    prepared = prepare("main", words(line.encode()) or (), 0)
    assert prepared.ask.blocks == blocks
    assert prepared.queued.blocks is None  # nothing waits in a transaction


def test_a_script_that_was_not_known_is_the_clients_own_affair() -> None:
    assert ask(recorded("EVALSHA abc 0", error="NOSCRIPT No matching script")).role == "housekeeping"


def test_a_message_is_a_push_about_its_channel() -> None:
    found = ask(Call(target="main", operation="pmessage", fields={"pattern": "n*", "channel": "news", "message": "hi"}))
    assert (found.role, found.shape, found.values) == ("push", "pmessage", ("n*", "news", "hi"))


def test_what_settles_may_be_answered_again() -> None:
    def asked(*words: str) -> Ask:
        return make("cache", cut(tuple(word.encode() for word in words)), 0)

    assert asked("SADD", "k", "a").settles
    assert asked("SET", "k", "a").settles
    assert not asked("SET", "k", "a", "NX").settles
    assert not asked("ZADD", "k", "INCR", "1", "a").settles
    assert not asked("LPUSH", "k", "a").settles
    assert not asked("INCR", "k").settles
