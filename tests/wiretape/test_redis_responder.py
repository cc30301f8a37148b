"""What a mock answers: what was recorded, in the client's protocol, and its own affairs by itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from wiretape.case import Call
from wiretape.protocols import codec
from wiretape.protocols.base import Ask, Miss, Waiting
from wiretape.protocols.redis.requests import words
from wiretape.protocols.redis.resp import encode
from wiretape.protocols.redis.responder import RedisResponder

CODEC = codec("redis")
HELLO = b"HELLO 3\r\n"


def call(operation: str, **fields: Any) -> Call:
    if "as_" in fields:
        fields["as"] = fields.pop("as_")
    return Call(target="cache", operation=operation, fields=fields)


class Answers:
    """Gives each call once, by what it asks; waits where `later` says so."""

    def __init__(self, *calls: Call) -> None:
        self.left = list(calls)
        self.taken: list[Ask] = []
        self.later = False

    def peek(self, ask: Ask) -> Call | None:
        return None

    def take(self, ask: Ask) -> Call | Miss | Waiting:
        self.taken.append(ask)
        if self.later:
            return Waiting()
        for one in self.left:
            made = CODEC.ask(one)
            if (made.shape, made.values) == (ask.shape, ask.values):
                self.left.remove(one)
                return one
        return Miss(ask=ask, advice="record it")


type Say = Callable[[str], bytes]


@pytest.fixture
def mock() -> Callable[..., tuple[RedisResponder, Say, Answers]]:
    def make(*calls: Call, facts: Any = None, resp3: bool = False) -> tuple[RedisResponder, Say, Answers]:
        answers = Answers(*calls)
        responder = RedisResponder(facts or {}, answers, "cache")
        if resp3:
            responder.receive(HELLO)

        def say(lines: str) -> bytes:
            return responder.receive(b"".join(encode(list(words(line.strip().encode()) or ()), 2) for line in lines.split(";")))

        return responder, say, answers

    return make


@pytest.mark.parametrize(
    ("line", "recorded", "two", "three"),
    [
        ("GET k", call("GET k", reply="v"), b"$1\r\nv\r\n", b"$1\r\nv\r\n"),
        ("GET k", call("GET k", reply=12), b"$2\r\n12\r\n", b"$2\r\n12\r\n"),
        ("GET k", call("GET k", reply=None), b"$-1\r\n", b"_\r\n"),
        ("SET k v", call("SET k", args=["v"], reply="OK"), b"+OK\r\n", b"+OK\r\n"),
        ("SET k v", call("SET k", args=["v"], reply="OK", as_="bulk"), b"$2\r\nOK\r\n", b"$2\r\nOK\r\n"),
        ("INCR k", call("INCR k", reply=5), b":5\r\n", b":5\r\n"),
        ("HGETALL h", call("HGETALL h", reply={"a": 1}), b"*2\r\n$1\r\na\r\n$1\r\n1\r\n", b"%1\r\n$1\r\na\r\n$1\r\n1\r\n"),
        ("HGETALL h", call("HGETALL h", reply=[["a", "1"]]), b"*2\r\n$1\r\na\r\n$1\r\n1\r\n", b"%1\r\n$1\r\na\r\n$1\r\n1\r\n"),
        ("ZSCORE z a", call("ZSCORE z", args=["a"], reply=3), b"$1\r\n3\r\n", b",3\r\n"),
        ("ZSCORE z a", call("ZSCORE z", args=["a"], reply=3.0), b"$1\r\n3\r\n", b",3\r\n"),
        ("SMEMBERS s", call("SMEMBERS s", reply=["a"]), b"*1\r\n$1\r\na\r\n", b"~1\r\n$1\r\na\r\n"),
        ("ZPOPMIN z", call("ZPOPMIN z", reply=["a", 1.5]), b"*2\r\n$1\r\na\r\n$3\r\n1.5\r\n", b"*2\r\n$1\r\na\r\n,1.5\r\n"),
        ("BLPOP q 1", call("BLPOP q", args=[1], reply=None), b"*-1\r\n", b"_\r\n"),
        ("NOSUCH", call("NOSUCH", reply={"a": True}), b"*2\r\n$1\r\na\r\n:1\r\n", b"%1\r\n$1\r\na\r\n#t\r\n"),
        ("NOSUCH", call("NOSUCH", error="ERR unknown"), b"-ERR unknown\r\n", b"-ERR unknown\r\n"),
        ("NOSUCH", call("NOSUCH", reply=[1, "x"], as_=[None, "error"]), b"*2\r\n:1\r\n-x\r\n", b"*2\r\n:1\r\n-x\r\n"),
        ("GET k", call("GET k", reply=b"\xff"), b"$1\r\n\xff\r\n", b"$1\r\n\xff\r\n"),
    ],
)
def test_a_recorded_reply_in_either_protocol(mock: Any, line: str, recorded: Call, two: bytes, three: bytes) -> None:
    assert mock(recorded)[1](line) == two
    assert mock(recorded, resp3=True)[1](line) == three


def test_a_miss_is_an_error_in_one_line(mock: Any) -> None:
    _, say, _ = mock()
    answer = say("SET 'a\\nb' v")
    assert answer.startswith(b"-ERR wiretape: no recorded call on cache answers: SET ")
    assert answer.endswith(b"record it\r\n")
    assert answer.count(b"\n") == 1


def test_a_call_that_cannot_be_served_is_an_error(mock: Any) -> None:
    _, say, _ = mock(call("ZSCORE z", args=["a"], reply="much"))
    assert say("ZSCORE z a").startswith(
        b"-ERR wiretape: the recorded call 'ZSCORE z' cannot be served: reply: expected a number"
    )


def test_any_password_is_accepted_and_the_greeting_comes_from_facts(mock: Any) -> None:
    responder, say, answers = mock(facts={"server_version": "6.2.1", "mode": "cluster", "modules": ["search"]})
    assert say("AUTH whatever; AUTH user whatever; SELECT 3; PING; PING hi; ECHO x") == (
        b"+OK\r\n+OK\r\n+OK\r\n+PONG\r\n$2\r\nhi\r\n$1\r\nx\r\n"
    )
    hello = say("HELLO 3 AUTH default x SETNAME me")
    assert hello.startswith(b"%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n6.2.1\r\n$5\r\nproto\r\n:3\r\n")
    assert b"$6\r\nsearch\r\n" in hello
    assert say("CLIENT GETNAME; CLIENT ID; CLIENT SETINFO LIB-NAME x") == b"$2\r\nme\r\n:1\r\n+OK\r\n"
    assert say("HELLO 4") == b"-NOPROTO unsupported protocol version\r\n"
    assert say("CLIENT MAINT_NOTIFICATIONS ON").startswith(b"-ERR unknown subcommand")
    assert answers.taken == []
    assert say("QUIT") == b"+OK\r\n"
    assert responder.closed


def test_an_old_server_knows_no_hello(mock: Any) -> None:
    assert mock(facts={"resp3": False})[1]("HELLO 3").startswith(b"-ERR unknown command 'HELLO'")


def test_info_says_that_the_server_is_ready(mock: Any) -> None:
    info = mock(facts={"server_version": "6.2.1"})[1]("INFO")
    assert b"\r\nredis_version:6.2.1\r\n" in info
    assert b"\r\nloading:0\r\n" in info
    assert mock()[1]("INFO keyspace") == b"$12\r\n# Keyspace\r\n\r\n"
    assert mock(resp3=True)[1]("INFO keyspace") == b"=16\r\ntxt:# Keyspace\r\n\r\n"


def test_what_a_server_says_of_itself(mock: Any) -> None:
    _, say, _ = mock(call("CONFIG GET", args=["maxmemory"], reply={"maxmemory": "7"}))
    assert say("CONFIG GET maxmemory") == b"*2\r\n$9\r\nmaxmemory\r\n$1\r\n7\r\n"  # as recorded
    assert say("CONFIG GET other; COMMAND; COMMAND DOCS; COMMAND INFO a") == b"*0\r\n*0\r\n*0\r\n*1\r\n*-1\r\n"
    assert say("CLUSTER SLOTS") == b"-ERR This instance has cluster support disabled\r\n"
    assert say("SCRIPT LOAD 'return 1'") == b"$40\r\ne0e1f9fabfc9d4800c877a703b823ac0578ff8db\r\n"
    assert say("SCRIPT EXISTS a b") == b"*2\r\n:1\r\n:1\r\n"


def test_a_database_is_remembered(mock: Any) -> None:
    _, say, _ = mock(call("GET k", db=2, reply="two"), call("GET k", reply="zero"))
    assert say("SELECT 2; GET k; SELECT 0; GET k; SELECT x").startswith(b"+OK\r\n$3\r\ntwo\r\n+OK\r\n$4\r\nzero\r\n-ERR")


TX = (
    call("MULTI"),
    call("SET k", args=["v"], reply="OK"),
    call("INCR k", error="ERR value is not an integer or out of range"),
    call("EXEC"),
)


def test_a_transaction_answers_at_its_end(mock: Any) -> None:
    _, say, answers = mock(*TX)
    assert say("MULTI; SET k v; INCR k; PING; EXEC") == (
        b"+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+OK\r\n-ERR value is not an integer or out of range\r\n+PONG\r\n"
    )
    assert answers.left == []


def test_a_transaction_nobody_recorded(mock: Any) -> None:
    _, say, _ = mock()
    assert say("MULTI; EXEC; WATCH k; UNWATCH; MULTI; DISCARD") == b"+OK\r\n*0\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n"
    assert b"*1\r\n-ERR wiretape: no recorded call" in say("MULTI; SET k v; EXEC")


def test_a_transaction_that_was_given_up(mock: Any) -> None:
    lost, spoilt = call("SET k", args=["v"]), call("NOSUCH", error="ERR unknown command", stage="queue")
    assert mock(lost)[1]("WATCH k; MULTI; SET k v; EXEC") == b"+OK\r\n+OK\r\n+QUEUED\r\n*-1\r\n"
    assert mock(spoilt)[1]("MULTI; NOSUCH; EXEC").startswith(b"+OK\r\n-ERR unknown command\r\n-EXECABORT ")


def test_commands_out_of_place(mock: Any) -> None:
    _, say, _ = mock()
    assert say("EXEC; DISCARD") == b"-ERR EXEC without MULTI\r\n-ERR DISCARD without MULTI\r\n"
    assert say("MULTI; MULTI; WATCH k; DISCARD") == (
        b"+OK\r\n-ERR MULTI calls can not be nested\r\n-ERR WATCH inside MULTI is not allowed\r\n+OK\r\n"
    )


def test_a_command_that_blocks_waits_for_its_turn_or_its_time(mock: Any) -> None:
    responder, say, answers = mock(call("GET k", reply="v"))
    answers.later = True
    assert say("BLPOP q 5; GET k") == b""
    assert (responder.pause, responder.waiting.operation) == (5.0, "BLPOP q")
    answers.later = False
    assert responder.tick() == b"*-1\r\n$1\r\nv\r\n"  # and then what came behind it
    assert (responder.pause, responder.waiting) == (None, None)
    answers.later = True
    assert say("BLPOP q 0") == b""
    assert responder.waiting.blocks == math.inf
    assert responder.pause is None
    assert responder.tick() == b""
    assert responder.resume(call("BLPOP q", args=[0], reply=["q", "job"])) == b"*2\r\n$1\r\nq\r\n$3\r\njob\r\n"
    assert responder.waiting is None


def test_nothing_blocks_in_a_transaction(mock: Any) -> None:
    _, say, answers = mock(call("BLPOP q", args=[5], reply=None))
    assert say("MULTI; BLPOP q 5; EXEC") == b"+OK\r\n+QUEUED\r\n*1\r\n*-1\r\n"
    assert [ask.blocks for ask in answers.taken] == [None, None, None]


MESSAGE = call("message", channel="news", message="hi")


def test_messages_come_to_those_who_listen(mock: Any) -> None:
    responder, say, _ = mock()
    assert responder.push(MESSAGE) is None
    assert say("SUBSCRIBE news other; PSUBSCRIBE n*") == (
        b"*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$5\r\nother\r\n:2\r\n"
        b"*3\r\n$10\r\npsubscribe\r\n$2\r\nn*\r\n:3\r\n"
    )
    assert responder.push(MESSAGE) == b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n"
    pattern = call("pmessage", pattern="n*", channel="new", message=b"\xff")
    assert responder.push(pattern) == b"*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$3\r\nnew\r\n$1\r\n\xff\r\n"
    assert responder.push(call("message", channel="another", message="hi")) is None
    assert say("PING; PING x") == b"*2\r\n$4\r\npong\r\n$0\r\n\r\n*2\r\n$4\r\npong\r\n$1\r\nx\r\n"
    assert say("GET k").startswith(b"-ERR Can't execute 'get': only (P|S)SUBSCRIBE")
    assert say("UNSUBSCRIBE; PUNSUBSCRIBE; UNSUBSCRIBE").endswith(b"*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n")
    assert responder.push(MESSAGE) is None
    assert say("PING") == b"+PONG\r\n"


def test_messages_in_resp3(mock: Any) -> None:
    responder, say, _ = mock(call("GET k", reply="v"), resp3=True)
    assert say("SUBSCRIBE news") == b">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"
    assert responder.push(MESSAGE) == b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n"
    assert say("GET k") == b"$1\r\nv\r\n"
    gone = call("invalidate", keys=["k"])
    assert responder.push(gone) is None
    say("CLIENT TRACKING ON")
    assert responder.push(gone) == b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
    assert responder.push(call("no such push")) is None


def test_a_client_may_want_no_answers(mock: Any) -> None:
    _, say, answers = mock(*(call("INCR k", reply=number) for number in range(4)))
    assert say("CLIENT REPLY OFF; INCR k; CLIENT REPLY SKIP; INCR k; CLIENT REPLY ON; INCR k") == b"+OK\r\n:2\r\n"
    assert say("CLIENT REPLY SKIP; INCR k; PING") == b"+PONG\r\n"
    assert answers.left == []


def test_a_reset_begins_anew(mock: Any) -> None:
    responder, say, _ = mock(call("HGETALL h", reply={}), resp3=True)
    say("SELECT 2; SUBSCRIBE news; MULTI")
    assert say("RESET") == b"+RESET\r\n"
    assert responder.push(MESSAGE) is None
    assert say("HGETALL h") == b"*0\r\n"


def test_garbage_is_refused_in_the_servers_words(mock: Any) -> None:
    responder, _, _ = mock()
    assert responder.receive(b"*1\r\nPING\r\n") == b"-ERR Protocol error: expected '$', got 'P'\r\n"
    assert responder.closed
    assert responder.receive(b"PING\r\n") == b""


def test_a_large_value_arrives_in_pieces(mock: Any) -> None:
    value = "x" * 3_000_000
    responder, _, _ = mock(call("SET k", args=[value], reply="OK"))
    data = encode([b"SET", b"k", value.encode()], 2)
    pieces = [data[at : at + 65536] for at in range(0, len(data), 65536)]
    assert [responder.receive(piece) for piece in pieces][-1] == b"+OK\r\n"
