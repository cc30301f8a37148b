"""What the tap makes of a connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from wiretape.errors import DecodeError
from wiretape.protocols.base import Interaction, Side
from wiretape.protocols.redis.requests import words
from wiretape.protocols.redis.resp import encode
from wiretape.protocols.redis.tap import MONITORED, REPLICATION, UNANSWERED, RedisTap


def command(line: str) -> bytes:
    return encode(list(words(line.encode()) or ()), 2)


def talk(*turns: tuple[str, bytes], tap: RedisTap | None = None) -> list[Interaction]:
    """Each turn: lines of the client (`;` between several), and the bytes they are answered with, a second later."""
    tap, out = tap or RedisTap(), []
    for number, (lines, answer) in enumerate(turns):
        asked = b"".join(command(line.strip()) for line in lines.split(";") if line.strip())
        out += tap.feed(Side.CLIENT, asked, float(number * 10))
        out += tap.feed(Side.SERVER, answer, float(number * 10 + 1))
    return out + list(tap.close(1000.0))


def told(found: Sequence[Interaction]) -> list[tuple[str, Any]]:
    return [(one.operation, dict(one.fields)) for one in found]


def test_a_command_and_its_answer() -> None:
    (one,) = talk(("SET k v", b"+OK\r\n"))
    assert (one.operation, one.fields, one.role) == ("SET k", {"args": ["v"], "reply": "OK"}, "query")
    assert (one.started, one.ended, one.transaction) == (0.0, 1.0, None)


@pytest.mark.parametrize(
    ("line", "two", "three", "reply"),
    [
        (
            "HGETALL h",
            b"*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n",
            b"%2\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n",
            {"a": "1", "b": "2"},
        ),
        ("HGETALL h", b"*2\r\n$1\r\n\xff\r\n$1\r\n1\r\n", b"%1\r\n$1\r\n\xff\r\n$1\r\n1\r\n", [[b"\xff", "1"]]),
        ("ZRANGE z 0 -1 WITHSCORES", b"*2\r\n$1\r\na\r\n$3\r\n1.5\r\n", b"*1\r\n*2\r\n$1\r\na\r\n,1.5\r\n", [["a", 1.5]]),
        ("ZSCORE z a", b"$3\r\ninf\r\n", b",inf\r\n", float("inf")),
        ("SMEMBERS s", b"*1\r\n$1\r\na\r\n", b"~1\r\n$1\r\na\r\n", ["a"]),
        ("GET k", b"$-1\r\n", b"_\r\n", None),
        ("LPOP k 2", b"*-1\r\n", b"_\r\n", None),
        ("BF.ADD f x", b":1\r\n", b"#t\r\n", True),
        ("XREAD STREAMS s 0", b"*1\r\n*2\r\n$1\r\ns\r\n*0\r\n", b"%1\r\n$1\r\ns\r\n*0\r\n", {"s": []}),
        ("LOLWUT VERSION", b"$2\r\nhi\r\n", b"$2\r\nhi\r\n", "hi"),
    ],
)
def test_both_protocols_make_one_tree(line: str, two: bytes, three: bytes, reply: Any) -> None:
    hello = ("HELLO 3", b"%1\r\n+proto\r\n:3\r\n")
    for turns in ([(line, two)], [hello, (line, three)]):
        (one,) = talk(*turns)
        assert one.fields["reply"] == reply
        assert "as" not in one.fields


@pytest.mark.parametrize(
    ("line", "answer", "reply", "mark"),
    [
        ("GET k", b"+OK\r\n", "OK", "simple"),
        ("SET k v", b"$2\r\nOK\r\n", "OK", "plain"),
        ("GET k", b":1\r\n", 1, "integer"),
        ("NOSUCH", b"+OK\r\n", "OK", "simple"),
        ("NOSUCH", b"*2\r\n+a\r\n$1\r\nb\r\n", ["a", "b"], ["simple", None]),
        ("NOSUCH", b"~1\r\n,3\r\n", [3.0], {"set": ["double"]}),
        ("NOSUCH", b"%1\r\n:1\r\n$1\r\na\r\n", [1, "a"], "map"),
        ("NOSUCH", b"=6\r\nmkd:hi\r\n", "hi", "verbatim mkd"),
        ("NOSUCH", b"(5\r\n", 5, "big number"),
        ("NOSUCH", b"*-1\r\n", None, "null array"),
        ("HGETALL h", b"*1\r\n$1\r\na\r\n", ["a"], "plain"),
    ],
)
def test_types_that_are_not_the_usual_ones_are_named(line: str, answer: bytes, reply: Any, mark: Any) -> None:
    (one,) = talk((line, answer))
    assert (one.fields["reply"], one.fields["as"]) == (reply, mark)


def test_a_connections_own_affairs_are_no_interactions() -> None:
    tap = RedisTap()
    hello = (
        b"%7\r\n+server\r\n+redis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n+proto\r\n:3\r\n+id\r\n:3\r\n"
        b"$4\r\nmode\r\n$10\r\nstandalone\r\n+role\r\n+master\r\n+modules\r\n*0\r\n"
    )
    found = talk(
        ("HELLO 3 AUTH default secret", hello),
        ("CLIENT SETINFO LIB-NAME x", b"-ERR no\r\n"),
        ("AUTH secret", b"+OK\r\n"),
        ("PING", b"+PONG\r\n"),
        ("SELECT 2", b"+OK\r\n"),
        ("GET k", b"_\r\n"),
        ("RESET", b"+RESET\r\n"),
        ("GET k", b"$-1\r\n"),
        tap=tap,
    )
    assert told(found) == [("GET k", {"db": 2, "reply": None}), ("GET k", {"reply": None})]
    assert tap.facts == {"server_version": "7.0.15", "mode": "standalone"}
    assert "secret" not in repr(found)


def test_an_old_server_speaks_no_resp3() -> None:
    tap = RedisTap()
    talk(("HELLO 3", b"-ERR unknown command `HELLO`\r\n"), ("INFO", b"$26\r\nredis_version:5.0.7\r\nloa:0\r\n"), tap=tap)
    assert tap.facts == {"resp3": False, "server_version": "5.0.7"}


def test_the_commands_of_a_transaction_have_their_own_replies() -> None:
    found = talk(
        ("WATCH k", b"+OK\r\n"),
        ("GET k", b"$1\r\n1\r\n"),
        (
            "MULTI; SET k 2; LPUSH k x; PING; EXEC",
            b"+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+OK\r\n-WRONGTYPE no\r\n+PONG\r\n",
        ),
        ("GET k", b"$1\r\n2\r\n"),
    )
    assert told(found) == [
        ("WATCH k", {}),
        ("GET k", {"reply": "1"}),
        ("MULTI", {}),
        ("SET k", {"args": [2], "reply": "OK"}),
        ("LPUSH k", {"args": ["x"], "error": "WRONGTYPE no"}),
        ("EXEC", {}),
        ("GET k", {"reply": "2"}),
    ]
    assert [one.role for one in found] == ["control", "query", "begin", "query", "query", "end", "query"]
    assert [one.transaction for one in found] == [1, 1, 1, 1, 1, 1, None]


def test_a_transaction_that_is_given_up() -> None:
    found = talk(
        ("MULTI; SET k 2; EXEC", b"+OK\r\n+QUEUED\r\n*-1\r\n"),
        ("MULTI; SET k 2; DISCARD", b"+OK\r\n+QUEUED\r\n+OK\r\n"),
        ("MULTI; NOSUCH; EXEC", b"+OK\r\n-ERR unknown\r\n-EXECABORT Transaction discarded\r\n"),
    )
    assert told(found) == [
        ("MULTI", {}),
        ("SET k", {"args": [2]}),
        ("EXEC", {"reply": None}),
        ("MULTI", {}),
        ("SET k", {"args": [2]}),
        ("DISCARD", {}),
        ("MULTI", {}),
        ("NOSUCH", {"stage": "queue", "error": "ERR unknown"}),
        ("EXEC", {"error": "EXECABORT Transaction discarded"}),
    ]


def test_scripts_are_told_by_their_source_where_it_was_seen() -> None:
    found = talk(
        ("EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0", b"-NOSCRIPT No matching script\r\n"),
        ("SCRIPT LOAD 'return 1'", b"$40\r\ne0e1f9fabfc9d4800c877a703b823ac0578ff8db\r\n"),
        ("EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 1 k", b":1\r\n"),
        ("EVALSHA ffff 0", b":1\r\n"),
    )
    assert [one.role for one in found] == ["housekeeping", "query", "query"]
    assert told(found)[1:] == [("EVALSHA k", {"script": "return 1", "reply": 1}), ("EVALSHA", {"sha": "ffff", "reply": 1})]


def test_a_blocking_command_began_when_it_was_answered() -> None:
    found = talk(("BLPOP q 5", b"*2\r\n$1\r\nq\r\n$1\r\nx\r\n"), ("BLPOP q 5", b"*-1\r\n"), ("BLPOP q 0", b""))
    assert [(one.role, one.started, one.ended) for one in found] == [("query", 1.0, 1.0), ("housekeeping", 11.0, 11.0)]


@pytest.mark.parametrize("kind", [b">", b"*"], ids=["RESP3", "RESP2"])
def test_messages_are_pushes(kind: bytes) -> None:
    def pushed(*parts: bytes) -> bytes:
        count = parts[-1] if parts[0] in (b"subscribe", b"psubscribe", b"unsubscribe") else b""
        body = b"".join(
            b":%b\r\n" % part if part is count and count else b"$%d\r\n%b\r\n" % (len(part), part) for part in parts
        )
        return kind + b"%d\r\n" % len(parts) + body

    hello = [("HELLO 3", b"%1\r\n+proto\r\n:3\r\n")] if kind == b">" else []
    found = talk(
        *hello,
        (
            "SUBSCRIBE a b",
            pushed(b"subscribe", b"a", b"1") + pushed(b"message", b"a", b"hi") + pushed(b"subscribe", b"b", b"2"),
        ),
        ("PSUBSCRIBE n*", pushed(b"psubscribe", b"n*", b"3") + pushed(b"pmessage", b"n*", b"news", b"\xff")),
        (
            "UNSUBSCRIBE",
            pushed(b"unsubscribe", b"a", b"1") + pushed(b"message", b"b", b"still") + pushed(b"unsubscribe", b"b", b"1"),
        ),
        ("PING", b"*2\r\n$4\r\npong\r\n$0\r\n\r\n" if kind == b"*" else b"+PONG\r\n"),
    )
    assert told(found) == [
        ("message", {"channel": "a", "message": "hi"}),
        ("pmessage", {"pattern": "n*", "channel": "news", "message": b"\xff"}),
        ("message", {"channel": "b", "message": "still"}),
    ]
    assert {one.role for one in found} == {"push"}


def test_invalidations_are_pushes() -> None:
    found = talk(
        ("HELLO 3", b"%1\r\n+proto\r\n:3\r\n"),
        ("CLIENT TRACKING ON; GET k", b"+OK\r\n>2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n$1\r\nv\r\n>2\r\n+invalidate\r\n_\r\n"),
    )
    assert told(found) == [("invalidate", {"keys": ["k"]}), ("GET k", {"reply": "v"}), ("invalidate", {"keys": None})]


def test_what_is_not_answered_is_not_waited_for() -> None:
    found = talk(
        ("CLIENT REPLY SKIP; INCR k; GET k", b"$1\r\n1\r\n"),
        ("CLIENT REPLY OFF; INCR k; CLIENT REPLY ON; GET k", b"+OK\r\n$1\r\n2\r\n"),
    )
    assert told(found) == [("INCR k", {}), ("GET k", {"reply": "1"}), ("INCR k", {}), ("GET k", {"reply": "2"})]


def test_what_cannot_be_recorded_is_said() -> None:
    tap = RedisTap()
    watched = talk(("MONITOR", b'+OK\r\n+1700000000.1 [0 127.0.0.1:1] "GET" "k"\r\n'), tap=tap)
    assert [(one.operation, one.incomplete) for one in watched] == [("MONITOR", MONITORED)]
    assert [one.incomplete for one in talk(("PSYNC ? -1", b"+FULLRESYNC x 0\r\n$100\r\nREDIS"))] == [REPLICATION]


def test_a_connection_that_ends_in_the_middle() -> None:
    found = talk(("MULTI; SET k v; GET k", b"+OK\r\n+QUEUED\r\n"))
    assert [(one.operation, one.incomplete) for one in found] == [
        ("MULTI", UNANSWERED),
        ("SET k", UNANSWERED),
        ("GET k", UNANSWERED),
    ]


def test_a_server_that_refuses_says_so_and_nothing_else() -> None:
    assert talk(("", b"-ERR max number of clients reached\r\n")) == []


def test_an_answer_to_nothing_is_no_redis() -> None:
    with pytest.raises(DecodeError, match="answers nothing that was asked"):
        talk(("", b"+OK\r\n"))


def test_what_was_read_before_the_bytes_went_wrong_is_kept() -> None:
    tap = RedisTap()
    list(tap.feed(Side.CLIENT, command("GET k") + command("GET l"), 0.0))
    found: list[Interaction] = []
    with pytest.raises(DecodeError):
        found.extend(tap.feed(Side.SERVER, b"$1\r\nv\r\n?\r\n", 1.0))
    assert told(found) == [("GET k", {"reply": "v"})]
