"""HTTP/1.1 (RFC 9112) off the wire: the bytes of both sides of a connection -> exchanges, and exchanges -> what a case holds.

Requests and responses are paired in order, as the protocol does. Nothing is normalised: header names keep their case, values
their inner spacing, bodies their content coding; only the transfer coding is taken off.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from wiretape import body
from wiretape.case import Headers
from wiretape.errors import DecodeError
from wiretape.protocols.base import Side
from wiretape.protocols.http.exchange import SWITCHING, Exchange
from wiretape.protocols.http.framing import Data, End, Framing, Head, Reader


@dataclass(slots=True)
class _Message:
    """A message under way."""

    start: tuple[str, str, str] = ("", "0", "")
    headers: Headers = ()
    trailers: Headers = ()
    size: int = 0
    begun: bool = False
    over: bool = False


class _Open:
    """An exchange under way."""

    def __init__(self, started: float) -> None:
        self.started = self.ended = started
        self.request, self.response = _Message(), _Message()
        self.request_body, self.response_body = bytearray(), bytearray()
        self.interim: list[int] = []

    def freeze(self, max_body: int, incomplete: str = "") -> Exchange:
        method, target, _ = self.request.start
        _, status, reason = self.response.start
        for message, what in ((self.request, "request"), (self.response, "response")):
            if not incomplete and message.size > max_body:
                incomplete = f"{what} body of {message.size} bytes is over the limit of {max_body} (--max-body)"
        return Exchange(
            method=method,
            target=target,
            request_headers=self.request.headers,
            request_body=bytes(self.request_body),
            request_trailers=self.request.trailers,
            status=int(status),
            reason=reason,
            response_headers=self.response.headers,
            response_body=bytes(self.response_body),
            response_trailers=self.response.trailers,
            interim=tuple(self.interim),
            started=self.started,
            ended=self.ended,
            incomplete=incomplete,
            version="1.0" if self.request.start[2] == "HTTP/1.0" else "1.1",
        )


class HttpTap:
    """Watches both sides of one HTTP/1.x connection. Bodies over `max_body` bytes are cut, so memory is bounded."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._readers = {Side.CLIENT: Reader(requests=True), Side.SERVER: Reader(requests=False)}
        self._open: deque[_Open] = deque()
        self._reading: _Open | None = None
        self._opaque = ""

    @property
    def idle(self) -> bool:
        """Whether no exchange is under way."""
        return not self._open

    @property
    def endless(self) -> bool:
        """Whether a response has begun that may never end: an event stream, or another protocol."""
        return bool(self._opaque) or any(
            body.media_type(each.response.headers) == "text/event-stream" for each in self._open if each.response.begun
        )

    def feed(self, side: Side, data: bytes, at: float) -> Iterator[Exchange]:
        """Exchanges that became whole with these bytes. Raises DecodeError on bytes that are not HTTP/1.x."""
        if self._opaque:
            return
        reader = self._readers[side]
        reader.feed(data)
        while not self._opaque:
            progress = self._read_request(reader, at) if side is Side.CLIENT else self._read_response(reader, at)
            yield from self._finished()
            if not progress:
                return

    def close(self, at: float) -> Iterator[Exchange]:
        """The connection ended: a response without a length ends with it, anything else under way is incomplete."""
        if self._opaque:
            return
        if self._open and self._readers[Side.SERVER].until_close:
            self._open[0].response.over = True
            self._open[0].ended = at
        yield from self._finished()
        for each in self._open:
            if not each.request.begun:
                continue
            yield each.freeze(self._max_body, _cut(each))
        self._open.clear()

    def _finished(self) -> Iterator[Exchange]:
        while self._open and self._open[0].request.over and self._open[0].response.over:
            yield self._open.popleft().freeze(self._max_body)

    def _read_request(self, reader: Reader, at: float) -> bool:
        if self._reading is None:
            if not reader.pending:
                return False
            self._reading = _Open(at)
            self._open.append(self._reading)
        event = reader.next()
        if event is None:
            return False
        each = self._reading
        match event:
            case Head():
                each.request.start, each.request.headers, each.request.begun = event.start, event.headers, True
                reader.expect(_request_framing(event))
            case Data():
                self._append(each.request, each.request_body, event.data)
            case End():
                each.request.over, each.request.trailers = True, event.trailers
                self._reading = None
        return True

    def _read_response(self, reader: Reader, at: float) -> bool:
        each = next((one for one in self._open if one.request.begun and not one.response.over), None)
        if each is None:
            if reader.pending:
                raise DecodeError("a response without a request", reader.offset)
            return False
        event = reader.next()
        if event is None:
            return False
        each.ended = at
        match event:
            case Head():
                self._response_head(each, reader, event)
            case Data():
                self._append(each.response, each.response_body, event.data)
            case End():
                each.response.over, each.response.trailers = True, event.trailers
        return True

    def _response_head(self, each: _Open, reader: Reader, head: Head) -> None:
        status = int(head.start[1])
        if 100 <= status < 200 and status != SWITCHING:
            each.interim.append(status)
            reader.expect(Framing.INTERIM)
            return
        each.response.start, each.response.headers, each.response.begun = head.start, head.headers, True
        method = each.request.start[0]
        if status == SWITCHING or (method == "CONNECT" and 200 <= status < 300):
            each.request.over = each.response.over = True
            self._opaque = "another protocol"
            return
        reader.expect(_response_framing(head, method, status))

    def _append(self, message: _Message, to: bytearray, data: bytes) -> None:
        message.size += len(data)
        to += data[: max(0, self._max_body - len(to))]


def _cut(each: _Open) -> str:
    if each.response.over:
        return "the response came before the whole request, and the connection ended"
    if each.response.begun:
        return "the connection ended within the response"
    return "the connection ended before a response" if each.request.over else "the connection ended within the request"


def _coded_in_chunks(headers: Headers) -> bool:
    coding = body.header(headers, "transfer-encoding")
    return coding.rpartition(",")[2].strip().lower() == "chunked"


def _length(head: Head) -> int | None:
    found = {value.strip() for name, value in head.headers if name.lower() == "content-length" for value in value.split(",")}
    if not found:
        return None
    if len(found) > 1 or not (text := found.pop()).isdecimal() or not text.isascii() or len(text) > 19:
        raise DecodeError("a content-length that is no number", head.offset)
    return int(text)


def _request_framing(head: Head) -> Framing | int:
    """RFC 9112 section 6.3, for requests."""
    if body.header(head.headers, "transfer-encoding"):
        if not _coded_in_chunks(head.headers):
            raise DecodeError("a request with a transfer coding but not in chunks", head.offset)
        return Framing.CHUNKED
    return _length(head) or 0


def _response_framing(head: Head, method: str, status: int) -> Framing | int:
    """RFC 9112 section 6.3, for responses."""
    if method == "HEAD" or status in (204, 304):
        return 0
    if body.header(head.headers, "transfer-encoding"):
        return Framing.CHUNKED if _coded_in_chunks(head.headers) else Framing.UNTIL_CLOSE
    length = _length(head)
    return Framing.UNTIL_CLOSE if length is None else length
