"""A connection to the real server for what no recording answers: dialled at the first such ask, never otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from wiretape.case import Call
from wiretape.config import Target
from wiretape.errors import WiretapeError
from wiretape.protocols.base import Ask, Codec, Miss


class Passthrough(asyncio.Protocol):
    """Puts one ask at a time to the upstream of `target`, for one mock connection. `answered` gets each answer."""

    def __init__(self, target: Target, codec: Codec, answered: Callable[[Call | Miss], None]) -> None:
        self._target, self._answered = target, answered
        assert codec.upstream is not None
        self._upstream = codec.upstream({"user": target.user, "password": target.password, "database": target.database})
        self._transport: asyncio.Transport | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._ask: Ask | None = None
        self._sent = False

    def put(self, ask: Ask) -> None:
        """Ask the real server; the answer comes later."""
        self._ask, self._sent = ask, False
        if self._transport is not None:
            self._send()
        elif self._dialling is None:
            self._dialling = asyncio.ensure_future(self._dial())

    async def _dial(self) -> None:
        at = self._target.upstream
        if at is None:
            self._fail(f"target {self._target.name} has no upstream to pass it to; add targets.{self._target.name}.upstream")
            return
        try:
            loop = asyncio.get_running_loop()
            if at.path:
                await loop.create_unix_connection(lambda: self, at.path)
            else:
                await loop.create_connection(lambda: self, at.host, at.port)
        except OSError as error:
            self._fail(f"the upstream {at} cannot be reached: {error.strerror or error}")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._upstream.greet())
        self._send()

    def data_received(self, data: bytes) -> None:
        try:
            reply, call = self._upstream.receive(data)
        except WiretapeError as error:
            self._fail(f"the upstream could not be read: {error}")
            self.close()
            return
        assert self._transport is not None
        self._transport.write(reply)
        if call is not None:
            self._ask = None
            self._answered(call)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport, self._dialling = None, None
        self._fail(f"the upstream closed the connection{f': {exc}' if exc else ''}")

    def close(self) -> None:
        """Hang up."""
        if self._dialling is not None:
            self._dialling.cancel()
        if self._transport is not None:
            self._transport.abort()

    def _send(self) -> None:
        if self._ask is not None and not self._sent and self._upstream.ready and self._transport is not None:
            self._sent = True
            self._transport.write(self._upstream.ask(self._ask))

    def _fail(self, reason: str) -> None:
        ask, self._ask = self._ask, None
        if ask is not None:
            self._answered(Miss(ask=ask, advice=reason))
