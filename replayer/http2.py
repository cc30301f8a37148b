"""HTTP/2 to the service, with TLS or by prior knowledge: one request at a time, headers in their recorded order."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import H2Error, StreamClosedError
from h2.settings import SettingCodes, Settings

from replayer.answers import MAX_BODY, Cut, Expected
from replayer.received import Received
from wiretape.case import Headers, Request
from wiretape.protocols.http import request_head_and_body

_WINDOW = 2**24  # bytes the service may send ahead
_FORBIDDEN = frozenset(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host"])

type Field = tuple[bytes, bytes]


@dataclass(slots=True, kw_only=True)
class _Stream:
    """The request under way and what came of its answer."""

    number: int
    expected: Expected
    answer: asyncio.Future[Received]
    unsent: bytes = b""
    last: list[Field] = field(default_factory=list)
    sent: bool = False
    headers: Headers = ()
    trailers: Headers = ()
    status: int = 0
    body: bytearray = field(default_factory=bytearray)

    def received(self) -> Received:
        return Received(status=self.status, headers=self.headers, body=bytes(self.body), trailers=self.trailers)


class Http2Connection(asyncio.Protocol):
    """One connection. `scheme` is that of the service's URL, `authority` is said where a request names no host."""

    def __init__(self, scheme: str, authority: str) -> None:
        self._scheme, self._authority = scheme, authority
        settings = H2Configuration(
            client_side=True,
            header_encoding=None,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
            validate_inbound_headers=False,
        )
        self._h2 = H2Connection(settings)
        self._transport: asyncio.Transport | None = None
        self._stream: _Stream | None = None
        self._heard = False
        self._ending = False

    @property
    def usable(self) -> bool:
        """Whether another request can be sent."""
        return self._transport is not None and not self._transport.is_closing() and not self._ending

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        said = {SettingCodes.ENABLE_PUSH: 0, SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW}
        self._h2.local_settings = Settings(client=True, initial_values=said)
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_WINDOW)
        self._flush()

    def exchange(self, request: Request, expected: Expected) -> asyncio.Future[Received]:
        """Send a request; its answer when that is whole. Raises EncodeError where its body cannot be written."""
        headers, body = request_head_and_body(request)
        self._heard = False
        number = self._h2.get_next_available_stream_id()
        answer = asyncio.get_running_loop().create_future()
        trailers = [_field(name, value) for name, value in request.trailers]
        self._stream = stream = _Stream(number=number, expected=expected, answer=answer, unsent=body, last=trailers)
        bare = not body and not trailers
        self._h2.send_headers(number, self._head(request, headers), end_stream=bare)
        stream.sent = bare
        self._pump(stream)
        self._flush()
        return answer

    def _head(self, request: Request, headers: Headers) -> list[Field]:
        authority = next((value for name, value in headers if name.lower() == "host"), self._authority)
        pseudo = [(":method", request.method), (":scheme", self._scheme), (":authority", authority), (":path", request.target)]
        kept = [(name.lower(), value) for name, value in headers if name.lower() not in _FORBIDDEN]
        return [_field(name, value) for name, value in [*pseudo, *kept]]

    def _pump(self, stream: _Stream) -> None:
        """Send as much of the body as the service takes now, then what ends the request."""
        while stream.unsent:
            room = min(self._h2.local_flow_control_window(stream.number), self._h2.max_outbound_frame_size)
            if room <= 0:
                return
            piece, stream.unsent = stream.unsent[:room], stream.unsent[room:]
            last = not stream.unsent and not stream.last
            self._h2.send_data(stream.number, piece, end_stream=last)
            stream.sent = stream.sent or last
        if not stream.sent:
            stream.sent = True
            self._h2.send_headers(stream.number, stream.last, end_stream=True)

    def _flush(self) -> None:
        if self._transport is not None and (data := self._h2.data_to_send()):
            self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"HTTP/1"):
            self._fail("the service answers in HTTP/1.1 what was HTTP/2 when this case was recorded", silent=False)
            self.abort()
            return
        self._heard = True
        try:
            for event in self._h2.receive_data(data):
                self._take(event)
            if self._stream is not None and not self._stream.answer.done() and not self._stream.sent:
                self._pump(self._stream)
        except H2Error as error:
            self._fail(f"what the service answered is not HTTP/2: {error}", silent=False)
            self.abort()
        self._flush()

    def _take(self, event: Event) -> None:
        stream = self._stream
        if isinstance(event, ConnectionTerminated):
            self._ending = True
            self._fail(f"the service ended the connection ({_code(event.error_code)})", silent=not self._answered)
        elif stream is not None and getattr(event, "stream_id", None) == stream.number:
            self._take_of(stream, event)

    @property
    def _answered(self) -> bool:
        return self._stream is not None and bool(self._stream.status)

    def _take_of(self, stream: _Stream, event: Event) -> None:
        match event:
            case ResponseReceived():
                pairs = _headers(event.headers)
                stream.status = int(next((value for name, value in pairs if name == ":status"), "0"))
                stream.headers = tuple(pair for pair in pairs if not pair[0].startswith(":"))
            case DataReceived():
                stream.body += event.data or b""
                self._h2.acknowledge_received_data(event.flow_controlled_length or 0, stream.number)
                if len(stream.body) > MAX_BODY:
                    self._fail(f"the answer is over {MAX_BODY} bytes", silent=False)
                elif stream.expected.is_there(bytes(stream.body), stream.headers):
                    self._leave(stream)
            case TrailersReceived():
                stream.trailers = _headers(event.headers)
            case StreamEnded():
                self._done(stream)
            case StreamReset():
                self._fail(f"the service reset the stream ({_code(event.error_code)})", silent=False)

    def _done(self, stream: _Stream) -> None:
        if not stream.answer.done():
            stream.answer.set_result(stream.received())
        if not stream.sent:  # the service did not want the rest of the request
            stream.unsent, stream.sent = b"", True
            self._reset(stream)

    def _leave(self, stream: _Stream) -> None:
        """A stream has come as far as the recorded one, which its client left there."""
        if not stream.answer.done():
            self._reset(stream)
            stream.answer.set_result(stream.received())

    def _reset(self, stream: _Stream) -> None:
        with suppress(StreamClosedError):  # the service may have ended it in the same breath
            self._h2.reset_stream(stream.number, ErrorCodes.CANCEL)

    def give_up(self) -> Received | None:
        """The answer as far as it came, where any of it did; the connection is closed."""
        stream = self._stream
        self.abort()
        return stream.received() if stream is not None and stream.status and stream.expected.pieces else None

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._ending = True
        self._fail(str(exc or "the service closed the connection without a whole answer"), silent=not self._heard)

    def _fail(self, reason: str, *, silent: bool) -> None:
        if self._stream is not None and not self._stream.answer.done():
            self._stream.answer.set_exception(Cut(reason, silent=silent))

    def abort(self) -> None:
        """Hang up."""
        self._ending = True
        if self._transport is not None:
            self._transport.abort()


def _field(name: str, value: str) -> Field:
    return name.encode("latin-1", "surrogateescape"), value.encode("latin-1", "surrogateescape")


def _headers(fields: object) -> Headers:
    pairs = fields if isinstance(fields, list) else []
    return tuple((bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in pairs)


def _code(code: ErrorCodes | int | None) -> str:
    return code.name if isinstance(code, ErrorCodes) else str(code)
