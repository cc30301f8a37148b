"""Plays a PostgreSQL server on one connection: the start-up phase here, everything after it in `engine`."""

from __future__ import annotations

from collections.abc import Mapping

from wiretape.case import Call
from wiretape.errors import DecodeError, EncodeError
from wiretape.protocols.base import Answers, Ask, Miss
from wiretape.protocols.postgres import asks, diagnostics, frontend
from wiretape.protocols.postgres.backend import (
    AuthenticationOk,
    BackendKeyData,
    ErrorResponse,
    NegotiateProtocolVersion,
    ReadyForQuery,
)  # fmt: skip
from wiretape.protocols.postgres.channels import OTHER, OWN
from wiretape.protocols.postgres.engine import Engine
from wiretape.protocols.postgres.framing import Stream
from wiretape.protocols.postgres.messages import PROTOCOL_3_0, PROTOCOL_3_2
from wiretape.protocols.postgres.session import IDLE, Session
from wiretape.protocols.postgres.types import Catalog
from wiretape.tree import Tree

# Nothing can be cancelled, so the key that allows it is always the same.
_KEY = BackendKeyData(process=OWN, key=b"tape")


class PgResponder:
    """The mock's side of one connection (`wiretape.protocols.base.Responder`). Any password is accepted."""

    def __init__(self, facts: Mapping[str, Tree], answers: Answers, target: str) -> None:
        self._stream = Stream()
        self._offers_tls = facts.get("tls") is True
        self._broken = ""
        self._started = self._closed = self._upgrade = False
        types = facts.get("types")
        try:
            catalog = Catalog.of(types if isinstance(types, Mapping) else {})
        except EncodeError as error:
            catalog, self._broken = Catalog.of({}), f"wiretape: the facts of {target} in suite.yaml are wrong: {error}"
        self._session = Session(facts, catalog)
        self._engine = Engine(self._session, answers, target)

    @property
    def waiting(self) -> Ask | None:
        return self._engine.waiting

    @property
    def closed(self) -> bool:
        return self._closed or self._engine.closed

    @property
    def upgrade(self) -> bool:
        return self._upgrade

    def upgraded(self) -> bytes:
        self._upgrade, self._offers_tls = False, False
        return b""

    @property
    def pause(self) -> float | None:
        return None

    def greet(self) -> bytes:
        return b""

    def push(self, call: Call) -> bytes | None:
        channel, channels = asks.channel(call), self._session.channels
        if channel not in channels:
            return None
        channels.tell(OTHER, channel, str(call.fields.get("payload", "")))
        return channels.collect(self._session.wording) if self._session.status == IDLE else b""

    def tick(self) -> bytes:
        return b""

    def receive(self, data: bytes) -> bytes:
        self._stream.push(data)
        return self._go_on(b"")

    def resume(self, answer: Call | Miss) -> bytes:
        return self._go_on(self._engine.resume(answer))

    def _go_on(self, out: bytes) -> bytes:
        parts = [out]
        try:
            while not (self._started or self._upgrade or self._closed):
                packet = self._stream.startup()
                if packet is None:
                    break
                parts.append(self._start(*packet))
            if self._started:
                parts.append(self._engine.run(self._stream))
        except DecodeError as error:
            parts += [self._engine.collect(), self._refuse("08P01", f"wiretape: {error}")]
        return b"".join(parts)

    def _refuse(self, code: str, message: str) -> bytes:
        self._closed = True
        fields = diagnostics.from_tree(diagnostics.error(code, message, severity="FATAL"), "error")
        return ErrorResponse(fields=fields).encode()

    def _start(self, code: int, body: bytes) -> bytes:
        """Answers a start-up packet. Raises DecodeError."""
        if code == frontend.SSL_REQUEST:
            if not self._offers_tls:
                return b"N"
            if self._stream.left:  # someone on the way may have put it there before encryption began
                return self._refuse("08P01", "wiretape: unencrypted data after the request for encryption")
            self._upgrade = True
            return b"S"
        if code == frontend.GSSENC_REQUEST:
            return b"N"
        if code == frontend.CANCEL_REQUEST:
            self._closed = True
            return b""
        if code >> 16 != 3:
            return self._refuse(
                "0A000", f"unsupported frontend protocol {code >> 16}.{code & 0xFFFF}: server supports 3.0 to 3.2"
            )
        return self._greet(code, dict(frontend.StartupMessage.decode(body).parameters))

    def _greet(self, version: int, asked: Mapping[str, str]) -> bytes:
        if self._broken:
            return self._refuse(diagnostics.UNSERVABLE, self._broken)
        if "user" not in asked:
            return self._refuse("28000", "no PostgreSQL user name specified in startup packet")
        self._started = True
        unknown = tuple(name for name in asked if name.startswith("_pq_."))
        negotiated = b""
        if version > PROTOCOL_3_2 or unknown:
            newest = min(version, PROTOCOL_3_2)
            negotiated = NegotiateProtocolVersion(version=max(newest, PROTOCOL_3_0), options=unknown).encode()
        return b"".join(
            (
                negotiated,
                AuthenticationOk().encode(),
                self._session.greet(asked),
                _KEY.encode(),
                ReadyForQuery(status=IDLE).encode(),
            )
        )
