"""Plays a server of HTTP on one connection: HTTP/1.x, HTTP/2, WebSocket, a proxy's tunnel; told apart by the client's bytes."""

from __future__ import annotations

from collections.abc import Mapping

from wiretape.case import Call
from wiretape.protocols.base import Answers, Ask, Miss
from wiretape.protocols.http.h1server import Http1Server
from wiretape.protocols.http.h2frames import PREFACE
from wiretape.protocols.http.h2server import Http2Server
from wiretape.protocols.http.meaning import tunnelled
from wiretape.protocols.http.replies import Desk
from wiretape.tree import Tree


class HttpResponder:
    """The mock's side of one connection (`wiretape.protocols.base.Responder`)."""

    def __init__(self, facts: Mapping[str, Tree], answers: Answers, target: str) -> None:
        versions = facts.get("versions")
        self._upgrades = isinstance(versions, list) and "2" in map(str, versions)
        self._desk = Desk(answers, target)
        self._server: Http1Server | Http2Server | None = None
        self._held = b""
        self._origin = ""
        self._upgrade = False

    @property
    def waiting(self) -> Ask | None:
        return self._server.waiting if self._server is not None else None

    @property
    def closed(self) -> bool:
        return self._server is not None and self._server.closed

    @property
    def upgrade(self) -> bool:
        return self._upgrade

    def upgraded(self) -> bytes:
        self._upgrade = False
        early, self._held = self._held, b""
        return early

    @property
    def pause(self) -> float | None:
        return self._server.pause if isinstance(self._server, Http2Server) else None

    def greet(self) -> bytes:
        return b""

    def push(self, call: Call) -> bytes | None:  # noqa: ARG002 - HTTP's server does not speak unasked
        return None

    def tick(self) -> bytes:
        return self._server.tick() if isinstance(self._server, Http2Server) else b""

    def receive(self, data: bytes) -> bytes:
        if self._server is None:
            self._held += data
            if len(self._held) < len(PREFACE) and PREFACE.startswith(self._held):
                return b""
            data, self._held = self._held, b""
            return self._begin(data)
        return self._after(self._server.receive(data))

    def resume(self, answer: Call | Miss) -> bytes:
        assert self._server is not None
        return self._after(self._server.resume(answer))

    def _begin(self, data: bytes) -> bytes:
        if data.startswith(PREFACE):
            server = self._server = Http2Server(self._desk, self._origin)
            return server.start() + server.receive(data)
        self._server = Http1Server(self._desk, self._origin, upgrades=self._upgrades)
        return self._after(self._server.receive(data))

    def _after(self, out: bytes) -> bytes:
        """Go on in another protocol where the server says so."""
        server = self._server
        if not isinstance(server, Http1Server):
            return out
        if server.upgrade is not None:
            after = self._server = Http2Server(self._desk, self._origin)
            started = after.start((server.upgrade.request, server.upgrade.settings))
            return out + started + after.receive(server.upgrade.rest)
        if server.tunnel:
            self._origin = tunnelled(server.tunnel)
            self._upgrade = self._origin.startswith("https:")
            self._held, self._server = server.rest(), None
            return out if self._upgrade else out + self.receive(b"")
        return out
