#!/bin/sh
# redis-cli: commands of one connection from its input, RESP2, then RESP3.
set -eu
url=$1
rest=${url#*://:}
password=${rest%%@*}
at=${rest#*@}
port=${at#*:}
tls=""
case $url in rediss:*) tls="--tls ${CA_FILE:+--cacert $CA_FILE}" ;; esac
cli() { redis-cli -h "${at%%:*}" -p "${port%%/*}" -a "$password" $tls --no-auth-warning "$@"; }

cli DEL wt:s wt:n wt:h wt:l wt:set wt:z wt:x wt:q wt:w > /dev/null
walk() {
    cli --no-raw "$@" <<'COMMANDS'
PING
SET wt:s "a text with spaces"
GET wt:s
GET wt:none
SET wt:n 41
INCR wt:n
HSET wt:h name Ann age 41
HGETALL wt:h
RPUSH wt:l a b c
LRANGE wt:l 0 -1
SADD wt:set one
SMEMBERS wt:set
ZADD wt:z 1 a 2.5 b
ZRANGE wt:z 0 -1 WITHSCORES
ZSCORE wt:z b
XADD wt:x * k v
XLEN wt:x
MULTI
SET wt:w 1
INCR wt:w
LPUSH wt:w x
EXEC
MULTI
SET wt:w 9
DISCARD
GET wt:w
EVAL "return {KEYS[1], ARGV[1], 3}" 1 wt:s arg
RPUSH wt:q job
BLPOP wt:q 5
BLPOP wt:q 0.1
LPUSH wt:s x
NOSUCH command
SET wt:b "\x00\xff"
GET wt:b
SELECT 3
SET wt:s third
GET wt:s
DEL wt:s
SELECT 0
GET wt:s
DEL wt:s wt:n wt:h wt:l wt:set wt:z wt:x wt:w wt:b
COMMANDS
}
walk | sed 's/"[0-9]\{13\}-[0-9]*"/ID/'
echo "RESP3"
walk -3 | sed 's/"[0-9]\{13\}-[0-9]*"/ID/'
