"""The real servers behind the table: started for their rows, made ready before each, stopped before any is replayed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.conftest import serve_postgres

_VARIANTS = ("secantus_replicas",)
PROGRAMS = Path(__file__).parent / "programs"


@contextmanager
def serve(kind: str, *, tls: bool = False) -> Iterator[Any]:
    """Start the server `kind`; what it yields has a `port`, and for some a `url`."""
    if kind == "postgres":
        yield from serve_postgres(*(["--tls"] if tls else []))
        return
    name, _, how = kind.partition("_") if kind in _VARIANTS else (kind, "", "")
    module = import_module(f"tests.live.servers.{name}")
    if kind == "web":
        with tempfile.TemporaryDirectory() as home, module.serve(Path(home) if tls else None) as server:
            yield server
        return
    with module.serve(**({"tls": True} if tls else {}), **({how: True} if how else {})) as server:
        yield server


def setup(kind: str, codec: str, server: Any) -> None:
    """Bring the server to the state every program begins in."""
    script = PROGRAMS / codec / "setup.sql"
    fill(kind, server, script.read_text(encoding="utf-8") if script.exists() else "")


def fill(kind: str, server: Any, text: str) -> None:
    """Run a script where the server takes one, else empty it."""
    match kind:
        case "postgres":
            import psycopg

            with psycopg.connect(server.url, autocommit=True) as session:
                session.execute(text.encode())
        case "mariadb":
            _mariadb(server.url, text)
        case "redis":
            import redis

            with redis.Redis.from_url(server.url, **_trusting(server)) as client:
                client.flushall()
        case "secantus" | "secantus_replicas":
            with _mongo(server) as client:
                for name in set(client.list_database_names()) - {"admin", "local", "config"}:
                    client.drop_database(name)
        case _:
            pass  # keeps nothing


def version(kind: str, server: Any) -> str:
    """What the server says it is."""
    match kind:
        case "postgres":
            import psycopg

            with psycopg.connect(server.url) as session:
                return f"PostgreSQL {session.info.parameter_status('server_version')}"
        case "mariadb":
            return f"MariaDB {_mariadb(server.url, 'SELECT VERSION()').split('-')[0]}"
        case "redis":
            import redis

            with redis.Redis.from_url(server.url, **_trusting(server)) as client:
                return f"Redis {client.info('server')['redis_version']}"
        case "secantus" | "secantus_replicas":
            with _mongo(server) as client:
                return f"SecantusDB, MongoDB {client.server_info()['version']}"
        case "web":
            return f"Hypercorn {metadata.version('hypercorn')}"
        case _:
            return f"grpcio {metadata.version('grpcio')}"


def _trusting(server: Any) -> dict[str, Any]:
    authority = getattr(server, "authority", None)
    return {} if authority is None else {"ssl_cert_reqs": "none"}


def _mongo(server: Any) -> Any:
    import pymongo

    trust = {} if server.authority is None else {"tls": True, "tlsCAFile": str(server.authority)}
    return pymongo.MongoClient(server.url, **trust)


def _mariadb(url: str, script: str) -> str:
    """Run a script; the first value of its last statement."""
    import pymysql
    from pymysql.constants import CLIENT

    at = urlsplit(url)
    session = pymysql.connect(
        host=at.hostname, port=at.port or 0, user=at.username, password=at.password or "", database=at.path[1:],
        autocommit=True, client_flag=CLIENT.MULTI_STATEMENTS,
    )  # fmt: skip
    row: Any = None
    with session, session.cursor() as cursor:
        if script.strip():
            cursor.execute(script)
            row = cursor.fetchone()
            while cursor.nextset():
                row = cursor.fetchone()
    return str(row[0]) if row else ""
