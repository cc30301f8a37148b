"""The mock of HTTP, byte for byte: HTTP/1.x here; HTTP/2 by the library's own client."""

from __future__ import annotations

from typing import cast

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)  # fmt: skip

from tests.laws.book import Book
from wiretape.case import Call
from wiretape.protocols.base import Answers, Ask, Miss, Responder, Waiting
from wiretape.protocols.http import CODEC
from wiretape.tree import Tree


def call(operation: str, body: Tree = None, messages: list[Tree] | None = None, **response: Tree) -> Call:
    told: dict[str, Tree] = {"response": {"status": 200, **({} if body is None else {"body": body}), **response}}
    if messages is not None:
        told["messages"] = messages
    return Call(target="api", operation=operation, fields=told)


TEXT: dict[str, Tree] = {"content-type": "text/plain"}
CALLS = (
    call("GET /a", "hi", headers=TEXT),
    call("HEAD /a", headers={**TEXT, "content-length": "99"}),
    call("GET /none", status=204),
    call("GET /same", status=304, headers={"etag": "x"}),
    call("GET /chunked", "hi", headers={**TEXT, "transfer-encoding": "chunked"}, trailers={"x-sum": "1"}),
    call("GET /odd", "hi", status=299, reason="Odd"),
    call("GET /events", [{"data": "1"}], headers={"content-type": "text/event-stream"}),
    call("GET /endless", [{"data": "1"}], headers={"content-type": "text/event-stream"}, unfinished=True),
    call("GET /packed", {"a": 1}, headers={"content-type": "application/json", "content-encoding": "gzip"}),
    call("GET /bad", status="two hundred"),
    call("GET /silent", status=0),
    call("GET http://other.test/a", "other"),
    call("GET https://other.test/a", "secure"),
    Call(target="api", operation="POST /p", fields={"body": "data", "response": {"status": 201}}),
)


def responder(answers: Answers | None = None) -> Responder:
    return CODEC.responder({}, answers or Book(CODEC, CALLS), "api")


def get(path: str, version: str = "1.1", **headers: str) -> bytes:
    lines = [f"GET {path} HTTP/{version}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (get("/a"), b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nhi"),
        (b"HEAD /a HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 99\r\n\r\n"),
        (get("/none"), b"HTTP/1.1 204 No Content\r\n\r\n"),
        (get("/same"), b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n"),
        (
            get("/chunked"),
            b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
            b"2\r\nhi\r\n0\r\nx-sum: 1\r\n\r\n",
        ),
        (get("/odd"), b"HTTP/1.1 299 Odd\r\ncontent-length: 2\r\n\r\nhi"),
        (
            get("/events"),
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            b"9\r\ndata: 1\n\n\r\n0\r\n\r\n",
        ),
        (b"POST /p HTTP/1.1\r\nContent-Length: 4\r\n\r\ndata", b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n"),
        (get("http://other.test/a"), b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nother"),
    ],
)
def test_replies_as_recorded(sent: bytes, answer: bytes) -> None:
    one = responder()
    assert one.receive(sent) == answer
    assert not one.closed


def test_byte_by_byte_and_in_one_go() -> None:
    sent = get("/a") + b"\r\n" + get("/odd") + b"HEAD /a HTTP/1.1\r\n\r\n" + get("/chunked")
    one, other = responder(), responder()
    assert one.receive(sent) == b"".join(other.receive(sent[at : at + 1]) for at in range(len(sent)))
    assert one.receive(get("/none")) == b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "header", "closed"),
    [
        (get("/a", Connection="close"), b"connection: close", True),
        (get("/a", "1.0"), b"connection: close", True),
        (get("/a", "1.0", Connection="keep-alive"), b"connection: keep-alive", False),
        (get("/chunked", "1.0"), b"content-length: 2", True),
    ],
)
def test_when_the_connection_ends(sent: bytes, header: bytes, closed: bool) -> None:
    one = responder()
    assert header + b"\r\n" in one.receive(sent)
    assert one.closed is closed


def test_a_server_that_hung_up_hangs_up() -> None:
    one = responder()
    assert (one.receive(get("/silent")), one.closed) == (b"", True)


def test_one_who_asks_whether_to_go_on_is_told_to() -> None:
    one = responder()
    head = b"POST /p HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    assert one.receive(head) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert one.receive(b"data").startswith(b"HTTP/1.1 201 Created")


def test_a_stream_that_does_not_end_stays_open() -> None:
    one = responder()
    answer = one.receive(get("/endless"))
    assert answer.endswith(b"\r\n9\r\ndata: 1\n\n\r\n")
    assert (one.receive(get("/a")), one.closed) == (b"", False)


def test_an_edited_body_is_packed_again() -> None:
    import gzip

    head, _, body = responder().receive(get("/packed")).partition(b"\r\n\r\n")
    assert gzip.decompress(body) == b'{"a":1}'
    assert f"content-length: {len(body)}".encode() in head


@pytest.mark.parametrize(
    ("sent", "status", "text"),
    [
        (get("/missing"), b"502 Bad Gateway", b"wiretape: no recorded call on api answers: GET /missing"),
        (get("/bad"), b"502 Bad Gateway", b"cannot be served: response.status: a response needs a status"),
    ],
)
def test_a_miss_is_explained(sent: bytes, status: bytes, text: bytes) -> None:
    one = responder()
    answer = one.receive(sent)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert text in answer
    assert b"wiretape-miss: 1\r\n" in answer
    assert not one.closed
    assert one.receive(get("/a")).startswith(b"HTTP/1.1 200 OK")


CARED = Call(
    target="api", operation="GET /a", fields={"headers": {"x-tenant": "t1"}, "response": {"status": 200, "body": "hi"}}
)


@pytest.mark.parametrize(
    ("headers", "served"),
    [
        ({"X_Tenant": "t1"}, True),
        ({"X_Tenant": "t1", "X_New": "1", "X_Newer": "2", "Accept": "text/plain"}, True),
        ({"X_Tenant": "t2"}, False),
        ({"X_New": "1"}, False),
        ({}, False),
    ],
)
def test_headers_that_a_call_names_must_come_and_others_may(headers: dict[str, str], served: bool) -> None:
    answer = responder(Book(CODEC, [CARED])).receive(get("/a", **headers))
    assert answer.startswith(b"HTTP/1.1 200 OK" if served else b"HTTP/1.1 502")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x00",
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused(sent: bytes) -> None:
    one = responder()
    assert one.receive(sent).startswith(b"HTTP/1.1 400 Bad Request")
    assert one.closed
    assert one.receive(get("/a")) == b""


def test_a_body_without_end_is_refused() -> None:
    one = responder()
    one.receive(b"POST /p HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n")
    answers = [one.receive(b"x" * (1 << 20)) for _ in range(70) if not one.closed]
    assert answers[-1].startswith(b"HTTP/1.1 413")
    assert len(answers) == 65


class Later:
    """A book that lets everyone wait."""

    def __init__(self) -> None:
        self.asks: list[Ask] = []

    def peek(self, ask: Ask) -> Call | None:
        return None

    def take(self, ask: Ask) -> Call | Miss | Waiting:
        self.asks.append(ask)
        return Waiting()


def test_answers_that_come_later_keep_their_order() -> None:
    book = Later()
    one = responder(cast(Answers, book))
    assert one.receive(get("/a") + get("/odd")) == b""
    assert one.waiting is book.asks[0]
    assert one.resume(CALLS[0]).endswith(b"hi")
    assert one.waiting is book.asks[1]
    assert b"502" in one.resume(Miss(ask=book.asks[1]))
    assert (one.waiting, len(book.asks)) == (None, 2)


@pytest.mark.parametrize(("port", "encrypted", "body"), [("443", True, b"secure"), ("80", False, b"other")])
def test_a_tunnel(port: str, encrypted: bool, body: bytes) -> None:
    one = responder()
    sent = f"CONNECT other.test:{port} HTTP/1.1\r\nHost: other.test\r\n\r\n".encode()
    early = b"\x16\x03" if encrypted else b""
    assert one.receive(sent + early) == b"HTTP/1.1 200 Connection established\r\n\r\n"
    assert one.upgrade is encrypted
    if encrypted:
        assert one.upgraded() == early
    assert not one.upgrade
    assert one.receive(get("/a")).endswith(body)


@pytest.mark.parametrize(("versions", "switches"), [(["1.1", "2"], True), (["1.1"], False), (None, False)])
def test_only_a_server_that_spoke_http2_goes_over_to_it(versions: list[Tree] | None, switches: bool) -> None:
    one = CODEC.responder({} if versions is None else {"versions": versions}, Book(CODEC, CALLS), "api")
    answer = one.receive(get("/a", Connection="Upgrade, HTTP2-Settings", Upgrade="h2c", HTTP2_Settings="AAMAAABk"))
    assert answer.startswith(b"HTTP/1.1 101 Switching Protocols" if switches else b"HTTP/1.1 200 OK")
    assert b"hi" in answer


# WebSockets

ASK = get(
    "/ws", Upgrade="websocket", Connection="Upgrade", Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==", Sec_WebSocket_Version="13"
)


def sent(opcode: int, data: bytes) -> bytes:
    return bytes([0x80 | opcode, 0x80 | len(data), 0, 0, 0, 0]) + data


def socket(*messages: Tree) -> tuple[Responder, Book]:
    book = Book(CODEC, [call("GET /ws", status=101, messages=[*messages])])
    one = responder(book)
    answer = one.receive(ASK)
    assert answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n")
    assert b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer  # the example of RFC 6455 section 1.3
    return one, book


def test_the_servers_messages_follow_the_clients() -> None:
    one, book = socket({"send": "a"}, {"receive": "b"}, {"receive": {"c": 1}}, {"send": {"d": 1}}, {"receive": b"\x00"})
    assert one.receive(sent(1, b"a")) == b'\x81\x01b\x81\x07{"c":1}'
    assert one.receive(sent(9, b"x")) == b"\x8a\x01x"
    assert one.receive(sent(1, b'{ "d": 1 }')) == b"\x82\x01\x00"
    assert one.receive(sent(8, b"\x03\xe8")) == b"\x88\x02\x03\xe8"
    assert one.closed
    assert book.misses == []


@pytest.mark.parametrize(
    ("recorded", "live", "same"),
    [
        ({"id": "0b5ad1b6-1111-4a6b-8f0c-0123456789ab"}, b'{"id": "ffffffff-2222-4a6b-8f0c-0123456789ab"}', True),
        ({"at": "2026-01-01T10:00:00Z"}, b'{"at": "2027-02-02T11:11:11Z"}', True),
        ({"id": 7}, b'{"id": 8}', False),
        ({"name": "Lamp"}, b'{"name": "Desk"}', False),
        ({"name": "Lamp"}, b'{"name": "Lamp", "more": 1}', False),
        ("text", b"other", False),
    ],
)
def test_a_message_that_means_something_else_is_a_miss(recorded: Tree, live: bytes, same: bool) -> None:
    one, book = socket({"send": recorded}, {"receive": "ok"})
    answer = one.receive(sent(1, live))
    if same:
        assert answer == b"\x81\x02ok"
    else:
        assert answer[:1] == b"\x88"
        assert answer[2:4] == (1008).to_bytes(2)
        assert one.closed
        assert [ask.operation for ask in book.misses] == [f"GET /ws message {live.decode()}"]


def test_compression_is_agreed_to_and_never_used() -> None:
    one = responder(Book(CODEC, [call("GET /ws", status=101, messages=[{"receive": "hello"}])]))
    offer = (
        ASK[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; server_max_window_bits=10\r\n\r\n"
    )
    answer = one.receive(offer)
    assert b"sec-websocket-extensions: permessage-deflate; server_max_window_bits=10\r\n" in answer
    assert answer.endswith(b"\x81\x05hello")


def test_a_request_that_opens_no_websocket_where_one_was_recorded() -> None:
    one = responder(Book(CODEC, [call("GET /ws", status=101, messages=[])]))
    assert one.receive(get("/ws")).startswith(b"HTTP/1.1 502")


# HTTP/2


class Client:
    """A client of HTTP/2, talking to a responder."""

    def __init__(self, answers: Answers | None = None) -> None:
        self._connection = H2Connection(config=H2Configuration(header_encoding="utf-8"))
        self.responder = responder(answers)
        self._connection.initiate_connection()
        self.events: list[Event] = []
        self.exchange()

    def exchange(self) -> None:
        while data := self._connection.data_to_send():
            self.take(self.responder.receive(data))

    def take(self, answer: bytes) -> None:
        for event in self._connection.receive_data(answer):
            self.events.append(event)
            if isinstance(event, DataReceived):
                self._connection.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)

    def ask(self, stream: int, method: str, path: str, *headers: tuple[str, str], body: bytes = b"", ends: bool = True) -> None:
        pseudo = ((":method", method), (":scheme", "http"), (":authority", "h"), (":path", path))
        self._connection.send_headers(stream, [*pseudo, *headers], end_stream=ends and not body)
        if body:
            self._connection.send_data(stream, body, end_stream=ends)
        self.exchange()

    def say(self, stream: int, data: bytes) -> None:
        self._connection.send_data(stream, data, end_stream=True)
        self.exchange()

    def reset(self, stream: int) -> None:
        self._connection.reset_stream(stream)
        self.exchange()

    def answer(self, stream: int) -> tuple[dict[str, str], bytes, dict[str, str], bool]:
        """Headers, body, trailers, and whether it has ended."""
        mine = [event for event in self.events if getattr(event, "stream_id", None) == stream]
        headers = next((dict(event.headers or ()) for event in mine if isinstance(event, ResponseReceived)), {})
        body = b"".join(event.data or b"" for event in mine if isinstance(event, DataReceived))
        trailers = next((dict(event.headers or ()) for event in mine if isinstance(event, TrailersReceived)), {})
        return (
            cast(dict[str, str], headers),
            body,
            cast(dict[str, str], trailers),
            any(isinstance(e, StreamEnded) for e in mine),
        )


def test_http2_replies_as_recorded() -> None:
    client = Client()
    client.ask(1, "GET", "/a")
    client.ask(3, "GET", "/chunked")
    client.ask(5, "POST", "/p", body=b"data")
    client.ask(7, "GET", "/missing")
    client.ask(9, "GET", "/endless")
    assert client.answer(1) == ({":status": "200", "content-type": "text/plain"}, b"hi", {}, True)
    assert client.answer(3) == ({":status": "200", "content-type": "text/plain"}, b"hi", {"x-sum": "1"}, True)
    assert client.answer(5) == ({":status": "201"}, b"", {}, True)
    assert (client.answer(7)[0][":status"], client.answer(7)[0]["wiretape-miss"]) == ("502", "1")
    assert client.answer(9)[1:] == (b"data: 1\n\n", {}, False)


def test_a_server_that_hung_up_resets_the_stream_of_http2() -> None:
    client = Client()
    client.ask(1, "GET", "/silent")
    client.ask(3, "GET", "/a")
    assert [event.error_code for event in client.events if isinstance(event, StreamReset)] == [2]
    assert client.answer(3)[1] == b"hi"


def test_one_who_asks_whether_to_go_on_is_told_to_by_http2() -> None:
    client = Client()
    client.ask(1, "POST", "/p", ("expect", "100-continue"), ends=False)
    assert [event.headers for event in client.events if isinstance(event, InformationalResponseReceived)] == [
        [(":status", "100")]
    ]
    client.say(1, b"data")
    assert client.answer(1)[0] == {":status": "201"}


def test_a_grpc_miss_is_a_status_of_grpc() -> None:
    client = Client()
    client.ask(1, "POST", "/shop.Shop/Get", ("content-type", "application/grpc"), ("te", "trailers"), body=b"\0\0\0\0\0")
    headers, body, _, ended = client.answer(1)
    assert (headers[":status"], headers["grpc-status"], headers["wiretape-miss"], body, ended) == ("200", "14", "1", b"", True)
    assert "no recorded call on api answers: POST /shop.Shop/Get" in headers["grpc-message"]


def test_http2_answers_that_come_later() -> None:
    book = Later()
    client = Client(cast(Answers, book))
    client.ask(1, "GET", "/a")
    client.ask(3, "GET", "/odd")
    assert client.responder.waiting is book.asks[0]
    assert len(book.asks) == 1
    client.reset(1)
    client.take(client.responder.resume(CALLS[0]))
    assert client.responder.waiting is book.asks[1]
    client.take(client.responder.resume(CALLS[5]))
    assert client.responder.waiting is None
    assert (client.answer(1)[0], client.answer(3)[0][":status"]) == ({}, "299")


def test_a_large_body_waits_for_the_window() -> None:
    text = "x" * 500_000
    client = Client(Book(CODEC, [call("GET /big", text, headers=TEXT)]))
    client.ask(1, "GET", "/big")
    assert client.answer(1)[1] == text.encode()
    assert client.answer(1)[3]


def test_a_websocket_has_no_meaning_in_http2() -> None:
    client = Client(Book(CODEC, [call("GET /ws", status=101, messages=[])]))
    client.ask(1, "GET", "/ws")
    assert client.answer(1)[0][":status"] == "502"


def grpc_message(text: bytes) -> bytes:
    data = bytes([10, len(text)]) + text
    return b"\0" + len(data).to_bytes(4) + data


GRPC = ("content-type", "application/grpc")
TALK = Call(
    target="api",
    operation="POST /a.B/Talk",
    fields={
        "headers": {"content-type": "application/grpc"},
        "body": [{"1": "one"}, {"1": "two"}],
        "response": {
            "status": 200,
            "headers": {"content-type": "application/grpc"},
            "body": [{"1": "1"}, {"1": "2"}, {"1": "3"}, {"1": "4"}],
            "trailers": {"grpc-status": "0"},
        },
    },
)


def test_a_grpc_call_that_waits_for_answers_gets_them() -> None:
    client = Client(Book(CODEC, [TALK]))
    client.ask(1, "POST", "/a.B/Talk", GRPC, body=grpc_message(b"one"), ends=False)
    assert client.answer(1)[1] == b""
    assert client.responder.pause
    client.take(client.responder.tick())
    assert client.answer(1)[1:] == (grpc_message(b"1") + grpc_message(b"2"), {}, False)
    assert client.responder.pause is None
    client.say(1, grpc_message(b"two"))
    assert client.answer(1)[1] == b"".join(map(grpc_message, (b"1", b"2", b"3", b"4")))
    assert client.answer(1)[2:] == ({"grpc-status": "0"}, True)


def test_a_grpc_call_that_goes_on_otherwise_than_recorded_ends_in_a_miss() -> None:
    book = Book(CODEC, [TALK])
    client = Client(book)
    client.ask(1, "POST", "/a.B/Talk", GRPC, body=grpc_message(b"one"), ends=False)
    client.take(client.responder.tick())
    client.say(1, grpc_message(b"other"))
    assert (client.answer(1)[2]["grpc-status"], client.answer(1)[3], len(book.misses)) == ("14", True, 1)


def test_a_grpc_call_that_begins_otherwise_than_recorded_gets_nothing_early() -> None:
    client = Client(Book(CODEC, [TALK]))
    client.ask(1, "POST", "/a.B/Talk", GRPC, body=grpc_message(b"two"), ends=False)
    client.take(client.responder.tick())
    assert (client.answer(1), client.responder.pause) == (({}, b"", {}, False), None)
