"""WebSocket (RFC 6455) off the wire: frames -> whole messages, masks and permessage-deflate (RFC 7692) taken off."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from wiretape.case import Headers
from wiretape.errors import DecodeError
from wiretape.protocols.base import Side
from wiretape.protocols.http.exchange import Message, MessageKind

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_SLICE = 64 * 1024
_OVERHEAD = 64  # bytes counted for each message, so that empty ones do not cost memory without end


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """Which side's compressor forgets between messages; `agreed`: messages may be compressed at all."""

    agreed: bool = False
    client_forgets: bool = False
    server_forgets: bool = False


def compression(response_headers: Headers) -> Compression:
    """What the server agreed to (RFC 7692 section 7.1)."""
    value = ",".join(value for name, value in response_headers if name.lower() == "sec-websocket-extensions")
    for offer in value.split(","):
        name, *words = (word.strip().lower() for word in offer.split(";"))
        if name == "permessage-deflate":
            return Compression(
                agreed=True,
                client_forgets="client_no_context_takeover" in words,
                server_forgets="server_no_context_takeover" in words,
            )
    return Compression()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    final: bool
    compressed: bool
    opcode: int
    length: int
    mask: bytes


class FrameReader:
    """One direction: bytes -> (opcode, payload) of whole messages and control frames. Of a message `limit` bytes are kept.

    `size` counts what the last message really had.
    """

    def __init__(self, limit: int, *, compressed: bool, forgets: bool) -> None:
        self._limit, self._compressed, self._forgets = limit, compressed, forgets
        self._buffer = bytearray()
        self._head: _Head | None = None
        self._left = 0
        self._opcode = 0
        self._deflated = False
        self._payload = bytearray()
        self._control = bytearray()
        self._inflate = zlib.decompressobj(-15)
        self._offset = 0
        self.size = 0

    @property
    def between(self) -> bool:
        """Whether no message or frame is under way."""
        return not (self._buffer or self._head or self._opcode)

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Messages and control frames that became whole. Raises DecodeError."""
        self._buffer += data
        while True:
            if self._head is None and not self._begin():
                return
            head = self._head
            assert head is not None
            piece = bytes(self._buffer[: self._left])
            del self._buffer[: len(piece)]
            self._take(head, _unmask(piece, head.mask, head.length - self._left))
            self._left -= len(piece)
            if self._left:
                return
            self._head = None
            self._offset += head.length
            if (whole := self._end(head)) is not None:
                yield whole

    def _begin(self) -> bool:
        head, size = self._read_head()
        if head is None:
            return False
        if head.opcode >= CLOSE:
            if not head.final or head.length > 125 or head.compressed:
                raise DecodeError("a control frame of a WebSocket that is too long or in pieces", self._offset)
        elif (head.opcode == CONTINUATION) != bool(self._opcode):
            raise DecodeError("a WebSocket message that begins within another, or goes on where there is none", self._offset)
        elif head.opcode:
            self._opcode, self._deflated, self.size = head.opcode, head.compressed, 0
        del self._buffer[:size]
        self._offset += size
        self._head, self._left = head, head.length
        return True

    def _read_head(self) -> tuple[_Head | None, int]:
        """RFC 6455 section 5.2."""
        data = self._buffer
        if len(data) < 2:
            return None, 0
        opcode, length = data[0] & 0x0F, data[1] & 0x7F
        compressed = bool(data[0] & 0x40)
        if data[0] & 0x30 or (compressed and not self._compressed) or opcode not in (0, 1, 2, 8, 9, 10):
            raise DecodeError("not a WebSocket frame, or one of an extension that is not read", self._offset)
        start = 2 + {126: 2, 127: 8}.get(length, 0)
        size = start + (4 if data[1] & 0x80 else 0)
        if len(data) < size:
            return None, 0
        if length > 125:
            length = int.from_bytes(data[2:start])
            if length >> 63:
                raise DecodeError("a WebSocket frame longer than any can be", self._offset)
        mask = bytes(data[start:size])
        return _Head(final=bool(data[0] & 0x80), compressed=compressed, opcode=opcode, length=length, mask=mask), size

    def _take(self, head: _Head, data: bytes) -> None:
        if head.opcode >= CLOSE:
            self._control += data
        elif self._deflated:
            self._unpack(data)
        else:
            self._keep(data)

    def _keep(self, data: bytes) -> None:
        self.size += len(data)
        self._payload += data[: max(0, self._limit - len(self._payload))]

    def _unpack(self, data: bytes) -> None:
        try:
            full = True
            while data or full:
                piece = self._inflate.decompress(data, _SLICE)
                self._keep(piece)
                data, full = self._inflate.unconsumed_tail, len(piece) == _SLICE
        except zlib.error as error:
            raise DecodeError(f"a WebSocket message that does not decompress: {error}", self._offset) from None

    def _end(self, head: _Head) -> tuple[int, bytes] | None:
        if head.opcode >= CLOSE:
            data = bytes(self._control)
            self._control.clear()
            return head.opcode, data
        if not head.final:
            return None
        if self._deflated:
            self._unpack(b"\x00\x00\xff\xff")
            if self._forgets or self._inflate.eof:
                self._inflate = zlib.decompressobj(-15)
        opcode, data = self._opcode, bytes(self._payload)
        self._opcode = 0
        self._payload.clear()
        return opcode, data


def _unmask(data: bytes, mask: bytes, at: int) -> bytes:
    """`data` without its mask (RFC 6455 section 5.3); `at` is its place within the frame."""
    if not data or not mask:
        return data
    turned = mask[at % 4 :] + mask[: at % 4]
    size = len(data)
    stream = (turned * (size // 4 + 1))[:size]
    return (int.from_bytes(data) ^ int.from_bytes(stream)).to_bytes(size)


_KINDS: dict[int, MessageKind] = {TEXT: "text", BINARY: "binary", CLOSE: "close"}


class WebSocket:
    """Both sides of a connection after the handshake. Of all its messages together `limit` bytes are kept."""

    def __init__(self, limit: int, agreed: Compression) -> None:
        self._limit = limit
        self._readers = {
            Side.CLIENT: FrameReader(limit, compressed=agreed.agreed, forgets=agreed.client_forgets),
            Side.SERVER: FrameReader(limit, compressed=agreed.agreed, forgets=agreed.server_forgets),
        }
        self._closed: set[Side] = set()
        self._kept: list[Message] = []
        self._size = 0

    @property
    def over(self) -> bool:
        """Whether both sides have said goodbye."""
        return len(self._closed) == 2

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages so far, without pings and pongs, in the order in which they became whole."""
        return tuple(self._kept)

    @property
    def problem(self) -> str:
        """Why the messages are not all there is, if the connection ends now; else empty."""
        if self._size > self._limit:
            return f"WebSocket messages of {self._size} bytes are over the limit of {self._limit} (--max-body)"
        if not all(reader.between or side in self._closed for side, reader in self._readers.items()):
            return "the connection ended within a WebSocket message"
        return ""

    def feed(self, side: Side, data: bytes, at: float) -> None:
        """More bytes of one side, whatever follows its goodbye left aside. Raises DecodeError."""
        if side in self._closed:
            return
        reader = self._readers[side]
        for opcode, payload in reader.feed(data):
            kind = _KINDS.get(opcode)
            if kind is None:
                continue
            self._size += _OVERHEAD + (reader.size if kind != "close" else len(payload))
            if self._size <= self._limit:
                self._kept.append(Message(side=side, kind=kind, data=payload, at=at))
            if kind == "close":
                self._closed.add(side)
                return
