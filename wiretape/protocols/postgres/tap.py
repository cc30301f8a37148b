"""Reads a PostgreSQL connection from both sides: the start-up phase here, everything after it in `conversation`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wiretape.errors import DecodeError
from wiretape.protocols.base import Interaction, Side
from wiretape.protocols.postgres import frontend
from wiretape.protocols.postgres.backend import BACKEND
from wiretape.protocols.postgres.conversation import Conversation
from wiretape.protocols.postgres.framing import Stream
from wiretape.tree import Tree

_ERROR_ONLY = frozenset(b"E")


class PgTap:
    """The tap of one connection (`wiretape.protocols.base.Tap`)."""

    def __init__(self) -> None:
        self._client, self._server = Stream(), Stream()
        self._phase = "startup"  # then running; over: nothing more is read
        self._asked_encryption = False
        self._tls = False
        self._conversation = Conversation()

    @property
    def facts(self) -> Mapping[str, Tree]:
        return self._conversation.facts | ({"tls": True} if self._tls else {})

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
        self._conversation.close(at)
        return self._deliver(None)

    def _deliver(self, failure: DecodeError | None) -> Iterator[Interaction]:
        """What is whole, then the failure: an interaction read before the bytes went wrong is not lost with them."""
        yield from self._conversation.collect()
        if failure:
            raise failure

    def _pump(self, at: float) -> None:
        while self._phase == "startup":
            if not (self._answer() if self._asked_encryption else self._start()):
                break
        if self._phase != "running":
            return
        while found := self._client.message(frontend.FRONTEND):
            self._conversation.asked(*found, at)
        while found := self._server.message(BACKEND):
            self._conversation.answered(*found, at)

    def _start(self) -> bool:
        """Reads a start-up packet; False where more bytes are needed."""
        if self._server.left:  # a server that refuses the connection may say so at once, and says nothing else by itself
            if self._server.message(_ERROR_ONLY):
                self._phase = "over"
            return False
        packet = self._client.startup()
        if packet is None:
            return False
        code, body = packet
        if code in (frontend.SSL_REQUEST, frontend.GSSENC_REQUEST):
            self._asked_encryption = True
        elif code == frontend.CANCEL_REQUEST:
            self._phase = "over"
        elif code >> 16 == 3:
            self._conversation.greet(dict(frontend.StartupMessage.decode(body).parameters))
            self._phase = "running"
        else:
            raise DecodeError(f"protocol {code >> 16}.{code & 0xFFFF} is not read, only 3", self._client.offset)
        return True

    def _answer(self) -> bool:
        """Reads the byte that answers an encryption request; False where it has not come."""
        answer = self._server.byte()
        if answer is None:
            return False
        self._asked_encryption = False
        if answer == b"S":
            self._tls = True
        elif answer == b"G":
            raise DecodeError("this connection is encrypted by GSSAPI: turn that off (gssencmode=disable)", self._server.offset)
        elif answer == b"E":
            self._phase = "over"
        elif answer != b"N":
            raise DecodeError(f"{answer!r} does not answer an encryption request", self._server.offset)
        return True
