"""A mock's side of a WebSocket: the recorded messages of the server, each after the client's messages it followed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence

from wiretape import body as bodies
from wiretape import jsontext
from wiretape.case import Headers
from wiretape.errors import DecodeError
from wiretape.protocols.base import Side
from wiretape.protocols.http.exchange import Message
from wiretape.protocols.http.meaning import alike
from wiretape.protocols.http.replies import MAX_REQUEST, Desk, Received
from wiretape.protocols.http.websocket import BINARY, CLOSE, PING, PONG, TEXT, FrameReader

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
_OPCODES = {"text": TEXT, "binary": BINARY, "close": CLOSE}
_POLICY = 1008
_SHOWN = 200


def accepted(headers: Headers) -> Headers | None:
    """The headers that accept a client's handshake; None where it is none (RFC 6455 section 4.2)."""
    key = bodies.header(headers, "sec-websocket-key")
    if not key or "websocket" not in bodies.header(headers, "upgrade").lower():
        return None
    digest = base64.b64encode(hashlib.sha1(f"{key.strip()}{_MAGIC}".encode(), usedforsecurity=False).digest()).decode()
    found = [("upgrade", "websocket"), ("connection", "Upgrade"), ("sec-websocket-accept", digest)]
    offers = ",".join(value for name, value in headers if name.lower() == "sec-websocket-extensions")
    for offer in offers.split(","):
        name, *words = (word.strip() for word in offer.split(";"))
        if name.lower() == "permessage-deflate":  # we never compress, and read what does: agreeing costs nothing
            kept = [word for word in words if word.startswith("server_")]
            found.append(("sec-websocket-extensions", "; ".join(["permessage-deflate", *kept])))
            break
    return tuple(found)


def frame(opcode: int, data: bytes) -> bytes:
    """One whole message in one frame, as a server sends it."""
    size = len(data)
    if size < 126:
        return bytes((0x80 | opcode, size)) + data
    if size < 1 << 16:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2) + data
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8) + data


class SocketServer:
    """One WebSocket. What a client says that is not what it said when recorded is a miss: it is told, and hung up on."""

    def __init__(self, desk: Desk, request: Received, messages: Sequence[Message]) -> None:
        self._desk, self._request, self._messages = desk, request, messages
        self._at = 0
        self._reader = FrameReader(MAX_REQUEST, compressed=True, forgets=False)
        self._said_goodbye = False
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether nothing more is sent or read."""
        return self._closed

    def greet(self) -> bytes:
        """What the server says before the client does."""
        return b"".join(self._until_client())

    def receive(self, data: bytes) -> bytes:
        """Bytes to send back."""
        out: list[bytes] = []
        try:
            for opcode, payload in self._reader.feed(b"" if self._closed else data):
                out += self._take(opcode, payload)
                if self.closed:
                    break
        except DecodeError as error:
            out += self._goodbye(1002, f"wiretape: {error}")
            self._closed = True
        return b"".join(out)

    def _until_client(self) -> Iterator[bytes]:
        """The server's messages up to the next one of the client."""
        while self._at < len(self._messages) and (one := self._messages[self._at]).side is Side.SERVER:
            self._at += 1
            self._said_goodbye = self._said_goodbye or one.kind == "close"
            yield frame(_OPCODES[one.kind], one.data)

    def _take(self, opcode: int, payload: bytes) -> Iterator[bytes]:
        match opcode:
            case _ if opcode == PING:
                yield frame(PONG, payload)
            case _ if opcode == CLOSE:
                self._closed = True
                if not self._said_goodbye:
                    yield from self._last_words(payload)
            case _ if opcode != PONG:
                yield from self._answer(opcode, payload)

    def _last_words(self, payload: bytes) -> Iterator[bytes]:
        """What the server said after the client's goodbye, at least a goodbye of its own."""
        rest = self._messages[self._at :]
        if rest and rest[0].kind == "close":
            self._at += 1
            yield from self._until_client()
        if not self._said_goodbye:
            self._said_goodbye = True
            yield frame(CLOSE, payload[:2])

    def _answer(self, opcode: int, payload: bytes) -> Iterator[bytes]:
        wanted = next((one for one in self._messages[self._at :] if one.side is Side.CLIENT), None)
        if wanted is None or _OPCODES[wanted.kind] != opcode or not _means(wanted.data, payload):
            text = payload[:_SHOWN].decode("utf-8", "replace")
            self._desk.missed(self._request, text)
            self._closed = True
            yield from self._goodbye(_POLICY, f"wiretape: no recorded message: {text}")
            return
        self._at += 1
        yield from self._until_client()

    def _goodbye(self, code: int, reason: str) -> Iterator[bytes]:
        text = reason.encode()[:120].decode("utf-8", "ignore").encode()
        if not self._said_goodbye:
            self._said_goodbye = True
            yield frame(CLOSE, code.to_bytes(2) + text)


def _means(recorded: bytes, live: bytes) -> bool:
    """Whether two messages say the same: equal, or JSON that differs only in what is drawn anew each time."""
    if recorded == live:
        return True
    try:
        return alike(jsontext.lenient(recorded.decode()), jsontext.lenient(live.decode()))
    except ValueError:
        return False
