"""The client beyond one request and one answer: streams without an end, HTTP/2, WebSockets, bodies the service must ask for."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset, TrailersReceived

from replayer.answers import AS_RECORDED, WHOLE, Expected, NoAnswer
from replayer.client import Client, tls_context, wire_bytes
from replayer.received import Received
from tests.replayer.test_client import server
from wiretape.body import read
from wiretape.ca import ensure_ca
from wiretape.case import EMPTY, Body, Headers, Message, Request, Response
from wiretape.config import Address
from wiretape.protocols.base import Side
from wiretape.protocols.http.websocket import CLOSE, PING, PONG, TEXT, Compression, FrameReader, WebSocket
from wiretape.protocols.http.wsserver import accepted, frame

type Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

SSE: Headers = (("content-type", "text/event-stream"),)
GET = Request(method="GET", target="/", headers=(("Host", "h"),))


def answers(handle: Handler, *requests: Request, expected: Expected = WHOLE, limit: float = 5.0) -> list[Any]:
    async def run() -> list[Any]:
        async with server(handle) as address:
            client = Client(address, limit=limit)
            try:
                return [await _or_error(client, request, expected) for request in requests]
            finally:
                client.close()

    return asyncio.run(run())


async def _or_error(client: Client, request: Request, expected: Expected) -> Any:
    try:
        return await client.send(request, expected)
    except NoAnswer as error:
        return error


def stream(*events: bytes, ends: bool = False) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for event in events:
            writer.write(b"%x\r\n%b\r\n" % (len(event), event))
        if ends:
            writer.write(b"0\r\n\r\n")
        await reader.read()

    return handle


def unfinished(*events: bytes) -> Expected:
    return Expected.of(Response(status=200, headers=SSE, body=read(b"".join(events), SSE), unfinished=True), ())


EVENTS = (b": hello\n\n", b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n")


def test_a_stream_is_heard_as_far_as_it_was_recorded() -> None:
    assert unfinished(*EVENTS[:3]).pieces == 2
    began = time.monotonic()
    (answer,) = answers(stream(*EVENTS), GET, expected=unfinished(*EVENTS[:3]))
    assert isinstance(answer, Received)
    assert answer.body.startswith(b"".join(EVENTS[:3]))
    assert time.monotonic() - began < 2


def test_a_stream_that_says_less_is_what_came_until_the_limit() -> None:
    (answer,) = answers(stream(*EVENTS[:2]), GET, expected=unfinished(*EVENTS), limit=0.3)
    assert answer.body == b"".join(EVENTS[:2])


def test_a_stream_that_ends_by_itself_is_whole() -> None:
    (answer,) = answers(stream(*EVENTS[:2], ends=True), GET, expected=unfinished(*EVENTS))
    assert answer.body == b"".join(EVENTS[:2])


def test_a_stream_recorded_to_its_end_must_end() -> None:
    (error,) = answers(stream(*EVENTS), GET, limit=0.3)
    assert "no answer from" in str(error)


def test_a_stream_that_is_cut_is_no_answer_where_it_was_recorded_to_its_end() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(b"9\r\ndata: 1\n\n\r\n")

    (error,) = answers(handle, GET)
    assert "the answer is not whole: the connection ended within the response" in str(error)
    (answer,) = answers(handle, GET, expected=unfinished(*EVENTS))
    assert answer.body == b"data: 1\n\n"


def test_a_stream_that_was_left_before_its_first_event() -> None:
    (answer,) = answers(stream(*EVENTS), GET, expected=unfinished())
    assert answer.status == 200


UPLOAD = Request(
    method="POST",
    target="/up",
    headers=(("Host", "h"), ("Expect", "100-continue"), ("Content-Length", "4")),
    body=Body(kind="text", value="data"),
)


def test_a_body_waits_until_the_service_asks_for_it() -> None:
    early: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            async with asyncio.timeout(0.1):
                early.append(await reader.read(1))
        except TimeoutError:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await reader.readexactly(4)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + body)

    (answer,) = answers(handle, UPLOAD)
    assert (early, answer.body) == ([], b"data")


def test_a_body_that_the_service_does_not_want_is_not_sent() -> None:
    rest: list[bytes] = []
    over = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"GET"):
            await over.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            return
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        with suppress(ConnectionError):
            rest.append(await reader.read())
        over.set()

    answer, then = answers(handle, UPLOAD, GET)
    assert (answer.status, then.status, b"".join(rest)) == (413, 200, b"")


def test_trailers_of_a_request_are_sent() -> None:
    request = Request(
        method="POST",
        target="/",
        headers=(("Transfer-Encoding", "chunked"),),
        body=Body(kind="text", value="hi"),
        trailers=(("X-Sum", "7"),),
    )
    assert wire_bytes(request).endswith(b"\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n")


class H2Server:
    """Plays one HTTP/2 connection: `answer` is called with the connection and the stream once a request is whole."""

    def __init__(self, answer: Callable[[H2Connection, int], None]) -> None:
        self.answer = answer
        self.headers: list[tuple[str, str]] = []
        self.trailers: list[tuple[str, str]] = []
        self.body = b""
        self.reset = False

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8", validate_inbound_headers=False))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        while data := await reader.read(65536):
            for event in connection.receive_data(data):
                self._take(connection, event)
            writer.write(connection.data_to_send())

    def _take(self, connection: H2Connection, event: object) -> None:
        match event:
            case RequestReceived():
                self.headers = [(str(name), str(value)) for name, value in event.headers]
            case TrailersReceived():
                self.trailers = [(str(name), str(value)) for name, value in event.headers]
            case DataReceived():
                self.body += event.data or b""
                connection.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
            case StreamReset():
                self.reset = True
            case StreamEnded():
                self.answer(connection, event.stream_id)


def plain(connection: H2Connection, stream_id: int) -> None:
    connection.send_headers(stream_id, [(":status", "200"), ("content-type", "text/plain")])
    connection.send_data(stream_id, b"ok")
    connection.send_headers(stream_id, [("x-sum", "1")], end_stream=True)


def h2(target: str = "/a?b=1", body: Body = EMPTY, trailers: Headers = (), headers: Headers = ()) -> Request:
    given = (("host", "shop"), ("x-b", "1"), ("x-a", "2"), *headers)
    return Request(method="POST", target=target, headers=given, body=body, trailers=trailers, version="2")


def test_http2_sends_headers_in_their_order_and_reads_trailers() -> None:
    played = H2Server(plain)
    first, second = answers(played, h2(), h2())
    assert played.headers == [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "shop"),
        (":path", "/a?b=1"),
        ("x-b", "1"),
        ("x-a", "2"),
    ]
    assert (first.status, first.body, first.trailers) == (200, b"ok", (("x-sum", "1"),))
    assert second == first


def test_http2_sends_big_bodies_and_trailers() -> None:
    played = H2Server(plain)
    (answer,) = answers(played, h2(body=Body(kind="binary", value=bytes(1_000_000)), trailers=(("x-end", "yes"),)))
    assert answer.status == 200
    assert (len(played.body), played.trailers) == (1_000_000, [("x-end", "yes")])
    assert not any(name == "content-length" for name, _ in played.headers)


def test_http2_reads_answers_bigger_than_a_window() -> None:
    def big(connection: H2Connection, stream_id: int) -> None:
        connection.send_headers(stream_id, [(":status", "200")])
        for _ in range(20):
            connection.send_data(stream_id, bytes(16_000))
        connection.end_stream(stream_id)

    (answer,) = answers(H2Server(big), h2())
    assert len(answer.body) == 320_000


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda connection, stream_id: connection.reset_stream(stream_id, 7), "reset the stream (REFUSED_STREAM)"),
        (lambda connection, _: connection.close_connection(2), "ended the connection (INTERNAL_ERROR)"),
    ],
)
def test_http2_says_why_there_is_no_answer(answer: Callable[[H2Connection, int], None], said: str) -> None:
    (error,) = answers(H2Server(answer), h2())
    assert isinstance(error, NoAnswer)
    assert said in str(error)


def test_http2_leaves_a_stream_without_an_end() -> None:
    def endless(connection: H2Connection, stream_id: int) -> None:
        connection.send_headers(stream_id, [(":status", "200"), ("content-type", "text/event-stream")])
        connection.send_data(stream_id, b"".join(EVENTS))

    played = H2Server(endless)
    (answer, again) = answers(played, h2(), h2(), expected=unfinished(*EVENTS[:2]))
    assert answer.body == again.body == b"".join(EVENTS)
    assert played.reset


HANDSHAKE: Headers = (
    ("Host", "h"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "cmVjb3JkZWQga2V5IQ=="),
)
SOCKET = Request(method="GET", target="/ws", headers=HANDSHAKE)


def message(direction: Any, text: str) -> Message:
    return Message(direction=direction, kind="text", value=text)


class SocketServer:
    """Plays one WebSocket: `greeting` at once, then what `answer` says to each text."""

    def __init__(self, greeting: Sequence[bytes], answer: Callable[[bytes], bytes]) -> None:
        self.greeting, self.answer = greeting, answer
        self.key = ""
        self.heard: list[tuple[int, bytes]] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = tuple((name, value) for name, _, value in (line.partition(": ") for line in head[1:] if line))
        self.key = dict(pairs)["Sec-WebSocket-Key"]
        said = accepted(pairs)
        assert said is not None
        lines = "".join(f"{name}: {value}\r\n" for name, value in said)
        writer.write(f"HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n".encode() + b"".join(self.greeting))
        frames = FrameReader(10**6, compressed=False, forgets=False)
        while data := await reader.read(65536):
            for opcode, payload in frames.feed(data):
                self.heard.append((opcode, payload))
                writer.write(self.answer(payload) if opcode == TEXT else frame(CLOSE, payload) if opcode == CLOSE else b"")


def texts(answer: Received) -> list[Any]:
    return [one.value for one in answer.messages]


def test_a_conversation_with_a_fresh_key_and_a_ping() -> None:
    played = SocketServer([frame(TEXT, b"hello"), frame(PING, b"?")], lambda payload: frame(TEXT, payload.upper()))
    script = (
        message("receive", "hello"),
        message("send", "a"),
        message("receive", "A"),
        message("send", "b"),
        message("receive", "B"),
    )
    (answer,) = answers(played, SOCKET, expected=Expected(messages=script))
    assert (answer.status, texts(answer)) == (101, ["hello", "A", "B"])
    assert played.key != "cmVjb3JkZWQga2V5IQ=="
    assert (PONG, b"?") in played.heard
    assert played.heard[-1] == (CLOSE, (1000).to_bytes(2))


def test_a_service_that_is_silent_gives_what_came() -> None:
    played = SocketServer([frame(TEXT, b"hello")], lambda _: b"")
    script = (message("receive", "hello"), message("send", "a"), message("receive", "A"))
    (answer,) = answers(played, SOCKET, expected=Expected(messages=script), limit=0.2)
    assert texts(answer) == ["hello"]


def test_a_service_that_says_more_or_hangs_up_early() -> None:
    more = SocketServer([frame(TEXT, b"hello"), frame(TEXT, b"and more")], lambda _: b"")
    (answer,) = answers(more, SOCKET, expected=Expected(messages=(message("receive", "hello"),)))
    assert texts(answer) == ["hello", "and more"]
    early = SocketServer([frame(CLOSE, (1011).to_bytes(2) + b"oops")], lambda _: b"")
    script = (message("receive", "hello"), message("send", "a"))
    (answer,) = answers(early, SOCKET, expected=Expected(messages=script))
    assert texts(answer) == [{"code": 1011, "reason": "oops"}]
    assert (TEXT, b"a") not in early.heard


def test_a_handshake_that_is_refused_is_an_answer() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")

    (answer,) = answers(handle, SOCKET, expected=Expected(messages=(message("receive", "hello"),)))
    assert (answer.status, answer.body, answer.messages) == (403, b"no", ())


def test_messages_sent_are_masked_frames() -> None:
    from replayer.sockets import _frame

    for size in (0, 5, 126, 70_000):
        socket = WebSocket(10**6, Compression())
        socket.feed(Side.CLIENT, _frame(TEXT, b"x" * size), 0.0)
        assert [one.data for one in socket.messages] == [b"x" * size]


def test_what_is_said_may_be_changed_on_the_way() -> None:
    class Louder:
        def said(self, message: Message) -> Message:
            return AS_RECORDED.said(Message(direction="send", kind="text", value=str(message.value) * 2))

        def heard(self, recorded: Message, live: Message) -> None:
            heard.append((recorded.value, live.value))

    heard: list[Any] = []
    played = SocketServer([], lambda payload: frame(TEXT, payload))
    script = (message("send", "a"), message("receive", "a"))

    async def run() -> Received:
        async with server(played) as address:
            client = Client(address, limit=5)
            return await client.send(SOCKET, Expected(messages=script), Louder())

    assert texts(asyncio.run(run())) == ["aa"]
    assert heard == [("a", "aa")]


def test_certificates_of_our_ca_are_trusted_and_loopback_is_not_asked(tmp_path: Path) -> None:
    ours = tls_context(Address(host="shop.test", port=443), "h2", ensure_ca(tmp_path))
    alone = tls_context(Address(host="shop.test", port=443), "h2", tmp_path / "none")
    assert ours.cert_store_stats()["x509_ca"] == alone.cert_store_stats()["x509_ca"] + 1
    assert ours.verify_mode is ssl.CERT_REQUIRED
    assert tls_context(Address(host="127.0.0.1", port=443), "h2", None).verify_mode is ssl.CERT_NONE
