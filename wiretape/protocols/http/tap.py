"""One tap for HTTP in all its forms: HTTP/1.x, HTTP/2 from the start or by upgrade, WebSockets; told apart by the bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wiretape.errors import DecodeError
from wiretape.protocols.base import Side
from wiretape.protocols.http.building import Building
from wiretape.protocols.http.exchange import Exchange
from wiretape.protocols.http.h1 import Http1, Switched
from wiretape.protocols.http.h2 import Http2
from wiretape.protocols.http.h2frames import PREFACE
from wiretape.protocols.http.meaning import tunnelled
from wiretape.protocols.http.websocket import WebSocket, compression

_HELD = 256 * 1024


class HttpTap:
    """Watches both sides of one HTTP connection. Bodies over `max_body` bytes are cut, so memory is bounded."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._held: list[tuple[Side, bytes, float]] = []
        self._spoken: Http1 | Http2 | _Sockets | _Opaque | None = None
        self._origin = ""
        self._client_begins = self._server_begins = b""
        self._size = 0

    @property
    def idle(self) -> bool:
        """Whether no exchange is under way."""
        return not self._held if self._spoken is None else self._spoken.idle

    @property
    def endless(self) -> bool:
        """Whether a response has begun that may never end: an event stream, a WebSocket, another protocol."""
        return self._spoken is not None and self._spoken.endless

    def feed(self, side: Side, data: bytes, at: float) -> Iterator[Exchange]:
        """Exchanges that became whole with these bytes. Raises DecodeError on bytes that are not HTTP."""
        if self._spoken is not None:
            yield from self._feed(side, data, at)
            return
        self._held.append((side, data, at))
        self._size += len(data)
        if side is Side.CLIENT:
            self._client_begins += data[: len(PREFACE) - len(self._client_begins)]
        else:
            self._server_begins = self._server_begins or data[:1]
        self._spoken = self._recognise()
        if self._spoken is not None:
            held, self._held, self._size = self._held, [], 0
            self._client_begins = self._server_begins = b""
            for chunk in held:
                yield from self._feed(*chunk)

    def close(self, at: float) -> Iterator[Exchange]:
        """The connection ended: what may end with it is whole, anything else under way is incomplete."""
        if self._spoken is not None:
            for exchange in self._spoken.close(at):
                yield self._placed(exchange)

    def _placed(self, exchange: Exchange) -> Exchange:
        """An exchange that came through a tunnel, with the whole URL as its target."""
        if not self._origin or not exchange.target.startswith("/"):
            return exchange
        return replace(exchange, target=self._origin + exchange.target)

    def _recognise(self) -> Http1 | Http2 | None:
        """What is spoken, once that is certain: a server of HTTP/2 may speak before the client's preface."""
        client, server = self._client_begins, self._server_begins
        if client == PREFACE:
            return Http2(self._max_body)
        if client != PREFACE[: len(client)] or (server and server[0]):
            if self._origin and client and not client[:1].isalpha():
                raise DecodeError(f"what the tunnel to {self._origin} carries is not HTTP, or TLS that nobody took off", 0)
            return Http1(self._max_body)
        if self._size > _HELD:
            raise DecodeError("a server that speaks before its client", 0)
        return None

    def _feed(self, side: Side, data: bytes, at: float) -> Iterator[Exchange]:
        spoken = self._spoken
        assert spoken is not None
        for exchange in spoken.feed(side, data, at):
            yield self._placed(exchange)
        if isinstance(spoken, Http1) and spoken.switched is not None:
            yield from self._switch(spoken.switched, at)

    def _switch(self, to: Switched, at: float) -> Iterator[Exchange]:
        match to.protocol:
            case "websocket":
                self._spoken = _Sockets(to.building, self._max_body)
            case "h2c":
                self._spoken = Http2(self._max_body, to.building)
            case "" if not self._origin:
                yield to.building.freeze(self._max_body)
                self._spoken, self._origin = None, tunnelled(to.building.request.start[1])
            case _:
                self._spoken = _Opaque()
                yield to.building.freeze(self._max_body)
        for side, data in ((Side.CLIENT, to.client), (Side.SERVER, to.server)):
            if data:
                yield from self.feed(side, data, at)


class _Sockets:
    """A connection that became a WebSocket: one exchange, when both sides have said goodbye or the connection ends."""

    endless = True

    def __init__(self, building: Building, max_body: int) -> None:
        self._building: Building | None = building
        self._max_body = max_body
        self._socket = WebSocket(max_body, compression(building.response.headers))

    @property
    def idle(self) -> bool:
        return self._building is None

    def feed(self, side: Side, data: bytes, at: float) -> Iterator[Exchange]:
        if self._building is None or not data:
            return
        self._building.ended = at
        try:
            self._socket.feed(side, data, at)
        except DecodeError as error:
            yield from self._end(f"cannot read the WebSocket: {error}")
            raise
        if self._socket.over:
            yield from self._end(self._socket.problem)

    def close(self, at: float) -> Iterator[Exchange]:
        if self._building is not None:
            self._building.ended = at
            yield from self._end(self._socket.problem)

    def _end(self, problem: str) -> Iterator[Exchange]:
        building, self._building = self._building, None
        assert building is not None
        yield building.freeze(self._max_body, problem, messages=self._socket.messages)


class _Opaque:
    """A connection that went on in another protocol: nothing of it is looked at."""

    idle = endless = True

    def feed(self, side: Side, data: bytes, at: float) -> Iterator[Exchange]:  # noqa: ARG002
        yield from ()

    def close(self, at: float) -> Iterator[Exchange]:  # noqa: ARG002
        yield from ()
