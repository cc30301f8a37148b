// ioredis.
import fs from "node:fs";
import Redis from "ioredis";

const NAMES = "s n f b h l m set set2 z z2 x w t q none long v1 v2 copy".split(" ").map((name) => `wt:${name}`);
const ADD = "redis.call('INCRBY', KEYS[1], ARGV[1]); return {redis.call('GET', KEYS[1]), tonumber(ARGV[1]), 'done'}";

const plain = (value) => {
  if (Buffer.isBuffer(value)) return value.toString("hex");
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (Array.isArray(value)) return value.map(plain);
  return value;
};
const show = (step, ...values) => console.log(JSON.stringify([step, ...values.map(plain)]));
const failing = async (step, promise) => show(step, await promise.catch((error) => error));

async function main(url) {
  const tls = process.env.CA_FILE && url.startsWith("rediss") ? { tls: { ca: fs.readFileSync(process.env.CA_FILE) } } : {};
  const c = new Redis(url, { ...tls, maxRetriesPerRequest: 1, enableAutoPipelining: false });
  await c.del(...NAMES);
  show("ping", await c.ping(), await c.echo("hello"));
  show("set", await c.set("wt:s", "Grüße ✓"), await c.get("wt:s"), await c.set("wt:s", "x", "NX"), await c.set("wt:t", "y", "EX", 100));
  show("set get", await c.set("wt:s", "new", "GET"), await c.getset("wt:s", "newer"), await c.getrange("wt:s", 0, 1));
  show("numbers", await c.incr("wt:n"), await c.incrby("wt:n", 41), await c.incrbyfloat("wt:f", 1.5));
  show("binary", await c.set("wt:b", Buffer.from([0, 1, 254, 255])), await c.getBuffer("wt:b"));
  show("many", await c.mset("wt:v1", "one", "wt:v2", "2"), await c.mget("wt:v1", "wt:none", "wt:v2"), await c.exists("wt:v1", "wt:none"));
  show("long", await c.set("wt:long", "0123456789".repeat(Number(process.env.LONG ?? 100000))), (await c.get("wt:long")).length);
  show("hash", await c.hset("wt:h", { name: "Ann", age: 41 }), await c.hgetall("wt:h"), await c.hgetall("wt:none"), await c.hmget("wt:h", "age", "none"));
  show("hash more", await c.hincrby("wt:h", "age", 1), await c.hkeys("wt:h"), await c.hdel("wt:h", "age"), await c.hscan("wt:h", 0));
  show("list", await c.rpush("wt:l", "a", "b", "c"), await c.lrange("wt:l", 0, -1), await c.lpop("wt:l"), await c.lpop("wt:l", 2), await c.lpop("wt:l"));
  show("set", await c.sadd("wt:set", "a", "b"), await c.smembers("wt:set").then((all) => all.sort()), await c.sismember("wt:set", "a"));
  show("zset", await c.zadd("wt:z", 1, "a", 2.5, "b"), await c.zrange("wt:z", 0, -1, "WITHSCORES"), await c.zscore("wt:z", "b"));
  show("zset more", await c.zincrby("wt:z", 1.5, "b"), await c.zrangebyscore("wt:z", "-inf", "+inf", "LIMIT", 0, 1), await c.zpopmin("wt:z"));
  show("stream", await c.xadd("wt:x", "1-1", "k", "v"), await c.xrange("wt:x", "-", "+"), await c.xread("COUNT", 2, "STREAMS", "wt:x", "0"));
  show("group", await c.xgroup("CREATE", "wt:x", "g", "0"), await c.xreadgroup("GROUP", "g", "me", "STREAMS", "wt:x", ">"), await c.xack("wt:x", "g", "1-1"));
  show("pipeline", await c.pipeline().set("wt:w", 1).incr("wt:w").lpush("wt:w", "x").get("wt:w").exec());
  show("transaction", await c.multi().set("wt:w", 5).incr("wt:w").hset("wt:w", "a", "b").hgetall("wt:h").exec());
  await c.watch("wt:w");
  const value = Number(await c.get("wt:w"));
  show("watch", value, await c.multi().set("wt:w", value * 2).exec());
  const other = c.duplicate();
  await c.watch("wt:w");
  await other.set("wt:w", "changed");
  show("watch lost", await c.multi().set("wt:w", "lost").exec(), await c.get("wt:w"));
  c.defineCommand("addTo", { numberOfKeys: 1, lua: ADD });
  await c.set("wt:n", 10);
  show("script", await c.addTo("wt:n", 5), await c.addTo("wt:n", 6), await c.eval("return {1, {2, 'x'}}", 0));
  await c.rpush("wt:q", "job 1", "job 2");
  show("blpop", await c.blpop("wt:none", "wt:q", 5), await c.brpop("wt:q", 5), await c.blpop("wt:q", 0.1));
  const late = c.blpop("wt:q", 20);
  await other.set("wt:w", "before the job");
  await other.rpush("wt:q", "late job");
  show("waited", await late);
  const listener = c.duplicate();
  const messages = [];
  const all = new Promise((resolve) => {
    const got = (...what) => messages.push(what) === 3 && resolve();
    listener.on("message", got);
    listener.on("pmessage", got);
  });
  show("subscribed", await listener.subscribe("wt:news"), await listener.psubscribe("wt:n*"));
  show("publish", await other.publish("wt:news", "héllo"), await other.publish("wt:noise", "x"));
  await all;
  show("messages", messages, await listener.unsubscribe("wt:news"), await listener.punsubscribe("wt:n*"));
  await failing("wrong type", c.lpush("wt:s", "x"));
  await failing("unknown", c.call("NOSUCH", "x"));
  const third = new Redis(url.replace(/0$/, "3"), { ...tls });
  show("db 3", await third.set("wt:s", "third"), await third.get("wt:s"), await c.get("wt:s"), await third.del("wt:s"));
  for (const one of [c, other, listener, third]) await one.quit();
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exit(1);
});
