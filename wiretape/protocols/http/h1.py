"""HTTP/1.1 (RFC 9112) off the wire: the bytes of both sides of a connection -> exchanges.

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
from wiretape.protocols.http.building import Building, Part
from wiretape.protocols.http.exchange import SWITCHING, Exchange
from wiretape.protocols.http.framing import Data, End, Framing, Head, Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """From here on the connection speaks `protocol` (lower case; empty: a tunnel). `building` is the exchange that began it,
    `client` and `server` are what has been read too far."""

    building: Building
    protocol: str
    client: bytes
    server: bytes


class Http1:
    """Both sides of one HTTP/1.x connection. `switched` is set where it goes on in another protocol; it is then not fed again.

    Bodies over `max_body` bytes are cut, so memory is bounded.
    """

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._readers = {Side.CLIENT: Reader(requests=True), Side.SERVER: Reader(requests=False)}
        self._open: deque[Building] = deque()
        self._reading: Building | None = None
        self.switched: Switched | None = None

    @property
    def idle(self) -> bool:
        """Whether no exchange is under way."""
        return not self._open

    @property
    def endless(self) -> bool:
        """Whether a response has begun that may never end."""
        return any(each.response.begun and each.response.streams for each in self._open)

    @property
    def answering(self) -> Part | None:
        """The response under way, if one has begun."""
        return next((each.response for each in self._open if each.response.begun and not each.response.over), None)

    def feed(self, side: Side, data: bytes, at: float) -> Iterator[Exchange]:
        """Exchanges that became whole with these bytes. Raises DecodeError on bytes that are not HTTP/1.x."""
        reader = self._readers[side]
        reader.feed(data)
        while self.switched is None:
            progress = self._read_request(reader, at) if side is Side.CLIENT else self._read_response(reader, at)
            yield from self._finished()
            if not progress:
                return

    def close(self, at: float) -> Iterator[Exchange]:
        """The connection ended: a response without a length ends with it, anything else under way is cut."""
        if self._open and self._readers[Side.SERVER].until_close:
            self._open[0].response.over = True
            self._open[0].ended = at
        yield from self._finished()
        for each in self._open:
            if each.request.begun:
                yield each.cut(self._max_body)
        self._open.clear()

    def _finished(self) -> Iterator[Exchange]:
        while self._open and self._open[0].request.over and self._open[0].response.over:
            yield self._open.popleft().freeze(self._max_body)

    def _read_request(self, reader: Reader, at: float) -> bool:
        if self._reading is None:
            if not reader.pending:
                return False
            self._reading = Building(at)
            self._open.append(self._reading)
        event = reader.next()
        if event is None:
            return False
        each = self._reading
        match event:
            case Head():
                each.request.start, each.request.headers, each.request.begun = event.start, event.headers, True
                each.version = "1.0" if event.start[2] == "HTTP/1.0" else "1.1"
                reader.expect(request_framing(event))
            case Data():
                each.request.append(event.data, self._max_body)
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
                each.response.append(event.data, self._max_body)
            case End():
                each.response.over, each.response.trailers = True, event.trailers
        return True

    def _response_head(self, each: Building, reader: Reader, head: Head) -> None:
        status = int(head.start[1])
        if 100 <= status < 200 and status != SWITCHING:
            each.interim.append(status)
            reader.expect(Framing.INTERIM)
            return
        each.response.start, each.response.headers, each.response.begun = head.start, head.headers, True
        method = each.request.start[0]
        if status == SWITCHING or (method == "CONNECT" and 200 <= status < 300):
            self._switch(each, (body.header(head.headers, "upgrade") or "unknown") if status == SWITCHING else "")
            return
        reader.expect(_response_framing(head, method, status))

    def _switch(self, each: Building, protocol: str) -> None:
        each.request.over = True
        self._open.remove(each)
        self.switched = Switched(
            building=each,
            protocol=protocol.strip().lower(),
            client=self._readers[Side.CLIENT].rest(),
            server=self._readers[Side.SERVER].rest(),
        )


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


def request_framing(head: Head) -> Framing | int:
    """How a request's body ends (RFC 9112 section 6.3). Raises DecodeError."""
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
