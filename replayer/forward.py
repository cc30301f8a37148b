"""The forward proxy among the mocks: where `HTTP_PROXY` pointed while recording, answered from the same targets."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

from replayer.book import Book
from replayer.mocks import MockConnection, Mocks
from wiretape.config import Address, Proxy, Target
from wiretape.errors import DecodeError, TargetError
from wiretape.forwarding import ESTABLISHED, Destination, Requests, refusal
from wiretape.options import LOOPBACK
from wiretape.protocols.base import Ask

_BAD_GATEWAY = (
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
)


class Forward:
    """Listens on `listen`; `address` is where it really does."""

    def __init__(self, listen: Address, targets: Mapping[str, Target], mocks: Mocks, book: Book) -> None:
        self.address = listen
        self._mocks, self._book = mocks, book
        self._names = {(at.host, at.port): name for name, target in targets.items() if (at := target.upstream) is not None}
        self._names |= {(at.host, at.port): name for name, at in mocks.addresses.items()}
        self._server: asyncio.Server | None = None
        self._connections: set[ForwardConnection] = set()

    async def start(self) -> None:
        """Listen. Raises TargetError."""
        at = self.address
        try:
            self._server = await asyncio.get_running_loop().create_server(self._connection, at.host, at.port)
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            reason = "is taken; stop what listens there" if taken else f"cannot be listened on: {error.strerror or error}"
            raise TargetError(f"the forward proxy: {at} {reason}, or change proxy.listen") from None
        self.address = replace(at, port=int(self._server.sockets[0].getsockname()[1]))

    def _connection(self) -> ForwardConnection:
        made = ForwardConnection(self)
        self._connections.add(made)
        return made

    def ended(self, connection: ForwardConnection) -> None:
        """The connection is over, or someone else's."""
        self._connections.discard(connection)

    def mock(self, where: Destination) -> MockConnection | str:
        """The mock of a host; the reason where there is none, which is a miss."""
        name = self._names.get((where.host, where.port))
        if name is not None:
            return self._mocks.connection(name)
        operation = f"{'CONNECT' if where.tunnel else 'HTTP to'} {where.host}:{where.port}"
        self._book.answers().take(Ask(target=where.host, operation=operation, shape=operation))
        return f"nothing was recorded of {where.host}:{where.port}"

    async def stop(self) -> None:
        """Hang up on everyone and stop listening. Safe to call again."""
        if self._server is not None:
            self._server.close()
            for connection in list(self._connections):
                connection.close()
            await self._server.wait_closed()
            self._server = None


class ForwardConnection(asyncio.Protocol):
    """One client of the proxy."""

    def __init__(self, forward: Forward) -> None:
        self._forward = forward
        self._requests = Requests()
        self._where: Destination | None = None
        self._mock: MockConnection | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave(exc)
        self._transport = None
        self._forward.ended(self)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def pause_writing(self) -> None:
        if self._mock is not None:
            self._mock.pause_writing()

    def resume_writing(self) -> None:
        if self._mock is not None:
            self._mock.resume_writing()

    def data_received(self, data: bytes) -> None:
        try:
            for where, piece in self._requests.feed(data):
                if where is not None and where != self._where:
                    self._go(where)
                if self._mock is not None and piece:
                    self._mock.data_received(piece)
        except DecodeError as error:
            self._leave(None)
            self._say(refusal(error))

    def _go(self, where: Destination) -> None:
        """To another host than before."""
        self._leave(None)
        found = self._forward.mock(where)
        if self._transport is None or self._transport.is_closing():
            return
        if isinstance(found, str):
            body = f"wiretape: {found}\n".encode()
            self._say(_BAD_GATEWAY % len(body) + body)
            return
        if where.tunnel:
            self._transport.write(ESTABLISHED)
        self._where, self._mock = where, found
        found.connection_made(self._transport)

    def _leave(self, exc: Exception | None) -> None:
        mock, self._mock, self._where = self._mock, None, None
        if mock is not None:
            mock.connection_lost(exc)

    def _say(self, last: bytes) -> None:
        if self._transport is not None:
            self._transport.write(last)
            self._transport.close()


async def proxy(config: Proxy | None, targets: Mapping[str, Target], mocks: Mocks, book: Book) -> Forward | None:
    """The forward proxy, listening, where one is configured or was when the suite was recorded. Raises TargetError."""
    if config is None and not any(target.via == "proxy" for target in targets.values()):
        return None
    made = Forward(config.listen if config else Address(host=LOOPBACK, port=0), targets, mocks, book)
    await made.start()
    return made


def surroundings(
    home: Path, targets: Mapping[str, Target], mocks: Mocks, forward: Forward | None, environ: Mapping[str, str]
) -> Mapping[str, str]:
    """Variables by which a service comes through our proxy and trusts our certificates, where it needs to."""
    if forward is None and not any(target.protocol == "http" and mocks.takes_tls(name) for name, target in targets.items()):
        return {}
    from wiretape.ca import ensure_ca  # cryptography takes a while to import, and few runs need it
    from wiretape.trust import proxied, trusting

    told = trusting(ensure_ca(home), environ)
    return told if forward is None else {**told, **proxied(forward.address, mocks.addresses.values(), environ)}
