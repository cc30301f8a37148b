"""A WebSocket to the service: the recorded messages sent in their order, each after those it followed, and what came back."""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace

from replayer.answers import MAX_BODY, Talk
from wiretape.body import websocket
from wiretape.case import Message, Request
from wiretape.errors import DecodeError
from wiretape.protocols.http.h1 import Switched
from wiretape.protocols.http.websocket import BINARY, CLOSE, PING, PONG, TEXT, FrameReader, compression

_KINDS = {TEXT: "text", BINARY: "binary", CLOSE: "close"}
_OPCODES = {"text": TEXT, "json": TEXT, "binary": BINARY, "close": CLOSE}
_NORMAL = (1000).to_bytes(2)
_PROTOCOL_ERROR = (1002).to_bytes(2)
_GOODBYE = 1.0  # seconds for the service's side of closing


def with_fresh_key(request: Request) -> Request:
    """The handshake with a key of its own: a key names one connection (RFC 6455 section 4.1)."""
    fresh = b64encode(os.urandom(16)).decode()
    headers = tuple((name, fresh if name.lower() == "sec-websocket-key" else value) for name, value in request.headers)
    return replace(request, headers=headers)


class Conversation(asyncio.Protocol):
    """One WebSocket after its handshake. `came` is what the service said so far."""

    def __init__(self, begun: Switched) -> None:
        agreed = compression(begun.building.response.headers)
        self._reader = FrameReader(MAX_BODY, compressed=agreed.agreed, forgets=agreed.server_forgets)
        self._transport: asyncio.Transport | None = None
        self._news = asyncio.Event()
        self._over = False
        self._said_goodbye = False
        self.came: list[Message] = []

    def start(self, transport: asyncio.Transport, first: bytes) -> None:
        """Speak over this transport, of which `first` has been read already."""
        self._transport = transport
        self.data_received(first)

    async def play(self, messages: Sequence[Message], talk: Talk, patience: float) -> None:
        """Say what was said, each message once as much has come as before it when recorded; returns where the service hangs up,
        or is silent for `patience` seconds."""
        due = 0
        for message in messages:
            if message.direction == "receive":
                due += 1
                if not await self._has_come(due, patience):
                    break
                talk.heard(message, self.came[due - 1])
            elif not self._over:
                self._say(talk.said(message))
        await self._part(messages)

    async def _has_come(self, count: int, patience: float) -> bool:
        try:
            async with asyncio.timeout(patience):
                while len(self.came) < count and not self._over:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return len(self.came) >= count

    async def _part(self, messages: Sequence[Message]) -> None:
        """Close as the recording did; where it did not, what still comes before the service's goodbye is heard."""
        closes = any(message.kind == "close" and message.direction == "receive" for message in messages)
        if not self._said_goodbye and not self._over:
            self._send(CLOSE, _NORMAL)
            self._said_goodbye = True
        try:
            async with asyncio.timeout(_GOODBYE):
                while not self._over:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pass  # some services do not say goodbye
        if not closes and self.came and self.came[-1].kind == "close" and self._answered:
            self.came.pop()  # the answer to a goodbye that was not part of the recording

    @property
    def _answered(self) -> bool:
        return self._said_goodbye

    def _say(self, message: Message) -> None:
        self._said_goodbye = self._said_goodbye or message.kind == "close"
        self._send(_OPCODES[message.kind], websocket.write(message))

    def _send(self, opcode: int, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_frame(opcode, data))

    def data_received(self, data: bytes) -> None:
        try:
            for opcode, payload in self._reader.feed(data):
                self._take(opcode, payload)
        except DecodeError:
            self._send(CLOSE, _PROTOCOL_ERROR)
            self._over = True
        self._news.set()

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self._send(PONG, payload)
        if opcode not in _KINDS or self._over:
            return
        self.came.append(websocket.read("receive", _KINDS[opcode], payload))
        if opcode == CLOSE:
            self._over = True
            if not self._said_goodbye:
                self._send(CLOSE, payload[:2])

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it ended is no difference
        self._over = True
        self._news.set()


def _frame(opcode: int, data: bytes) -> bytes:
    """One whole message in one frame, masked as a client must (RFC 6455 section 5.3)."""
    size = len(data)
    mask = os.urandom(4)
    head = bytes((0x80 | opcode,))
    if size < 126:
        head += bytes((0x80 | size,))
    elif size < 1 << 16:
        head += bytes((0x80 | 126,)) + size.to_bytes(2)
    else:
        head += bytes((0x80 | 127,)) + size.to_bytes(8)
    stream = (mask * (size // 4 + 1))[:size]
    return head + mask + (int.from_bytes(data) ^ int.from_bytes(stream)).to_bytes(size)
