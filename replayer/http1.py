"""HTTP/1.1 to the service: requests byte for byte as recorded, answers read with the very tap that read the recording."""

from __future__ import annotations

import asyncio
import time
from typing import cast

from replayer.answers import MAX_BODY, Cut, Expected
from wiretape.body import header
from wiretape.case import Request
from wiretape.errors import DecodeError
from wiretape.protocols.base import Side
from wiretape.protocols.http import Exchange, request_head_and_body
from wiretape.protocols.http.h1 import Http1, Switched

_CONTINUE = b"HTTP/1.1 100"
_PATIENCE = 1.0  # seconds: a server that knows no `100 Continue` gets the body all the same (RFC 9110 section 10.1.1)


def wire_bytes(request: Request) -> bytes:
    """What is sent: the request as it was recorded. Raises EncodeError where its body cannot be written."""
    return b"".join(_head_and_body(request))


def _head_and_body(request: Request) -> tuple[bytes, bytes]:
    headers, body = request_head_and_body(request)
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    codings = [value for name, value in headers if name.lower() == "transfer-encoding"]
    if codings and codings[-1].rpartition(",")[2].strip().lower() == "chunked":
        trailers = "".join(f"{name}: {value}\r\n" for name, value in request.trailers)
        body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n" + _encoded(trailers) + b"\r\n"
    return _encoded("\r\n".join(lines)), body


def _encoded(text: str) -> bytes:
    return text.encode("latin-1", errors="surrogateescape")


class Http1Connection(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self) -> None:
        self._tap = Http1(MAX_BODY)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Exchange | Switched] | None = None
        self._expected = Expected()
        self._held = b""
        self._held_until: asyncio.TimerHandle | None = None
        self._received = 0
        self._ending = False
        self._over = asyncio.Event()

    @property
    def usable(self) -> bool:
        """Whether another request can be sent."""
        return self._transport is not None and not self._transport.is_closing() and not self._ending

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def exchange(self, request: Request, expected: Expected) -> asyncio.Future[Exchange | Switched]:
        """Send a request; its exchange when that is whole, or the protocol that the connection goes on in.

        Raises EncodeError where its body cannot be written.
        """
        assert self._transport is not None
        head, body = _head_and_body(request)
        self._received = 0
        self._expected = expected
        self._answer = asyncio.get_running_loop().create_future()
        self._feed(Side.CLIENT, head + body)
        if body and header(request.headers, "expect").lower() == "100-continue":
            self._held = body
            self._held_until = asyncio.get_running_loop().call_later(_PATIENCE, self._release)
            body = b""
        self._transport.write(head + body)
        return self._answer

    def _release(self) -> None:
        held, self._held = self._held, b""
        if held and self._transport is not None and self._waiting:
            self._transport.write(held)
        if self._held_until is not None:
            self._held_until.cancel()

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._held and data.startswith(_CONTINUE):
            self._release()
        self._feed(Side.SERVER, data)
        part = self._tap.answering if self._waiting and self._expected.pieces else None
        if part is not None and self._expected.is_there(bytes(part.body), part.headers):
            self._take(list(self._tap.close(time.time())), "")
            self.abort()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._ending = True
        self._over.set()
        if self._waiting:
            self._take(list(self._tap.close(time.time())), str(exc or "the service closed the connection without an answer"))

    @property
    def _waiting(self) -> bool:
        return self._answer is not None and not self._answer.done()

    def _feed(self, side: Side, data: bytes) -> None:
        try:
            self._take(list(self._tap.feed(side, data, time.time())), "")
        except DecodeError as error:
            self.abort()
            if self._waiting:
                self._fail(f"what the service answered is not HTTP/1.1: {error}", silent=False)
        if self._tap.switched is not None and self._answer is not None and not self._answer.done():
            self._ending = True
            self._answer.set_result(self._tap.switched)

    def _take(self, exchanges: list[Exchange], otherwise: str) -> None:
        assert self._answer is not None or not exchanges
        for exchange in exchanges:
            if exchange.incomplete:
                self._fail(f"the answer is not whole: {exchange.incomplete}", silent=not self._received)
            elif self._answer is not None and not self._answer.done():
                self._ending = self._ending or _says_close(exchange) or bool(self._held)
                self._answer.set_result(exchange)
        if otherwise and self._waiting:
            self._fail(otherwise, silent=not self._received)

    def _fail(self, reason: str, *, silent: bool) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Cut(reason, silent=silent))

    def give_up(self) -> Exchange | None:
        """The answer as far as it came, where it is of a kind that often never ends; the connection is closed."""
        found = next((each for each in self._tap.close(time.time()) if each.unfinished), None)
        self.abort()
        return found

    def abort(self) -> None:
        """Hang up."""
        self._ending = True
        if self._held_until is not None:
            self._held_until.cancel()
        if self._transport is not None:
            self._transport.abort()

    def take_over(self, protocol: asyncio.Protocol) -> asyncio.Transport:
        """The transport, whose bytes go to another protocol from here on."""
        assert self._transport is not None
        self._transport.set_protocol(protocol)
        return self._transport


def _says_close(exchange: Exchange) -> bool:
    both = (*exchange.request_headers, *exchange.response_headers)
    return any(name.lower() == "connection" and "close" in value.lower() for name, value in both) or exchange.status == 101
