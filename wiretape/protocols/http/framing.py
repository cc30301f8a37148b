"""HTTP/1.1 message framing (RFC 9112 sections 2, 6, 7): one direction's bytes -> heads, body bytes and ends, in order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from wiretape.case import Headers
from wiretape.errors import DecodeError

MAX_HEAD = 256 * 1024
_MAX_LINE = 8 * 1024
_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) (HTTP/1\.[01])\r?\n")
_STATUS_LINE = re.compile(rb"(HTTP/1\.[01]) (\d{3})(?: ([^\r\n]*))?\r?\n")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*?)[ \t]*\r?\n")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r?\n")


class Framing(Enum):
    """How a body ends, where not by a number of bytes. INTERIM: a 1xx head, after which another head comes."""

    CHUNKED = auto()
    UNTIL_CLOSE = auto()
    INTERIM = auto()


@dataclass(frozen=True, slots=True)
class Head:
    """The start line's three parts (`GET`, `/`, `HTTP/1.1` or `HTTP/1.1`, `200`, `OK`) and the header fields."""

    start: tuple[str, str, str]
    headers: Headers
    offset: int


@dataclass(frozen=True, slots=True)
class Data:
    """Some of the body."""

    data: bytes


@dataclass(frozen=True, slots=True)
class End:
    """The message is whole."""

    trailers: Headers = ()


class _State(Enum):
    HEAD = auto()
    DECIDE = auto()
    LENGTH = auto()
    CHUNK_SIZE = auto()
    CHUNK = auto()
    TRAILERS = auto()
    UNTIL_CLOSE = auto()


class Reader:
    """One direction of a connection. After each Head, `expect` must be told how the body ends: the other side decides."""

    def __init__(self, *, requests: bool) -> None:
        self._line = _REQUEST_LINE if requests else _STATUS_LINE
        self._buffer = bytearray()
        self._state = _State.HEAD
        self._left = 0
        self.offset = 0

    def feed(self, data: bytes) -> None:
        self._buffer += data

    @property
    def pending(self) -> bool:
        """Whether bytes of a message are waiting (empty lines before a start line are none: RFC 9112 section 2.2)."""
        if self._state is _State.HEAD:
            self._skip_empty_lines()
        return bool(self._buffer)

    @property
    def until_close(self) -> bool:
        """Whether the message under way ends with the connection."""
        return self._state is _State.UNTIL_CLOSE

    @property
    def in_head(self) -> bool:
        """Whether a head has begun, with a whole start line, and has not ended."""
        return self._state is _State.HEAD and self._line.match(self._buffer) is not None

    def rest(self) -> bytes:
        """What has not been read: it belongs to the protocol the connection goes on in."""
        return bytes(self._buffer)

    def expect(self, framing: Framing | int) -> None:
        """How the body of the head just read ends: by a count of bytes, or a Framing."""
        assert self._state is _State.DECIDE
        match framing:
            case Framing.CHUNKED:
                self._state = _State.CHUNK_SIZE
            case Framing.UNTIL_CLOSE:
                self._state = _State.UNTIL_CLOSE
            case Framing.INTERIM:
                self._state = _State.HEAD
            case int():
                self._state, self._left = _State.LENGTH, framing

    def next(self) -> Head | Data | End | None:
        """The next event, or None until more bytes come. Raises DecodeError."""
        match self._state:
            case _State.HEAD:
                return self._head()
            case _State.LENGTH:
                return self._counted()
            case _State.UNTIL_CLOSE:
                return Data(self._take(len(self._buffer))) if self._buffer else None
            case _:
                return self._chunked()

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        self.offset += count
        return data

    def _skip_empty_lines(self) -> None:
        while self._buffer[:2] == b"\r\n" or self._buffer[:1] == b"\n":
            self._take(2 if self._buffer[:1] == b"\r" else 1)

    def _head(self) -> Head | None:
        self._skip_empty_lines()
        if self._buffer:
            self._refuse_other_protocols()
        end = _END_OF_HEAD.search(self._buffer)
        if not end:
            if len(self._buffer) > MAX_HEAD:
                raise DecodeError(f"a head over {MAX_HEAD} bytes", self.offset)
            return None
        offset = self.offset
        text = self._take(end.end())
        line = self._line.match(text)
        if not line:
            raise DecodeError(f"not an HTTP/1.x start line: {text[:40]!r}", offset)
        start = tuple((part or b"").decode("latin-1") for part in line.groups())
        self._state = _State.DECIDE
        return Head((start[0], start[1], start[2]), _fields(text, line.end(), offset), offset)

    def _refuse_other_protocols(self) -> None:
        if self._buffer[0] in (0x16, 0x80):
            raise DecodeError("TLS where plain HTTP was expected", self.offset)
        if self._buffer[:14] == b"PRI * HTTP/2.0":
            raise DecodeError("HTTP/2 within HTTP/1.x", self.offset)

    def _counted(self) -> Data | End | None:
        if self._left == 0:
            self._state = _State.HEAD
            return End()
        if not self._buffer:
            return None
        data = self._take(min(self._left, len(self._buffer)))
        self._left -= len(data)
        return Data(data)

    def _chunked(self) -> Data | End | None:
        """RFC 9112 section 7.1."""
        while True:
            match self._state:
                case _State.CHUNK_SIZE:
                    if not self._chunk_size():
                        return None
                case _State.CHUNK if self._left:
                    if not self._buffer:
                        return None
                    data = self._take(min(self._left, len(self._buffer)))
                    self._left -= len(data)
                    return Data(data)
                case _State.CHUNK:
                    if not self._chunk_end():
                        return None
                case _:
                    return self._trailers()

    def _chunk_size(self) -> bool:
        found = _CHUNK_SIZE.match(self._buffer)
        if not found:
            if b"\n" in self._buffer or len(self._buffer) > _MAX_LINE:
                raise DecodeError("not a chunk size", self.offset)
            return False
        self._left = int(found[1], 16)
        self._take(found.end())
        self._state = _State.CHUNK if self._left else _State.TRAILERS
        return True

    def _chunk_end(self) -> bool:
        size = 2 if self._buffer[:1] == b"\r" else 1
        if len(self._buffer) < size:
            return False
        if self._buffer[size - 1 : size] != b"\n":
            raise DecodeError("a chunk longer than its size", self.offset)
        self._take(size)
        self._state = _State.CHUNK_SIZE
        return True

    def _trailers(self) -> End | None:
        if self._buffer[:2] == b"\r\n" or self._buffer[:1] == b"\n":
            self._take(2 if self._buffer[:1] == b"\r" else 1)
            self._state = _State.HEAD
            return End()
        end = _END_OF_HEAD.search(self._buffer)
        if not end:
            if len(self._buffer) > MAX_HEAD:
                raise DecodeError(f"trailers over {MAX_HEAD} bytes", self.offset)
            return None
        offset = self.offset
        text = self._take(end.end())
        self._state = _State.HEAD
        return End(_fields(text, 0, offset))


def _fields(text: bytes, start: int, offset: int) -> Headers:
    fields: list[tuple[str, str]] = []
    at = start
    while text[at : at + 2] != b"\r\n" and text[at : at + 1] != b"\n":
        found = _FIELD.match(text, at)
        if not found:
            raise DecodeError(f"not a header field: {text[at : at + 40]!r}", offset + at)
        fields.append((found[1].decode("latin-1"), found[2].decode("latin-1")))
        at = found.end()
    return tuple(fields)
