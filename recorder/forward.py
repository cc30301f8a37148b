"""The forward proxy: one listener for `HTTP_PROXY` and `HTTPS_PROXY`; what passes is recorded for the target each host is."""

from __future__ import annotations

from collections.abc import Callable

from mitmproxy import connection
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, context, events, layer

from recorder.auto import Opened
from recorder.directory import Directory
from recorder.entry import Entry, Refusal
from recorder.layer import Handlers, Relay, upstream_down
from recorder.wire import Listener, Tape, Wire
from wiretape.errors import DecodeError
from wiretape.forwarding import ESTABLISHED, Destination, Requests, refusal

type Assign = Callable[[connection.Client, Listener], None]


class ForwardEntry(layer.Layer):
    """One client of the proxy. `assign` is told whose connection this has become, for TLS."""

    def __init__(self, ctx: context.Context, tape: Tape, handlers: Handlers, directory: Directory, assign: Assign) -> None:
        super().__init__(ctx)
        self._tape = tape
        self._handlers = handlers
        self._directory = directory
        self._assign = assign
        self._requests = Requests()
        self._at: tuple[str, int] | None = None
        self._relay: Relay | None = None
        self._next: layer.Layer | None = None

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if self._next is not None:
            yield from self._next.handle_event(event)
        elif isinstance(event, events.DataReceived) and event.connection is self.context.client:
            try:
                for where, data in self._requests.feed(event.data):
                    yield from self._pass(where, data)
            except DecodeError as error:
                yield commands.SendData(self.context.client, refusal(error))
                yield from self._leave()
                yield commands.CloseConnection(self.context.client)
        elif self._relay is not None:
            yield from self._relay.handle_event(event)
        elif isinstance(event, events.ConnectionClosed):
            yield commands.CloseConnection(self.context.client)

    def _pass(self, where: Destination | None, data: bytes) -> layer.CommandGenerator[None]:
        if self._next is not None:
            yield from self._next.handle_event(events.DataReceived(self.context.client, data))
        elif where is not None and where.tunnel:
            yield from self._tunnel(where)
        elif where is not None and not self._is_open(where):
            yield from self._go(where, data)
        elif self._relay is not None:
            yield from self._relay.from_client(data)

    def _is_open(self, where: Destination) -> bool:
        return self._relay is not None and not self._relay.done and self._at == (where.host, where.port)

    def _wire(self, where: Destination) -> Wire:
        listener = self._directory.find(where.host, where.port, "http")
        self._assign(self.context.client, listener)
        return self._tape.open(listener)

    def _tunnel(self, where: Destination) -> layer.CommandGenerator[None]:
        wire = self._wire(where)
        server = self.context.server
        server.address = _address(wire)
        error = yield commands.OpenConnection(server)
        if error:
            yield from self._refuse(wire, error)
            return
        yield commands.SendData(self.context.client, ESTABLISHED)
        self._next = Opened(self.context, Entry(self.context, wire, self._handlers))
        yield from self._next.handle_event(events.Start())

    def _go(self, where: Destination, data: bytes) -> layer.CommandGenerator[None]:
        """To another host than before, or anew to the same."""
        yield from self._leave()
        wire = self._wire(where)
        server = connection.Server(address=_address(wire))
        error = yield commands.OpenConnection(server)
        if error:
            yield from self._refuse(wire, error)
            return
        self._at = (where.host, where.port)
        self._relay = Relay(self.context, wire, self._handlers, server)
        yield from self._relay.from_client(data)

    def _leave(self) -> layer.CommandGenerator[None]:
        relay, self._relay = self._relay, None
        if relay is not None and not relay.done:
            relay.finish()
            if relay.server.state is not ConnectionState.CLOSED:
                yield commands.CloseConnection(relay.server)

    def _refuse(self, wire: Wire, error: str) -> layer.CommandGenerator[None]:
        self._next = Refusal(self.context, wire, upstream_down(wire, error))
        yield from self._next.handle_event(events.DataReceived(self.context.client, b""))


def _address(wire: Wire) -> tuple[str, int]:
    """Where it goes: to the upstream even where the client asked for our own listener before it."""
    at = wire.listener.upstream
    return at.host, at.port
