"""redis-py, blocking; `PROTOCOL` says which RESP, and hiredis is used where it is installed and `PARSER` is not `python`."""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

import redis
from redis._parsers import _RESP2Parser, _RESP3Parser

NAMES = "s n f b h l m set set2 z z2 x w t q none long bits geo hll copy v1 v2"
KEYS = [f"wt:{name}" for name in NAMES.split()]
ADD = "redis.call('INCRBY', KEYS[1], ARGV[1]); return {redis.call('GET', KEYS[1]), tonumber(ARGV[1]), 'done', false}"


def plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode() if value.isascii() else value.hex()
    if isinstance(value, dict):
        return sorted([plain(key), plain(item)] for key, item in value.items())
    if isinstance(value, set | frozenset):
        return sorted(map(plain, value))
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def show(step: str, *values: Any) -> None:
    print(json.dumps([step, *map(plain, values)], default=str), flush=True)


def failing(step: str, call: Any) -> None:
    try:
        show(step, call())
    except redis.RedisError as error:
        show(step, type(error).__name__, str(error))


def main(url: str) -> None:
    protocol = int(os.environ.get("PROTOCOL", "0"))
    options: dict[str, Any] = {"protocol": protocol} if protocol else {}
    if url.startswith("rediss") and os.environ.get("CA_FILE"):
        options["ssl_ca_certs"] = os.environ["CA_FILE"]
    if os.environ.get("PARSER") == "python":
        options["parser_class"] = _RESP2Parser if protocol == 2 else _RESP3Parser
    client = redis.Redis.from_url(url, **options)
    client.delete(*KEYS)
    show("ping", client.ping(), client.echo("hello"))
    strings(client)
    collections(client)
    sorted_sets(client)
    streams(client)
    grouped(client)
    scripts(client)
    waiting(client)
    published(client, redis.Redis.from_url(url, **options))
    errors(client)
    other(client, redis.Redis.from_url(url.removesuffix("0") + "3", **options))
    client.close()


def strings(client: Any) -> None:
    show("set", client.set("wt:s", "Grüße ✓"), client.get("wt:s"), client.strlen("wt:s"))
    show("set nx", client.set("wt:s", "x", nx=True), client.set("wt:t", "y", ex=100, nx=True), client.ttl("wt:t"))
    show("set get", client.set("wt:s", "new", get=True), client.getset("wt:s", "newer"), client.getrange("wt:s", 0, 1))
    show("numbers", client.incr("wt:n"), client.incrby("wt:n", 41), client.decr("wt:n", 2), client.incrbyfloat("wt:f", 1.5))
    show("binary", client.set("wt:b", bytes(range(256))), client.get("wt:b"), client.append("wt:b", b"\xff\x00"))
    show("many", client.mset({"wt:v1": "one", "wt:v2": 2}), client.mget("wt:v1", "wt:none", "wt:v2"))
    show(
        "keys",
        client.exists("wt:v1", "wt:none"),
        client.type("wt:v1"),
        client.rename("wt:v2", "wt:copy"),
        client.expire("wt:copy", 50),
    )
    show("gone", client.getdel("wt:copy"), client.get("wt:copy"), client.persist("wt:t"), client.unlink("wt:t"))
    show("bits", client.setbit("wt:bits", 7, 1), client.getbit("wt:bits", 7), client.bitcount("wt:bits"))
    show("long", client.set("wt:long", "0123456789" * int(os.environ.get("LONG", "200000"))), len(client.get("wt:long")))


def collections(client: Any) -> None:
    show("hset", client.hset("wt:h", mapping={"name": "Ann", "age": 41, "raw": b"\xfe\xff"}), client.hget("wt:h", "name"))
    show("hgetall", client.hgetall("wt:h"), client.hgetall("wt:none"), client.hmget("wt:h", "age", "none"), client.hlen("wt:h"))
    show(
        "hash",
        client.hincrby("wt:h", "age", 1),
        client.hincrbyfloat("wt:h", "size", 1.25),
        client.hkeys("wt:h"),
        client.hvals("wt:h"),
    )
    show(
        "hash more",
        client.hexists("wt:h", "name"),
        client.hdel("wt:h", "raw"),
        client.hsetnx("wt:h", "name", "Bob"),
        client.hscan("wt:h"),
    )
    show(
        "list",
        client.rpush("wt:l", "a", "b", "c"),
        client.lpush("wt:l", "z"),
        client.lrange("wt:l", 0, -1),
        client.llen("wt:l"),
    )
    show(
        "list more",
        client.lindex("wt:l", 1),
        client.linsert("wt:l", "BEFORE", "b", "ab"),
        client.lset("wt:l", 0, "y"),
        client.lrem("wt:l", 1, "c"),
    )
    show(
        "pop", client.lpop("wt:l"), client.rpop("wt:l"), client.lpop("wt:l", 5), client.lpop("wt:l"), client.ltrim("wt:l", 0, 1)
    )
    show(
        "lpos",
        client.rpush("wt:l", "a", "b", "a"),
        client.lpos("wt:l", "a"),
        client.lpos("wt:l", "a", count=0),
        client.lmove("wt:l", "wt:m", "LEFT", "RIGHT"),
    )
    show("set", client.sadd("wt:set", "a", "b", "c"), client.sadd("wt:set2", "b", "c", "d"), client.scard("wt:set"))
    show("members", client.smembers("wt:set"), client.sismember("wt:set", "a"), client.smismember("wt:set", ["a", "x"]))
    show("algebra", client.sinter("wt:set", "wt:set2"), client.sunion("wt:set", "wt:set2"), client.sdiff("wt:set", "wt:set2"))
    show(
        "set more",
        client.srem("wt:set", "a"),
        client.smove("wt:set", "wt:set2", "b"),
        client.sinterstore("wt:set", "wt:set", "wt:set2"),
        client.spop("wt:set"),
    )


def sorted_sets(client: Any) -> None:
    show(
        "zadd",
        client.zadd("wt:z", {"a": 1, "b": 2.5, "c": 3}),
        client.zadd("wt:z", {"a": 4}, xx=True, ch=True),
        client.zcard("wt:z"),
    )
    show(
        "zrange",
        client.zrange("wt:z", 0, -1),
        client.zrange("wt:z", 0, -1, withscores=True),
        client.zrevrange("wt:z", 0, 0, withscores=True),
    )
    show(
        "by score",
        client.zrangebyscore("wt:z", "-inf", "(4", withscores=True),
        client.zcount("wt:z", 0, 3),
        client.zscore("wt:z", "b"),
        client.zscore("wt:z", "none"),
    )
    show(
        "zincrby",
        client.zincrby("wt:z", 1.5, "b"),
        client.zrank("wt:z", "b"),
        client.zrank("wt:z", "none"),
        client.zmscore("wt:z", ["a", "none"]),
    )
    show(
        "limited",
        client.zrangebyscore("wt:z", 0, 10, start=0, num=1),
        client.zadd("wt:z", {"d": float("inf")}),
        client.zscore("wt:z", "d"),
    )
    show(
        "zstore",
        client.zunionstore("wt:z2", {"wt:z": 2, "wt:none": 1}),
        client.zunion(["wt:z"], withscores=True),
        client.zscan("wt:z"),
    )
    show(
        "zpop",
        client.zpopmin("wt:z"),
        client.zpopmax("wt:z", 2),
        client.zrem("wt:z", "c"),
        client.zremrangebyscore("wt:z2", 0, 100),
    )
    show(
        "geo",
        client.geoadd("wt:geo", [7.44, 46.95, "Bern", 8.54, 47.37, "Zug"]),
        client.geodist("wt:geo", "Bern", "Zug", "km"),
        client.geopos("wt:geo", "Bern", "none"),
    )
    show(
        "geosearch",
        client.geosearch(
            "wt:geo", longitude=7.4, latitude=46.9, radius=300, unit="km", withdist=True, withcoord=True, sort="ASC"
        ),
    )
    show("hll", client.pfadd("wt:hll", "a", "b"), client.pfcount("wt:hll"))


def streams(client: Any) -> None:
    show(
        "xadd",
        client.xadd("wt:x", {"k": "v", "n": 1}, id="1-1"),
        client.xadd("wt:x", {"k": "w"}, id="2-1", maxlen=10),
        client.xlen("wt:x"),
    )
    show(
        "xrange",
        client.xrange("wt:x"),
        client.xrevrange("wt:x", count=1),
        client.xread({"wt:x": "0"}),
        client.xread({"wt:x": "9-0"}),
    )
    show(
        "group",
        client.xgroup_create("wt:x", "g", id="0"),
        client.xreadgroup("g", "me", {"wt:x": ">"}, count=1),
        client.xack("wt:x", "g", "1-1"),
    )
    show(
        "pending",
        client.xreadgroup("g", "me", {"wt:x": ">"}),
        client.xpending("wt:x", "g"),
        client.xclaim("wt:x", "g", "you", 0, ["2-1"]),
    )
    info = client.xinfo_stream("wt:x")
    show("xinfo", info["length"], info["last-generated-id"], client.xinfo_groups("wt:x")[0]["pending"])
    show("trim", client.xdel("wt:x", "1-1"), client.xtrim("wt:x", 0), client.xlen("wt:x"))


def grouped(client: Any) -> None:
    with client.pipeline(transaction=False) as pipe:
        pipe.set("wt:w", 1).incr("wt:w").get("wt:w").hgetall("wt:h").lpush("wt:w", "x").zscore("wt:z", "x")
        show("pipeline", [str(each) if isinstance(each, Exception) else each for each in pipe.execute(raise_on_error=False)])
    with client.pipeline() as pipe:
        pipe.set("wt:w", 5).incr("wt:w").zadd("wt:z", {"m": 7.25}).zscore("wt:z", "m").smembers("wt:set2").hset(
            "wt:w", "a", "b"
        )
        show("transaction", [str(each) if isinstance(each, Exception) else each for each in pipe.execute(raise_on_error=False)])
    with client.pipeline() as pipe:
        pipe.watch("wt:w")
        value = int(pipe.get("wt:w"))
        pipe.multi()
        pipe.set("wt:w", value * 2)
        show("watch", value, pipe.execute())
        pipe.watch("wt:w")
        client.set("wt:w", "changed")
        pipe.multi()
        pipe.set("wt:w", "lost")
        failing("watch lost", pipe.execute)
    show("after", client.get("wt:w"))


def scripts(client: Any) -> None:
    client.set("wt:n", 10)
    script = client.register_script(ADD)
    show("script", script(keys=["wt:n"], args=[5]), script(keys=["wt:n"], args=[6]))
    show("eval", client.eval("return {1, 'two', {3, redis.status_reply('FINE')}}", 0), client.eval(ADD, 1, "wt:n", 5))
    failing("eval fails", lambda: client.eval("return redis.error_reply('MINE my own')", 0))


def waiting(client: Any) -> None:
    client.rpush("wt:q", "job 1", "job 2")
    show(
        "blpop",
        client.blpop(["wt:none", "wt:q"], timeout=5),
        client.brpop("wt:q", timeout=5),
        client.blpop("wt:q", timeout=0.1),
    )
    client.zadd("wt:z2", {"soon": 1.5})
    show("bzpopmin", client.bzpopmin("wt:z2", timeout=5), client.xread({"wt:x": "$"}, block=50))
    got: list[Any] = []
    waiter = threading.Thread(target=lambda: got.append(client.blpop("wt:q", timeout=20)))
    waiter.start()
    client.set("wt:w", "before the job")
    client.rpush("wt:q", "late job")
    waiter.join(30)
    show("waited", got)


def published(client: Any, other: Any) -> None:
    with client.pubsub() as listener:
        listener.subscribe("wt:news")
        listener.psubscribe("wt:n*")
        show("subscribed", listener.get_message(timeout=10), listener.get_message(timeout=10))
        show(
            "publish", other.publish("wt:news", "héllo"), other.publish("wt:news", b"\x00\xff"), other.publish("wt:silent", "x")
        )
        messages = [listener.get_message(timeout=10) for _ in range(4)]
        show("messages", messages)
        listener.unsubscribe()
        listener.punsubscribe()
        show("unsubscribed", listener.get_message(timeout=10), listener.get_message(timeout=10))


def errors(client: Any) -> None:
    client.set("wt:s", "text")
    failing("wrong type", lambda: client.lpush("wt:s", "x"))
    failing("no number", lambda: client.incr("wt:s"))
    failing("unknown", lambda: client.execute_command("NOSUCH", "x"))
    failing("arity", lambda: client.execute_command("GET"))


def other(client: Any, third: Any) -> None:
    show("db 3", third.set("wt:s", "third"), third.get("wt:s"), client.get("wt:s"), third.delete("wt:s"))
    third.close()


if __name__ == "__main__":
    main(sys.argv[1])
