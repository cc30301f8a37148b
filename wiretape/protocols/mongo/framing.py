"""Cuts one side's bytes into messages, however they arrive, and takes compressed ones apart.

Length and opcode are judged as soon as the header is there, so a hostile length costs nothing.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import zstandard

from wiretape.errors import DecodeError
from wiretape.protocols.base import Side
from wiretape.protocols.mongo.messages import HEADER_SIZE, OP_COMPRESSED, OP_MSG, OP_QUERY, OP_REPLY, OpCompressed

MAX_MESSAGE: Final = 48_000_000  # bytes, maxMessageSizeBytes of every server
_HEADER = struct.Struct("<iiii")
_TLS: Final = b"\x16\x03"
_LEGACY: Mapping[int, str] = MappingProxyType(
    {2001: "OP_UPDATE", 2002: "OP_INSERT", 2005: "OP_GET_MORE", 2006: "OP_DELETE", 2007: "OP_KILL_CURSORS"}
)
_SPOKEN: Mapping[Side, frozenset[int]] = MappingProxyType(
    {
        Side.CLIENT: frozenset((OP_MSG, OP_QUERY, OP_COMPRESSED)),
        Side.SERVER: frozenset((OP_MSG, OP_REPLY, OP_COMPRESSED)),
    }
)
_SNAPPY: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One message, uncompressed. `at` is the position of its first byte in the stream."""

    request: int
    response_to: int
    opcode: int
    body: bytes
    at: int


class Stream:
    """The bytes of one side of a connection that have not been read yet."""

    __slots__ = ("_at", "_base", "_data", "_spoken")

    def __init__(self, side: Side) -> None:
        self._data = bytearray()
        self._at = 0
        self._base = 0
        self._spoken = _SPOKEN[side]

    def push(self, data: bytes) -> None:
        """Add what arrived."""
        if self._at:
            del self._data[: self._at]
            self._base += self._at
            self._at = 0
        self._data += data

    def next(self) -> Frame | None:
        """The next message, or None where it has not arrived whole. Raises DecodeError."""
        at, offset = self._at, self._base + self._at
        if len(self._data) - at < HEADER_SIZE:
            return None
        length, request, response_to, opcode = _HEADER.unpack_from(self._data, at)
        if opcode not in self._spoken:
            raise DecodeError(_strange(opcode, bytes(self._data[at : at + 2])), offset)
        if not HEADER_SIZE < length <= MAX_MESSAGE:
            raise DecodeError(f"a message of {length} bytes (up to {MAX_MESSAGE} are read)", offset)
        if len(self._data) - at < length:
            return None
        body = bytes(self._data[at + HEADER_SIZE : at + length])
        self._at = at + length
        if opcode == OP_COMPRESSED:
            opcode, body = uncompressed(OpCompressed.decode(body))
            if opcode not in self._spoken or opcode == OP_COMPRESSED:
                raise DecodeError(_strange(opcode, b""), offset)
        return Frame(request=request, response_to=response_to, opcode=opcode, body=body, at=offset)


def _strange(opcode: int, start: bytes) -> str:
    if opcode in _LEGACY:
        return f"{_LEGACY[opcode]} is not read: drivers of today speak OP_MSG (MongoDB 3.6 and later)"
    if start == _TLS:
        return "this connection is encrypted: record it where its TLS ends, or turn TLS off"
    return f"no message has the opcode {opcode}"


def uncompressed(message: OpCompressed) -> tuple[int, bytes]:
    """The opcode and the body that were compressed. Raises DecodeError."""
    if not 0 <= message.size <= MAX_MESSAGE:
        raise DecodeError(f"a message that has {message.size} bytes uncompressed (up to {MAX_MESSAGE} are read)", 4)
    if message.compressor == _SNAPPY:
        raise DecodeError("snappy cannot be read: take compressors=snappy out of the connection string", 8)
    try:
        body = _inflated(message)
    except (zlib.error, zstandard.ZstdError) as error:
        raise DecodeError(f"a compressed message cannot be read: {error}", 9) from None
    if len(body) != message.size:
        raise DecodeError(f"a compressed message has {len(body)} bytes, not {message.size}", 9)
    return message.opcode, body


def _inflated(message: OpCompressed) -> bytes:
    """At most one byte more than the message says."""
    match message.compressor:
        case 0:
            return message.data
        case 2:
            return zlib.decompressobj().decompress(message.data, message.size + 1)
        case 3:
            reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(message.data)
            return bytes(reader.read(message.size + 1))
    raise DecodeError(f"there is no compressor {message.compressor}", 8)


def recognises(client: bytes, server: bytes) -> bool | None:
    """Whether a connection begins as MongoDB's do: the client speaks first, in a message of a length and opcode there are."""
    if not client:
        return False if server else None
    if len(client) < 4:
        return None
    (length,) = struct.unpack_from("<i", client)
    if not HEADER_SIZE < length <= MAX_MESSAGE:
        return False
    if len(client) < HEADER_SIZE:
        return None
    _, _, response_to, opcode = _HEADER.unpack_from(client)
    return response_to == 0 and (opcode in _SPOKEN[Side.CLIENT] or opcode in _LEGACY)
