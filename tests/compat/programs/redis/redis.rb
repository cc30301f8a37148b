# ruby's redis.
require "json"
require "redis"

NAMES = %w[s b n f h l set z x w q none].map { |name| "wt:#{name}" }
ADD = "redis.call('INCRBY', KEYS[1], ARGV[1]); return {redis.call('GET', KEYS[1]), tonumber(ARGV[1]), 'done'}"

def show(step, *values)
  puts JSON.generate([step, *values])
  $stdout.flush
end

def failing(step)
  show(step, yield)
rescue Redis::BaseError => error
  show(step, error.class.name, error.message)
end

options = { url: ARGV[0] }
options[:ssl_params] = { ca_file: ENV["CA_FILE"] } if ARGV[0].start_with?("rediss") && ENV["CA_FILE"]
c = Redis.new(**options)
c.del(*NAMES)
show("ping", c.ping, c.echo("hello"))
show("set", c.set("wt:s", "Grüße ✓"), c.get("wt:s"), c.set("wt:s", "x", nx: true), c.setex("wt:s", 100, "y"), c.ttl("wt:s"))
show("numbers", c.incr("wt:n"), c.incrby("wt:n", 41), c.incrbyfloat("wt:f", 1.5))
show("binary", c.set("wt:b", (0..255).to_a.pack("C*")), c.get("wt:b").unpack1("H*"))
show("many", c.mset("wt:s", "one", "wt:n", 2), c.mget("wt:s", "wt:none", "wt:n"), c.exists("wt:s", "wt:none"))
show("hash", c.hset("wt:h", { "name" => "Ann", "age" => 41 }), c.hgetall("wt:h"), c.hmget("wt:h", "age", "none"), c.hdel("wt:h", "age"))
show("list", c.rpush("wt:l", %w[a b c]), c.lrange("wt:l", 0, -1), c.lpop("wt:l"), c.llen("wt:l"))
show("set", c.sadd("wt:set", %w[a b]), c.smembers("wt:set").sort, c.sismember("wt:set", "a"))
show("zset", c.zadd("wt:z", [[1, "a"], [2.5, "b"]]), c.zrange("wt:z", 0, -1, with_scores: true), c.zscore("wt:z", "b"), c.zincrby("wt:z", 1.5, "a"))
show("stream", c.xadd("wt:x", { "k" => "v" }, id: "1-1"), c.xrange("wt:x", "-", "+"), c.xread("wt:x", "0"))
show("pipeline", c.pipelined { |pipe| pipe.set("wt:w", 1); pipe.incr("wt:w"); pipe.get("wt:w") })
show("transaction", c.multi { |multi| multi.set("wt:w", 5); multi.incr("wt:w"); multi.hgetall("wt:h") })
watched = c.watch("wt:w") do
  value = c.get("wt:w").to_i
  c.multi { |multi| multi.set("wt:w", value * 2) }
end
show("watch", watched)
show("script", c.eval(ADD, keys: ["wt:n"], argv: [5]), c.evalsha(c.script(:load, ADD), keys: ["wt:n"], argv: [6]))
c.rpush("wt:q", ["job 1", "job 2"])
show("blpop", c.blpop("wt:none", "wt:q", timeout: 5), c.brpop("wt:q", timeout: 5), c.blpop("wt:q", timeout: 1))
other = Redis.new(**options)
messages = []
c.subscribe("wt:news") do |on|
  on.subscribe { |channel, count| messages << ["subscribe", channel, count]; Thread.new { other.publish("wt:news", "héllo") } }
  on.message { |channel, message| messages << [channel, message]; c.unsubscribe }
end
show("messages", messages)
failing("wrong type") { c.lpush("wt:s", "x") }
failing("unknown") { c.call("NOSUCH", "x") }
