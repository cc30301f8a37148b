// ioredis, asking just what programs/cross/redis_py.py asks.
import Redis from "ioredis";

const c = new Redis(process.argv[2]);
const show = (step, value) => console.log(JSON.stringify([step, value]));
await c.del("wt:s", "wt:h", "wt:z", "wt:set", "wt:x", "wt:q", "wt:n");
show("set", await c.set("wt:s", "Grüße", "EX", 100));
show("get", await c.get("wt:s"));
show("incrby", await c.incrby("wt:n", 5));
show("hset", await c.hset("wt:h", { name: "Ann", age: 41 }));
show("hgetall", Object.entries(await c.hgetall("wt:h")).sort());
show("zadd", await c.zadd("wt:z", 1, "a", 2.5, "b"));
const scored = (await c.zrange("wt:z", 0, -1, "WITHSCORES")).flat();
show("zrange", [0, 2].map((at) => [scored[at], Number(scored[at + 1])]));
show("zscore", Number(await c.zscore("wt:z", "b")));
show("sadd", await c.sadd("wt:set", "b", "a"));
show("smembers", [...(await c.smembers("wt:set"))].sort());
show("xadd", await c.xadd("wt:x", "1-1", "k", "v"));
show("xrange", await c.xrange("wt:x", "-", "+"));
show("transaction", (await c.multi().incr("wt:n").get("wt:n").exec()).map(([, value]) => value));
show("rpush", await c.rpush("wt:q", "job"));
show("blpop", await c.blpop("wt:q", 5));
show("eval", await c.eval("return {KEYS[1], ARGV[1], 3}", 1, "wt:s", "x"));
show("fails", await c.lpush("wt:s", "x").catch((error) => error.message.replace(/^\w+ /, "")));
await c.quit();
