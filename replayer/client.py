"""Sends recorded requests byte for byte and reads the answers with the very tap that read the recording.

Not on httpx: its h11 moves Host to the front and rewrites transfer-encoding, so what it sends is not what was recorded.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import cast

from replayer.received import Received
from wiretape.case import Request
from wiretape.config import Address
from wiretape.errors import DecodeError, TargetError
from wiretape.protocols.base import Side
from wiretape.protocols.http import Exchange, HttpTap, request_head_and_body

MAX_BODY = 256 * 1024 * 1024


class NoAnswer(TargetError):
    """The service gave no whole answer. `unheard`: a kept-alive connection had been closed before it took anything, so the
    request may be sent again."""

    def __init__(self, reason: str, *, unheard: bool = False) -> None:
        self.unheard = unheard
        super().__init__(reason)


def wire_bytes(request: Request) -> bytes:
    """What is sent: the request as it was recorded. Raises EncodeError where its body cannot be written."""
    headers, body = request_head_and_body(request)
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    codings = [value for name, value in headers if name.lower() == "transfer-encoding"]
    if codings and codings[-1].rpartition(",")[2].strip().lower() == "chunked":
        body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
    return "\r\n".join(lines).encode("latin-1", errors="surrogateescape") + body


class Client:
    """Sends one request at a time, over one connection for as long as both sides keep it open. Times in seconds."""

    def __init__(self, address: Address, *, tls: bool = False, limit: float = 30.0) -> None:
        self._address, self._limit = address, limit
        self._tls = _context(address) if tls else None
        self._connection: _Connection | None = None

    async def send(self, request: Request) -> Received:
        """The answer. Raises NoAnswer where none comes, or not all of it, within the limit."""
        data = wire_bytes(request)
        reused = self._connection is not None and self._connection.usable
        try:
            return await asyncio.wait_for(self._exchange(data), self._limit)
        except TimeoutError:
            self.close()
            raise NoAnswer(f"no answer from {self._address} within {self._limit:g} s (--timeout)") from None
        except _Cut as cut:
            self.close()
            raise NoAnswer(str(cut), unheard=reused and cut.silent) from None

    async def _exchange(self, data: bytes) -> Received:
        if self._connection is None or not self._connection.usable:
            self._connection = await self._connect()
        exchange = await self._connection.exchange(data)
        return Received(
            status=exchange.status,
            reason=exchange.reason,
            headers=exchange.response_headers,
            body=exchange.response_body,
            trailers=exchange.response_trailers,
        )

    async def _connect(self) -> _Connection:
        self.close()
        host, port = self._address.host, self._address.port
        name = host if self._tls else None
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                _Connection, host, port, ssl=self._tls, server_hostname=name
            )
        except OSError as error:
            reason = error.strerror or error
            raise NoAnswer(f"cannot connect to the service at {self._address}: {reason}") from None
        return connection

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.abort()
            self._connection = None


class _Cut(Exception):
    """The connection ended before the answer did. `silent`: before a single byte of it."""

    def __init__(self, reason: str, *, silent: bool) -> None:
        self.silent = silent
        super().__init__(reason)


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._tap = HttpTap(MAX_BODY)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Exchange] | None = None
        self._received = 0
        self._ending = False

    @property
    def usable(self) -> bool:
        """Whether another request can be sent."""
        return self._transport is not None and not self._transport.is_closing() and not self._ending

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def exchange(self, data: bytes) -> asyncio.Future[Exchange]:
        """Send a request; its exchange when that is whole."""
        assert self._transport is not None
        self._received = 0
        self._answer = asyncio.get_running_loop().create_future()
        self._feed(Side.CLIENT, data)
        self._transport.write(data)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        self._feed(Side.SERVER, data)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._ending = True
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

    def _take(self, exchanges: list[Exchange], otherwise: str) -> None:
        assert self._answer is not None or not exchanges
        for exchange in exchanges:
            if exchange.incomplete:
                self._fail(f"the answer is not whole: {exchange.incomplete}", silent=not self._received)
            elif self._answer is not None and not self._answer.done():
                self._ending = self._ending or _says_close(exchange)
                self._answer.set_result(exchange)
        if otherwise and self._waiting:
            self._fail(otherwise, silent=not self._received)

    def _fail(self, reason: str, *, silent: bool) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(_Cut(reason, silent=silent))

    def abort(self) -> None:
        self._ending = True
        if self._transport is not None:
            self._transport.abort()


def _says_close(exchange: Exchange) -> bool:
    both = (*exchange.request_headers, *exchange.response_headers)
    return any(name.lower() == "connection" and "close" in value.lower() for name, value in both) or exchange.status == 101


def _context(address: Address) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if address.host in ("localhost", "::1") or address.host.startswith("127."):  # certificates of developers name anything
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
