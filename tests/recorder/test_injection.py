"""What is put into the heads of requests, and that nothing else of what a client sends changes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.injection import Added, Injection
from wiretape import tracing
from wiretape.protocols.base import Side
from wiretape.protocols.http import HttpTap

GET = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 19\r\nExpect: 100-continue\r\n\r\nGET / HTTP/1.1\r\n\r\n\n"
CHUNKED = (
    b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n"
    b"5\r\n\r\n\r\nX\r\nb;a=b\r\nhello world\r\n0\r\nx-sum: 1\r\n\r\n"
)
TRACED = b"GET /d HTTP/1.1\r\nTraceParent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nhost: x\r\n\r\n"
BARE = b"GET /e HTTP/1.0\nhost: x\n\n"


def injection() -> Injection:
    numbers = itertools.count(1)
    return Injection(lambda: tracing.trace_id(next(numbers).to_bytes(16)))


def made(number: int) -> str:
    return tracing.trace_id(number.to_bytes(16))


def lines(number: int, newline: bytes = b"\r\n") -> bytes:
    pairs = tracing.missing((), made(number))
    return b"".join(f"{name}: {value}".encode() + newline for name, value in pairs)


def with_lines(request: bytes, number: int) -> bytes:
    newline = b"\r\n" if b"\r\n" in request else b"\n"
    head, _, rest = request.partition(newline * 2)
    given = lines(number, newline)
    if b"TraceParent" in head:
        given = given.split(newline, 1)[1]
    return head + newline + given + newline + rest


@pytest.mark.parametrize("request_", [GET, POST, CHUNKED, TRACED, BARE])
def test_the_lines_stand_at_the_end_of_the_head(request_: bytes) -> None:
    one = injection()
    passed = one.feed(request_)
    assert passed == with_lines(request_, 1)
    assert one.added == [Added(1, made(1))]
    assert one.rest() == b""
    tap = HttpTap(1000)
    list(tap.feed(Side.CLIENT, passed, 0.0))
    (exchange,) = tap.feed(Side.SERVER, b"HTTP/1.1 204 No Content\r\n\r\n", 0.0)
    assert made(1) in tracing.in_pairs(exchange.request_headers)


@given(st.lists(st.sampled_from([GET, POST, CHUNKED, TRACED, BARE]), min_size=1, max_size=4), st.data())
def test_however_it_is_split_the_same_is_passed_on_and_almost_at_once(requests: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(requests)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=8)))
    one = injection()
    passed = bytearray()
    given_ = 0
    for start, end in itertools.pairwise([0, *cuts, len(whole)]):
        passed += one.feed(whole[start:end])
        given_ += end - start
        so_far = requests[: len(one.added)]
        lengthened = sum(len(with_lines(request, 1)) - len(request) for request in so_far)
        assert given_ - 1 <= len(passed) - lengthened  # no more than one byte waits
    passed += one.rest()
    assert bytes(passed) == b"".join(with_lines(request, number) for number, request in enumerate(requests, 1))
    assert one.added == [Added(number, made(number)) for number in range(1, len(requests) + 1)]


@given(st.binary(max_size=400), st.data())
def test_what_is_not_http_passes_as_it_is(garbage: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(garbage)))
    one = injection()
    passed = one.feed(garbage[:cut]) + one.feed(garbage[cut:]) + one.rest()
    if not one.added:
        assert passed == garbage
    assert one.feed(b"") == b""


def test_after_something_that_cannot_be_read_nothing_is_added() -> None:
    one = injection()
    strange = b"POST /x HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n"
    assert one.feed(GET + strange + GET) == with_lines(GET, 1) + with_lines(strange, 2) + GET
    assert one.feed(GET) == GET


def test_http2_passes_untouched_and_is_told_apart() -> None:
    one = injection()
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    assert not one.declined
    assert b"".join(one.feed(preface[at : at + 1]) for at in range(len(preface))) == preface
    assert one.declined
    assert one.feed(GET) == GET
    other = injection()
    other.feed(GET)
    assert not other.declined


UPGRADE = b"GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"


@pytest.mark.parametrize("size", [1, 100])
def test_another_protocol_is_left_alone_once_the_server_has_switched(size: int) -> None:
    one = injection()
    one.feed(UPGRADE)
    assert one.waits
    answer = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n"
    for head in (answer[:28], answer[28:]):
        for at in range(0, len(head), size):
            if one.waits:
                one.answered(head[at : at + size])
    assert not one.waits
    assert one.feed(GET) == GET


def test_a_server_that_does_not_switch_is_gone_on_with() -> None:
    one = injection()
    assert one.feed(UPGRADE) == with_lines(UPGRADE, 1)
    one.answered(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    assert not one.waits
    assert one.feed(GET) == with_lines(GET, 2)


def test_a_tunnel_is_left_alone() -> None:
    one = injection()
    one.feed(b"CONNECT x:1 HTTP/1.1\r\n\r\n")
    one.answered(b"HTTP/1.1 200 OK\r\n\r\n")
    assert one.feed(GET) == GET


def test_a_client_that_does_not_wait_for_the_answer_is_left_alone() -> None:
    one = injection()
    one.feed(UPGRADE)
    assert one.feed(b"\x81\x05\r\n\r\n\r") == b"\x81\x05\r\n\r\n\r"
    one.answered(b"HTTP/1.1 200 OK\r\n\r\n")
    assert one.feed(GET) == GET
