"""The way into a connection whose protocol does not negotiate TLS itself: TLS comes first on it, or not at all.

The upstream is opened at once, because a server may speak first and because a client may only want to know whether it is up.
What the client says first tells whether it speaks TLS; the upstream is then spoken to as it must be (`Listener.upstream_tls`)
or as the client does. What is negotiated with the upstream (ALPN) is what the client is offered.
"""

from __future__ import annotations

from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, context, events, layer, tunnel

from recorder.capture import HOST, TLS, Kind
from recorder.layer import Handlers, Relay, shortcut, unusable, upstream_down
from recorder.tls import CLIENT_HELLO, ClientTls, ServerTls, upstream_failed
from recorder.wire import Wire

_BAD_GATEWAY = (
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
)


class Entry(layer.Layer):
    """A listener for a protocol in which TLS, if any, comes first. `relay` is who takes over."""

    def __init__(self, ctx: context.Context, wire: Wire, handlers: Handlers, relay: type[Relay] = Relay) -> None:
        super().__init__(ctx)
        self.wire = wire
        self.handlers = handlers
        self._relay = relay(ctx, wire, handlers)
        self._sent = bytearray()  # by the client, not passed on yet
        self._next: layer.Layer | None = None

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if self._next is not None:
            yield from self._next.handle_event(event)
        elif isinstance(event, events.Start):
            yield from self._open()
        elif isinstance(event, events.DataReceived) and event.connection is self.context.client:
            self._sent += event.data
            if len(self._sent) >= len(CLIENT_HELLO) or not CLIENT_HELLO.startswith(self._sent):
                yield from self._decide()
        elif isinstance(event, events.ConnectionEvent):
            yield from self._plain()
            yield from self._relay.handle_event(event)

    def _open(self) -> layer.CommandGenerator[None]:
        error = yield commands.OpenConnection(self.context.server)
        if error:
            self._next = Refusal(self.context, self.wire, upstream_down(self.wire, error))
            yield from self._next.handle_event(events.Start())

    def _decide(self) -> layer.CommandGenerator[None]:
        listener = self.wire.listener
        if not self._sent.startswith(CLIENT_HELLO):
            yield from self._over_tls(client=False) if listener.upstream_tls else self._plain()
        elif listener.tls == "passthrough":
            self.wire.unreadable(
                "TLS passed through", "a client uses TLS, which is passed on unread and not recorded (tls: passthrough)"
            )
            yield from self._plain()
        elif listener.tls == "refuse":
            yield from self._relay.handle_event(events.ConnectionClosed(self.context.client))
            yield commands.CloseConnection(self.context.client)
        else:
            yield from self._over_tls(client=True)

    def _plain(self) -> layer.CommandGenerator[None]:
        self._next = self._relay
        shortcut(self.handlers(self.context.client), self._relay)
        if self._sent:
            yield from self._relay.from_client(bytes(self._sent))

    def _over_tls(self, *, client: bool) -> layer.CommandGenerator[None]:
        stack = tunnel.LayerStack()
        if self.wire.listener.upstream_tls is not False:
            self.context.server.tls = True
            stack /= ServerTls(self.context)
        if client:
            self.wire.note(Kind.MARK, TLS)
            stack /= ClientTls(self.context)
        stack /= Settled(self.context, self._relay)
        self._next = stack[0]
        yield from self._next.handle_event(events.Start())
        yield from self._next.handle_event(events.DataReceived(self.context.client, bytes(self._sent)))


class Settled(layer.Layer):
    """Inside TLS: the handshakes are over. Goes on as the relay if they came out well."""

    def __init__(self, ctx: context.Context, relay: Relay) -> None:
        super().__init__(ctx)
        self._relay = relay
        self._next: layer.Layer | None = None

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if self._next is not None:
            yield from self._next.handle_event(event)
        elif isinstance(event, events.Start):
            yield from self._start()

    def _start(self) -> layer.CommandGenerator[None]:
        client, server, wire = self.context.client, self.context.server, self._relay.wire
        self._next = self._relay
        if client.sni:
            wire.note(Kind.MARK, HOST + client.sni.encode())
        if not client.state & ConnectionState.CAN_WRITE:
            yield from self._relay.handle_event(events.ConnectionClosed(client))
        elif not server.state & ConnectionState.CAN_WRITE:
            message = upstream_failed(wire.listener, server.error or "it hung up during the handshake")
            self._next = Refusal(self.context, wire, unusable(wire, message))
            yield from self._next.handle_event(events.Start())


class Refusal(layer.Layer):
    """The upstream cannot be used: an HTTP client hears it as a 502, any other as a close."""

    def __init__(self, ctx: context.Context, wire: Wire, message: str) -> None:
        super().__init__(ctx)
        self._web = wire.listener.protocol == "http"
        self._message = message

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        client = self.context.client
        if isinstance(event, events.Start):
            if not self._web or client.alpn == b"h2":
                yield commands.CloseConnection(client)
        elif isinstance(event, events.ConnectionClosed):
            if event.connection is client and client.state is not ConnectionState.CLOSED:
                yield commands.CloseConnection(client)
        elif isinstance(event, events.DataReceived) and self._message:
            # Only once the client has spoken, and then it is to hang up: closing on unread bytes would destroy the answer.
            body = f"wiretape: {self._message}\n".encode()
            self._message = ""
            yield commands.SendData(client, _BAD_GATEWAY % len(body) + body)
            yield commands.CloseTcpConnection(client, half_close=True)
