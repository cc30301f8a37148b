"""redis-py, asyncio; `PROTOCOL` says which RESP."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

import redis
from redis import asyncio as aio

KEYS = [f"wt:{name}" for name in ("s", "b", "n", "h", "l", "set", "z", "x", "w", "q", "none")]
ADD = "redis.call('INCRBY', KEYS[1], ARGV[1]); return {redis.call('GET', KEYS[1]), tonumber(ARGV[1]), 'done'}"


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


async def failing(step: str, call: Any) -> None:
    try:
        show(step, await call)
    except redis.RedisError as error:
        show(step, type(error).__name__, str(error))


async def main(url: str) -> None:
    protocol = int(os.environ.get("PROTOCOL", "0"))
    options: dict[str, Any] = {"protocol": protocol} if protocol else {}
    if url.startswith("rediss") and os.environ.get("CA_FILE"):
        options["ssl_ca_certs"] = os.environ["CA_FILE"]
    client: Any = aio.Redis.from_url(url, **options)
    await client.delete(*KEYS)
    show("set", await client.set("wt:s", "Grüße ✓"), await client.get("wt:s"), await client.set("wt:s", "x", nx=True))
    show("binary", await client.set("wt:b", bytes(range(256))), await client.get("wt:b"))
    show("hash", await client.hset("wt:h", mapping={"name": "Ann", "age": 41}), await client.hgetall("wt:h"))
    show("list", await client.rpush("wt:l", "a", "b"), await client.lrange("wt:l", 0, -1), await client.lpop("wt:l", 2))
    show("set", await client.sadd("wt:set", "a", "b"), await client.smembers("wt:set"))
    show("zset", await client.zadd("wt:z", {"a": 1, "b": 2.5}), await client.zrange("wt:z", 0, -1, withscores=True))
    show("stream", await client.xadd("wt:x", {"k": "v"}, id="1-1"), await client.xread({"wt:x": "0"}))
    show("together", await asyncio.gather(*(client.incr("wt:n") for _ in range(5))) and await client.get("wt:n"))
    async with client.pipeline(transaction=False) as pipe:
        pipe.set("wt:w", 1).incr("wt:w").get("wt:w")
        show("pipeline", await pipe.execute())
    async with client.pipeline() as pipe:
        await pipe.watch("wt:w")
        value = int(await pipe.get("wt:w"))
        pipe.multi()
        pipe.set("wt:w", value * 2).get("wt:w")
        show("watch", await pipe.execute())
    show("script", await client.register_script(ADD)(keys=["wt:n"], args=[5]))
    await client.rpush("wt:q", "job")
    show("blpop", await client.blpop(["wt:none", "wt:q"], timeout=5), await client.blpop("wt:q", timeout=0.1))
    late = asyncio.create_task(client.blpop("wt:q", timeout=20))
    await client.set("wt:w", "before the job")
    await client.rpush("wt:q", "late job")
    show("waited", await late)
    async with client.pubsub() as listener:
        await listener.subscribe("wt:news")
        show("subscribed", await listener.get_message(timeout=10))
        show("publish", await client.publish("wt:news", "héllo"))
        show("message", await listener.get_message(timeout=10))
        await listener.unsubscribe()
    await failing("wrong type", client.lpush("wt:s", "x"))
    await client.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
