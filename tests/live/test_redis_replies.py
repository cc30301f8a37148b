"""Replies of a real server, in RESP2 and in RESP3: one tree for both, and from it the very bytes of either."""

# ruff: noqa: E501 - a command to a line would be hundreds of lines
from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.live.servers.redis import RedisServer
from wiretape.case import Call
from wiretape.protocols import codec
from wiretape.protocols.base import Side
from wiretape.protocols.redis import resp
from wiretape.protocols.redis.asks import prepare
from wiretape.protocols.redis.layout import join, parts_of
from wiretape.protocols.redis.requests import words
from wiretape.protocols.redis.responder import reply

CODEC = codec("redis")

# Each block begins with an empty database. What `#` begins is not compared: it differs from moment to moment.
BLOCKS = """
SET s text EX 100 | SET s x NX | SET s y GET | SET none x XX | GET s | GET none | GETSET s z | APPEND s more | STRLEN s | GETRANGE s 0 1
SETNX s q | SETEX t 100 v | PSETEX t 100000 v | INCR n | INCRBY n 5 | INCRBYFLOAT n 1.5 | DECR m | DECRBY m 2 | MSET a 1 b 2 | MSETNX a 1 c 2
MGET a none b | GETDEL a | GETEX b EX 10 | EXISTS a b | TYPE b | TYPE none | TTL none | PERSIST b | EXPIRE b 100 | RENAME b c | RENAMENX c d
COPY d e | TOUCH d e | UNLINK d | KEYS none* | DBSIZE | OBJECT ENCODING s | OBJECT REFCOUNT s | SETBIT bits 1 1 | GETBIT bits 1 | BITCOUNT bits
BITPOS bits 1 | BITOP AND dest bits s | BITFIELD bf SET u8 0 200 GET u8 0 INCRBY u8 0 100 | SETRANGE s 2 xx | SUBSTR s 0 1 | LCS s t
LCS s t IDX | LCS s t LEN | RANDOMKEY#| SCAN 0#| DUMP n | DEL s n m
====
HSET h f v g 2 | HGET h f | HGET h x | HGETALL h | HGETALL none | HMGET h f x g | HMSET h i 1 | HINCRBY h g 3 | HINCRBYFLOAT h g 1.5 | HKEYS h
HVALS h | HLEN h | HEXISTS h f | HDEL h f | HSETNX h f w | HSTRLEN h f | HSCAN h 0 | HRANDFIELD h 1#| HRANDFIELD none | HRANDFIELD none 2
HRANDFIELD h 10 WITHVALUES#| HGET none x | HSET "\\xff\\xfe" "\\xfd" v | HGETALL "\\xff\\xfe"
====
RPUSH l a b c d e f | LPUSH l z | LPUSHX none a | LRANGE l 0 -1 | LRANGE none 0 -1 | LINDEX l 0 | LINDEX l 99 | LLEN l | LPOP l | RPOP l | LPOP l 2
LPOP none | LPOP none 2 | RPOP none 1 | LINSERT l BEFORE c bb | LSET l 0 q | LREM l 1 c | LTRIM l 0 9 | LPOS l q | LPOS l none | LPOS l q COUNT 0
LMOVE l m LEFT RIGHT | RPOPLPUSH l m | RPOPLPUSH none m | LMOVE none m LEFT LEFT | BLMOVE m l LEFT RIGHT 1 | BRPOPLPUSH l m 1
LMPOP 2 none m LEFT COUNT 2 | LMPOP 1 none LEFT | RPUSH q 1 2 3 | BLPOP q 1 | BRPOP none q 1 | BLMPOP 1 1 q LEFT | BLPOP none 0.01
BLMOVE none x LEFT LEFT 0.01 | BRPOPLPUSH none x 0.01 | BLMPOP 0.01 1 none LEFT | SORT m ALPHA | SORT none | SORT m BY nosort GET # GET none
====
SADD s b a c | SADD t c d | SMEMBERS s | SMEMBERS none | SCARD s | SISMEMBER s a | SMISMEMBER s a x | SINTER s t | SUNION s t#| SDIFF s t#| SREM s a
SMOVE s t b | SINTERSTORE u s t | SUNIONSTORE v s t | SDIFFSTORE w s t | SINTERCARD 2 s t LIMIT 1 | SSCAN u 0 | SRANDMEMBER u | SRANDMEMBER none
SRANDMEMBER u 3 | SRANDMEMBER none 2 | SPOP u | SPOP none | SPOP none 2 | SADD one x | SPOP one 5
====
ZADD z 1 a 2.5 b 3 c | ZADD z XX CH 4 a | ZADD z INCR 1 a | ZADD z NX INCR 1 a | ZCARD z | ZRANGE z 0 -1 | ZRANGE z 0 -1 WITHSCORES
ZRANGE none 0 -1 WITHSCORES | ZREVRANGE z 0 -1 WITHSCORES | ZRANGEBYSCORE z -inf +inf WITHSCORES LIMIT 0 1 | ZRANGEBYSCORE z (1 5
ZREVRANGEBYSCORE z 5 0 WITHSCORES | ZRANGEBYLEX z - + | ZCOUNT z 0 9 | ZLEXCOUNT z - + | ZSCORE z a | ZSCORE z none | ZMSCORE z a none
ZINCRBY z 1.25 a | ZRANK z a | ZRANK z none | ZREVRANK z a | ZADD y 1e300 big inf top -inf low 0.1 tenth | ZRANGE y 0 -1 WITHSCORES
ZUNION 2 z y WITHSCORES | ZINTER 2 z z WITHSCORES | ZDIFF 2 z y | ZDIFF 2 z y WITHSCORES | ZUNION 1 z | ZUNIONSTORE u 2 z y WEIGHTS 2 1 AGGREGATE MAX
ZINTERSTORE v 1 z | ZDIFFSTORE w 2 z y | ZINTERCARD 2 z z | ZRANGESTORE r z 0 -1 | ZRANDMEMBER z#| ZRANDMEMBER none | ZRANDMEMBER none 2
ZRANDMEMBER v 9 WITHSCORES#| ZSCAN r 0 | ZPOPMIN z | ZPOPMAX z 2 | ZPOPMIN none | ZPOPMIN none 2 | ZREM y big | ZREMRANGEBYRANK y 0 0
ZREMRANGEBYSCORE y 0 1 | BZPOPMIN u 1 | BZPOPMAX none u 1 | BZPOPMIN none 0.01 | ZMPOP 1 u MIN COUNT 2 | ZMPOP 1 none MIN | BZMPOP 1 1 u MAX
BZMPOP 0.01 1 none MIN
====
GEOADD g 7.44 46.95 Bern 8.54 47.37 Zug | GEODIST g Bern Zug km | GEODIST g Bern none | GEOHASH g Bern none | GEOPOS g Bern none
GEOSEARCH g FROMMEMBER Bern BYRADIUS 300 km ASC | GEOSEARCH g FROMLONLAT 7 46 BYRADIUS 300 km ASC WITHDIST WITHHASH WITHCOORD
GEORADIUS g 7 46 300 km WITHCOORD ASC | GEORADIUSBYMEMBER g Bern 300 km ASC | GEOSEARCHSTORE dest g FROMMEMBER Bern BYRADIUS 300 km
PFADD p a b | PFCOUNT p | PFMERGE q p
====
XADD x 1-1 a 1 b 2 | XADD x NOMKSTREAM MAXLEN ~ 10 2-1 c 3 | XADD none NOMKSTREAM 1-1 a b | XLEN x | XRANGE x - + | XRANGE x - + COUNT 1
XREVRANGE x + - | XREAD STREAMS x 0 | XREAD COUNT 1 STREAMS x none 0 0 | XREAD STREAMS x 99 | XREAD BLOCK 10 STREAMS x $ | XGROUP CREATE x g 0
XREADGROUP GROUP g me COUNT 1 STREAMS x > | XREADGROUP GROUP g me STREAMS x 0 | XREADGROUP GROUP g me STREAMS x > | XREADGROUP GROUP g me STREAMS x >
XPENDING x g | XPENDING x g - + 10#| XACK x g 1-1 | XCLAIM x g you 0 2-1 | XCLAIM x g you 0 2-1 JUSTID | XAUTOCLAIM x g me 0 0 | XINFO STREAM x#
XINFO STREAM x FULL#| XINFO GROUPS x | XINFO CONSUMERS x g#| XGROUP CREATECONSUMER x g new | XGROUP DELCONSUMER x g new | XGROUP SETID x g $
XDEL x 1-1 | XTRIM x MAXLEN 0 | XSETID x 9-9 | XGROUP DESTROY x g
====
EVAL "return 1" 0 | EVAL "return {1,'a',{2,'b'},false}" 0 | EVAL "return redis.status_reply('FINE')" 0 | EVAL "return nil" 0
EVAL "return redis.error_reply('MINE own')" 0 | EVAL "return {redis.status_reply('x'), redis.error_reply('MINE y')}" 0
EVAL "return redis.call('GET', KEYS[1])" 1 k | EVAL "return 3.7" 0 | EVAL "redis.setresp(3); return redis.call('HGETALL', KEYS[1])" 1 k#
EVAL_RO "return 'ro'" 0 | SCRIPT EXISTS 0000000000000000000000000000000000000000 | SCRIPT FLUSH | PUBLISH c m | PUBSUB CHANNELS | PUBSUB NUMSUB a b
PUBSUB NUMPAT | WAIT 0 0 | TIME#| LASTSAVE#| CONFIG GET maxmemory* | CONFIG SET maxmemory 0 | CONFIG RESETSTAT | MEMORY USAGE none | ROLE
SLOWLOG LEN | LATENCY RESET | COMMAND COUNT | ACL WHOAMI | ACL LIST#| CLUSTER INFO | FLUSHDB | FLUSHALL ASYNC | SWAPDB 0 1 | NOSUCH a b | GET | LPUSH
FUNCTION LIST | FUNCTION STATS#| MODULE LIST | LATENCY HISTOGRAM none | LATENCY DOCTOR | MEMORY DOCTOR | ACL GETUSER default#| DEBUG SLEEP 0 | ECHO x
"""


class Line:
    """A connection that is asked one thing at a time, and gives the bytes of the answer."""

    def __init__(self, server: RedisServer, protocol: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        self._reader = resp.Reader()
        self.ask((b"HELLO", b"%d" % protocol, b"AUTH", b"default", server.password.encode()))

    def ask(self, argv: tuple[bytes, ...]) -> bytes:
        self._socket.sendall(resp.encode(list(argv), 2))
        out = b""
        while True:
            got = self._socket.recv(65536)
            assert got
            out += got
            self._reader.push(got)
            if self._reader.value() is not resp.INCOMPLETE:
                return out

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="module")
def ask(redis: RedisServer) -> Iterator[Callable[[int, tuple[bytes, ...]], bytes]]:
    with ExitStack() as stack:
        lines = {protocol: Line(redis, protocol) for protocol in (2, 3)}
        for line in lines.values():
            stack.callback(line.close)
        yield lambda protocol, argv: lines[protocol].ask(argv)


def read(argv: tuple[bytes, ...], answer: bytes, protocol: int) -> Call | None:
    """What the tap makes of a command and its answer; None where it leaves it out."""
    tap = CODEC.tap()
    hello = {2: b"*14\r\n" + b"$1\r\nx\r\n" * 14, 3: b"%1\r\n+proto\r\n:3\r\n"}[protocol]
    list(tap.feed(Side.CLIENT, resp.encode([b"HELLO", b"%d" % protocol], 2), 0.0))
    list(tap.feed(Side.SERVER, hello, 0.0))
    list(tap.feed(Side.CLIENT, resp.encode(list(argv), 2), 0.0))
    found = list(tap.feed(Side.SERVER, answer, 0.0))
    return Call(target="main", operation=found[0].operation, fields=found[0].fields) if found else None


def rendered(call: Call, protocol: int) -> bytes:
    return resp.encode(reply(call, prepare("main", join(parts_of(call)), 0), protocol), protocol)


def commands() -> Iterator[tuple[str, list[tuple[str, bool]]]]:
    for number, block in enumerate(BLOCKS.split("====")):
        lines = [line for row in block.strip().splitlines() for line in row.split("|")]
        yield (
            f"block-{number}",
            [(line.strip().removesuffix("#"), not line.strip().endswith("#")) for line in lines if line.strip()],
        )


@pytest.mark.parametrize("block", [block for _, block in commands()], ids=[name for name, _ in commands()])
def test_one_tree_gives_the_bytes_of_either_protocol(
    block: list[tuple[str, bool]], ask: Callable[[int, tuple[bytes, ...]], bytes]
) -> None:
    answers: dict[int, list[bytes]] = {}
    for protocol in (2, 3):
        ask(2, (b"FLUSHALL",))
        ask(2, (b"SCRIPT", b"FLUSH"))
        answers[protocol] = [ask(protocol, words(line.encode()) or ()) for line, _ in block]
    wrong, marked = [], []
    for (line, compared), two, three in zip(block, answers[2], answers[3], strict=True):
        argv = words(line.encode()) or ()
        old, new = read(argv, two, 2), read(argv, three, 3)
        if old is None or new is None:
            continue
        if "as" in old.fields or "as" in new.fields:
            marked.append(argv[0])
        own = (rendered(old, 2), rendered(new, 3))
        if own != (two, three):
            wrong.append((line, "not the same again", old.fields, own, (two, three)))
        elif not compared:
            continue
        elif old.fields.get("reply") != new.fields.get("reply"):
            wrong.append((line, "two trees", old.fields, new.fields))
        elif (rendered(new, 2), rendered(old, 3)) != (two, three):
            wrong.append((line, "not the other's", (rendered(new, 2), rendered(old, 3)), (two, three)))
    assert wrong == []
    assert set(marked) <= {b"EVAL", b"ACL"}  # what a script answers is not known beforehand
