"""The mocks as real clients meet them."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from normalizers.base import When
from replayer.book import Book
from replayer.mocks import Mocks
from tests.conftest import Postgres
from tests.replayer.conftest import TOY
from wiretape.ca import ensure_ca
from wiretape.case import Call
from wiretape.config import Address, Target
from wiretape.errors import TargetError
from wiretape.protocols import codec
from wiretape.protocols.base import Ask, Miss, Waiting

POSTGRES = codec("postgres")
LAMP = Call(
    target="main",
    operation="SELECT name FROM goods WHERE id = $1",
    fields={"params": [7], "columns": {"name": "text"}, "rows": [["Lamp"]]},
)
BIG = Call(
    target="main", operation="SELECT big", fields={"columns": {"big": "text"}, "rows": [["x" * 1000] for _ in range(20000)]}
)

WIDE = Call(target="main", operation="SELECT wide", fields={"columns": {"wide": "text"}, "rows": [["x" * 20000]]})


@asynccontextmanager
async def mocks(
    toy: Any, home: Path, *calls: Call, facts: Any = None, target: Any = None, made: Any = POSTGRES, **more: Any
) -> AsyncIterator[Any]:
    """Mocks of one target whose calls are session calls; the host and port."""
    main = target or Target(name="main", protocol="postgres", listen=Address(host="127.0.0.1", port=0))
    suite = toy.suite(session=calls)
    book = Book(suite, {"main": made}, when=When(recorded=0.0, live=0.0), **more)
    running = Mocks({"main": main}, {"main": facts or {}}, {"main": made}, book, home)
    await running.start()
    try:
        yield running.addresses["main"]
    finally:
        await running.stop()


def url(address: Address, sslmode: str = "disable") -> str:
    return f"postgresql://app:any@{address.host}:{address.port}/app?sslmode={sslmode}"


def ask(at: str, sql: str = "SELECT name FROM goods WHERE id = %s", *params: object, **more: Any) -> Any:
    with psycopg.connect(at, autocommit=True, **more) as connection:
        return connection.execute(sql, params or None).fetchall()


def test_a_driver_gets_what_was_recorded_on_any_port(toy: Any, tmp_path: Path) -> None:
    async def run() -> None:
        async with mocks(toy, tmp_path, LAMP) as address:
            assert address.port != 0
            assert await asyncio.to_thread(ask, url(address), LAMP.operation.replace("$1", "%s"), 7) == [("Lamp",)]

    asyncio.run(run())


@pytest.mark.parametrize(
    "how", ["sslmode=require", "sslmode=verify-full&sslrootcert={ca}", "sslmode=require&sslnegotiation=direct"]
)
def test_tls_as_the_recorded_server_offered_it(toy: Any, tmp_path: Path, how: str) -> None:
    ca = ensure_ca(tmp_path) / "mitmproxy-ca-cert.pem"

    async def run() -> None:
        async with mocks(toy, tmp_path, LAMP, facts={"tls": True}) as address:
            at = url(address).replace("sslmode=disable", how.format(ca=ca))
            assert await asyncio.to_thread(ask, at, LAMP.operation.replace("$1", "%s"), 7) == [("Lamp",)]

    asyncio.run(run())


def test_what_is_no_tls_is_hung_up_on(toy: Any, tmp_path: Path) -> None:
    async def run() -> bytes:
        async with mocks(toy, tmp_path, LAMP) as address:
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(b"\x16\x03nonsense" * 50)
            answer = await asyncio.wait_for(reader.read(), 10)
            writer.close()
            return answer

    assert b"x" * 10 not in asyncio.run(run())


def test_tls_survives_large_answers(toy: Any, tmp_path: Path) -> None:
    async def run() -> None:
        async with mocks(toy, tmp_path, BIG, facts={"tls": True}) as address:
            rows = await asyncio.to_thread(ask, url(address, "require"), "SELECT big")
            assert len(rows) == 20000

    asyncio.run(run())


def test_who_does_not_read_is_not_read_from(toy: Any, tmp_path: Path) -> None:
    """Answers pile up for a client that only asks: no further than the transport's limit plus one answer."""

    async def run() -> int:
        async with mocks(toy, tmp_path, WIDE) as address:
            loop = asyncio.get_running_loop()
            client = socket.create_connection((address.host, address.port))
            client.setblocking(False)
            startup = b"\x00\x03\x00\x00user\x00app\x00\x00"
            query = b"SELECT wide\x00"
            await loop.sock_sendall(client, (len(startup) + 4).to_bytes(4, "big") + startup)
            sent = 0
            message = b"Q" + (len(query) + 4).to_bytes(4, "big") + query
            try:
                async with asyncio.timeout(5):
                    while True:
                        await asyncio.wait_for(loop.sock_sendall(client, message * 200), 0.5)
                        sent += 200
            except TimeoutError:
                pass
            client.close()
            return sent

    assert asyncio.run(run()) < 10**6


def test_a_port_that_is_taken(toy: Any, tmp_path: Path) -> None:
    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            at = Target(name="main", protocol="postgres", listen=Address(host="127.0.0.1", port=taken.getsockname()[1]))
            async with mocks(toy, tmp_path, target=at):
                pass

    with pytest.raises(TargetError, match=r"target main: 127.0.0.1:\d+ is taken; stop what listens there"):
        asyncio.run(run())


def test_passthrough_asks_the_real_server_only_for_what_is_missing(toy: Any, tmp_path: Path, postgres: Postgres) -> None:
    async def run() -> None:
        upstream = Address(host="127.0.0.1", port=postgres.port)
        at = Target(
            name="main",
            protocol="postgres",
            listen=Address(host="127.0.0.1", port=0),
            upstream=upstream,
            user="app",
            password="secret",
            database="postgres",
        )
        async with mocks(toy, tmp_path, LAMP, target=at, passthrough=True) as address:
            assert await asyncio.to_thread(ask, url(address), "SELECT current_database(), %s", "a") == [("postgres", "a")]
            sql = LAMP.operation.replace("$1", "%s")
            assert await asyncio.to_thread(ask, url(address), sql, 7) == [("Lamp",)]
            assert await asyncio.to_thread(ask, url(address), "SELECT %s::int + 1", 41) == [(42,)]
            with pytest.raises(psycopg.errors.DivisionByZero):
                await asyncio.to_thread(ask, url(address), "SELECT 1/%s", 0)

    asyncio.run(run())


def test_passthrough_without_an_upstream_says_so(toy: Any, tmp_path: Path, free_port: Callable[[], int]) -> None:
    async def run(upstream: Address | None, said: str) -> None:
        at = Target(name="main", protocol="postgres", listen=Address(host="127.0.0.1", port=0), upstream=upstream)
        async with mocks(toy, tmp_path, target=at, passthrough=True) as address:
            with pytest.raises(psycopg.Error, match=said):
                await asyncio.to_thread(ask, url(address), "SELECT other FROM things")

    asyncio.run(run(None, "has no upstream"))
    asyncio.run(run(Address(host="127.0.0.1", port=free_port()), "cannot be reached"))


class Echo:
    """A responder that answers each line, and the word `ask` from upstream."""

    def __init__(self, facts: Any, answers: Any, target: str) -> None:
        self.waiting: Ask | None = None
        self.closed = self.upgrade = False
        self.pause: float | None = None

    def greet(self) -> bytes:
        return b""

    def receive(self, data: bytes) -> bytes:
        if data == b"ask":
            self.waiting = Ask(target="main", operation="ask", shape="ask")
            return b"!"
        return b"<" + data + b">"

    def resume(self, answer: Call | Miss | Waiting) -> bytes:
        self.waiting = None
        return answer.advice.encode() if isinstance(answer, Miss) else b"?"

    def upgraded(self) -> None:
        raise AssertionError


def test_what_comes_while_an_answer_is_awaited_is_answered_after_it(toy: Any, tmp_path: Path) -> None:
    class NoUpstream:
        ready = False

    async def run() -> bytes:
        made = replace(TOY, responder=Echo, upstream=lambda _: NoUpstream())
        async with mocks(toy, tmp_path, made=made) as address:
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(b"ask")
            assert await reader.readexactly(1) == b"!"
            writer.write(b"more")
            answer = await asyncio.wait_for(reader.readuntil(b">"), 10)
            writer.close()
            return answer

    answer = asyncio.run(run())
    assert answer.startswith(b"target main has no upstream")
    assert answer.endswith(b"<more>")


def test_the_certificate_of_the_server_itself_is_shown_where_given(toy: Any, tmp_path: Path) -> None:
    from wiretape.ca import leaf

    own = tmp_path / "own.pem"
    own.write_bytes(leaf(ensure_ca(tmp_path / "other"), ["db.example"]).read_bytes())
    at = Target(name="main", protocol="postgres", listen=Address(host="127.0.0.1", port=0), certificate=own)

    async def run() -> bytes | None:
        async with mocks(toy, tmp_path, LAMP, facts={"tls": True}, target=at) as address:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            _, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
            shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            writer.close()
            return bytes(shown)

    assert asyncio.run(run()) == ssl.PEM_cert_to_DER_cert(
        own.read_text()[own.read_text().index("-----BEGIN CERT") :].partition("-----END CERTIFICATE-----")[0]
        + "-----END CERTIFICATE-----\n"
    )


def test_the_authority_is_there_before_the_service_starts(toy: Any, tmp_path: Path) -> None:
    """A service may read its file of trusted authorities once, as it starts."""

    async def run(facts: Any) -> bool:
        home = tmp_path / str(bool(facts))
        async with mocks(toy, home, LAMP, facts=facts):
            return (home / "ca/mitmproxy-ca-cert.pem").exists()

    assert asyncio.run(run({"tls": True}))
    assert not asyncio.run(run({}))
