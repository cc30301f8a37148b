"""Plays a MySQL or MariaDB server on one connection: the log-in here, everything after it in `engine`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wiretape.case import Call
from wiretape.errors import DecodeError
from wiretape.protocols.base import Answers, Ask, Miss
from wiretape.protocols.mysql.constants import Cap
from wiretape.protocols.mysql.engine import Engine
from wiretape.protocols.mysql.framing import Packer, Stream
from wiretape.protocols.mysql.handshake import CACHING_SHA2, FAST_OK, NATIVE, Greeting, Login, switch
from wiretape.protocols.mysql.playback import Playback
from wiretape.protocols.mysql.session import Session
from wiretape.tree import Tree

# No password is ever checked, so what it is mixed with may always be the same.
_SCRAMBLE: Final = b"wiretape.wiretape.20"
_OFFERED: Final = (
    Cap.FOUND_ROWS | Cap.LONG_FLAG | Cap.CONNECT_WITH_DB | Cap.LOCAL_FILES | Cap.IGNORE_SPACE | Cap.PROTOCOL_41
    | Cap.INTERACTIVE | Cap.TRANSACTIONS | Cap.SECURE_CONNECTION | Cap.MULTI_STATEMENTS | Cap.MULTI_RESULTS
    | Cap.PS_MULTI_RESULTS | Cap.PLUGIN_AUTH | Cap.CONNECT_ATTRS | Cap.PLUGIN_AUTH_LENENC | Cap.DEPRECATE_EOF
    | Cap.SESSION_TRACK
)  # fmt: skip
_UTF8MB4: Final = 45


class MysqlResponder:
    """The mock's side of one connection (`wiretape.protocols.base.Responder`). Any password is accepted, of any plugin that
    drivers have."""

    def __init__(self, facts: Mapping[str, Tree], answers: Answers, target: str) -> None:
        self._stream = Stream()
        self._session = Session(facts)
        self._playback = Playback(self._session, answers, target)
        self._engine = Engine(self._playback)
        self._phase = "login"  # then switching, running
        self._closed = self._upgrade = False
        self._capabilities = _OFFERED | (Cap.SSL if facts.get("tls") is True else Cap(0))
        if self._session.is_mariadb:
            self._capabilities |= Cap.EXTENDED_METADATA
        else:
            self._capabilities |= Cap.LONG_PASSWORD | Cap.QUERY_ATTRIBUTES
        plugin = facts.get("plugin")
        collation = facts.get("collation")
        self._plugin = plugin if plugin in (NATIVE, CACHING_SHA2) else NATIVE
        self._collation = collation if isinstance(collation, int) and 0 < collation < 256 else _UTF8MB4

    @property
    def waiting(self) -> Ask | None:
        return self._playback.waiting

    @property
    def closed(self) -> bool:
        return self._closed or self._playback.closed

    @property
    def upgrade(self) -> bool:
        return self._upgrade

    def upgraded(self) -> bytes:
        self._upgrade = False
        return self._stream.rest()

    @property
    def pause(self) -> float | None:
        return None

    def push(self, call: Call) -> bytes | None:  # noqa: ARG002 - a MySQL server sends nothing unasked
        return None

    def tick(self) -> bytes:
        return b""

    def greet(self) -> bytes:
        greeting = Greeting(
            version=self._session.version,
            thread=1,
            scramble=_SCRAMBLE,
            capabilities=self._capabilities,
            collation=self._collation,
            status=self._session.status,
            plugin=str(self._plugin),
        )
        return Packer(0).pack(greeting.encode())

    def receive(self, data: bytes) -> bytes:
        self._stream.push(data)
        return self._go_on()

    def resume(self, answer: Call | Miss) -> bytes:
        self._playback.resume(answer)
        return self._go_on()

    def _go_on(self) -> bytes:
        playback = self._playback
        try:
            while not (self.closed or self._upgrade or playback.waiting):
                found = self._stream.packet()
                if found is None:
                    break
                sequence, body = found
                if self._phase == "running":
                    if sequence == 0:  # else it goes on with what nobody asked for
                        self._engine.command(body)
                else:
                    playback.packer.sequence = sequence + 1 & 0xFF
                    self._log_in(body)
        except DecodeError as error:
            playback.error(f"wiretape: {error}", 1835, "HY000")
            self._closed = True
        return playback.collect()

    def _log_in(self, body: bytes) -> None:
        """Answers a packet of the log-in. Raises DecodeError."""
        if self._phase == "switching":
            self._admit()
            return
        login = Login.decode(body)
        if login.tls:
            if not self._capabilities & Cap.SSL:
                raise DecodeError("a client wants TLS, which was not offered", 0)
            self._upgrade = True
            return
        self._playback.capabilities = login.capabilities & self._capabilities
        self._session.login(login.database.decode("utf-8", "replace"), login.collation)
        self._session.user = login.user.decode("utf-8", "replace")
        if login.plugin == CACHING_SHA2 and login.secret:
            self._playback.send(FAST_OK)
        elif login.plugin not in ("", NATIVE, CACHING_SHA2):
            self._phase = "switching"
            self._playback.send(switch(NATIVE, _SCRAMBLE))
            return
        self._admit()

    def _admit(self) -> None:
        self._phase = "running"
        self._playback.ok()
