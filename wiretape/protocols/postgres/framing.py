"""Cuts one side's bytes into messages, however they arrive.

Whoever reads says which kind comes next, because the bytes alone do not: a start-up packet (no tag), the one-byte answer to an
encryption request, or a tagged message. Lengths are judged before the body is waited for, so a hostile length costs nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Container
from typing import Final

from wiretape.errors import DecodeError

# The server's own limit (MAX_STARTUP_PACKET_LENGTH); a server allows itself 1 GiB for a row, which nobody wants in a test case.
MAX_STARTUP: Final = 10_000
MAX_MESSAGE: Final = 256 * 1024 * 1024
TLS_HANDSHAKE: Final = 0x16

_LENGTH = struct.Struct(">I")
_TWO = struct.Struct(">II")


class Stream:
    """The bytes of one side of a connection that have not been read yet."""

    __slots__ = ("_at", "_base", "_data")

    def __init__(self) -> None:
        self._data: bytes | bytearray = b""
        self._at = 0
        self._base = 0

    def push(self, data: bytes) -> None:
        """Add what arrived."""
        if self._at == len(self._data):
            self._base += self._at
            self._data, self._at = data, 0
            return
        # a bytearray grows in place: a message that arrives in many pieces is not copied for each of them
        if isinstance(self._data, bytes):
            self._data = bytearray(self._data)
        if self._at:
            del self._data[: self._at]
            self._base += self._at
            self._at = 0
        self._data += data

    def whole(self) -> bytes | None:
        """All that has arrived, if that came in one piece and nothing of it was read yet."""
        return self._data if not self._at and isinstance(self._data, bytes) else None

    def skip(self, size: int) -> None:
        """Pass over bytes that have arrived."""
        self._at += size

    @property
    def offset(self) -> int:
        """Position in the whole stream of the next byte."""
        return self._base + self._at

    @property
    def left(self) -> int:
        """How many bytes have arrived and were not read."""
        return len(self._data) - self._at

    def byte(self) -> bytes | None:
        """The next byte, or None where it has not arrived."""
        if not self.left:
            return None
        self._at += 1
        return bytes(self._data[self._at - 1 : self._at])

    def startup(self) -> tuple[int, bytes] | None:
        """The next start-up packet: its request code or version, and its body with that code."""
        data, at = self._data, self._at
        if self.left and data[at] == TLS_HANDSHAKE:
            raise DecodeError("this connection is encrypted: record it where its TLS ends, or turn TLS off", self.offset)
        if self.left < 4:
            return None
        (length,) = _LENGTH.unpack_from(data, at)
        if not 8 <= length <= MAX_STARTUP:
            raise DecodeError(f"a start-up packet cannot be {length} bytes long: this is not PostgreSQL", self.offset)
        if self.left < length:
            return None
        code = _TWO.unpack_from(data, at)[1]
        self._at = at + length
        return code, bytes(data[at + 4 : at + length])

    def message(self, tags: Container[int]) -> tuple[int, bytes] | None:
        """The next tagged message: its tag and its body, or None where it has not arrived whole."""
        data, at = self._data, self._at
        left = len(data) - at
        if not left:
            return None
        tag = data[at]
        if tag not in tags:
            raise DecodeError(f"no message has the tag {bytes([tag])!r}", self.offset)
        if left < 5:
            return None
        (length,) = _LENGTH.unpack_from(data, at + 1)
        if not 4 <= length <= MAX_MESSAGE:
            raise DecodeError(f"a message of {length} bytes (from 4 to {MAX_MESSAGE} are read)", self.offset + 1)
        if left <= length:
            return None
        end = self._at = at + 1 + length
        return tag, bytes(data[at + 5 : end])


def recognises(client: bytes, server: bytes) -> bool | None:  # noqa: ARG001 - the client speaks first
    """Whether a connection begins as PostgreSQL's do: with a start-up packet of a code that exists."""
    if len(client) < _TWO.size:
        return None if not client or client[0] == 0 else False
    length, code = _TWO.unpack_from(client)
    return bool(8 <= length <= MAX_STARTUP and code >> 16 in (3, 1234))
