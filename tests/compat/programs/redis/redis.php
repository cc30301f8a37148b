<?php
// php's redis (phpredis).
const ADD = "redis.call('INCRBY', KEYS[1], ARGV[1]); return {redis.call('GET', KEYS[1]), tonumber(ARGV[1]), 'done'}";
function show(string $step, ...$values): void {
    echo json_encode([$step, ...$values], JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION), "\n";
}
function failing(string $step, callable $call): void {
    global $c;
    $c->clearLastError();
    try {
        show($step, $call(), $c->getLastError());
    } catch (RedisException $error) {
        show($step, get_class($error), $error->getMessage());
    }
}
$at = parse_url($argv[1]);
$c = new Redis();
$tls = $at["scheme"] === "rediss";
$context = $tls && getenv("CA_FILE") ? ["stream" => ["cafile" => getenv("CA_FILE")]] : [];
$c->connect(($tls ? "tls://" : "") . $at["host"], $at["port"], 5, null, 0, 0, $context);
$c->auth($at["pass"]);
$c->select((int) trim($at["path"], "/"));
$c->del(array_map(fn ($name) => "wt:$name", explode(" ", "s b n f h l set z x w q none")));
show("ping", $c->ping(), $c->echo("hello"));
show("set", $c->set("wt:s", "Grüße ✓"), $c->get("wt:s"), $c->get("wt:none"), $c->set("wt:s", "x", ["nx"]), $c->setex("wt:s", 100, "y"), $c->ttl("wt:s"));
show("numbers", $c->incr("wt:n"), $c->incrBy("wt:n", 41), $c->incrByFloat("wt:f", 1.5));
show("binary", $c->set("wt:b", implode(array_map("chr", range(0, 255)))), bin2hex($c->get("wt:b")));
show("many", $c->mSet(["wt:s" => "one", "wt:n" => 2]), $c->mGet(["wt:s", "wt:none", "wt:n"]), $c->exists("wt:s", "wt:none"));
show("hash", $c->hMSet("wt:h", ["name" => "Ann", "age" => 41]), $c->hGetAll("wt:h"), $c->hMGet("wt:h", ["age", "none"]), $c->hDel("wt:h", "age"));
show("list", $c->rPush("wt:l", "a", "b", "c"), $c->lRange("wt:l", 0, -1), $c->lPop("wt:l"), $c->lLen("wt:l"));
show("set", $c->sAdd("wt:set", "a"), $c->sMembers("wt:set"), $c->sIsMember("wt:set", "a"));
show("zset", $c->zAdd("wt:z", 1, "a", 2.5, "b"), $c->zRange("wt:z", 0, -1, true), $c->zScore("wt:z", "b"), $c->zIncrBy("wt:z", 1.5, "a"));
show("stream", $c->xAdd("wt:x", "1-1", ["k" => "v"]), $c->xRange("wt:x", "-", "+"), $c->xRead(["wt:x" => "0"]));
show("pipeline", $c->pipeline()->set("wt:w", 1)->incr("wt:w")->get("wt:w")->exec());
show("transaction", $c->multi()->set("wt:w", 5)->incr("wt:w")->hGetAll("wt:h")->exec());
$c->watch("wt:w");
$value = (int) $c->get("wt:w");
show("watch", $c->multi()->set("wt:w", $value * 2)->exec());
show("script", $c->eval(ADD, ["wt:n", 5], 1), $c->evalSha($c->script("load", ADD), ["wt:n", 6], 1));
$c->rPush("wt:q", "job 1", "job 2");
show("blpop", $c->blPop(["wt:none", "wt:q"], 5), $c->brPop("wt:q", 5), $c->blPop("wt:q", 1));
failing("wrong type", fn () => $c->lPush("wt:s", "x"));
failing("unknown", fn () => $c->rawCommand("NOSUCH", "x"));
$c->close();
