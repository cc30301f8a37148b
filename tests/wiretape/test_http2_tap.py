"""HTTP/2 off the wire: frames in, exchanges out, whatever the split of the bytes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)  # fmt: skip
from hypothesis import given, settings
from hypothesis import strategies as st

from wiretape.errors import DecodeError
from wiretape.protocols.base import Side
from wiretape.protocols.http import Exchange, HttpTap

C, S = Side.CLIENT, Side.SERVER
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
GET = ((":method", "GET"), (":scheme", "http"), (":path", "/a?b=1"), (":authority", "h:80"), ("x-a", "1"))
POST = ((":method", "POST"), (":scheme", "http"), (":path", "/p"), (":authority", "h"), ("content-type", "text/plain"))
OK = ((":status", "200"), ("content-type", "text/plain"))


class Wire:
    """Writes both sides of a connection."""

    def __init__(self) -> None:
        self.chunks: list[tuple[Side, bytes]] = [(C, PREFACE)]
        self._encoders = {C: Encoder(), S: Encoder()}
        self.send(C, SettingsFrame(0, {3: 100}))
        self.send(S, SettingsFrame(0, {4: 1 << 20}))

    def send(self, side: Side, *frames: Frame) -> None:
        self.chunks += ((side, frame.serialize()) for frame in frames)

    def block(self, side: Side, headers: tuple[tuple[str, str], ...]) -> bytes:
        return bytes(self._encoders[side].encode(headers))

    def headers(self, side: Side, stream: int, headers: tuple[tuple[str, str], ...], *flags: str) -> None:
        self.send(side, HeadersFrame(stream, self.block(side, headers), flags=["END_HEADERS", *flags]))

    def data(self, side: Side, stream: int, data: bytes, *flags: str, **more: int) -> None:
        self.send(side, DataFrame(stream, data, flags=list(flags), **more))


def read(chunks: list[tuple[Side, bytes]], max_body: int = 1000) -> list[Exchange]:
    tap = HttpTap(max_body)
    found = [each for side, data in chunks for each in tap.feed(side, data, 1.0)]
    return found + list(tap.close(1.0))


def simple(wire: Wire) -> None:
    wire.headers(C, 1, GET, "END_STREAM")
    wire.headers(S, 1, OK)
    wire.data(S, 1, b"hi", "END_STREAM")
    wire.headers(C, 3, GET, "END_STREAM")  # by now every header is in HPACK's table
    wire.headers(S, 3, OK, "END_STREAM")


def interleaved(wire: Wire) -> None:
    for stream in (1, 3, 5):
        wire.headers(C, stream, POST)
    for stream in (5, 1, 3):
        wire.data(C, stream, b"to %d" % stream, "END_STREAM")
        wire.headers(S, stream, OK)
    for stream in (3, 5, 1):
        wire.data(S, stream, b"from %d" % stream, "END_STREAM")


def everything(wire: Wire) -> None:
    block = wire.block(C, POST)
    wire.send(C, HeadersFrame(1, block[:3], flags=["PADDED", "PRIORITY"], pad_length=4, stream_weight=7))
    wire.send(C, ContinuationFrame(1, block[3:5]), ContinuationFrame(1, block[5:], flags=["END_HEADERS"]))
    wire.send(S, WindowUpdateFrame(0, 99), PingFrame(0, b"12345678"))
    wire.chunks.append((S, b"\0\0\3\xbe\3\0\0\0\0odd"))
    wire.send(C, PriorityFrame(9, 0, 5), SettingsFrame(0, flags=["ACK"]))
    wire.data(C, 1, b"pad", "PADDED", pad_length=9)
    wire.data(C, 1, b"ded")
    wire.headers(C, 1, (("x-sum", "6"),), "END_STREAM")
    wire.headers(S, 1, ((":status", "103"), ("link", "</x>")))
    wire.send(S, PushPromiseFrame(1, 2, wire.block(S, GET), flags=["END_HEADERS"]))
    wire.headers(S, 2, OK)
    wire.data(S, 2, b"pushed", "END_STREAM")
    wire.headers(S, 1, OK)
    wire.data(S, 1, b"body")
    wire.headers(S, 1, (("grpc-status", "0"),), "END_STREAM")
    wire.send(S, GoAwayFrame(0, 1))


TALKS: dict[str, Callable[[Wire], None]] = {"simple": simple, "interleaved": interleaved, "everything": everything}


def talk(name: str) -> list[tuple[Side, bytes]]:
    wire = Wire()
    TALKS[name](wire)
    return wire.chunks


def test_a_simple_conversation() -> None:
    first, second = read(talk("simple"))
    assert (first.method, first.target, first.version, first.status, first.reason) == ("GET", "/a?b=1", "2", 200, "")
    assert first.request_headers == (("host", "h:80"), ("x-a", "1"))
    assert first.response_headers == (("content-type", "text/plain"),)
    assert (first.response_body, second.response_body, second.request_headers) == (b"hi", b"", first.request_headers)


def test_interleaved_streams() -> None:
    found = read(talk("interleaved"))
    assert [(each.request_body, each.response_body) for each in found] == [
        (b"to 3", b"from 3"),
        (b"to 5", b"from 5"),
        (b"to 1", b"from 1"),
    ]


def test_everything_a_connection_may_carry() -> None:
    (each,) = read(talk("everything"))
    assert (each.request_body, each.response_body, each.interim) == (b"padded", b"body", (103,))
    assert (each.request_trailers, each.response_trailers) == ((("x-sum", "6"),), (("grpc-status", "0"),))
    assert not each.incomplete


@settings(deadline=None)
@given(st.sampled_from(sorted(TALKS)), st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_any_split_gives_the_same_exchanges(name: str, sizes: list[int]) -> None:
    pieces: list[tuple[Side, bytes]] = []
    for side, data in talk(name):
        rest, turn = data, 0
        while rest:
            size = sizes[turn % len(sizes)]
            pieces.append((side, rest[:size]))
            rest, turn = rest[size:], turn + 1
    assert read(pieces) == read(talk(name))


def test_a_server_may_speak_first() -> None:
    chunks = talk("simple")
    assert read([chunks[2], *chunks[:2], *chunks[3:]]) == read(chunks)


def test_crumbs_of_a_cookie_are_one() -> None:
    wire = Wire()
    wire.headers(C, 1, (*GET, ("cookie", "a=1"), ("x-b", "2"), ("cookie", "b=2")), "END_STREAM")
    wire.headers(S, 1, OK, "END_STREAM")
    assert read(wire.chunks)[0].request_headers[1:] == (("x-a", "1"), ("cookie", "a=1; b=2"), ("x-b", "2"))


def cut(*steps: Callable[[Wire], None]) -> list[Exchange]:
    wire = Wire()
    for step in steps:
        step(wire)
    return read(wire.chunks)


def asks(wire: Wire) -> None:
    wire.headers(C, 1, GET, "END_STREAM")


def posts(wire: Wire) -> None:
    wire.headers(C, 1, POST)


def reset(side: Side, code: int) -> Callable[[Wire], None]:
    return lambda wire: wire.send(side, RstStreamFrame(1, code))


def answers(*pairs: tuple[str, str], body: bytes = b"", ends: bool = False) -> Callable[[Wire], None]:
    def step(wire: Wire) -> None:
        wire.headers(S, 1, ((":status", "200"), *pairs))
        wire.data(S, 1, body, *(["END_STREAM"] if ends else []))

    return step


EVENTS, GRPC = ("content-type", "text/event-stream"), ("content-type", "application/grpc+proto")


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([asks], "the connection ended before a response"),
        ([posts], "the connection ended within the request"),
        ([asks, answers(body=b"x")], "the connection ended within the response"),
        ([asks, reset(C, 8)], "the client reset the stream (CANCEL) before a response"),
        ([asks, answers(body=b"x"), reset(S, 2)], "the server reset the stream (INTERNAL_ERROR) within the response"),
        ([posts, reset(S, 99)], "the server reset the stream (99) within the request"),
        ([posts, answers(body=b"x", ends=True)], "the response came before the whole request, and the connection ended"),
    ],
)
def test_what_is_cut_says_where(steps: list[Callable[[Wire], None]], reason: str) -> None:
    assert [(each.incomplete, each.unfinished) for each in cut(*steps)] == [(reason, False)]


@pytest.mark.parametrize(
    ("steps", "unfinished"),
    [
        ([posts, answers(body=b"x", ends=True), reset(S, 0)], False),  # the server does not want the rest
        ([asks, answers(("content-length", "1"), body=b"x")], False),  # a client that counts leaves before the end
        ([asks, answers(EVENTS, body=b"data: 1\n\n"), reset(C, 8)], True),
        ([asks, answers(EVENTS, body=b"data: 1\n\n")], True),
        ([posts, answers(GRPC, body=b"\0\0\0\0\0"), reset(C, 8)], True),
    ],
)
def test_what_ends_early_and_is_whole(steps: list[Callable[[Wire], None]], unfinished: bool) -> None:
    assert [(each.incomplete, each.unfinished) for each in cut(*steps)] == [("", unfinished)]


def test_a_websocket_within_http2_is_said_to_be_unread() -> None:
    connect = ((":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/ws"), (":authority", "h"))
    (each,) = cut(lambda wire: wire.headers(C, 1, connect, "END_STREAM"), answers(ends=True))
    assert each.incomplete == "websocket within HTTP/2 (RFC 8441) is not read"


def test_bodies_over_the_cap_are_cut_and_said() -> None:
    (each,) = cut(asks, lambda wire: answers(body=b"x" * 5000, ends=True)(wire))
    assert (len(each.response_body), each.incomplete) == (
        1000,
        "response body of 5000 bytes is over the limit of 1000 (--max-body)",
    )


def raw(data: bytes, side: Side = C) -> Callable[[Wire], None]:
    return lambda wire: wire.chunks.append((side, data))


def many_streams(wire: Wire) -> None:
    for stream in range(1, 10_001, 2):
        wire.headers(C, stream, GET)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (raw(b"\x00\x40\x01\x00\x00\x00\x00\x00\x01"), "an HTTP/2 frame of 16385 bytes where 16384 are allowed"),
        (raw(b"\x00\x00\x01\x00\x08\x00\x00\x00\x01\xff"), "not an HTTP/2 frame"),
        (raw(b"\x00\x00\x01\x01\x04\x00\x00\x00\x01\xff"), "a header block that does not decode"),
        (raw(b"\x00\x00\x00\x09\x04\x00\x00\x00\x01"), "a header block that is cut into by another frame"),
        (lambda wire: wire.data(C, 1, b"x"), "a stream that does not begin with headers"),
        (lambda wire: wire.headers(S, 1, OK), "a response without a request"),
        (lambda wire: wire.headers(C, 1, GET[1:]), "a request without method or path"),
        (lambda wire: (asks(wire), wire.headers(S, 1, OK[1:]))[0], "a response without a status"),
        (lambda wire: (asks(wire), wire.data(S, 1, b"x"))[0], "a body before its headers"),
        (many_streams, "over 4096 streams at once"),
        (
            lambda wire: wire.send(C, HeadersFrame(1, b"x" * 16000), *(ContinuationFrame(1, b"x" * 16000) for _ in range(20))),
            "a header block over 262144 bytes",
        ),
    ],
)
def test_what_is_not_http2(step: Callable[[Wire], None], reason: str) -> None:
    wire = Wire()
    step(wire)
    with pytest.raises(DecodeError) as caught:
        read(wire.chunks)
    assert caught.value.reason.startswith(reason)


def test_larger_frames_where_the_other_side_takes_them() -> None:
    wire = Wire()
    wire.send(S, SettingsFrame(0, {5: 100_000}))
    wire.headers(C, 1, POST)
    wire.data(C, 1, b"x" * 50_000, "END_STREAM")
    wire.headers(S, 1, OK, "END_STREAM")
    assert len(read(wire.chunks, 100_000)[0].request_body) == 50_000


def test_idle_and_endless() -> None:
    wire, tap = Wire(), HttpTap(100)
    asks(wire)
    for side, data in wire.chunks:
        list(tap.feed(side, data, 1.0))
    assert (tap.idle, tap.endless) == (False, False)
    answers(EVENTS)(wire)
    for side, data in wire.chunks[-2:]:
        list(tap.feed(side, data, 1.0))
    assert (tap.idle, tap.endless) == (False, True)


@pytest.mark.parametrize("early", [0, 24, 60])
def test_an_upgrade_from_http1_makes_its_request_stream_1(early: int) -> None:
    wire = Wire()
    wire.headers(S, 1, OK)
    wire.data(S, 1, b"hi", "END_STREAM")
    frames = [b"".join(data for side, data in wire.chunks if side is one) for one in (C, S)]
    head = b"GET /up HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n"
    switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    chunks = [(C, head), (S, switch + frames[1][:early]), (C, frames[0]), (S, frames[1][early:])]
    (each,) = read(chunks)
    assert (each.method, each.target, each.version, each.status, each.response_body) == ("GET", "/up", "2", 200, b"hi")
