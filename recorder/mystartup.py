"""MySQL's start-up: the server speaks first, and TLS begins within the conversation, on both sides at the client's word.

The greeting passes with a few capabilities cleared, so that what follows can be read: compression, and what MariaDB sends only
once. A client that takes TLS gets ours, and the server is spoken to over TLS likewise: some ways to log in send the password
as it is because the line is encrypted. The tap is given one conversation in clear: the greeting as the client saw it, no
SSLRequest, and nothing of what proves who the client is.
"""

from __future__ import annotations

from mitmproxy.proxy import commands, context, events, layer, tunnel

from recorder.capture import TLS, Kind
from recorder.entry import Settled
from recorder.layer import Commands, Handlers, Relay, shortcut, upstream_down
from recorder.tls import ClientTls, ServerTls
from recorder.wire import Wire
from wiretape.errors import DecodeError
from wiretape.protocols.mysql.constants import Cap
from wiretape.protocols.mysql.framing import Packer, Stream
from wiretape.protocols.mysql.handshake import Login, clear_capabilities

_UNREAD = Cap.COMPRESS | Cap.ZSTD | Cap.CACHE_METADATA | Cap.STMT_BULK
_SSL_REQUEST = 4 + 32  # its length
_OK, _ERR = 0x00, 0xFF


class MysqlEntry(layer.Layer):
    """Passes on the greeting, and finds out whether the client wants TLS; then a relay takes over."""

    def __init__(self, ctx: context.Context, wire: Wire, handlers: Handlers) -> None:
        super().__init__(ctx)
        self.wire = wire
        self.handlers = handlers
        self._relay = MysqlRelay(ctx, wire, handlers)
        self._next: layer.Layer | None = None
        self._greeted = False
        self._sent = bytearray()  # by the client, not passed on yet
        self._answered = bytearray()  # by the server, likewise

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if self._next is not None:
            yield from self._next.handle_event(event)
        elif isinstance(event, events.Start):
            yield from self._open()
        elif isinstance(event, events.DataReceived):
            if event.connection is self.context.client:
                self._sent += event.data
            else:
                self._answered += event.data
            yield from self._go_on()
        elif isinstance(event, events.ConnectionClosed):
            yield from self._plain()
            yield from self._relay.handle_event(event)

    def _open(self) -> layer.CommandGenerator[None]:
        error = yield commands.OpenConnection(self.context.server)
        if error:
            upstream_down(self.wire, error)
            yield commands.CloseConnection(self.context.client)

    def _go_on(self) -> layer.CommandGenerator[None]:
        if not self._greeted:
            yield from self._greet()
        if self._greeted and self._next is None and len(self._sent) >= _SSL_REQUEST:
            yield from self._decide()
        elif self._greeted and self._next is None and self._answered:
            yield from self._plain()  # the server does not wait for the client: it ends the connection

    def _greet(self) -> layer.CommandGenerator[None]:
        """Pass on the greeting once it is whole."""
        stream = Stream()
        stream.push(bytes(self._answered))
        try:
            found = stream.packet()
            if found is None:
                return
            unwanted = _UNREAD | (Cap.SSL if self.wire.listener.tls == "refuse" else Cap(0))
            greeting = Packer(found[0]).pack(clear_capabilities(found[1], unwanted))
        except DecodeError:  # it turns the client away, or is no MySQL: that passes as it is
            self._greeted = True
            yield from self._plain()
            return
        self._answered = bytearray(stream.rest())
        self._greeted = True
        yield from self._relay.from_server(greeting)

    def _decide(self) -> layer.CommandGenerator[None]:
        """What the client says first tells whether TLS is to begin."""
        length = int.from_bytes(self._sent[:3], "little")
        capabilities = int.from_bytes(self._sent[4:8], "little")
        if length + 4 != _SSL_REQUEST or not capabilities & Cap.SSL:
            yield from self._plain()
        elif self.wire.listener.tls == "passthrough":
            self.wire.unreadable(
                "TLS passed through", "a client uses TLS, which is passed on unread and not recorded (tls: passthrough)"
            )
            yield from self._plain()
        else:
            yield from self._over_tls()

    def _plain(self) -> layer.CommandGenerator[None]:
        """The relay takes over: what was collected passes, and then everything."""
        self._next = self._relay
        shortcut(self.handlers(self.context.client), self._relay)
        if self._answered:
            yield from self._relay.from_server(bytes(self._answered))
        if self._sent:
            yield from self._relay.from_client(bytes(self._sent))

    def _over_tls(self) -> layer.CommandGenerator[None]:
        yield commands.SendData(self.context.server, bytes(self._sent[:_SSL_REQUEST]))
        self.wire.listener.offers_tls = True
        self.wire.note(Kind.MARK, TLS)
        self.context.server.tls = True
        stack = tunnel.LayerStack()
        stack /= ServerTls(self.context)
        stack /= ClientTls(self.context)
        stack /= Settled(self.context, self._relay)
        self._next = stack[0]
        shortcut(self.handlers(self.context.client), stack[0])
        yield from self._next.handle_event(events.Start())
        if rest := bytes(self._sent[_SSL_REQUEST:]):
            yield from self._next.handle_event(events.DataReceived(self.context.client, rest))


class MysqlRelay(Relay):
    """Passes everything on as it is. Until the client is let in, what is recorded of it has no passwords in it."""

    def __init__(self, ctx: context.Context, wire: Wire, handlers: Handlers) -> None:
        super().__init__(ctx, wire, handlers)
        self._stream: Stream | None = Stream()  # the client's log-in; None once that is over
        self._answers = Stream()
        self._introduced = False

    def from_client(self, data: bytes) -> Commands:
        if self._stream is None:
            return super().from_client(data)
        self._stream.push(data)
        try:
            while (found := self._stream.packet()) is not None:
                self.wire.client(Packer(found[0]).pack(self._without_secret(found[1])))
        except DecodeError:  # the tap will say what is wrong with it
            self._stream = None
            self.wire.client(data)
        return (commands.SendData(self.server, data),)

    def _without_secret(self, payload: bytes) -> bytes:
        if self._introduced:
            return bytes(len(payload))
        self._introduced = True
        secret = Login.decode(payload).secret
        at = payload.find(secret, _SSL_REQUEST - 4) if secret else -1
        return payload if at < 0 else payload[:at] + bytes(len(secret)) + payload[at + len(secret) :]

    def from_server(self, data: bytes) -> Commands:
        if self._stream is not None and self._introduced:
            self._answers.push(data)
            try:
                while self._stream is not None and (found := self._answers.packet()) is not None:
                    if found[1][:1] in (bytes((_OK,)), bytes((_ERR,))):
                        self._let_in()
            except DecodeError:
                self._let_in()
        return super().from_server(data)

    def _let_in(self) -> None:
        """The log-in is over; what the client sent ahead is recorded as it is."""
        ahead = self._stream.rest() if self._stream is not None else b""
        self._stream = None
        if ahead:
            self.wire.client(ahead)
