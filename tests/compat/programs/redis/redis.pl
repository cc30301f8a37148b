# perl's Redis.
use strict;
use warnings;
use JSON::PP;
use Redis;

my $json = JSON::PP->new->canonical->latin1->allow_nonref;
$| = 1;
sub show { print $json->encode([@_]), "\n" }
sub failing {
    my ($step, $call) = @_;
    my $got = eval { $call->() };
    my $said = $@;
    $said =~ s/, at .*//s;
    show($step, $got, $said);
}
my ($password, $at) = $ARGV[0] =~ m{^redis://:(.*)\@([^/]+)/0$} or die "cannot read $ARGV[0]";
my $add = "redis.call('INCRBY', KEYS[1], ARGV[1]); return {redis.call('GET', KEYS[1]), tonumber(ARGV[1]), 'done'}";
my $c = Redis->new(server => $at, password => $password, reconnect => 1);
$c->del(map { "wt:$_" } qw(s b n f h l set z x w q none));
show("ping", $c->ping, $c->echo("hello"));
show("set", $c->set("wt:s", "Gr\xc3\xbc\xc3\x9fe"), $c->get("wt:s"), $c->get("wt:none"), $c->set("wt:s", "x", "NX"), $c->ttl("wt:s"));
show("numbers", $c->incr("wt:n"), $c->incrby("wt:n", 41), $c->incrbyfloat("wt:f", 1.5));
show("binary", $c->set("wt:b", join("", map { chr } 0 .. 255)), unpack("H*", $c->get("wt:b")));
show("many", $c->mset("wt:s", "one", "wt:n", 2), [$c->mget("wt:s", "wt:none", "wt:n")]);
show("hash", $c->hset("wt:h", "name", "Ann", "age", 41), [$c->hgetall("wt:h")], $c->hdel("wt:h", "age"));
show("list", $c->rpush("wt:l", "a", "b", "c"), [$c->lrange("wt:l", 0, -1)], $c->lpop("wt:l"), $c->llen("wt:l"));
show("set", $c->sadd("wt:set", "a"), [$c->smembers("wt:set")], $c->sismember("wt:set", "a"));
show("zset", $c->zadd("wt:z", 1, "a", 2.5, "b"), [$c->zrange("wt:z", 0, -1, "WITHSCORES")], $c->zscore("wt:z", "b"));
my @piped;
$c->set("wt:w", 1, sub { push @piped, $_[0] });
$c->incr("wt:w", sub { push @piped, $_[0] });
$c->get("wt:w", sub { push @piped, $_[0] });
$c->wait_all_responses;
show("pipeline", @piped);
$c->multi;
$c->set("wt:w", 5);
$c->incr("wt:w");
show("transaction", [$c->exec]);
$c->watch("wt:w");
my $value = $c->get("wt:w");
$c->multi;
$c->set("wt:w", $value * 2);
show("watch", [$c->exec]);
show("script", [$c->eval($add, 1, "wt:n", 5)], [$c->evalsha($c->script_load($add), 1, "wt:n", 6)]);
$c->rpush("wt:q", "job 1", "job 2");
show("blpop", [$c->blpop("wt:none", "wt:q", 5)], [$c->brpop("wt:q", 5)], [$c->blpop("wt:q", 1)]);
my $other = Redis->new(server => $at, password => $password);
my @messages;
$c->subscribe("wt:news", sub { push @messages, [@_] });
show("publish", $other->publish("wt:news", "hello"));
$c->wait_for_messages(1) until @messages;
show("messages", @messages);
failing("wrong type", sub { $other->lpush("wt:s", "x") });
failing("unknown", sub { $other->nosuch("x") });
