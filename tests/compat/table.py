"""The table of drivers: each row is a program, how it is run, and what it is run against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One driver or client.

    `program` is a file under programs/; `replayed` the one that runs against the recording, where it is another one (then the
    row is of the cross-driver table). `url` is its only argument; `{port}` and `{ca}` (our authority's
    file) are filled in. `probe` tells the driver's version (`runtimes.version`). `silent`: it asks nothing that a case would
    hold.
    """

    title: str
    codec: str
    program: str
    url: str
    probe: str
    server: str
    tls: bool = False
    replayed: str = ""
    notes: str = ""
    silent: bool = False
    env: Mapping[str, str] = field(default=_NOTHING)
    listener: Mapping[str, Any] = field(default=_NOTHING)
    target: Mapping[str, Any] = field(default=_NOTHING)

    @property
    def crossed(self) -> bool:
        """Whether it is replayed otherwise than it was recorded."""
        return bool(self.replayed)


def _postgres(title: str, program: str, probe: str, *, query: str = "", **more: Any) -> Row:
    url = f"postgresql://app:secret@127.0.0.1:{{port}}/app{query}"
    return Row(title=title, codec="postgres", program=f"postgres/{program}", url=url, probe=probe, server="postgres", **more)


def _http(title: str, program: str, probe: str, *, scheme: str = "http", server: str = "web", **more: Any) -> Row:
    url = f"{scheme}://localhost:{{port}}"
    return Row(
        title=title, codec="http", program=f"http/{program}", url=url, probe=probe, server=server, tls=scheme == "https", **more
    )


def _mongo(title: str, program: str, probe: str, *, query: str = "", server: str = "secantus", **more: Any) -> Row:
    url = f"mongodb://127.0.0.1:{{port}}/app{query}"
    return Row(title=title, codec="mongo", program=f"mongo/{program}", url=url, probe=probe, server=server, **more)


def _mysql(title: str, program: str, probe: str, *, query: str = "", **more: Any) -> Row:
    url = f"mysql://app:secret@127.0.0.1:{{port}}/app{query}"
    return Row(title=title, codec="mysql", program=f"mysql/{program}", url=url, probe=probe, server="mariadb", **more)


def _redis(title: str, program: str, probe: str, **more: Any) -> Row:
    scheme = "rediss" if more.get("tls") else "redis"
    url = f"{scheme}://:secret@127.0.0.1:{{port}}/0"
    return Row(title=title, codec="redis", program=f"redis/{program}", url=url, probe=probe, server="redis", **more)


def _crossed(made: str, served: str, program: str, replayed: str, probe: str) -> Row:
    make = {"postgres": _postgres, "mysql": _mysql, "redis": _redis}[program.partition("_")[0]]
    row = make(f"{made} → {served}", program, probe)
    return replace(row, program=f"cross/{program}", replayed=f"cross/{replayed}")


ROWS = (
    _postgres("psycopg2", "psycopg2_walk.py", "py psycopg2-binary"),
    _postgres("psycopg 3", "psycopg3_walk.py", "py psycopg"),
    _postgres("psycopg 3, results in binary", "psycopg3_binary.py", "py psycopg"),
    _postgres("psycopg 3, pipeline", "psycopg3_pipeline.py", "py psycopg"),
    _postgres("psycopg 3, asyncio", "psycopg3_async.py", "py psycopg"),
    _postgres("asyncpg", "asyncpg_walk.py", "py asyncpg"),
    _postgres("pg8000", "pg8000_walk.py", "py pg8000"),
    _postgres("SQLAlchemy on psycopg2", "sqlalchemy_psycopg2.py", "py sqlalchemy"),
    _postgres("SQLAlchemy on psycopg 3", "sqlalchemy_psycopg.py", "py sqlalchemy"),
    _postgres("SQLAlchemy on asyncpg", "sqlalchemy_asyncpg.py", "py sqlalchemy"),
    _postgres("Django on psycopg 3", "django_orm.py", "py django"),
    _postgres("node pg", "pg.mjs", "node pg"),
    _postgres("PostgreSQL JDBC", "jdbc.java", "deb libpostgresql-jdbc-java"),
    _postgres("ruby pg", "ruby_pg.rb", "deb ruby-pg"),
    _postgres("PHP PDO pgsql", "pdo_pgsql.php", "run php -v"),
    _postgres("perl DBD::Pg", "dbd_pg.pl", "deb libdbd-pg-perl"),
    _postgres("Go lib/pq", "lib_pq.go", "deb golang-github-lib-pq-dev"),
    _postgres("psql", "psql.sh", "run psql --version"),
    _postgres("psycopg2, sslmode=require", "psycopg2_walk.py", "py psycopg2-binary", query="?sslmode=require", tls=True),
    _postgres("psycopg 3, sslmode=require", "psycopg3_walk.py", "py psycopg", query="?sslmode=require", tls=True),
    _postgres("asyncpg, sslmode=require", "asyncpg_walk.py", "py asyncpg", query="?sslmode=require", tls=True),
    _crossed("psycopg2", "psycopg 3", "postgres_psycopg2.py", "postgres_psycopg3.py", "py psycopg"),
    _crossed("psycopg2", "asyncpg", "postgres_psycopg2.py", "postgres_asyncpg.py", "py asyncpg"),
    _crossed("asyncpg", "psycopg 3", "postgres_asyncpg.py", "postgres_psycopg3.py", "py psycopg"),
    _mysql("PyMySQL", "pymysql.py", "py pymysql"),
    _mysql("mysqlclient", "mysqlclient.py", "py mysqlclient"),
    _mysql("mysql-connector-python", "connector.py", "py mysql-connector-python"),
    _mysql("mysql-connector-python, prepared", "connector_prepared.py", "py mysql-connector-python"),
    _mysql("asyncmy", "asyncmy.py", "py asyncmy"),
    _mysql("aiomysql", "aiomysql.py", "py aiomysql"),
    _mysql("SQLAlchemy on PyMySQL", "sqlalchemy_pymysql.py", "py sqlalchemy"),
    _mysql("SQLAlchemy on asyncmy", "sqlalchemy_asyncmy.py", "py sqlalchemy"),
    _mysql("Django on mysqlclient", "django_orm.py", "py django"),
    _mysql("node mysql2", "mysql2.mjs", "node mysql2"),
    _mysql("node mysql2, prepared", "mysql2_execute.mjs", "node mysql2"),
    _mysql("MariaDB JDBC", "mariadb_jdbc.java", "deb libmariadb-java"),
    _mysql("ruby mysql2", "mysql2.rb", "deb ruby-mysql2"),
    _mysql("PHP PDO mysql", "pdo_mysql.php", "run php -v"),
    _mysql("perl DBD::mysql", "dbd_mysql.pl", "deb libdbd-mysql-perl"),
    _mysql("mariadb command line", "mariadb_cli.sh", "run mariadb --version"),
    _mysql("mysql-connector-python, TLS", "connector.py", "py mysql-connector-python", tls=True),
    _crossed("PyMySQL", "mysqlclient", "mysql_pymysql.py", "mysql_mysqlclient.py", "py mysqlclient"),
    _crossed("mysqlclient", "PyMySQL", "mysql_mysqlclient.py", "mysql_pymysql.py", "py pymysql"),
    _redis("redis-py, RESP3", "redis_sync.py", "py redis", env={"PROTOCOL": "3"}),
    _redis("redis-py, RESP2", "redis_sync.py", "py redis", env={"PROTOCOL": "2"}),
    _redis("redis-py without hiredis, RESP3", "redis_sync.py", "py redis", env={"PROTOCOL": "3", "PARSER": "python"}),
    _redis("redis-py without hiredis, RESP2", "redis_sync.py", "py redis", env={"PROTOCOL": "2", "PARSER": "python"}),
    _redis("redis-py, asyncio", "redis_async.py", "py redis"),
    _redis("redis-py, TLS", "redis_sync.py", "py redis", tls=True),
    _redis("ioredis", "ioredis.mjs", "node ioredis"),
    _redis("ioredis, TLS", "ioredis.mjs", "node ioredis", tls=True),
    _redis("node-redis", "node_redis.mjs", "node redis"),
    _redis("node-redis, RESP3", "node_redis.mjs", "node redis", env={"PROTOCOL": "3"}),
    _redis("redis-cli", "redis_cli.sh", "run redis-cli --version"),
    _redis("redis-cli, TLS", "redis_cli.sh", "run redis-cli --version", tls=True),
    _redis("ruby redis", "redis.rb", "deb ruby-redis"),
    _redis("phpredis", "redis.php", "run php -r echo(phpversion('redis'));"),
    _redis("perl Redis", "redis.pl", "deb libredis-perl"),
    _redis("Go redigo", "redigo.go", "deb golang-github-gomodule-redigo-dev"),
    _crossed("redis-py RESP2", "redis-py RESP3", "redis_resp2.py", "redis_resp3.py", "py redis"),
    _crossed("redis-py RESP3", "redis-py RESP2", "redis_resp3.py", "redis_resp2.py", "py redis"),
    _crossed("redis-py", "ioredis", "redis_py.py", "redis_ioredis.mjs", "node ioredis"),
    _crossed("ioredis", "redis-py", "redis_ioredis.mjs", "redis_py.py", "py redis"),
    _http("httpx", "httpx_client.py", "py httpx"),
    _http("httpx, HTTPS", "httpx_client.py", "py httpx", scheme="https"),
    _http("httpx, HTTP/2", "httpx2_client.py", "py httpx"),
    _http("httpx, HTTP/2 over TLS", "httpx2_client.py", "py httpx", scheme="https"),
    _http("requests", "requests_client.py", "py requests"),
    _http("aiohttp, with a WebSocket", "aiohttp_client.py", "py aiohttp"),
    _http("urllib and http.client", "urllib_client.py", "python"),
    _http("curl", "curl_client.sh", "run curl -V"),
    _http("curl, HTTPS", "curl_client.sh", "run curl -V", scheme="https"),
    _http("fetch, node:http and node:http2", "fetch_client.mjs", "run node -v"),
    _http("axios and undici", "axios_client.mjs", "node axios"),
    _http("Go net/http", "net_http.go", "run go version"),
    _http("Go net/http, HTTP/2 over TLS", "net_http.go", "run go version", scheme="https"),
    _http("Java HttpClient", "http_client.java", "run java -version"),
    _http("Ruby Net::HTTP", "net_http.rb", "run ruby -v"),
    _http("Ruby Net::HTTP, HTTPS", "net_http.rb", "run ruby -v", scheme="https"),
    _http("PHP curl and streams", "curl.php", "run php -v"),
    _http("Perl HTTP::Tiny", "http_tiny.pl", "run perl -MHTTP::Tiny -e print+HTTP::Tiny->VERSION"),
    _http("websockets", "websockets_client.py", "py websockets"),
    _http("grpcio", "grpc_client.py", "py grpcio", server="grpc_service"),
    _mongo("pymongo", "pymongo.py", "py pymongo"),
    _mongo("pymongo, asyncio", "pymongo_async.py", "py pymongo"),
    _mongo("motor", "motor.py", "py motor"),
    _mongo("node mongodb", "mongodb.mjs", "node mongodb"),
    _mongo("pymongo, what is seldom asked", "corners.py", "py pymongo"),
    _mongo(
        "pymongo, transactions", "transactions.py", "py pymongo", server="secantus_replicas", query="?directConnection=true"
    ),
    _mongo("pymongo, change streams", "streams.py", "py pymongo", server="secantus_replicas", query="?directConnection=true"),
    _mongo("ruby mongo", "mongo.rb", "deb ruby-mongo"),
    _mongo("PHP mongodb", "mongodb.php", "run php -r echo(phpversion('mongodb'));"),
    _mongo("perl MongoDB", "mongodb.pl", "deb libmongodb-perl"),
    _mongo("Go mongo-driver", "mongodb.go", "deb golang-mongodb-mongo-driver-dev"),
    _mongo("Java mongo", "MongoJava.java", "deb libmongodb-java"),
    _mongo("pymongo, TLS", "pymongo.py", "py pymongo", query="?tls=true&tlsCAFile={ca}", tls=True),
)
