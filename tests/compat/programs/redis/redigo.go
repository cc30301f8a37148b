// Go's redigo.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/gomodule/redigo/redis"
)

const add = "redis.call('INCRBY', KEYS[1], ARGV[1]); return {redis.call('GET', KEYS[1]), tonumber(ARGV[1]), 'done'}"

func plain(value interface{}) interface{} {
	switch value := value.(type) {
	case []byte:
		for _, char := range value {
			if char > 126 || char < 32 {
				return hex.EncodeToString(value)
			}
		}
		return string(value)
	case redis.Error:
		return "error: " + value.Error()
	case []interface{}:
		out := []interface{}{}
		for _, item := range value {
			out = append(out, plain(item))
		}
		return out
	}
	return value
}

func dial(url string) redis.Conn {
	options := []redis.DialOption{}
	if file := os.Getenv("CA_FILE"); file != "" && strings.HasPrefix(url, "rediss") {
		pem, _ := os.ReadFile(file)
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		options = append(options, redis.DialTLSConfig(&tls.Config{RootCAs: pool}))
	}
	c, err := redis.DialURL(url, options...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return c
}

func main() {
	c := dial(os.Args[1])
	defer c.Close()
	show := func(step string, value interface{}) {
		out, _ := json.Marshal([]interface{}{step, value})
		fmt.Println(string(out))
	}
	do := func(name string, args ...interface{}) {
		value, err := c.Do(name, args...)
		if err != nil {
			show(name, err.Error())
			return
		}
		show(name, plain(value))
	}
	c.Do("DEL", "wt:s", "wt:b", "wt:n", "wt:h", "wt:l", "wt:set", "wt:z", "wt:x", "wt:w", "wt:q")
	do("PING")
	do("SET", "wt:s", "Grüße ✓")
	do("GET", "wt:s")
	do("GET", "wt:none")
	do("SET", "wt:s", "x", "NX")
	do("SET", "wt:b", []byte{0, 1, 254, 255})
	do("GET", "wt:b")
	do("INCRBY", "wt:n", 41)
	do("MGET", "wt:s", "wt:none", "wt:n")
	do("HSET", redis.Args{}.Add("wt:h").AddFlat(map[string]string{"name": "Ann", "age": "41", "town": "Bern"})...)
	do("HGET", "wt:h", "name")
	do("RPUSH", "wt:l", "a", "b")
	do("LRANGE", "wt:l", 0, -1)
	do("SADD", "wt:set", "a")
	do("SMEMBERS", "wt:set")
	do("ZADD", "wt:z", 1, "a", 2.5, "b")
	do("ZRANGE", "wt:z", 0, -1, "WITHSCORES")
	do("XADD", "wt:x", "1-1", "k", "v")
	do("XREAD", "STREAMS", "wt:x", "0")
	c.Send("SET", "wt:w", 1)
	c.Send("INCR", "wt:w")
	c.Send("LPUSH", "wt:w", "x")
	c.Flush()
	for i := 0; i < 3; i++ {
		value, err := c.Receive()
		show("pipeline", []interface{}{plain(value), fmt.Sprint(err)})
	}
	c.Do("WATCH", "wt:w")
	c.Send("MULTI")
	c.Send("SET", "wt:w", 5)
	c.Send("INCR", "wt:w")
	c.Send("LPUSH", "wt:w", "x")
	do("EXEC")
	script := redis.NewScript(1, add)
	for _, by := range []int{5, 6} {
		value, err := script.Do(c, "wt:n", by)
		show("script", []interface{}{plain(value), fmt.Sprint(err)})
	}
	do("RPUSH", "wt:q", "job 1", "job 2")
	do("BLPOP", "wt:none", "wt:q", 5)
	do("BRPOP", "wt:q", 5)
	do("BLPOP", "wt:q", 1)
	listener := redis.PubSubConn{Conn: dial(os.Args[1])}
	listener.Subscribe("wt:news")
	show("subscribed", fmt.Sprint(listener.Receive()))
	do("PUBLISH", "wt:news", "hello")
	show("message", fmt.Sprint(listener.Receive()))
	listener.Close()
	do("LPUSH", "wt:s", "x")
	do("NOSUCH", "x")
}
