"""Reads a MySQL connection from both sides: the log-in here, everything after it in `conversation`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wiretape.errors import DecodeError
from wiretape.protocols.base import Interaction, Side
from wiretape.protocols.mysql.constants import Cap
from wiretape.protocols.mysql.conversation import Conversation
from wiretape.protocols.mysql.framing import TLS_HANDSHAKE, Stream
from wiretape.protocols.mysql.handshake import Greeting, Login
from wiretape.protocols.mysql.observed import Observed
from wiretape.protocols.mysql.packets import ERR, OK
from wiretape.tree import Tree

_ENCRYPTED = "this connection is encrypted: record it where its TLS ends, or turn TLS off"
_COMPRESSED = "this connection is compressed: record it through wiretape's listener, or turn compression off in the driver"


class MysqlTap:
    """The tap of one connection (`wiretape.protocols.base.Tap`). It reads past any authentication."""

    def __init__(self) -> None:
        self._client, self._server = Stream(), Stream()
        self._phase = "greeting"  # then login, passwords, running; over: nothing more is read
        self._greeting: Greeting | None = None
        self._observed = Observed()
        self._conversation: Conversation | None = None
        self._ended = 0.0

    @property
    def facts(self) -> Mapping[str, Tree]:
        return self._observed.facts

    def feed(self, side: Side, data: bytes, at: float) -> Iterator[Interaction]:
        failure: DecodeError | None = None
        (self._client if side is Side.CLIENT else self._server).push(data)
        try:
            self._pump(at)
        except DecodeError as error:
            failure, self._phase = error, "over"
        return self._deliver(failure)

    def close(self, at: float) -> Iterator[Interaction]:
        self._phase = "over"
        if self._conversation is not None:
            self._conversation.close(at)
        return self._deliver(None)

    def _deliver(self, failure: DecodeError | None) -> Iterator[Interaction]:
        """What is whole, then the failure: an interaction read before the bytes went wrong is not lost with them."""
        if self._conversation is not None:
            yield from self._conversation.collect()
        if failure:
            raise failure

    def _pump(self, at: float) -> None:
        while self._phase in ("greeting", "login", "passwords") and self._begin():
            pass
        if self._phase != "running" or self._conversation is None:
            return
        while (found := self._client.packet()) is not None:
            sequence, body = found
            if sequence == 0:  # else it goes on with a password, or with a file
                self._conversation.asked(body, at)
        while (found := self._server.packet()) is not None:
            self._conversation.answered(found[1], at)

    def _begin(self) -> bool:
        """Reads a packet of the log-in; False where more bytes are needed."""
        if self._phase == "login":
            return self._login()
        found = self._server.packet()
        if found is None:
            return False
        body = found[1]
        if body[:1] == bytes((ERR,)):
            self._phase = "over"  # the client is not let in
        elif self._phase == "greeting":
            self._greeting = Greeting.decode(body)
            self._observed.greet(self._greeting)
            self._phase = "login"
        elif body[:1] == bytes((OK,)):
            self._phase = "running"
        return True

    def _login(self) -> bool:
        found = self._client.packet()
        if found is None:
            return False
        login = Login.decode(found[1])
        if login.tls or self._client.first() == TLS_HANDSHAKE:
            raise DecodeError(_ENCRYPTED, self._client.offset)
        capabilities = login.capabilities & (self._greeting.capabilities if self._greeting else 0)
        if capabilities & (Cap.COMPRESS | Cap.ZSTD):
            raise DecodeError(_COMPRESSED, self._client.offset)
        self._conversation = Conversation(capabilities, login, self._observed)
        self._phase = "passwords"
        return True
