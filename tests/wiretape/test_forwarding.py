"""What clients say to a forward proxy."""

from __future__ import annotations

import pytest

from wiretape.errors import DecodeError
from wiretape.forwarding import Destination, Hosts, Requests, refusal

GET = b"GET http://api.example.com/a?b=c HTTP/1.1\r\nHost: api.example.com\r\nProxy-Connection: keep-alive\r\nX: 1\r\n\r\n"
POST = b"POST http://[::1]:8080 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"PUT http://x/y HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"


def told(*parts: bytes) -> list[tuple[Destination, bytes]]:
    """The requests that come out, each with all of its bytes."""
    requests = Requests()
    out: list[tuple[Destination, bytes]] = []
    for part in parts:
        for where, data in requests.feed(part):
            if where is not None:
                out.append((where, data))
            else:
                out[-1] = (out[-1][0], out[-1][1] + data)
    return out


EXPECTED = [
    (Destination(host="api.example.com", port=80), b"GET /a?b=c HTTP/1.1\r\nHost: api.example.com\r\nX: 1\r\n\r\n"),
    (Destination(host="::1", port=8080), b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"),
    (Destination(host="x", port=80), b"PUT /y HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
]


def test_requests_of_one_connection_go_where_they_say() -> None:
    stream = GET + POST + CHUNKED
    assert told(stream) == EXPECTED
    assert told(*(stream[at : at + 1] for at in range(len(stream)))) == EXPECTED


def test_connect_makes_a_tunnel() -> None:
    stream = b"CONNECT API.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n\x16\x03GET http://not HTTP"
    assert told(stream) == [(Destination(host="api.example.com", port=443, tunnel=True), b"\x16\x03GET http://not HTTP")]
    assert told(stream[:60], stream[60:])[0][1] == b"\x16\x03GET http://not HTTP"


def test_after_an_upgrade_all_bytes_pass() -> None:
    stream = b"GET http://x/ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\x85frame"
    assert told(stream)[0][1].endswith(b"\r\n\r\n\x81\x85frame")


@pytest.mark.parametrize(
    "line", [b"GET / HTTP/1.1", b"GET https://x/ HTTP/1.1", b"CONNECT x HTTP/1.1", b"CONNECT x:99999 HTTP/1.1", b"\x16\x03\x01"]
)
def test_what_is_no_request_to_a_proxy(line: bytes) -> None:
    with pytest.raises(DecodeError) as error:
        told(line + b"\r\n\r\n")
    answer = refusal(error.value)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b"\n")


def called(*parts: bytes) -> bytes:
    hosts = Hosts("api.example.com")
    return b"".join(map(hosts.feed, parts))


def test_the_host_of_each_request_is_the_one_meant() -> None:
    one = b"POST /a HTTP/1.1\r\nhost: 127.0.0.1:9\r\nX-Host: me\r\nContent-Length: 9\r\n\r\nHost: me\n"
    two = b"GET /b HTTP/1.1\r\nHost: localhost\r\n\r\n"
    wanted = one.replace(b"127.0.0.1:9", b"api.example.com") + two.replace(b"localhost", b"api.example.com")
    assert called(one + two) == wanted
    assert called(*((one + two)[at : at + 1] for at in range(len(one + two)))) == wanted


@pytest.mark.parametrize(
    "data", [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4", b"\x16\x03\x01garbage\r\n\r\n", b"no HTTP at all\r\n\r\nHost: x\r\n"]
)
def test_what_is_no_http_1_passes_as_it_is(data: bytes) -> None:
    assert called(data, b"more") == data + b"more"
