"""Sends recorded requests as they were recorded, over the protocol they were recorded on, and reads the answers.

Not on httpx: its h11 moves Host to the front and rewrites transfer-encoding, so what it sends is not what was recorded.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from replayer.answers import AS_RECORDED, WHOLE, Cut, Expected, NoAnswer, Talk
from replayer.http1 import Http1Connection, wire_bytes
from replayer.http2 import Http2Connection
from replayer.received import Received
from replayer.sockets import Conversation, with_fresh_key
from wiretape.body import header
from wiretape.case import Request
from wiretape.config import Address
from wiretape.protocols.http import Exchange
from wiretape.protocols.http.h1 import Switched

__all__ = ["Client", "Expected", "NoAnswer", "wire_bytes"]

type _Connection = Http1Connection | Http2Connection
_H2, _H1 = "h2", "http/1.1"


class Client:
    """Sends one request at a time, over one connection of each version for as long as both sides keep it open. Times in
    seconds."""

    def __init__(self, address: Address, *, tls: bool = False, limit: float = 30.0) -> None:
        self._address, self._limit, self._tls = address, limit, tls
        self._connections: dict[str, _Connection] = {}

    async def send(self, request: Request, expected: Expected = WHOLE, talk: Talk = AS_RECORDED) -> Received:
        """The answer. Raises NoAnswer where none comes, or not all of it, within the limit; EncodeError."""
        name = _H2 if request.version == "2" else _H1
        kept = self._connections.get(name)
        reused = kept is not None and kept.usable
        try:
            async with asyncio.timeout(self._limit):
                answer = await self._answer(name, request, expected)
        except TimeoutError:
            return self._late(name)
        except Cut as cut:
            self.close()
            raise NoAnswer(str(cut), unheard=reused and cut.silent) from None
        if isinstance(answer, Switched):
            return await self._converse(answer, expected, talk)
        return answer

    async def _answer(self, name: str, request: Request, expected: Expected) -> Received | Switched:
        connection = self._connections.get(name)
        if connection is None or not connection.usable:
            connection = await self._connect(name)
        if isinstance(connection, Http2Connection):
            return await connection.exchange(request, expected)
        upgrades = "websocket" in header(request.headers, "upgrade").lower()
        answer = await connection.exchange(with_fresh_key(request) if upgrades else request, expected)
        return _received(answer) if isinstance(answer, Exchange) else answer

    def _late(self, name: str) -> Received:
        """A stream that stays below what was recorded of it is what came of it; any other answer is none."""
        connection = self._connections.get(name)
        came = connection.give_up() if connection is not None else None
        self.close()
        if came is None:
            raise NoAnswer(f"no answer from {self._address} within {self._limit:g} s (--timeout)") from None
        return _received(came) if isinstance(came, Exchange) else came

    async def _converse(self, begun: Switched, expected: Expected, talk: Talk) -> Received:
        connection = self._connections.pop(_H1)
        response = begun.building.response
        _, status, reason = response.start
        answer = {"status": int(status), "reason": reason, "headers": response.headers}
        if begun.protocol != "websocket" or not isinstance(connection, Http1Connection):
            connection.abort()
            return Received(**answer)  # type: ignore[arg-type]  # as they were read
        conversation = Conversation(begun)
        conversation.start(connection.take_over(conversation), begun.server)
        try:
            await conversation.play(expected.messages, talk, self._limit)
        finally:
            connection.abort()
        return Received(**answer, messages=tuple(conversation.came))  # type: ignore[arg-type]  # as they were read

    async def _connect(self, name: str) -> _Connection:
        self.close()
        host, port = self._address.host, self._address.port
        context = _context(self._address, name) if self._tls else None
        try:
            transport, connection = await asyncio.get_running_loop().create_connection(
                self._factory(name), host, port, ssl=context, server_hostname=host if self._tls else None
            )
        except ssl.SSLError as error:
            raise NoAnswer(f"no TLS with the service at {self._address}: {error.reason or error}") from None
        except OSError as error:
            reason = error.strerror or error
            raise NoAnswer(f"cannot connect to the service at {self._address}: {reason}") from None
        tls = transport.get_extra_info("ssl_object")
        if name == _H2 and tls is not None and tls.selected_alpn_protocol() != _H2:
            connection.abort()
            raise NoAnswer(f"the service at {self._address} does not speak HTTP/2, as it did when this case was recorded")
        self._connections[name] = connection
        return connection

    def _factory(self, name: str) -> Callable[[], _Connection]:
        if name == _H1:
            return Http1Connection
        return lambda: Http2Connection("https" if self._tls else "http", str(self._address))

    def close(self) -> None:
        """Hang up."""
        for connection in self._connections.values():
            connection.abort()
        self._connections.clear()


def _received(exchange: Exchange) -> Received:
    return Received(
        status=exchange.status,
        reason=exchange.reason,
        headers=exchange.response_headers,
        body=exchange.response_body,
        trailers=exchange.response_trailers,
    )


def _context(address: Address, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if address.host in ("localhost", "::1") or address.host.startswith("127."):  # certificates of developers name anything
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([name])
    return context
