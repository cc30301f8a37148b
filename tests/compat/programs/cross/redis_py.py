"""redis-py, asking just what programs/cross/redis_ioredis.mjs asks; run as a program with a URL."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import redis


def show(step: str, value: Any) -> None:
    print(json.dumps([step, value], ensure_ascii=False, separators=(",", ":")), flush=True)


def main(url: str) -> None:
    protocol = {"protocol": int(os.environ["PROTOCOL"])} if "PROTOCOL" in os.environ else {}
    c: Any = redis.Redis.from_url(url, decode_responses=True, **protocol)
    c.delete("wt:s", "wt:h", "wt:z", "wt:set", "wt:x", "wt:q", "wt:n")
    show("set", "OK" if c.set("wt:s", "Grüße", ex=100) else None)
    show("get", c.get("wt:s"))
    show("incrby", c.incrby("wt:n", 5))
    show("hset", c.hset("wt:h", mapping={"name": "Ann", "age": 41}))
    show("hgetall", sorted(map(list, c.hgetall("wt:h").items())))
    show("zadd", c.zadd("wt:z", {"a": 1.0, "b": 2.5}))
    scored = c.zrange("wt:z", 0, -1, withscores=True)
    show("zrange", [[member, int(score) if score == int(score) else score] for member, score in scored])
    show("zscore", c.zscore("wt:z", "b"))
    show("sadd", c.sadd("wt:set", "a", "b"))
    show("smembers", sorted(c.smembers("wt:set")))
    show("xadd", c.xadd("wt:x", {"k": "v"}, id="1-1"))
    show("xrange", [[entry, [word for pair in fields.items() for word in pair]] for entry, fields in c.xrange("wt:x")])
    show("transaction", c.pipeline().incr("wt:n").get("wt:n").execute())
    show("rpush", c.rpush("wt:q", "job"))
    show("blpop", list(c.blpop(["wt:q"], timeout=5)))
    show("eval", c.eval("return {KEYS[1], ARGV[1], 3}", 1, "wt:s", "x"))
    try:
        c.lpush("wt:s", "x")
    except redis.ResponseError as error:
        show("fails", str(error).removeprefix("WRONGTYPE "))
    c.close()


if __name__ == "__main__":
    main(sys.argv[1])
