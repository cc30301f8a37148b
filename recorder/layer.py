"""The mitmproxy layers of the recorder: bytes pass both ways untouched, and a copy of each chunk goes to the capture.

No hook runs per message (a hook costs ten times what the relay does), so `Relay` takes events directly and answers with plain
tuples of commands instead of generators. What TCP tells beside the bytes passes too: half-closes, and resets as resets.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import struct
from collections.abc import Callable, Iterable

from mitmproxy import connection
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.server import ConnectionHandler

from recorder.capture import SERVER_CLOSED, SERVER_RESET, Kind
from recorder.wire import Wire

type Commands = Iterable[commands.Command]
type Handlers = Callable[[connection.Client], ConnectionHandler | None]

_ERRNO = re.compile(r"\[Errno (\d+)\]")
_RESET = struct.pack("ii", 1, 0)


class Cut(events.ConnectionClosed):
    """A side has ended without TLS's own goodbye: for the other side it must look the same."""


class Abrupt(commands.CloseTcpConnection):
    """Close without TLS's own goodbye."""


class Relay(layer.Layer):
    """Both connections are open: pass on what comes. `handlers` finds the transports, to see and to cause resets."""

    def __init__(self, ctx: context.Context, wire: Wire, handlers: Handlers, server: connection.Server | None = None) -> None:
        super().__init__(ctx)
        self.wire = wire
        self.client = ctx.client
        self.server = server or ctx.server
        self.handlers = handlers
        self.done = False
        self._abrupt = False

    def handle_event(self, event: events.Event) -> Commands:  # type: ignore[override]  # any iterable serves, and a tuple is fast
        if type(event) is events.DataReceived:
            if event.connection is self.client:
                return self.from_client(event.data)
            return self.from_server(event.data) if event.connection is self.server else ()
        if isinstance(event, events.ConnectionClosed) and (event.connection is self.client or event.connection is self.server):
            self._abrupt = isinstance(event, Cut)
            return self.closed(event.connection)
        return ()

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        yield from self.handle_event(event)

    def from_client(self, data: bytes) -> Commands:
        """The client sent `data`."""
        self.wire.client(data)
        return (commands.SendData(self.server, data),)

    def from_server(self, data: bytes) -> Commands:
        """The server sent `data`."""
        self.wire.server(data)
        return (commands.SendData(self.client, data),)

    def closed(self, ended: connection.Connection) -> Commands:
        """One side has ended: the other hears it in the same way, as a half-close or as a reset."""
        if self.done:
            return ()
        other = self.server if ended is self.client else self.client
        broken = was_reset(self.handlers(self.client), ended)
        if ended is self.server and self.client.state & ConnectionState.CAN_READ:
            self.wire.note(Kind.MARK, SERVER_RESET if broken else SERVER_CLOSED)
        if broken:
            self.finish()
            reset(self.handlers(self.client), other)
            return _close(Abrupt, other, ended)
        how = Abrupt if self._abrupt else commands.CloseTcpConnection
        if self.client.state & ConnectionState.CAN_READ or self.server.state & ConnectionState.CAN_READ:
            return (how(other, half_close=True),)
        self.finish()
        return _close(how, self.server, self.client)

    def finish(self) -> None:
        """Nothing more will pass."""
        self.done = True
        self.wire.close()


def unusable(wire: Wire, message: str) -> str:
    """Say once that the upstream cannot be used; nothing of the connection is recorded. The line with the listener's name."""
    wire.on = False
    wire.note(Kind.MARK, b"upstream down")
    wire.close()
    wire.tape.say(wire.listener, "upstream", message)
    return f"{wire.listener.title}: {message}"


def upstream_down(wire: Wire, error: str) -> str:
    """Say that the upstream cannot be reached; the one line that was said."""
    numbered = _ERRNO.match(error)  # asyncio's words: [Errno 111] Connect call failed ('127.0.0.1', 5432)
    reason = os.strerror(int(numbered[1])).lower() if numbered else error
    return unusable(wire, f"cannot reach the upstream {wire.listener.upstream}: {reason}; is it running there?")


def shortcut(handler: ConnectionHandler | None, relay: layer.Layer) -> None:
    """Let events reach the relay directly: the layers above it would only pass them on, at a cost per chunk."""
    if handler is not None:
        handler.layer = relay


async def drain_others(handler: ConnectionHandler) -> None:
    """Let a side be read only as fast as the others take it.

    mitmproxy's own way waits for every writer, its own side's included: then two ends that both send before they read, which
    works without a proxy, would wait for each other for ever.
    """
    me = asyncio.current_task()
    for io in list(handler.transports.values()):
        if io.writer is not None and io.handler is not me:
            try:
                await io.writer.drain()
            except OSError as error:
                if io.handler is not None:
                    io.handler.cancel(f"cannot send: {error}")


def was_reset(handler: ConnectionHandler | None, ended: connection.Connection) -> bool:
    """Whether a connection ended by a reset rather than by an orderly close."""
    found = handler.transports.get(ended) if handler else None
    reader = found.reader if found else None
    return reader is not None and getattr(reader, "exception", lambda: None)() is not None


def reset(handler: ConnectionHandler | None, other: connection.Connection) -> None:
    """Make the coming close of a connection a reset."""
    found = handler.transports.get(other) if handler else None
    writer = found.writer if found else None
    sock = writer.get_extra_info("socket", None) if writer is not None else None
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def _close(how: type[commands.CloseTcpConnection], *ended: connection.Connection) -> Commands:
    return tuple(how(one) for one in ended if one.state is not ConnectionState.CLOSED)
