// node-redis; `PROTOCOL` says which RESP.
import fs from "node:fs";
import { RESP_TYPES, createClient, defineScript } from "redis";

const NAMES = "s n f b h l m set set2 z z2 x w t q none long v1 v2 copy".split(" ").map((name) => `wt:${name}`);
const ADD = "redis.call('INCRBY', KEYS[1], ARGV[1]); return {redis.call('GET', KEYS[1]), tonumber(ARGV[1]), 'done'}";

const plain = (value) => {
  if (Buffer.isBuffer(value)) return value.toString("hex");
  if (value instanceof Error) return `${value.constructor.name}: ${value.message}`;
  if (value instanceof Map) return [...value].map(plain);
  if (value instanceof Set) return [...value].map(plain);
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === "object") return Object.entries(value).map(([key, item]) => [key, plain(item)]);
  return value;
};
const show = (step, ...values) => console.log(JSON.stringify([step, ...values.map(plain)]));
const failing = async (step, promise) => show(step, await promise.catch((error) => error));

async function main(url) {
  const add = defineScript({
    NUMBER_OF_KEYS: 1,
    SCRIPT: ADD,
    parseCommand(parser, key, by) {
      parser.pushKey(key);
      parser.push(String(by));
    },
    transformReply: (reply) => reply,
  });
  const socket = process.env.CA_FILE && url.startsWith("rediss") ? { socket: { tls: true, ca: fs.readFileSync(process.env.CA_FILE) } } : {};
  const spoken = process.env.PROTOCOL ? { RESP: Number(process.env.PROTOCOL), unstableResp3: true } : {};
  const made = (at) => createClient({ url: at, ...spoken, scripts: { add }, ...socket });
  const c = await made(url).connect();
  await c.del(NAMES);
  show("ping", await c.ping(), await c.echo("hello"));
  show("set", await c.set("wt:s", "Grüße ✓"), await c.get("wt:s"), await c.set("wt:s", "x", { condition: "NX" }), await c.setEx("wt:t", 100, "y"));
  show("set get", await c.set("wt:s", "new", { GET: true }), await c.getSet("wt:s", "newer"), await c.getRange("wt:s", 0, 1));
  show("numbers", await c.incr("wt:n"), await c.incrBy("wt:n", 41), await c.incrByFloat("wt:f", 1.5));
  const raw = c.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  show("binary", await c.set("wt:b", Buffer.from([0, 1, 254, 255])), await raw.get("wt:b"));
  show("many", await c.mSet({ "wt:v1": "one", "wt:v2": "2" }), await c.mGet(["wt:v1", "wt:none", "wt:v2"]), await c.exists(["wt:v1", "wt:none"]));
  show("long", await c.set("wt:long", "0123456789".repeat(Number(process.env.LONG ?? 100000))), (await c.get("wt:long")).length);
  show("hash", await c.hSet("wt:h", { name: "Ann", age: 41 }), await c.hGetAll("wt:h"), await c.hGetAll("wt:none"), await c.hmGet("wt:h", ["age", "none"]));
  show("hash more", await c.hIncrBy("wt:h", "age", 1), await c.hKeys("wt:h"), await c.hDel("wt:h", "age"), await c.hScan("wt:h", "0"));
  show("list", await c.rPush("wt:l", ["a", "b", "c"]), await c.lRange("wt:l", 0, -1), await c.lPop("wt:l"), await c.lPopCount("wt:l", 2), await c.lPop("wt:l"));
  show("set", await c.sAdd("wt:set", ["a", "b"]), [...(await c.sMembers("wt:set"))].sort(), await c.sIsMember("wt:set", "a"));
  show("zset", await c.zAdd("wt:z", [{ score: 1, value: "a" }, { score: 2.5, value: "b" }]), await c.zRangeWithScores("wt:z", 0, -1), await c.zScore("wt:z", "b"));
  show("zset more", await c.zIncrBy("wt:z", 1.5, "b"), await c.zRangeByScore("wt:z", "-inf", "+inf", { LIMIT: { offset: 0, count: 1 } }), await c.zPopMin("wt:z"));
  show("stream", await c.xAdd("wt:x", "1-1", { k: "v" }), await c.xRange("wt:x", "-", "+"), await c.xRead({ key: "wt:x", id: "0" }, { COUNT: 2 }));
  show("group", await c.xGroupCreate("wt:x", "g", "0"), await c.xReadGroup("g", "me", { key: "wt:x", id: ">" }), await c.xAck("wt:x", "g", "1-1"));
  show("pipeline", await Promise.all([c.set("wt:w", "1"), c.incr("wt:w"), c.lPush("wt:w", "x").catch((error) => error), c.get("wt:w")]));
  show("transaction", await c.multi().set("wt:w", "5").incr("wt:w").hGetAll("wt:h").exec());
  await failing("failing transaction", c.multi().set("wt:w", "6").hSet("wt:w", "a", "b").exec().catch((error) => error.replies ?? error));
  await c.watch("wt:w");
  const value = Number(await c.get("wt:w"));
  show("watch", value, await c.multi().set("wt:w", String(value * 2)).exec());
  const other = await c.duplicate().connect();
  await c.watch("wt:w");
  await other.set("wt:w", "changed");
  await failing("watch lost", c.multi().set("wt:w", "lost").exec());
  show("after", await c.get("wt:w"));
  await c.set("wt:n", "10");
  show("script", await c.add("wt:n", 5), await c.add("wt:n", 6), await c.eval("return {1, {2, 'x'}}"));
  await c.rPush("wt:q", ["job 1", "job 2"]);
  show("blpop", await c.blPop(["wt:none", "wt:q"], 5), await c.brPop("wt:q", 5), await c.blPop("wt:q", 0.1));
  const late = c.blPop("wt:q", 20);
  await other.set("wt:w", "before the job");
  await other.rPush("wt:q", "late job");
  show("waited", await late);
  const listener = await c.duplicate().connect();
  const messages = [];
  let arrived;
  const all = new Promise((resolve) => (arrived = resolve));
  const got = (message, channel) => messages.push([channel, message]) === 3 && arrived();
  await listener.subscribe("wt:news", got);
  await listener.pSubscribe("wt:n*", got);
  show("publish", await other.publish("wt:news", "héllo"), await other.publish("wt:noise", "x"));
  await all;
  show("messages", messages);
  await listener.unsubscribe("wt:news");
  await listener.pUnsubscribe("wt:n*");
  await failing("wrong type", c.lPush("wt:s", "x"));
  await failing("unknown", c.sendCommand(["NOSUCH", "x"]));
  const third = await made(url.replace(/0$/, "3")).connect();
  show("db 3", await third.set("wt:s", "third"), await third.get("wt:s"), await c.get("wt:s"), await third.del("wt:s"));
  for (const one of [c, other, listener, third]) await one.close();
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exit(1);
});
