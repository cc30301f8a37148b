"""HTTP/2 (RFC 9113) frames of one direction: bytes -> header blocks, data and ends of streams, HPACK state kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hpack import Decoder
from hpack.exceptions import HPACKError
from hyperframe.exceptions import HyperframeError
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    HeadersFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
)  # fmt: skip

from wiretape.case import Headers
from wiretape.errors import DecodeError
from wiretape.protocols.http.framing import MAX_HEAD

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MAX_TABLE = 1024 * 1024  # an HPACK table over this is refused
_HEAD = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A whole header block of a stream, pseudo headers first."""

    stream: int
    headers: Headers
    ends: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some of a stream's body."""

    stream: int
    data: bytes
    ends: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """A stream is given up; `code` as in RFC 9113 section 7."""

    stream: int
    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """This side takes frames of up to `size` bytes."""

    size: int


type Event = Block | Piece | Reset | Limit


class FrameReader:
    """One direction of a connection. `limit` is what the other side said it takes, in bytes a frame."""

    def __init__(self, preface: bytes) -> None:
        self._preface = preface
        self._buffer = bytearray()
        self._decoder = Decoder(max_header_list_size=MAX_HEAD)
        self._decoder.max_allowed_table_size = MAX_TABLE
        self._block: HeadersFrame | PushPromiseFrame | None = None
        self._fragments = bytearray()
        self.limit = 16384
        self.offset = 0

    def feed(self, data: bytes) -> Iterator[Event]:
        """What the bytes say. Raises DecodeError."""
        self._buffer += data
        if self._preface and not self._begin():
            return
        while (frame := self._frame()) is not None:
            yield from self._read(frame)

    def _begin(self) -> bool:
        size = min(len(self._buffer), len(self._preface))
        if self._buffer[:size] != self._preface[:size]:
            raise DecodeError("not the preface of HTTP/2", self.offset)
        if size < len(self._preface):
            return False
        self._take(size)
        self._preface = b""
        return True

    def _take(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        self.offset += size
        return data

    def _frame(self) -> Frame | None:
        if len(self._buffer) < _HEAD:
            return None
        size = int.from_bytes(self._buffer[:3])
        if size > self.limit:
            raise DecodeError(f"an HTTP/2 frame of {size} bytes where {self.limit} are allowed", self.offset)
        if len(self._buffer) < _HEAD + size:
            return None
        offset = self.offset
        data = memoryview(self._take(_HEAD + size))
        try:
            frame, _ = Frame.parse_frame_header(data[:_HEAD])
            frame.parse_body(data[_HEAD:])
        except (HyperframeError, ValueError) as error:
            raise DecodeError(f"not an HTTP/2 frame: {error}", offset) from None
        return frame

    def _read(self, frame: Frame) -> Iterator[Event]:
        if self._block is not None or isinstance(frame, ContinuationFrame):
            yield from self._continue(frame)
            return
        match frame:
            case DataFrame():
                yield Piece(stream=frame.stream_id, data=frame.data, ends="END_STREAM" in frame.flags)
            case HeadersFrame() | PushPromiseFrame():
                self._block = frame
                yield from self._fragment(frame.data, frame)
            case RstStreamFrame():
                yield Reset(stream=frame.stream_id, code=frame.error_code)
            case SettingsFrame() if SettingsFrame.MAX_FRAME_SIZE in frame.settings:
                yield Limit(size=min(frame.settings[SettingsFrame.MAX_FRAME_SIZE], (1 << 24) - 1))

    def _continue(self, frame: Frame) -> Iterator[Event]:
        block = self._block
        if block is None or not isinstance(frame, ContinuationFrame) or frame.stream_id != block.stream_id:
            raise DecodeError("a header block that is cut into by another frame", self.offset)
        yield from self._fragment(frame.data, frame)

    def _fragment(self, data: bytes, frame: Frame) -> Iterator[Event]:
        self._fragments += data
        if len(self._fragments) > MAX_HEAD:
            raise DecodeError(f"a header block over {MAX_HEAD} bytes", self.offset)
        if "END_HEADERS" not in frame.flags:
            return
        block, self._block = self._block, None
        assert block is not None
        headers = self._decode()
        if isinstance(block, HeadersFrame):
            yield Block(stream=block.stream_id, headers=headers, ends="END_STREAM" in block.flags)

    def _decode(self) -> Headers:
        data = bytes(self._fragments)
        self._fragments.clear()
        try:
            pairs = self._decoder.decode(data, raw=True)
        except (HPACKError, ValueError, IndexError) as error:
            raise DecodeError(f"a header block that does not decode: {error}", self.offset) from None
        return tuple((bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in pairs)
