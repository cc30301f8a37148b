"""The mocks: one listener for each target, one responder for each connection, all of them answering from the book."""

from __future__ import annotations

import asyncio
import errno
import functools
import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

from replayer.book import Book, Desk
from replayer.passthrough import Passthrough
from replayer.scope import Expected
from replayer.tls import CLIENT_HELLO, TlsServer, context, offered
from wiretape.case import Call
from wiretape.config import Address, Target
from wiretape.errors import TargetError
from wiretape.protocols.base import Codec, Miss, Responder
from wiretape.tree import Tree
from wiretape.unixsockets import free, remove

_SLICE = 4096  # bytes of questions answered before looking whether the client still takes answers


class Mocks:
    """Listens where the recorder listened, or where the service is told to look (`addresses`)."""

    def __init__(
        self,
        targets: Mapping[str, Target],
        facts: Mapping[str, Mapping[str, Tree]],
        codecs: Mapping[str, Codec],
        book: Book,
        home: Path,
        span: tuple[float, float] | None = None,
    ) -> None:
        self._targets, self._facts, self._codecs, self._book, self._home = targets, facts, codecs, book, home
        self._span = span  # of the moments the service will see, where its time is frozen
        self._servers: list[asyncio.Server] = []
        self._contexts: dict[str, Callable[[], ssl.SSLContext]] = {}
        self._connections: dict[MockConnection, None] = {}  # in the order in which they came
        self._delivery: asyncio.Handle | None = None
        book.on_progress = self._progress
        self.addresses: dict[str, Address] = {}

    async def start(self) -> None:
        """Listen on every target's address; those that were found behind a forward proxy have none. Raises TargetError where
        one is taken; then nothing listens."""
        if any(map(self.takes_tls, self._targets)):
            from wiretape.ca import covering, ensure_ca  # cryptography takes a while to import, and few runs need it

            covering(ensure_ca(self._home), self._span)  # a service may read it as it starts, before any connection needs it
        try:
            for target in self._targets.values():
                if target.via != "proxy":
                    await self._listen(target)
        except BaseException:
            await self.stop()
            raise

    async def _listen(self, target: Target) -> None:
        at = target.listen
        connect = functools.partial(self.connection, target.name)
        try:
            if at.path:
                self._servers.append(await listen_unix(connect, Path(at.path)))
                self.addresses[target.name] = at
                return
            server = await asyncio.get_running_loop().create_server(connect, at.host, at.port, backlog=1024)
        except OSError as error:
            raise TargetError(_cannot_listen(target, error)) from None
        self._servers.append(server)
        self.addresses[target.name] = replace(at, port=int(server.sockets[0].getsockname()[1]))

    def _tls(self, target: Target) -> Callable[[], ssl.SSLContext]:
        """Made at the first connection that needs it, once for each target."""
        if target.name not in self._contexts:
            spoken = offered(target.protocol, self._facts.get(target.name, {}))
            hosts = (target.listen.host, "localhost", "127.0.0.1", *([target.upstream.host] if target.upstream else []))
            self._contexts[target.name] = functools.cache(
                lambda: context(self._home, target.certificate, hosts, spoken, self._span)
            )
        return self._contexts[target.name]

    def takes_tls(self, name: str) -> bool:
        """Whether the service spoke, or is to speak, TLS to a target."""
        return self._targets[name].secure or self._facts.get(name, {}).get("tls") is True

    def connection(self, name: str) -> MockConnection:
        """A new connection to target `name`, whoever brings its transport."""
        target, codec = self._targets[name], self._codecs[name]
        desk = self._book.answers()
        responder = codec.responder(self._told(target), desk, target.name)
        connection = MockConnection(target, codec, responder, self._tls(target), desk)
        connection.on_progress, connection.on_end = self._progress, self._ended
        self._connections[connection] = None
        return connection

    def _told(self, target: Target) -> Mapping[str, Tree]:
        """The facts, with what only this run knows: `address`, where clients find the mock, and the `password` they check."""
        here: dict[str, Tree] = {"address": str(self.addresses.get(target.name, target.listen))}
        return {**self._facts.get(target.name, {}), **here, **({"password": target.password} if target.password else {})}

    def _ended(self, connection: MockConnection) -> None:
        self._connections.pop(connection, None)

    def _progress(self) -> None:
        """Soon, see what is due to be delivered: not now, in the middle of an answer."""
        if self._delivery is None:
            self._delivery = asyncio.get_running_loop().call_soon(self._deliver)

    def _deliver(self) -> None:
        self._delivery = None
        for connection in list(self._connections):
            connection.take_turn()
        for entry in self._book.due():
            listeners = [one for one in self._connections if one.target.name == entry.ask.target]
            # A message recorded once for each of two subscribers goes to both, not twice to the first.
            for connection in sorted(listeners, key=lambda one: one.heard(entry)):
                if connection.take_push(entry):
                    break

    async def stop(self) -> None:
        """Hang up on everyone and stop listening. Safe to call again."""
        if self._delivery is not None:
            self._delivery.cancel()
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.close()
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()
        for at in self.addresses.values():
            if at.path:
                remove(at.path)


async def listen_unix(connect: Callable[[], asyncio.Protocol], path: Path) -> asyncio.Server:
    """A server on a Unix socket. Raises OSError where somebody listens there."""
    free(path)
    return await asyncio.get_running_loop().create_unix_server(connect, path, backlog=1024)


def _cannot_listen(target: Target, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        reason = f"is taken; stop what listens there (a recorder, the real server?) or change targets.{target.name}.listen"
    else:
        reason = f"cannot be listened on: {error.strerror or error}; change targets.{target.name}.listen"
    return f"target {target.name}: {target.listen} {reason}"


class MockConnection(asyncio.Protocol):
    """One client of a mock. While an answer comes from the real server, or the client does not read, it is not read from."""

    def __init__(
        self,
        target: Target,
        codec: Codec,
        responder: Responder,
        tls: Callable[[], ssl.SSLContext],
        desk: Desk,
    ) -> None:
        self.target, self._codec, self._responder, self._context, self._desk = target, codec, responder, tls, desk
        self.on_progress: Callable[[], None] = lambda: None
        self.on_end: Callable[[MockConnection], None] = lambda _: None
        self._transport: asyncio.Transport | None = None
        self._tls: TlsServer | None = None
        self._passthrough: Passthrough | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pause: float | None = None
        self._pushed: Counter[str] = Counter()
        self._held = bytearray()
        self._fresh = True
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if greeting := self._responder.greet():
            self._send(greeting)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        if self._passthrough is not None:
            self._passthrough.close()
        if self._timer is not None:
            self._timer.cancel()
        self._transport = None
        self._desk.leave()
        self.on_end(self)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def pause_writing(self) -> None:
        self._full = True
        self._throttle()

    def resume_writing(self) -> None:
        self._full = False
        self._go_on()
        self._throttle()

    def data_received(self, data: bytes) -> None:
        if self._fresh:
            self._fresh = False
            if data.startswith(CLIENT_HELLO):
                self._tls = TlsServer(self._context())
        if len(data) <= _SLICE and not (self._tls or self._held or self._full or self._responder.waiting):
            self._answer(self._responder.receive(data))  # nearly always
            return
        if self._tls is None:
            self._held += data
            self._go_on()
        else:
            self._decrypt(data)

    def _decrypt(self, data: bytes) -> None:
        assert self._tls is not None
        try:
            self._held += self._tls.receive(data)
        except ssl.SSLError:
            self._send(b"")
            self._hang_up()
            return
        self._go_on()
        if self._tls.ended:
            self._hang_up()

    def take_turn(self) -> None:
        """Answer the ask that blocks, if there is one and its turn has come."""
        ask = self._responder.waiting
        if ask is not None and ask.blocks is not None and (call := self._desk.turn(ask)) is not None:
            self._resume(call)

    def take_push(self, entry: Expected) -> bool:
        """Deliver a push; False if this client has not asked for it, or is going."""
        if self._transport is None or self._transport.is_closing() or not self._desk.push(entry, self._push):
            return False
        self._pushed[entry.ask.operation] += 1
        return True

    def heard(self, entry: Expected) -> int:
        """How many pushes of this operation it has taken."""
        return self._pushed[entry.ask.operation]

    def _push(self, call: Call) -> bool:
        data = self._responder.push(call)
        if data is not None:
            self._answer(data)
        return data is not None

    def _go_on(self) -> None:
        """Answer what was asked, a slice at a time, for as long as the client takes the answers."""
        self._send(b"")
        while self._held and not self._full and self._responder.waiting is None and self._transport is not None:
            piece = bytes(self._held[:_SLICE])
            del self._held[:_SLICE]
            self._answer(self._responder.receive(piece))

    def _answer(self, reply: bytes) -> None:
        self._send(reply)
        if self._responder.upgrade:
            self._tls = TlsServer(self._context())
            # What came unencrypted is not taken for what comes encrypted: all of it is the client's handshake.
            early = self._responder.upgraded() + bytes(self._held)
            self._held.clear()
            self._decrypt(early)
        if self._responder.closed:
            self._hang_up()
        elif (ask := self._responder.waiting) is not None and ask.blocks is None:
            self._ask_upstream()
        elif self._desk.pushes:
            self.on_progress()  # it may have subscribed just now
        if self._responder.pause != self._pause:
            self._set_timer()

    def _set_timer(self) -> None:
        """Have the responder ticked when its pause is over."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._pause = None, self._responder.pause
        if self._pause is not None:
            self._timer = asyncio.get_running_loop().call_later(self._pause, self._tick)

    def _tick(self) -> None:
        self._timer = self._pause = None
        self._answer(self._responder.tick())
        self._go_on()

    def _ask_upstream(self) -> None:
        if self._passthrough is None:
            self._passthrough = Passthrough(self.target, self._codec, self._resume)
        ask = self._responder.waiting
        assert ask is not None
        self._throttle()
        self._passthrough.put(ask)

    def _resume(self, answer: Call | Miss) -> None:
        if self._transport is None:
            return
        self._answer(self._responder.resume(answer))
        self._go_on()
        self._throttle()

    def _send(self, plain: bytes) -> None:
        if self._transport is None:
            return
        if self._tls is None:
            if plain:
                self._transport.write(plain)
            return
        self._tls.send(plain)
        if data := self._tls.pending():
            self._transport.write(data)

    def _hang_up(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _throttle(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        ask = self._responder.waiting
        if self._full or (ask is not None and ask.blocks is None):  # one who lets us wait may still hang up
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
