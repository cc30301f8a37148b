"""PostgreSQL authentication done anew: the client gives its password to us, inside TLS, and we prove it to the server.

SCRAM over TLS binds to the certificate the client saw, which is ours and not the server's, so a relayed SCRAM would fail. Every
other method is relayed as it is. Neither the password nor the proof reaches the capture.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import scramp
from mitmproxy import connection
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, context, events, layer

from recorder.layer import Handlers, Relay
from recorder.wire import Wire

_OK, _CLEARTEXT, _SASL, _SASL_CONTINUE, _SASL_FINAL = 0, 3, 10, 11, 12
_MECHANISM = "SCRAM-SHA-256"
_MAX_MESSAGE = 64 * 1024


def whole_message(data: bytes | bytearray) -> bytes | None:
    """The first message (type, length, body) if all of it is there."""
    if len(data) < 5:
        return None
    length = 1 + int(struct.unpack_from("!I", data, 1)[0])
    return bytes(data[:length]) if len(data) >= length else None


def error_code(message: bytes) -> str:
    """The SQLSTATE of an ErrorResponse."""
    return next((part[1:].decode(errors="replace") for part in message[5:].split(b"\0") if part[:1] == b"C"), "")


def startup_parameters(body: bytes) -> tuple[str, str]:
    """User and database of a StartupMessage's parameters."""
    parts = [part.decode(errors="replace") for part in body.split(b"\0")]
    said = dict(zip(parts[::2], parts[1::2], strict=False))
    user = said.get("user", "")
    return user, said.get("database", user)


def fatal(message: str) -> bytes:
    """An ErrorResponse of ours."""
    body = b"".join(
        b"%c%s\0" % (kind, text.encode()) for kind, text in zip(b"SVCM", ("FATAL", "FATAL", "08006", message), strict=True)
    )
    return b"E" + struct.pack("!I", len(body) + 5) + body + b"\0"


def say_left(wire: Wire, user: str) -> None:
    """A client has left instead of giving its password, or its proof of it."""
    wire.tape.say(
        wire.listener,
        "password",
        f"a client (user {user}) hung up when asked for its password over TLS: it has none, or insists on SCRAM bound to the "
        "server's certificate (channel_binding=require, require_auth); then give the server's key and chain as `certificate`",
    )


class Reauthentication(layer.Layer):
    """Inside TLS on both sides: sends the StartupMessage, settles the authentication, steps aside."""

    def __init__(
        self,
        ctx: context.Context,
        wire: Wire,
        handlers: Handlers,
        server: connection.Server,
        startup: bytes,
        who: tuple[str, str],
    ) -> None:
        super().__init__(ctx)
        self._relay = Relay(ctx, wire, handlers, server)
        self._wire = wire
        self._server = server
        self._startup = startup
        self._who = who
        self._sent, self._answered = bytearray(), bytearray()
        self._asked = False
        self._scram: scramp.ScramClient | None = None
        self._over = False

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if self._over:
            yield from self._relay.handle_event(event)
        elif isinstance(event, events.Start):
            yield from self._start()
        elif isinstance(event, events.ConnectionClosed):
            yield from self._closed(event.connection)
        elif isinstance(event, events.DataReceived):
            mine = self._sent if event.connection is self.context.client else self._answered
            mine += event.data
            if len(mine) > _MAX_MESSAGE:
                yield from self._give_up("more than an authentication may hold")
            else:
                yield from self._client() if mine is self._sent else self._serve()

    def _start(self) -> layer.CommandGenerator[None]:
        if self._server.state is ConnectionState.CLOSED:
            yield from self._give_up(f"cannot speak TLS to the upstream {self._wire.listener.upstream}: {self._server.error}")
        else:
            self._wire.client(self._startup)
            yield commands.SendData(self._server, self._startup)

    def _closed(self, ended: connection.Connection) -> layer.CommandGenerator[None]:
        if ended is self.context.client and self._asked and self._scram is None:
            say_left(self._wire, self._who[0])
        yield from self._hang_up()

    def _hang_up(self) -> layer.CommandGenerator[None]:
        self._wire.close()
        for one in (self._server, self.context.client):
            if one.state is not ConnectionState.CLOSED:
                yield commands.CloseConnection(one)

    def _give_up(self, reason: str) -> layer.CommandGenerator[None]:
        self._wire.tape.say(self._wire.listener, reason, reason)
        yield commands.SendData(self.context.client, fatal(f"wiretape: {reason}"))
        yield from self._hang_up()

    def _client(self) -> layer.CommandGenerator[None]:
        """The client's password, once we have asked for it."""
        message = whole_message(self._sent) if self._asked and self._scram is None else None
        if message is None:
            return
        del self._sent[: len(message)]
        try:
            self._scram = scramp.ScramClient([_MECHANISM], self._who[0], message[5:].rstrip(b"\0").decode())
            first = self._scram.get_client_first().encode()
        except (UnicodeDecodeError, scramp.ScramException) as error:
            yield from self._give_up(f"cannot use the password of user {self._who[0]}: {error}")
            return
        body = _MECHANISM.encode() + b"\0" + struct.pack("!I", len(first)) + first
        yield commands.SendData(self._server, _password(body))

    def _serve(self) -> layer.CommandGenerator[None]:
        """Messages of the server, until the authentication is settled."""
        while not self._over and (message := whole_message(self._answered)):
            code = struct.unpack_from("!I", message, 5)[0] if message[:1] == b"R" and len(message) >= 9 else _OK
            if code not in (_SASL, _SASL_CONTINUE, _SASL_FINAL):
                self._learn(message)
                yield from self._step_aside()
                return
            del self._answered[: len(message)]
            try:
                yield from self._scram_step(code, message[9:])
            except (scramp.ScramException, UnicodeDecodeError) as error:
                yield from self._give_up(f"the authentication with the upstream failed: {error}")
                return

    def _scram_step(self, code: int, data: bytes) -> Iterator[commands.Command]:
        if code == _SASL:
            self._learn(b"R")
            self._asked = True
            yield commands.SendData(self.context.client, b"R" + struct.pack("!II", 8, _CLEARTEXT))
        elif self._scram is None:
            raise scramp.ScramException("it goes on with SCRAM before SCRAM began")
        elif code == _SASL_CONTINUE:
            self._scram.set_server_first(data.decode())
            yield commands.SendData(self._server, _password(self._scram.get_client_final().encode()))
        else:
            self._scram.set_server_final(data.decode())

    def _learn(self, message: bytes) -> None:
        """The server talks to this user over TLS after it would not in plain text: come this way at once the next time."""
        if message[:1] == b"R":
            self._wire.listener.tls_only.add(self._who)

    def _step_aside(self) -> layer.CommandGenerator[None]:
        self._over = True
        yield from self._relay.from_server(bytes(self._answered))
        if self._sent:
            yield from self._relay.from_client(bytes(self._sent))


def _password(body: bytes) -> bytes:
    return b"p" + struct.pack("!I", len(body) + 4) + body
