"""Packets: three bytes of length, one of sequence, the payload; payloads of 16 MiB and more go in several packets.

Lengths are judged before the payload is waited for. Whole payloads are handed on, so nobody else knows of the splitting.
"""

from __future__ import annotations

import re
from typing import Final

from wiretape.errors import DecodeError

MAX_PAYLOAD: Final = 256 * 1024 * 1024
WHOLE: Final = 0xFFFFFF  # a packet of this length is followed by the rest of its payload, be it empty
TLS_HANDSHAKE: Final = 0x16
_HEADER: Final = 4
_GREETING = re.compile(rb"...\x00(?:\x0a[0-9][^\x00]{2,}|\xff..)", re.DOTALL)
_LONGEST_GREETING = 1024


class Stream:
    """The bytes of one side of a connection that have not been read yet."""

    __slots__ = ("_at", "_base", "_data", "_parts", "_sequence", "_size")

    def __init__(self) -> None:
        self._data = bytearray()
        self._at = 0
        self._base = 0
        self._parts: list[bytes] = []
        self._size = 0
        self._sequence = 0

    def push(self, data: bytes) -> None:
        """Add what arrived."""
        if self._at:
            del self._data[: self._at]
            self._base += self._at
            self._at = 0
        self._data += data

    @property
    def offset(self) -> int:
        """Position in the whole stream of the next byte."""
        return self._base + self._at

    @property
    def left(self) -> int:
        """How many bytes have arrived and were not read."""
        return len(self._data) - self._at

    def first(self) -> int | None:
        """The next byte, which stays unread; None where it has not arrived."""
        return self._data[self._at] if self.left else None

    def rest(self) -> bytes:
        """All that has arrived and was not read; it is read now."""
        out = bytes(self._data[self._at :])
        self._at = len(self._data)
        return out

    def packet(self) -> tuple[int, bytes] | None:
        """The next payload with the sequence number of its first packet, or None where it has not arrived whole."""
        while self.left >= _HEADER:
            at = self._at
            length = int.from_bytes(self._data[at : at + 3], "little")
            if self._size + length > MAX_PAYLOAD:
                raise DecodeError(f"a packet of more than {MAX_PAYLOAD} bytes", self.offset)
            if self.left < _HEADER + length:
                return None
            sequence, part = self._data[at + 3], bytes(self._data[at + _HEADER : at + _HEADER + length])
            self._at = at + _HEADER + length
            if not self._parts:
                if length < WHOLE:
                    return sequence, part
                self._sequence = sequence
            self._parts.append(part)
            self._size += length
            if length < WHOLE:
                whole = b"".join(self._parts)
                self._parts, self._size = [], 0
                return self._sequence, whole
        return None


class Packer:
    """Numbers and splits the packets of one answer."""

    __slots__ = ("sequence",)

    def __init__(self, sequence: int = 0) -> None:
        self.sequence = sequence & 0xFF

    def pack(self, payload: bytes) -> bytes:
        """A payload as its packet or packets."""
        size = len(payload)
        if size < WHOLE:
            return self._one(payload)
        parts = [self._one(payload[at : at + WHOLE]) for at in range(0, size, WHOLE)]
        if size % WHOLE == 0:
            parts.append(self._one(b""))
        return b"".join(parts)

    def _one(self, part: bytes) -> bytes:
        header = len(part).to_bytes(3, "little") + bytes((self.sequence,))
        self.sequence = (self.sequence + 1) & 0xFF
        return header + part


def recognises(client: bytes, server: bytes) -> bool | None:
    """Whether a connection begins as MySQL's do: the server speaks first, and greets in protocol version 10."""
    if not server:
        return None if not client else False
    if len(server) < 8:
        return None if server[3:5] in (b"", b"\x00", b"\x00\x0a", b"\x00\xff") else False
    length = int.from_bytes(server[:3], "little")
    return bool(_GREETING.match(server)) and length <= _LONGEST_GREETING
