"""Mocks of HTTP as real clients meet them: over TLS, through a tunnel, by either version."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from normalizers.base import When
from replayer.book import Book
from replayer.mocks import Mocks
from wiretape.ca import ensure_ca
from wiretape.case import Call
from wiretape.config import Address, Target
from wiretape.protocols import codec
from wiretape.tree import Tree

HTTP = codec("http")
LAMP = {"status": 200, "headers": {"content-type": "application/json"}, "body": {"name": "Lamp"}}


def call(operation: str, **fields: Tree) -> Call:
    return Call(target="main", operation=operation, fields={"response": dict(LAMP), **fields})


@asynccontextmanager
async def mocks(toy: Any, home: Path, *calls: Call, versions: tuple[str, ...] = ("1.1", "2")) -> AsyncIterator[Address]:
    target = Target(name="main", protocol="http", listen=Address(host="127.0.0.1", port=0))
    suite = toy.suite(session=calls)
    book = Book(suite, {"main": HTTP}, when=When(recorded=0.0, live=0.0))
    facts: dict[str, Tree] = {"versions": list[Tree](versions)}
    running = Mocks({"main": target}, {"main": facts}, {"main": HTTP}, book, home)
    await running.start()
    try:
        yield running.addresses["main"]
    finally:
        await running.stop()


def trust(home: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ensure_ca(home) / "mitmproxy-ca-cert.pem"))


@pytest.mark.parametrize(
    ("versions", "spoken"), [(("1.1", "2"), "HTTP/2"), (("2",), "HTTP/2"), (("1.1",), "HTTP/1.1"), ((), "HTTP/2")]
)
def test_tls_offers_the_versions_the_recorded_server_spoke(
    toy: Any, tmp_path: Path, versions: tuple[str, ...], spoken: str
) -> None:
    async def run() -> None:
        async with (
            mocks(toy, tmp_path, call("GET /lamp"), versions=versions) as address,
            httpx.AsyncClient(http2=True, verify=trust(tmp_path)) as client,
        ):
            answer = await client.get(f"https://localhost:{address.port}/lamp")
            assert (answer.json(), answer.http_version) == ({"name": "Lamp"}, spoken)

    asyncio.run(run())


@pytest.mark.parametrize("http2", [False, True])
def test_a_proxy_serves_every_host_by_its_own_certificate(toy: Any, tmp_path: Path, http2: bool) -> None:
    calls = [call(f"GET https://{host}/lamp", response={**LAMP, "body": {"host": host}}) for host in ("a.test", "b.test")]

    async def run() -> None:
        async with (
            mocks(toy, tmp_path, *calls, call("GET http://c.test/lamp")) as address,
            httpx.AsyncClient(http2=http2, proxy=f"http://127.0.0.1:{address.port}", verify=trust(tmp_path)) as client,
        ):
            for host in ("a.test", "b.test", "a.test"):
                assert (await client.get(f"https://{host}/lamp")).json() == {"host": host}
            assert (await client.get("http://c.test/lamp")).json() == {"name": "Lamp"}
            missed = await client.get("https://d.test/lamp")
            assert (missed.status_code, missed.headers["wiretape-miss"]) == (502, "1")
            assert "https://d.test/lamp" in missed.text

    asyncio.run(run())


def test_a_large_answer_waits_for_a_client_that_takes_its_time(toy: Any, tmp_path: Path) -> None:
    text = "0123456789" * 100_000
    big = call("GET /big", response={"status": 200, "headers": {"content-type": "text/plain"}, "body": text})

    async def run() -> None:
        async with mocks(toy, tmp_path, big) as address, httpx.AsyncClient(http1=False, http2=True) as client:
            answers = await asyncio.gather(*(client.get(f"http://127.0.0.1:{address.port}/big") for _ in range(3)))
            assert [answer.text == text for answer in answers] == [True] * 3

    asyncio.run(run())
