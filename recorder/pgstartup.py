"""PostgreSQL's start-up: TLS is negotiated with each side on its own, so that what flows between can be read.

What is offered to the client is what the server offers. A client that takes TLS gets ours (or the server's own certificate,
where we were given it); the server is then reached in plain text if it lets this user in so, because then it offers no channel
binding that our certificate would break; else over TLS, with the authentication done anew (`recorder.pgauth`). The tap is fed
from the StartupMessage on: neither SSLRequest nor its one-byte answer is recorded.
"""

from __future__ import annotations

import struct

from mitmproxy import connection
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, context, events, layer

from recorder.capture import TLS, Kind
from recorder.layer import Commands, Handlers, Relay, shortcut, upstream_down
from recorder.pgauth import Reauthentication, error_code, say_left, startup_parameters, whole_message
from recorder.tls import ClientTls, ServerTls
from recorder.wire import Wire

SSL_REQUEST = struct.pack("!II", 8, 80877103)
GSS_REQUEST = struct.pack("!II", 8, 80877104)
CANCEL = 80877102
_MAX_STARTUP = 10_000  # PostgreSQL's own limit
_PLAIN_REFUSED = ("28000", "08P01")  # pg_hba.conf wants TLS; so says a pgbouncer that does


class _Side(layer.Layer):
    """What both layers here do: collect bytes of either side until it is known who goes on."""

    def __init__(self, ctx: context.Context, wire: Wire, handlers: Handlers) -> None:
        super().__init__(ctx)
        self.wire = wire
        self.handlers = handlers
        self.server: connection.Server = ctx.server
        self.sent = bytearray()  # by the client, not passed on yet
        self.answered = bytearray()  # by the server, likewise
        self.next: layer.Layer | None = None

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if self.next is not None:
            yield from self.next.handle_event(event)
        elif isinstance(event, events.Start):
            return
        elif isinstance(event, events.DataReceived):
            if event.connection is self.context.client:
                self.sent += event.data
                yield from self.from_client()
            elif event.connection is self.server:
                self.answered += event.data
                yield from self.from_server()
        elif isinstance(event, events.ConnectionClosed) and event.connection in (self.context.client, self.server):
            yield from self.hang_up()

    def from_client(self) -> layer.CommandGenerator[None]:
        """More of the client's bytes are in `sent`."""
        raise NotImplementedError

    def from_server(self) -> layer.CommandGenerator[None]:
        """More of the server's bytes are in `answered`."""
        raise NotImplementedError

    def open(self) -> layer.CommandGenerator[bool]:
        """Connect to the upstream anew; False, with the client sent away, if it is down."""
        if self.server.timestamp_start is not None:
            if self.server.state is not ConnectionState.CLOSED:
                yield commands.CloseConnection(self.server)
            self.server = connection.Server(address=self.context.server.address)
            self.answered.clear()
        error = yield commands.OpenConnection(self.server)
        if error:
            upstream_down(self.wire, error)
            yield commands.CloseConnection(self.context.client)
        return not error

    def relay(self) -> layer.CommandGenerator[None]:
        """Step aside: what was collected passes, and then everything."""
        yield from self.hand_over(Relay(self.context, self.wire, self.handlers, self.server))

    def hand_over(self, relay: Relay) -> layer.CommandGenerator[None]:
        """`relay` goes on from here."""
        self.next = relay
        sent, answered = bytes(self.sent), bytes(self.answered)
        if sent:
            yield from relay.from_client(sent)
        if answered:
            yield from relay.from_server(answered)

    def hang_up(self) -> layer.CommandGenerator[None]:
        """Close what is open."""
        self.wire.close()
        for one in (self.server, self.context.client):
            if one.state is not ConnectionState.CLOSED:
                yield commands.CloseConnection(one)


class PostgresEntry(_Side):
    """The listener's side: answers GSSENCRequest and SSLRequest, takes TLS that begins at once, passes plain text on."""

    direct = False

    def from_client(self) -> layer.CommandGenerator[None]:
        while self.sent:
            if self.sent[0] == 0x16:
                self.direct = True
                yield from self._tls_wanted()
                return
            if len(self.sent) < len(SSL_REQUEST):
                return
            request = bytes(self.sent[: len(SSL_REQUEST)])
            if request not in (SSL_REQUEST, GSS_REQUEST):
                yield from self._plain()
                return
            del self.sent[: len(request)]
            if request == SSL_REQUEST and self.wire.listener.tls != "refuse":
                yield from self._tls_wanted()
                return
            yield commands.SendData(self.context.client, b"N")

    def _plain(self) -> layer.CommandGenerator[None]:
        if self.server.state is ConnectionState.OPEN or (yield from self.open()):
            yield from self.relay()
            if isinstance(self.next, Relay):
                shortcut(self.handlers(self.context.client), self.next)

    def _tls_wanted(self) -> layer.CommandGenerator[None]:
        """Does the server offer it? Known from an earlier connection, or asked now."""
        listener = self.wire.listener
        if self.direct and listener.tls == "refuse":
            yield from self.hang_up()
        elif self.direct and listener.tls == "passthrough":
            yield from self._pass_unread()
        elif listener.offers_tls and listener.tls != "passthrough":
            yield from self._take_tls()
        elif (yield from self.open()):
            yield commands.SendData(self.server, SSL_REQUEST)

    def _pass_unread(self) -> layer.CommandGenerator[None]:
        self.wire.unreadable(
            "TLS passed through", "a client uses TLS, which is passed on unread and not recorded (tls: passthrough)"
        )
        if self.server.state is ConnectionState.OPEN or (yield from self.open()):
            yield from self.relay()

    def from_server(self) -> layer.CommandGenerator[None]:
        """The answer to our SSLRequest."""
        answer = bytes(self.answered)
        self.answered.clear()
        if answer == b"S" and self.wire.listener.tls == "passthrough":
            yield commands.SendData(self.context.client, b"S")
            yield from self._pass_unread()
        elif answer == b"S":
            self.wire.listener.offers_tls = True
            yield commands.CloseConnection(self.server)
            yield from self._take_tls()
        elif answer == b"N" and not self.direct:
            yield commands.SendData(self.context.client, b"N")
            yield from self.from_client()
        else:
            yield from self.hang_up()

    def _take_tls(self) -> layer.CommandGenerator[None]:
        self.context.client.alpn = b"postgresql"
        self.wire.note(Kind.MARK, TLS)
        inner = PostgresSession(self.context, self.wire, self.handlers)
        tls = ClientTls(self.context)
        tls.child_layer = inner
        self.next = tls
        shortcut(self.handlers(self.context.client), tls)
        if not self.direct:
            yield commands.SendData(self.context.client, b"S")
        yield from tls.handle_event(events.Start())
        if self.sent:
            yield from tls.handle_event(events.DataReceived(self.context.client, bytes(self.sent)))


class PostgresSession(_Side):
    """Inside the client's TLS: reads who comes, and finds out how the server lets them in."""

    def __init__(self, ctx: context.Context, wire: Wire, handlers: Handlers) -> None:
        super().__init__(ctx, wire, handlers)
        if ctx.server.timestamp_start is not None:
            self.server = connection.Server(address=ctx.server.address)
        self._upgrading = False
        self._started = False
        self._who = ("", "")

    def from_client(self) -> layer.CommandGenerator[None]:
        if self._started or len(self.sent) < 8:
            return
        length, code = struct.unpack_from("!II", self.sent)
        if not 8 <= length <= _MAX_STARTUP:
            yield from self.hang_up()
        elif len(self.sent) >= length:
            self._started = True
            self._who = startup_parameters(bytes(self.sent[8:length]))
            listener = self.wire.listener
            over_tls = code != CANCEL and (listener.certificate is not None or self._who in listener.tls_only)
            yield from self._over_tls() if over_tls else self._over_plain(code)

    def _over_plain(self, code: int) -> layer.CommandGenerator[None]:
        if (yield from self.open()):
            if code == CANCEL:
                yield from self.relay()
            else:
                yield commands.SendData(self.server, bytes(self.sent))

    def _over_tls(self) -> layer.CommandGenerator[None]:
        self._upgrading = True
        if (yield from self.open()):
            yield commands.SendData(self.server, SSL_REQUEST)

    def from_server(self) -> layer.CommandGenerator[None]:
        if self._upgrading:
            yield from self._upgrade()
        elif self.answered[:1] != b"E":
            yield from self._admitted()
        elif message := whole_message(self.answered):
            if error_code(message) in _PLAIN_REFUSED:
                yield from self._over_tls()
            else:
                yield from self._admitted()

    def _admitted(self) -> layer.CommandGenerator[None]:
        """The server has taken up the StartupMessage in plain text, which it therefore already has."""
        relay = _Admitted(self.context, self.wire, self.handlers, self.server)
        relay.user = self._who[0]
        self.wire.client(bytes(self.sent))
        self.sent.clear()
        yield from self.hand_over(relay)

    def _upgrade(self) -> layer.CommandGenerator[None]:
        """The server's answer to our SSLRequest: shake hands, then come in anew."""
        if self.answered != b"S":
            yield from self.hang_up()
            return
        tls = ServerTls(self.context, self.server)
        if self.wire.listener.certificate is not None:
            tls.child_layer = _Resend(self.context, self)
        else:
            tls.child_layer = Reauthentication(self.context, self.wire, self.handlers, self.server, bytes(self.sent), self._who)
        self.next = tls
        yield from tls.handle_event(events.Start())


class _Admitted(Relay):
    """Notices a client that will not authenticate because the server offers no channel binding in plain text."""

    user = ""
    went_on = False

    def from_client(self, data: bytes) -> Commands:
        self.went_on = True
        return super().from_client(data)

    def closed(self, ended: connection.Connection) -> Commands:
        if ended is self.client and not self.went_on:
            say_left(self.wire, self.user)
        return super().closed(ended)


class _Resend(layer.Layer):
    """Inside server TLS, with the server's own certificate on our side too: nothing to do but pass on what the client said."""

    def __init__(self, ctx: context.Context, session: PostgresSession) -> None:
        super().__init__(ctx)
        self._relay = Relay(ctx, session.wire, session.handlers, session.server)
        self._sent = bytes(session.sent)

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        yield from self._relay.from_client(self._sent) if isinstance(event, events.Start) else self._relay.handle_event(event)
