"""The HTTP tap: conversations in, exchanges out, whatever the split of the bytes."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wiretape.case import Headers
from wiretape.errors import DecodeError
from wiretape.protocols.base import Side
from wiretape.protocols.http import Exchange, HttpTap, request_head_and_body, to_request, to_response

type Talk = list[tuple[Side, bytes]]
C, S = Side.CLIENT, Side.SERVER

GET = (C, b"GET /a?x=%20 HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a:  2 \r\n\r\n")
POST = (C, b"POST /b HTTP/1.1\r\nContent-Length: 7\r\nContent-Type: application/json\r\n\r\n" + b'{"a":1}')
OK = (S, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nhi")
CHUNKED = (
    S,
    b"HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n"
    b"3;ext=1\r\nabc\r\n0A\r\n0123456789\r\n0\r\nX-Sum: 13\r\n\r\n",
)
TALKS: dict[str, Talk] = {
    "keep-alive": [GET, OK, POST, OK],
    "pipelined": [(C, GET[1] + POST[1] + GET[1]), (S, OK[1] + CHUNKED[1] + OK[1])],
    "interim": [POST, (S, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK[1])],
    "chunked both ways": [
        (C, b"PUT /c HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        CHUNKED,
    ],
    "no body": [
        (C, b"HEAD /h HTTP/1.1\r\n\r\nGET /n HTTP/1.1\r\n\r\nGET /m HTTP/1.1\r\n\r\n"),
        (S, b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n"),
    ],
    "until close": [GET, (S, b"HTTP/1.0 200 OK\r\n\r\nall the rest")],
    "bare newlines and empty lines": [(C, b"\r\n\nGET / HTTP/1.1\nA: b\n\n"), (S, b"HTTP/1.1 404\nContent-Length: 0\n\n")],
    "early answer": [(C, POST[1][:-3]), OK, (C, POST[1][-3:]), GET, OK],
    "switching": [GET, (S, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\n\r\n\x81\x01a"), (C, b"\x81\x80")],
}


def read(talk: Talk, max_body: int = 1000) -> list[Exchange]:
    tap = HttpTap(max_body)
    found = [each for side, data in talk for each in tap.feed(side, data, 1.0)]
    return found + list(tap.close(1.0))


def summary(each: Exchange) -> tuple[object, ...]:
    return (each.method, each.target, each.request_body, each.status, each.response_body, each.interim, each.incomplete)


def test_keep_alive() -> None:
    first, second = read(TALKS["keep-alive"])
    assert first.target == "/a?x=%20"
    assert first.request_headers == (("Host", "h"), ("X-A", "1"), ("x-a", "2"))
    assert first.response_headers[1:] == (("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
    assert summary(second) == ("POST", "/b", b'{"a":1}', 200, b"hi", (), "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pipelined", [("GET", 200, b"hi"), ("POST", 200, b"abc0123456789"), ("GET", 200, b"hi")]),
        ("interim", [("POST", 200, b"hi")]),
        ("chunked both ways", [("PUT", 200, b"abc0123456789")]),
        ("no body", [("HEAD", 200, b""), ("GET", 204, b""), ("GET", 304, b"")]),
        ("until close", [("GET", 200, b"all the rest")]),
        ("bare newlines and empty lines", [("GET", 404, b"")]),
        ("early answer", [("POST", 200, b"hi"), ("GET", 200, b"hi")]),
        ("switching", [("GET", 101, b"")]),
    ],
)
def test_conversations(name: str, expected: list[tuple[str, int, bytes]]) -> None:
    found = read(TALKS[name])
    assert [(each.method, each.status, each.response_body) for each in found] == expected
    assert not any(each.incomplete for each in found)


def test_trailers_interim_and_reason() -> None:
    assert read(TALKS["chunked both ways"])[0].response_trailers == (("X-Sum", "13"),)
    assert read(TALKS["chunked both ways"])[0].reason == "Fine"
    assert read(TALKS["interim"])[0].interim == (100, 103)


@settings(deadline=None)
@given(st.sampled_from(sorted(TALKS)), st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_any_split_gives_the_same_exchanges(name: str, sizes: list[int]) -> None:
    pieces: Talk = []
    for side, data in TALKS[name]:
        rest, turn = data, 0
        while rest:
            size = sizes[turn % len(sizes)]
            pieces.append((side, rest[:size]))
            rest, turn = rest[size:], turn + 1
    assert read(pieces) == read(TALKS[name])


@given(st.lists(st.tuples(st.sampled_from([C, S]), st.binary(max_size=80)), max_size=8))
def test_arbitrary_bytes_give_exchanges_or_a_decode_error(talk: Talk) -> None:
    with suppress(DecodeError):
        read(talk)


@given(st.sampled_from(sorted(TALKS)), st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_mutated_conversations_give_exchanges_or_a_decode_error(name: str, at: int, junk: bytes) -> None:
    talk = [(side, data[:at] + junk + data[at + 1 :]) for side, data in TALKS[name]]
    with suppress(DecodeError):
        read(talk)


@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        ([(C, b"\x16\x03\x01\x02\x00")], "TLS where plain HTTP"),
        ([(C, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 9)], "an HTTP/2 frame of 16777215 bytes where 16384 are"),
        ([(C, b"GET / HTTP/1.1\r\nno colon\r\n\r\n")], "not a header field: b'no colon"),
        ([(C, b"hello\r\n\r\n")], "not an HTTP/1.x start line: b'hello"),
        ([(C, b"GET / HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n")], "a content-length that is no number"),
        ([(C, b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n")], "a content-length that is no number"),
        ([OK], "a response without a request"),
        ([(C, b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")], "not a chunk size"),
        ([(C, b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n")], "a chunk longer than its size"),
        ([(C, b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n")], "a request with a transfer coding but not in chunks"),
        ([(C, b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 60_000)], "a head over 262144 bytes"),
    ],
)
def test_what_is_not_http(talk: Talk, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        read(talk)
    assert caught.value.reason.startswith(reason)


@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        ([GET], "the connection ended before a response"),
        ([(C, POST[1][:-1])], "the connection ended within the request"),
        ([GET, (S, OK[1][:-1])], "the connection ended within the response"),
        ([(C, POST[1][:-1]), OK], "the response came before the whole request, and the connection ended"),
    ],
)
def test_a_connection_that_ends_early_says_where(talk: Talk, reason: str) -> None:
    assert [each.incomplete for each in read(talk)] == [reason]


EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


@pytest.mark.parametrize(
    ("answer", "unfinished"),
    [
        (EVENTS + b"\r\ndata: 1\n\n", False),  # its end is the connection's
        (EVENTS + b"Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n", True),
        (EVENTS + b"Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n", False),
    ],
)
def test_an_event_stream_that_ends_with_the_connection_is_whole(answer: bytes, unfinished: bool) -> None:
    (each,) = read([GET, (S, answer)])
    assert (each.response_body, each.incomplete, each.unfinished) == (b"data: 1\n\n", "", unfinished)


def test_a_body_over_the_cap_is_cut_and_said() -> None:
    (each,) = read([POST, CHUNKED], max_body=10)
    assert each.response_body == b"abc0123456"
    assert each.incomplete == "response body of 13 bytes is over the limit of 10 (--max-body)"


def test_a_gigabyte_of_content_length_costs_nothing() -> None:
    talk = [(C, b"POST / HTTP/1.1\r\nContent-Length: 1073741824\r\n\r\nabc")]
    assert [each.incomplete for each in read(talk)] == ["the connection ended within the request"]


def test_idle_and_endless() -> None:
    tap = HttpTap(100)
    assert tap.idle
    list(tap.feed(*GET, 1.0))
    assert not tap.idle
    list(tap.feed(S, b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", 1.0))
    assert tap.endless


@pytest.mark.parametrize(
    ("headers", "data", "kept"),
    [
        ((("content-length", "7"), ("content-type", "application/json")), b'{"a":1}', (("content-type", "application/json"),)),
        ((("Content-Type", "text/plain"), ("Content-Length", "2")), b"hi", None),
        ((("Host", "h"), ("Content-Length", "2")), b"hi", (("Host", "h"),)),
        ((("Host", "h"), ("content-length", "2")), b"hi", None),
        ((("Content-Length", "0"),), b"", None),
        ((("Content-Length", "99"),), b"", (("Content-Length", "99"),)),
        ((("Transfer-Encoding", "chunked"),), b"hi", (("Transfer-Encoding", "chunked"),)),
        ((("content-encoding", "gzip"), ("content-length", "2")), b"no", (("content-encoding", "gzip"),)),
    ],
)
def test_a_length_that_can_be_computed_is_not_stored_and_comes_back_where_it_was(
    headers: Headers, data: bytes, kept: Headers | None
) -> None:
    head = b"POST / HTTP/1.1\r\n" + b"".join(f"{name}: {value}\r\n".encode() for name, value in headers) + b"\r\n"
    wire = b"2\r\nhi\r\n0\r\n\r\n" if ("Transfer-Encoding", "chunked") in headers else data
    length = 0 if ("Content-Length", "99") in headers else len(data)
    (each,) = read([(C, head + wire)]) if length or not data else []
    request = to_request(each)
    expected = kept if kept is not None else tuple((n, "auto" if n.lower() == "content-length" else v) for n, v in headers)
    assert request.headers == expected
    assert request_head_and_body(request) == (headers, data)


def test_a_response_keeps_what_a_reader_needs() -> None:
    response = to_response(read([GET, CHUNKED])[0])
    assert (response.status, response.reason, response.body.value) == (200, "Fine", "abc0123456789")
    assert to_response(read([GET, OK])[0]).reason == ""
