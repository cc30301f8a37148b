"""Client and service see the same bytes, in the same way, with the recorder between them as without."""

from __future__ import annotations

import gzip
import os
import re
import socket
import struct
import threading
from collections.abc import Callable

import pytest

from recorder.capture import Kind
from recorder.gate import Gate

type Connect = Callable[[], socket.socket]
type Talk = Callable[[socket.socket], object]

CRLF = b"\r\n"
BIG = os.urandom(5 * 1024 * 1024)


def until(sock: socket.socket, end: bytes) -> bytes:
    data = b""
    while not data.endswith(end):
        part = sock.recv(65536)
        if not part:
            break
        data += part
    return data


def exactly(sock: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (part := sock.recv(65536)):
        data += part
    return bytes(data)


def everything(sock: socket.socket) -> bytes:
    data = bytearray()
    while part := sock.recv(65536):
        data += part
    return bytes(data)


def head(*lines: bytes) -> bytes:
    return CRLF.join((*lines, b"", b""))


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def one_exchange(request: bytes, response: bytes) -> tuple[Talk, Talk]:
    """The client sends, the server answers and closes."""

    def server(sock: socket.socket) -> object:
        seen = exactly(sock, len(request))
        sock.sendall(response)
        return seen

    def client(sock: socket.socket) -> object:
        sock.sendall(request)
        return everything(sock)

    return server, client


GET = head(b"GET /x HTTP/1.1", b"Host: a", b"X-Odd:  two  spaces ", b"x-odd: again")
CHUNKED = (
    head(b"POST / HTTP/1.1", b"Host: a", b"Transfer-Encoding: chunked", b"Trailer: X-Sum")
    + b"5;ext=1\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"
)
SIMPLE = {
    "chunked both ways with trailers": (
        CHUNKED,
        head(b"HTTP/1.1 200 OK", b"Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\nX-Sum: 2\r\n\r\n",
    ),
    "early hints": (GET, head(b"HTTP/1.1 103 Early Hints", b"Link: </a.css>") + head(b"HTTP/1.1 200 OK", b"Content-Length: 0")),
    "HEAD with a length": (head(b"HEAD / HTTP/1.1", b"Host: a"), head(b"HTTP/1.1 200 OK", b"Content-Length: 5000")),
    "204": (GET, head(b"HTTP/1.1 204 No Content")),
    "304": (GET, head(b"HTTP/1.1 304 Not Modified", b"ETag: x", b"Content-Length: 12")),
    "two Set-Cookie, odd case and reason": (
        GET,
        head(b"HTTP/1.1 299 As You Like It", b"sEt-CooKie: a=1", b"Set-Cookie: b=2", b"Content-Length: 0"),
    ),
    "until close": (GET, head(b"HTTP/1.0 200 OK") + b"tail without length"),
    "gzip": (GET, head(b"HTTP/1.1 200 OK", b"Content-Encoding: gzip") + gzip.compress(b"hello" * 100)),
    "5 MB both ways": (
        head(b"PUT / HTTP/1.1", b"Host: a", b"Content-Length: %d" % len(BIG)) + BIG,
        head(b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(BIG)) + BIG[::-1],
    ),
    "not HTTP at all": (b"\x00\xff garbage" * 10, b"\x01garbage back"),
}


def continue_100() -> tuple[Talk, Talk]:
    asks = head(b"POST / HTTP/1.1", b"Host: a", b"Expect: 100-continue", b"Content-Length: 4")

    def server(sock: socket.socket) -> object:
        seen = exactly(sock, len(asks))
        sock.sendall(head(b"HTTP/1.1 100 Continue"))
        seen += exactly(sock, 4)
        sock.sendall(head(b"HTTP/1.1 201 Created", b"Content-Length: 0"))
        return seen

    def client(sock: socket.socket) -> object:
        sock.sendall(asks)
        first = until(sock, CRLF + CRLF)
        sock.sendall(b"body")
        return first, everything(sock)

    return server, client


def pipelined() -> tuple[Talk, Talk]:
    def server(sock: socket.socket) -> object:
        seen = exactly(sock, 3 * len(GET))
        for number in range(3):
            sock.sendall(head(b"HTTP/1.1 200 OK", b"Content-Length: 1") + b"%d" % number)
        return seen

    def client(sock: socket.socket) -> object:
        sock.sendall(GET * 3)
        return everything(sock)

    return server, client


def events_arrive_before_the_end() -> tuple[Talk, Talk]:
    got = threading.Event()

    def server(sock: socket.socket) -> object:
        exactly(sock, len(GET))
        sock.sendall(head(b"HTTP/1.1 200 OK", b"Content-Type: text/event-stream") + b"data: 1\n\n")
        arrived = got.wait(10)
        got.clear()
        sock.sendall(b"data: 2\n\n")
        return arrived

    def client(sock: socket.socket) -> object:
        sock.sendall(GET)
        first = until(sock, b"data: 1\n\n")
        got.set()
        return first, everything(sock)

    return server, client


def half_close() -> tuple[Talk, Talk]:
    def server(sock: socket.socket) -> object:
        seen = everything(sock)
        sock.sendall(b"answer after your end")
        return seen

    def client(sock: socket.socket) -> object:
        sock.sendall(GET)
        sock.shutdown(socket.SHUT_WR)
        return everything(sock)

    return server, client


def server_closes_first_and_still_reads() -> tuple[Talk, Talk]:
    def server(sock: socket.socket) -> object:
        sock.sendall(b"bye")
        sock.shutdown(socket.SHUT_WR)
        return everything(sock)

    def client(sock: socket.socket) -> object:
        seen = everything(sock)
        sock.sendall(b"I still talk")
        return seen

    return server, client


def client_resets_in_upload() -> tuple[Talk, Talk]:
    start = head(b"POST / HTTP/1.1", b"Host: a", b"Content-Length: 100000") + b"x" * 1000
    read = threading.Event()

    def server(sock: socket.socket) -> object:
        seen = exactly(sock, len(start))
        read.set()
        try:
            return seen, everything(sock)
        except ConnectionResetError:
            return seen, "reset"

    def client(sock: socket.socket) -> object:
        sock.sendall(start)
        assert read.wait(10)
        read.clear()
        reset(sock)
        return None

    return server, client


def service_resets_in_response() -> tuple[Talk, Talk]:
    start = head(b"HTTP/1.1 200 OK", b"Content-Length: 1000") + b"some"
    read = threading.Event()

    def server(sock: socket.socket) -> object:
        exactly(sock, len(GET))
        sock.sendall(start)
        assert read.wait(10)
        read.clear()
        reset(sock)
        return None

    def client(sock: socket.socket) -> object:
        sock.sendall(GET)
        seen = exactly(sock, len(start))
        read.set()
        try:
            return seen, everything(sock)
        except ConnectionResetError:
            return seen, "reset"

    return server, client


def both_send_much_before_the_client_reads() -> tuple[Talk, Talk]:
    size = 30_000_000

    def server(sock: socket.socket) -> object:
        seen: list[int] = []
        reading = threading.Thread(target=lambda: seen.append(len(exactly(sock, size))))
        reading.start()
        sock.sendall(b"y" * size)
        reading.join()
        return seen

    def client(sock: socket.socket) -> object:
        sock.sendall(b"x" * size)
        return len(exactly(sock, size))

    return server, client


TALKS: dict[str, Callable[[], tuple[Talk, Talk]]] = {
    **{name: lambda pair=pair: one_exchange(*pair) for name, pair in SIMPLE.items()},  # type: ignore[misc]
    "100-continue": continue_100,
    "pipelined": pipelined,
    "server-sent events": events_arrive_before_the_end,
    "half-close": half_close,
    "server closes first": server_closes_first_and_still_reads,
    "both ways at once": both_send_much_before_the_client_reads,
    "client resets in its upload": client_resets_in_upload,
    "service resets in its response": service_resets_in_response,
}


# Where it is not one that begins.
EXCHANGES = {"pipelined": 3, "not HTTP at all": 0, "server closes first": 0, "both ways at once": 0}


def talk(client: Talk, port: int) -> object:
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        return client(sock)


class Untraced:
    """A service's end of a connection, without the lines that `--trace` adds."""

    ADDED = re.compile(rb"traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01\r\nx-request-id: [0-9a-f-]{36}\r\n")

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.added = 0

    def recv(self, size: int) -> bytes:
        data = self._sock.recv(size)
        while (at := data.rfind(b"traceparent: 00-")) >= 0 and not self.ADDED.search(data, at):
            data += self._sock.recv(1)
        data, count = self.ADDED.subn(b"", data)
        self.added += count
        return data

    def __getattr__(self, name: str) -> object:
        return getattr(self._sock, name)


# Only requests to the service wait for each other, or are given ids.
HOW = {
    "http": ("", {}),
    "serialized": ("", {"gate": Gate}),
    "database": ("other", {}),
    "traced": ("", {"trace": lambda: True}),
    "traced and serialized": ("", {"trace": lambda: True, "gate": Gate}),
}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("name", TALKS)
def test_same_as_without_us(name: str, how: str, recorded, serve, front) -> None:  # type: ignore[no-untyped-def]
    server, client = TALKS[name]()
    ends: list[Untraced] = []

    def untraced(sock: socket.socket) -> object:
        ends.append(Untraced(sock))
        return server(ends[-1])  # type: ignore[arg-type]

    port, direct = serve(untraced)
    without = talk(client, port)
    target, options = HOW[how]
    with recorded(front(port, target, **{option: make() for option, make in options.items()})) as recorder:
        between = talk(client, recorder.port())
    for _ in range(1000):
        if len(direct) == 2:
            break
        threading.Event().wait(0.01)
    assert between == without
    assert direct[0] == direct[1]
    assert recorder.said == []
    traces = [record for record in recorder.records() if record.kind == Kind.TRACE]
    assert len(traces) == ends[1].added == (EXCHANGES.get(name, 1) if "traced" in how else 0)


@pytest.mark.parametrize("trace", [False, True])
def test_every_byte_is_in_the_capture(trace: bool, recorded, serve, front) -> None:  # type: ignore[no-untyped-def]
    request, response = SIMPLE["5 MB both ways"]
    server, client = one_exchange(request, response)
    port, _ = serve(lambda sock: server(Untraced(sock)))  # type: ignore[arg-type]
    with recorded(front(port, trace=trace)) as recorder:
        talk(client, recorder.port())
    kinds = recorder.records()
    assert b"".join(record.data for record in kinds if record.kind == 0) == request
    assert b"".join(record.data for record in kinds if record.kind == 1) == response
    assert [record.at for record in kinds] == sorted(record.at for record in kinds)
    assert recorder.path.stat().st_mode & 0o777 == 0o600
