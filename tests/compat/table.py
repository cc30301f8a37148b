"""The table of drivers: each row is a program, how it is run, and what it is run against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One driver or client.

    `program` is a file under programs/; `replayed` the one that runs against the recording, where it is another one (then the
    row is of the cross-driver table). `url` is its only argument; `{port}` and `{ca}` (our authority's file) are filled in.
    `probe` tells the driver's version (`runtimes.version`). `silent`: it asks nothing that a case would hold.
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


def _postgres(title: str, program: str, probe: str, *, query: str = "", **more: Any) -> Row:
    url = f"postgresql://app:secret@127.0.0.1:{{port}}/app{query}"
    return Row(title=title, codec="postgres", program=program, url=url, probe=probe, server="postgres", **more)


def _http(title: str, program: str, probe: str, *, scheme: str = "http", server: str = "web", **more: Any) -> Row:
    url = f"{scheme}://localhost:{{port}}"
    return Row(
        title=title, codec="http", program=f"http/{program}", url=url, probe=probe, server=server, tls=scheme == "https", **more
    )


def _mongo(title: str, program: str, probe: str, *, query: str = "", **more: Any) -> Row:
    url = f"mongodb://127.0.0.1:{{port}}/app{query}"
    return Row(title=title, codec="mongo", program=f"mongo/{program}", url=url, probe=probe, server="secantus", **more)


ROWS = (
    _postgres("psycopg2", "postgres/psycopg2.py", "py psycopg2-binary"),
    _postgres("psycopg 3", "postgres/psycopg3.py", "py psycopg"),
    _postgres("asyncpg", "postgres/asyncpg.py", "py asyncpg"),
    _postgres("pg8000", "postgres/pg8000.py", "py pg8000"),
    _postgres("psycopg2, sslmode=require", "postgres/psycopg2.py", "py psycopg2-binary", query="?sslmode=require", tls=True),
    _postgres("psycopg 3, sslmode=require", "postgres/psycopg3.py", "py psycopg", query="?sslmode=require", tls=True),
    _postgres("asyncpg, sslmode=require", "postgres/asyncpg.py", "py asyncpg", query="?sslmode=require", tls=True),
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
    _http("websockets", "websockets_client.py", "py websockets"),
    _http("grpcio", "grpc_client.py", "py grpcio", server="grpc_service"),
    _mongo("pymongo", "pymongo.py", "py pymongo"),
    _mongo("pymongo, asyncio", "pymongo_async.py", "py pymongo"),
    _mongo("motor", "motor.py", "py motor"),
    _mongo("node mongodb", "mongodb.mjs", "node mongodb"),
    _mongo("pymongo, TLS", "pymongo.py", "py pymongo", query="?tls=true&tlsCAFile={ca}", tls=True),
)
