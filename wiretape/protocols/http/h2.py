"""HTTP/2 (RFC 9113) off the wire: the bytes of both sides of a connection -> exchanges, one for each stream.

Watching needs no flow control. What the server pushes unasked (PUSH_PROMISE) is read, for the headers' sake, and left aside.
"""

from __future__ import annotations

from collections.abc import Iterator

from wiretape.case import Headers
from wiretape.errors import DecodeError
from wiretape.protocols.base import Side
from wiretape.protocols.http.building import Building, Part
from wiretape.protocols.http.exchange import Exchange
from wiretape.protocols.http.h2frames import PREFACE, Block, Event, FrameReader, Limit, Piece, Reset

_MAX_OPEN = 4096
_CODES = (
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
)


class Http2:
    """Both sides of one HTTP/2 connection. Bodies over `max_body` bytes are cut, so memory is bounded.

    `upgraded` is the HTTP/1.1 request that the connection began with, where it did (`Upgrade: h2c`): it is stream 1.
    """

    def __init__(self, max_body: int, upgraded: Building | None = None) -> None:
        self._max_body = max_body
        self._readers = {Side.CLIENT: FrameReader(PREFACE), Side.SERVER: FrameReader(b"")}
        self._open: dict[int, Building] = {}
        self._last = 0
        if upgraded is not None:
            upgraded.response, upgraded.version = Part(), "2"
            self._open[1], self._last = upgraded, 1

    @property
    def idle(self) -> bool:
        """Whether no exchange is under way."""
        return not self._open

    @property
    def endless(self) -> bool:
        """Whether a response has begun that may never end."""
        return any(each.response.begun and each.response.streams for each in self._open.values())

    def feed(self, side: Side, data: bytes, at: float) -> Iterator[Exchange]:
        """Exchanges that became whole with these bytes. Raises DecodeError on bytes that are not HTTP/2."""
        for event in self._readers[side].feed(data):
            yield from self._take(side, event, at)

    def close(self, at: float) -> Iterator[Exchange]:  # noqa: ARG002 - a stream ends when its last frame came
        """The connection ended: what is under way is cut."""
        for each in self._open.values():
            if each.request.begun:
                yield each.cut(self._max_body)
        self._open.clear()

    def _take(self, side: Side, event: Event, at: float) -> Iterator[Exchange]:
        if isinstance(event, Limit):
            other = self._readers[Side.SERVER if side is Side.CLIENT else Side.CLIENT]
            other.limit = max(other.limit, event.size)
            return
        each = self._building(side, event, at)
        if each is None:
            return
        if side is Side.SERVER:
            each.ended = at
        match event:
            case Reset():
                yield self._reset(side, event)
                return
            case Block():
                self._headers(side, each, event)
            case Piece():
                self._data(side, each, event)
        if each.request.over and each.response.over:
            yield self._open.pop(event.stream).freeze(self._max_body)

    def _building(self, side: Side, event: Block | Piece | Reset, at: float) -> Building | None:
        """The exchange a frame belongs to; None where that is over, or was never asked for."""
        if event.stream in self._open:
            return self._open[event.stream]
        if event.stream <= self._last or event.stream % 2 == 0:
            return None
        if side is Side.SERVER:
            raise DecodeError("a response without a request", self._readers[side].offset)
        if not isinstance(event, Block):
            raise DecodeError("a stream that does not begin with headers", self._readers[side].offset)
        if len(self._open) >= _MAX_OPEN:
            raise DecodeError(f"over {_MAX_OPEN} streams at once", self._readers[side].offset)
        self._last = event.stream
        self._open[event.stream] = made = Building(at, "2")
        return made

    def _reset(self, side: Side, event: Reset) -> Exchange:
        each = self._open.pop(event.stream)
        if each.response.over:  # the server has answered, and does not want the rest of the request
            return each.freeze(self._max_body)
        code = _CODES[event.code] if event.code < len(_CODES) else str(event.code)
        return each.cut(self._max_body, f"the {side.value} reset the stream ({code})")

    def _headers(self, side: Side, each: Building, block: Block) -> None:
        part = each.request if side is Side.CLIENT else each.response
        pseudo = dict(pair for pair in block.headers if pair[0].startswith(":"))
        headers = tuple(pair for pair in block.headers if not pair[0].startswith(":"))
        if part.begun:
            part.trailers = (*part.trailers, *headers)
        elif side is Side.CLIENT:
            target = pseudo.get(":path") or pseudo.get(":authority", "")
            if not (method := pseudo.get(":method")) or not target:
                raise DecodeError("a request without method or path", self._readers[side].offset)
            part.start, part.begun = (method, target, "HTTP/2"), True
            if ":protocol" in pseudo:
                each.problem = f"{pseudo[':protocol']} within HTTP/2 (RFC 8441) is not read"
            part.headers = _with_host(pseudo.get(":authority", ""), _joined_cookies(headers))
        else:
            self._response_head(each, pseudo.get(":status", ""), headers)
        part.over = part.over or (block.ends and part.begun)

    def _response_head(self, each: Building, status: str, headers: Headers) -> None:
        if len(status) != 3 or not status.isdecimal() or not status.isascii():
            raise DecodeError("a response without a status", self._readers[Side.SERVER].offset)
        if status.startswith("1"):
            each.interim.append(int(status))
            return
        each.response.start, each.response.headers, each.response.begun = ("HTTP/2", status, ""), headers, True

    def _data(self, side: Side, each: Building, piece: Piece) -> None:
        part = each.request if side is Side.CLIENT else each.response
        if not part.begun:
            raise DecodeError("a body before its headers", self._readers[side].offset)
        part.append(piece.data, self._max_body)
        part.over = part.over or piece.ends


def _with_host(authority: str, headers: Headers) -> Headers:
    """Headers with the authority as HTTP/1.1 has it."""
    if not authority:
        return headers
    return (("host", authority), *(pair for pair in headers if pair[0] != "host"))


def _joined_cookies(headers: Headers) -> Headers:
    """Cookies may be sent one by one to compress better; they are one header (RFC 9113 section 8.2.3)."""
    crumbs = [value for name, value in headers if name == "cookie"]
    if len(crumbs) < 2:
        return headers
    first = next(at for at, (name, _) in enumerate(headers) if name == "cookie")
    rest = [pair for pair in headers[first:] if pair[0] != "cookie"]
    return (*headers[:first], ("cookie", "; ".join(crumbs)), *rest)
