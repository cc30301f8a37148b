"""The table of commands: where their keys stand, what is an option, whether they write, how they answer.

A command that is not in the table still works: its arguments are compared as they stand, it is taken to write, and its answer
is served as it was recorded. https://redis.io/docs/latest/commands/
"""

# ruff: noqa: SIM905, E501 - a table is easier to read as one
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

# Commands whose second word is part of their name.
CONTAINERS: Final = frozenset(
    "ACL BITOP CLIENT CLUSTER COMMAND CONFIG DEBUG FUNCTION LATENCY MEMORY MODULE OBJECT PUBSUB SCRIPT SENTINEL SLOWLOG XGROUP "
    "XINFO".split()
)

# name, where its keys stand, whether it writes, the form of its answer (`forms`); `?` is part of a form chosen by the arguments.
#   none: it has no keys        key: the first argument      two: the first two      keys: all      keys-1: all but the last
#   pairs: every other          numkeys: after their number  dest: a key, then numkeys              timeout: a number, numkeys
#   streams: after STREAMS      script: a script, then numkeys
_TABLE = """
APPEND key w plain          | BF.ADD key w boolean         | BF.EXISTS key r boolean      | BF.MADD key w list:boolean
BF.MEXISTS key r list:boolean | BITCOUNT key r plain       | BITFIELD key w plain         | BITFIELD_RO key r plain
BITOP keys w plain          | BITPOS key r plain           | BLMOVE two w bulk*           | BLMPOP timeout w texts*
BLPOP keys-1 w texts*       | BRPOP keys-1 w texts*        | BRPOPLPUSH two w bulk*       | BZMPOP timeout w zmpop*
BZPOPMAX keys-1 w bzpop*    | BZPOPMIN keys-1 w bzpop*     | COPY two w plain             | DBSIZE none r plain
DECR key w plain            | DECRBY key w plain           | DEL keys w plain             | DUMP key r bulk
EVAL script w plain         | EVALSHA script w plain       | EVALSHA_RO script r plain    | EVAL_RO script r plain
EXISTS keys r plain         | EXPIRE key w plain           | EXPIREAT key w plain         | EXPIRETIME key r plain
FCALL script w plain        | FCALL_RO script r plain      | FLUSHALL none w simple       | FLUSHDB none w simple
GEOADD key w plain          | GEODIST key r bulk           | GEOHASH key r texts          | GEOPOS key r geopos
GEORADIUS key w ?geo        | GEORADIUSBYMEMBER key w ?geo | GEORADIUSBYMEMBER_RO key r ?geo | GEORADIUS_RO key r ?geo
GEOSEARCH key r ?geo        | GEOSEARCHSTORE two w plain   | GET key r bulk               | GETBIT key r plain
GETDEL key w bulk           | GETEX key w bulk             | GETRANGE key r bulk          | GETSET key w bulk
HDEL key w plain            | HEXISTS key r plain          | HGET key r bulk              | HGETALL key r map:bulk
HGETDEL key w texts         | HGETEX key w texts           | HEXPIRE key w plain          | HPERSIST key w plain
HINCRBY key w plain         | HINCRBYFLOAT key w bulk      | HKEYS key r texts            | HLEN key r plain
HMGET key r texts           | HMSET key w simple           | HPEXPIRE key w plain         | HPTTL key r plain
HRANDFIELD key r ?hrandfield | HSCAN key r texts           | HSET key w plain             | HSETEX key w plain
HSETNX key w plain          | HSTRLEN key r plain          | HTTL key r plain             | HVALS key r texts
INCR key w plain            | INCRBY key w plain           | INCRBYFLOAT key w bulk       | JSON.DEL key w plain
JSON.GET key r bulk         | JSON.MGET keys-1 r texts     | JSON.SET key w simple        | KEYS none r texts
LASTSAVE none r plain       | LCS two r ?lcs               | LINDEX key r bulk            | LINSERT key w plain
LLEN key r plain            | LMOVE two w bulk             | LMPOP numkeys w texts*       | LPOP key w ?pop
LPOS key r plain            | LPUSH key w plain            | LPUSHX key w plain           | LRANGE key r texts
LREM key w plain            | LSET key w simple            | LTRIM key w simple           | MEMORY-USAGE key r plain
MGET keys r texts           | MIGRATE none w simple        | MOVE key w plain             | MSET pairs w simple
MSETNX pairs w plain        | OBJECT-ENCODING key r bulk   | OBJECT-FREQ key r plain      | OBJECT-IDLETIME key r plain
OBJECT-REFCOUNT key r plain | PERSIST key w plain          | PEXPIRE key w plain          | PEXPIREAT key w plain
PEXPIRETIME key r plain     | PFADD key w plain            | PFCOUNT keys r plain         | PFMERGE keys w simple
PSETEX key w simple         | PTTL key r plain             | PUBLISH key w plain          | PUBSUB-CHANNELS none r texts
PUBSUB-NUMPAT none r plain  | PUBSUB-NUMSUB keys r plain   | PUBSUB-SHARDCHANNELS none r texts | PUBSUB-SHARDNUMSUB keys r plain
RANDOMKEY none r bulk       | RENAME two w simple          | RENAMENX two w plain         | RESTORE key w simple
RPOP key w ?pop             | RPOPLPUSH two w bulk         | RPUSH key w plain            | RPUSHX key w plain
SADD key w plain            | SCAN none r texts            | SCARD key r plain            | SDIFF keys r set
SDIFFSTORE keys w plain     | SET key w ?set               | SETBIT key w plain           | SETEX key w simple
SETNX key w plain           | SETRANGE key w plain         | SINTER keys r set            | SINTERCARD numkeys r plain
SINTERSTORE keys w plain    | SISMEMBER key r plain        | SMEMBERS key r set           | SMISMEMBER key r plain
SMOVE two w plain           | SORT key w texts             | SORT_RO key r texts          | SPOP key w ?spop
SPUBLISH key w plain        | SRANDMEMBER key r texts      | SREM key w plain             | SSCAN key r texts
STRLEN key r plain          | SUBSTR key r bulk            | SUNION keys r set            | SUNIONSTORE keys w plain
TIME none r texts           | TOUCH keys r plain           | TTL key r plain              | TYPE key r simple
UNLINK keys w plain         | WAIT none r plain            | WATCH keys r simple          | XACK key w plain
XADD key w bulk             | XAUTOCLAIM key w plain       | XCLAIM key w texts           | XDEL key w plain
XGROUP-CREATE key w simple  | XGROUP-CREATECONSUMER key w plain | XGROUP-DELCONSUMER key w plain | XGROUP-DESTROY key w plain
XGROUP-SETID key w simple   | XINFO-CONSUMERS key r list:map:plain | XINFO-GROUPS key r list:map:plain | XINFO-STREAM key r map:plain
XLEN key r plain            | XPENDING key r plain         | XRANGE key r texts           | XREAD streams r keyed:texts*
XREADGROUP streams w keyed:texts* | XREVRANGE key r texts  | XSETID key w simple          | XTRIM key w plain
ZADD key w ?zadd            | ZCARD key r plain            | ZCOUNT key r plain           | ZDIFF numkeys r ?scores
ZDIFFSTORE dest w plain     | ZINCRBY key w double         | ZINTER numkeys r ?scores     | ZINTERCARD numkeys r plain
ZINTERSTORE dest w plain    | ZLEXCOUNT key r plain        | ZMPOP numkeys w zmpop*       | ZMSCORE key r list:double
ZPOPMAX key w ?zpop         | ZPOPMIN key w ?zpop          | ZRANDMEMBER key r ?scores    | ZRANGE key r ?scores
ZRANGEBYLEX key r texts     | ZRANGEBYSCORE key r ?scores  | ZRANGESTORE two w plain      | ZRANK key r ?zrank
ZREM key w plain            | ZREMRANGEBYLEX key w plain   | ZREMRANGEBYRANK key w plain  | ZREMRANGEBYSCORE key w plain
ZREVRANGE key r ?scores     | ZREVRANGEBYLEX key r texts   | ZREVRANGEBYSCORE key r ?scores | ZREVRANK key r ?zrank
ZSCAN key r texts           | ZSCORE key r double          | ZUNION numkeys r ?scores     | ZUNIONSTORE dest w plain
ACL-CAT none r texts        | ACL-GETUSER none r map:plain | ACL-LIST none r texts        | ACL-SETUSER none w simple
ACL-USERS none r texts      | ACL-WHOAMI none r bulk       | BGREWRITEAOF none r simple   | BGSAVE none r simple
CLIENT-INFO none r text     | CLIENT-LIST none r text      | CLUSTER-INFO none r text     | CLUSTER-NODES none r text
CLUSTER-SHARDS none r list:map:plain | CLUSTER-SLOTS none r plain | CONFIG-GET none r map:bulk | CONFIG-RESETSTAT none w simple
CONFIG-REWRITE none w simple | CONFIG-SET none w simple    | FUNCTION-DELETE none w simple | FUNCTION-FLUSH none w simple
FUNCTION-LOAD none w bulk   | INFO none r text             | LATENCY-DOCTOR none r text   | MEMORY-DOCTOR none r text
MEMORY-STATS none r map:plain | MODULE-LIST none r list:map:plain | ROLE none r plain      | SAVE none r simple
SCRIPT-EXISTS none r plain  | SCRIPT-FLUSH none w simple   | SCRIPT-KILL none w simple    | SCRIPT-LOAD none r bulk
LATENCY-HISTOGRAM none r map:plain | SWAPDB none w simple  | UNWATCH none r simple        | PING none r simple           | ECHO none r bulk
"""

# name, `tail` (options stand after so many other arguments) or `lead` (before them), each option with how many values it takes.
_OPTIONS = """
SET tail 1 NX XX GET KEEPTTL EX:1 PX:1 EXAT:1 PXAT:1 IFEQ:1   | GETEX tail 0 EX:1 PX:1 EXAT:1 PXAT:1 PERSIST
EXPIRE tail 1 NX XX GT LT | PEXPIRE tail 1 NX XX GT LT        | EXPIREAT tail 1 NX XX GT LT | PEXPIREAT tail 1 NX XX GT LT
ZADD lead 0 NX XX GT LT CH INCR                               | XADD lead 0 NOMKSTREAM MAXLEN:1 MINID:1 = ~ LIMIT:1
XREAD lead 0 COUNT:1 BLOCK:1 STREAMS                          | XREADGROUP lead 0 GROUP:2 COUNT:1 BLOCK:1 NOACK STREAMS
ZRANGE tail 2 BYSCORE BYLEX REV LIMIT:2 WITHSCORES            | ZRANGEBYSCORE tail 2 LIMIT:2 WITHSCORES
ZREVRANGEBYSCORE tail 2 LIMIT:2 WITHSCORES                    | ZRANGEBYLEX tail 2 LIMIT:2  | ZREVRANGEBYLEX tail 2 LIMIT:2
ZREVRANGE tail 2 WITHSCORES | ZRANDMEMBER tail 1 WITHSCORES   | HRANDFIELD tail 1 WITHVALUES
ZRANGESTORE tail 2 BYSCORE BYLEX REV LIMIT:2                  | ZRANK tail 1 WITHSCORE      | ZREVRANK tail 1 WITHSCORE
ZUNION tail 0 WEIGHTS AGGREGATE:1 WITHSCORES | ZINTER tail 0 WEIGHTS AGGREGATE:1 WITHSCORES | ZDIFF tail 0 WITHSCORES
ZUNIONSTORE tail 0 WEIGHTS AGGREGATE:1 | ZINTERSTORE tail 0 WEIGHTS AGGREGATE:1
SCAN tail 1 MATCH:1 COUNT:1 TYPE:1 | HSCAN tail 1 MATCH:1 COUNT:1 NOVALUES | SSCAN tail 1 MATCH:1 COUNT:1
ZSCAN tail 1 MATCH:1 COUNT:1 | XRANGE tail 2 COUNT:1 | XREVRANGE tail 2 COUNT:1
XTRIM lead 0 MAXLEN:1 MINID:1 = ~ LIMIT:1 | XAUTOCLAIM tail 4 COUNT:1 JUSTID
XGROUP-CREATE tail 2 MKSTREAM ENTRIESREAD:1 | XINFO-STREAM tail 0 FULL COUNT:1
SORT tail 0 BY:1 LIMIT:2 GET:1 ASC DESC ALPHA STORE:1 | SORT_RO tail 0 BY:1 LIMIT:2 GET:1 ASC DESC ALPHA
GEOADD lead 0 NX XX CH | GEODIST tail 2 M KM FT MI | LPOS tail 1 RANK:1 COUNT:1 MAXLEN:1 | LCS tail 0 LEN IDX MINMATCHLEN:1 WITHMATCHLEN
GEOSEARCH tail 0 FROMMEMBER:1 FROMLONLAT:2 BYRADIUS:2 BYBOX:3 ASC DESC COUNT:1 ANY WITHCOORD WITHDIST WITHHASH
GEORADIUS tail 4 ASC DESC COUNT:1 ANY WITHCOORD WITHDIST WITHHASH STORE:1 STOREDIST:1
COPY tail 0 DB:1 REPLACE | RESTORE tail 2 REPLACE ABSTTL IDLETIME:1 FREQ:1 | LINSERT lead 0 BEFORE AFTER
LMPOP tail 0 LEFT RIGHT COUNT:1 | BLMPOP tail 1 LEFT RIGHT COUNT:1 | ZMPOP tail 0 MIN MAX COUNT:1 | BZMPOP tail 1 MIN MAX COUNT:1
LMOVE lead 0 LEFT RIGHT | BLMOVE lead 0 LEFT RIGHT | SINTERCARD tail 0 LIMIT:1 | ZINTERCARD tail 0 LIMIT:1
BITCOUNT tail 2 BYTE BIT | BITPOS tail 3 BYTE BIT | FLUSHALL tail 0 ASYNC SYNC | FLUSHDB tail 0 ASYNC SYNC
"""

# Which arguments are numbers, so that 1 and 1.0 are the same: positions among those that are no options, `*` all, `%` every other.
_NUMBERS = """
INCRBY 0 | DECRBY 0 | INCRBYFLOAT 0 | HINCRBY 1 | HINCRBYFLOAT 1 | ZINCRBY 0 | EXPIRE 0 | PEXPIRE 0 | EXPIREAT 0 | PEXPIREAT 0
SETEX 0 | PSETEX 0 | LRANGE * | LTRIM * | LINDEX 0 | LSET 0 | LREM 0 | GETRANGE * | SETRANGE 0 | SETBIT * | GETBIT *
ZADD % | ZRANGEBYSCORE * | ZREVRANGEBYSCORE * | ZRANGE * | ZREVRANGE * | ZCOUNT * | ZREMRANGEBYSCORE * | ZREMRANGEBYRANK *
BLPOP * | BRPOP * | BZPOPMIN * | BZPOPMAX * | BRPOPLPUSH * | BLMPOP 0 | BZMPOP 0 | BLMOVE * | SPOP * | SRANDMEMBER * | LPOP *
RPOP * | ZPOPMIN * | ZPOPMAX * | GEOADD 01 | GEORADIUS 012 | GEOSEARCH * | ZUNION * | ZUNIONSTORE * | ZINTER * | ZINTERSTORE *
"""

# Arguments whose order means nothing: clients take them from sets and maps that have none.
PAIRED: Final = frozenset({"HSET", "HMSET", "MSET", "MSETNX", "ZADD"})
UNORDERED: Final = frozenset("DEL UNLINK EXISTS TOUCH SADD SREM SINTER SUNION HDEL ZREM PFADD PFCOUNT WATCH".split())

BLOCKING: Final = frozenset("BLPOP BRPOP BLMOVE BRPOPLPUSH BZPOPMIN BZPOPMAX BLMPOP BZMPOP XREAD XREADGROUP".split())
SUBSCRIBING: Final = frozenset("SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE".split())

# A connection's own affairs, which a mock answers from its state and nobody needs recorded.
STATE: Final = (
    frozenset("AUTH HELLO SELECT QUIT RESET PING ECHO INFO READONLY READWRITE ASKING COMMAND CLIENT".split()) | SUBSCRIBING
)
# What drivers ask of the server: no part of a case, but the recorded answer is kept.
CHATTER: Final = frozenset({"CONFIG GET", "CLUSTER", "ROLE", "MODULE", "ACL WHOAMI", "LATENCY", "LOLWUT"})
SCRIPTS: Final = frozenset({"SCRIPT LOAD", "SCRIPT EXISTS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`arity`: how many values each option takes. `lead`: they stand before the other arguments, else after `skip` of those."""

    lead: bool
    skip: int
    arity: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What is known of a command. `numbers`: the positions of arguments that are numbers, `*` for all, `%` for every other."""

    name: str
    layout: str
    writes: bool
    form: str
    options: Options | None = None
    numbers: str = ""


def _rows(table: str) -> Iterator[list[str]]:
    for row in table.replace("\n", "|").split("|"):
        if words := row.split():
            yield [words[0].replace("-", " "), *words[1:]]


def _options(mode: str, skip: str, *words: str) -> Options:
    arity = {word.partition(":")[0]: int(word.partition(":")[2] or 0) for word in words}
    return Options(lead=mode == "lead", skip=int(skip), arity=MappingProxyType(arity))


def _commands() -> Iterator[Command]:
    options = {name: _options(*rest) for name, *rest in _rows(_OPTIONS)}
    numbers = dict(_rows(_NUMBERS))
    for name, layout, writes, form in _rows(_TABLE):
        yield Command(
            name=name,
            layout=layout,
            writes=writes == "w",
            form=form,
            options=options.get(name),
            numbers=numbers.get(name, ""),
        )


COMMANDS: Final[Mapping[str, Command]] = MappingProxyType({command.name: command for command in _commands()})


def command(name: str) -> Command:
    """What is known of a command; of one that is not in the table, that its key comes first if it is a module's."""
    known = COMMANDS.get(name)
    if known is not None:
        return known
    word = name.partition(" ")[0]
    if word in CONTAINERS and word != "BITOP":
        return Command(name=name, layout="none", writes=True, form="plain")
    if word == "BITOP":
        return Command(name=name, layout="keys", writes=True, form="plain")
    return Command(name=name, layout="key" if "." in name else "none", writes=True, form="plain")


def named(argv: tuple[bytes, ...]) -> tuple[str, int]:
    """The name of a command in capitals, with its second word where that belongs to it; and how many words that is."""
    first = argv[0].decode("utf-8", "backslashreplace").upper()
    if first in CONTAINERS and len(argv) > 1 and argv[1].replace(b"-", b"").isalnum():
        return f"{first} {argv[1].decode('ascii').upper()}", 2
    return first, 1
