"""What is sent is what was recorded, byte for byte; what comes back is whole, or says why not."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from replayer.client import Client, NoAnswer, wire_bytes
from wiretape.case import Body, Request
from wiretape.config import Address
from wiretape.protocols.base import Side
from wiretape.protocols.http import HttpTap, to_request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

RECORDED = [
    b"GET /a%20b?x=1&x=2&y=%2F HTTP/1.1\r\nHost: h:9\r\nX-Dup: 1\r\nx-dup: 2\r\nX-Odd: a  b\r\n\r\n",
    b"POST /late-host HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 25\r\nHost: h\r\n\r\n"
    b'{"n": 1.0, "n2": 1e5, }\n ',
    b"PUT /j HTTP/1.1\r\nHost: h\r\ncontent-length: 35\r\nContent-Type: application/json\r\n\r\n"
    b'{"z":1.00,"a":12345678901234567890}',
    b"POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST /empty-chunks HTTP/1.1\r\nHost: h\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    b"DELETE /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
    b"PATCH /bin HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n\x00\xff\x01\xfe",
    b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 11\r\n\r\na=%20&a=b+c",
    b"OPTIONS * HTTP/1.1\r\nHost: h\r\nX-Latin: caf\xe9\r\n\r\n",
]


@pytest.mark.parametrize("data", RECORDED, ids=lambda data: data.split()[1].decode())
def test_what_was_recorded_is_what_is_sent(data: bytes) -> None:
    tap = HttpTap(10**6)
    list(tap.feed(Side.CLIENT, data, 0.0))
    (exchange,) = tap.feed(Side.SERVER, OK, 0.0)
    assert wire_bytes(to_request(exchange)) == data


def test_a_compressed_body_is_sent_as_it_was() -> None:
    packed = gzip.compress(json.dumps({"a": [1, 2]}).encode(), 6, mtime=0)
    head = (
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    )
    data = head % len(packed) + packed
    tap = HttpTap(10**6)
    list(tap.feed(Side.CLIENT, data, 0.0))
    (exchange,) = tap.feed(Side.SERVER, OK, 0.0)
    assert wire_bytes(to_request(exchange)) == data


def test_an_edited_body_gets_its_length() -> None:
    json_type = (("content-type", "application/json"),)
    sent = wire_bytes(Request(method="POST", target="/", headers=json_type, body=Body(kind="json", value={"a": "ü"})))
    assert sent == b'POST / HTTP/1.1\r\ncontent-length: 10\r\ncontent-type: application/json\r\n\r\n{"a":"\xc3\xbc"}'


@asynccontextmanager
async def server(handle: Handler) -> AsyncIterator[Address]:
    tasks: list[asyncio.Task[Any]] = []

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())  # type: ignore[arg-type]
        try:
            await handle(reader, writer)
        finally:
            writer.close()

    listener = await asyncio.start_server(run, "127.0.0.1", 0)
    try:
        yield Address(host="127.0.0.1", port=listener.sockets[0].getsockname()[1])
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def exchange(handle: Handler, *requests: Request, limit: float = 5.0) -> list[Any]:
    """The answers, an error where there is none."""

    async def run() -> list[Any]:
        async with server(handle) as address:
            client = Client(address, limit=limit)
            try:
                return [await _or_error(client, request) for request in requests]
            finally:
                client.close()

    return asyncio.run(run())


async def _or_error(client: Client, request: Request) -> Any:
    try:
        return await client.send(request)
    except NoAnswer as error:
        return error


GET = Request(method="GET", target="/", headers=(("Host", "h"),))


def answering(*answers: bytes, hang_up: bool = False) -> Handler:
    """Answers the requests of a connection one after another."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
        if not hang_up:
            await reader.read()

    return handle


def test_bytes_on_the_socket() -> None:
    seen = bytearray()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.extend(await reader.readexactly(len(RECORDED[1])))
        writer.write(OK)

    tap = HttpTap(10**6)
    list(tap.feed(Side.CLIENT, RECORDED[1], 0.0))
    (recorded,) = tap.feed(Side.SERVER, OK, 0.0)
    (answer,) = exchange(handle, to_request(recorded))
    assert (bytes(seen), answer.status, answer.body) == (RECORDED[1], 200, b"ok")


def test_connections_are_kept_and_opened_again() -> None:
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await answering(OK, OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"), hang_up=True)(reader, writer)

    answers = exchange(handle, GET, GET, GET)
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert connections == 2


def test_interim_answers_headers_in_order_and_trailers() -> None:
    raw = (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 Fine\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"
    )
    (answer,) = exchange(answering(raw), GET)
    assert (answer.status, answer.reason, answer.body, answer.trailers) == (200, "Fine", b"ok", (("X-Sum", "1"),))
    assert answer.headers[:2] == (("Set-Cookie", "a=1"), ("set-cookie", "b=2"))


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_answers_without_a_body(status: bytes) -> None:
    (answer, again) = exchange(answering(b"HTTP/1.1 %b\r\n\r\n" % status, OK), GET, GET)
    assert (answer.body, again.body) == (b"", b"ok")


def test_head_and_a_body_that_ends_with_the_connection() -> None:
    head = Request(method="HEAD", target="/", headers=(("Host", "h"),))
    (answer,) = exchange(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), head)
    assert answer.body == b""
    (answer,) = exchange(answering(b"HTTP/1.1 200 OK\r\n\r\nto the end", hang_up=True), GET)
    assert answer.body == b"to the end"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "ended before a response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "ended within the response"),
        (b"\x00\x01garbage\r\n\r\n", "not HTTP/1.1"),
    ],
    ids=["nothing", "cut", "garbage"],
)
def test_no_whole_answer_says_why(answer: bytes, said: str) -> None:
    (error,) = exchange(answering(answer, hang_up=True), GET)
    assert isinstance(error, NoAnswer)
    assert said in str(error)
    assert not error.unheard


def test_a_kept_connection_that_was_gone_is_told_apart() -> None:
    _, error = exchange(answering(OK, b"", hang_up=True), GET, GET)
    assert isinstance(error, NoAnswer)
    assert error.unheard


def test_an_answer_that_never_comes() -> None:
    (error,) = exchange(answering(b"HTTP/1.1 200 OK\r\n"), GET, limit=0.1)
    assert "within 0.1 s" in str(error)


def test_nobody_listens(free_port: Callable[[], int]) -> None:
    async def run() -> Any:
        return await _or_error(Client(Address(host="127.0.0.1", port=free_port())), GET)

    assert "cannot connect to the service at 127.0.0.1:" in str(asyncio.run(run()))
