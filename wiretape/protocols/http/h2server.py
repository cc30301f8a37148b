"""A mock's side of an HTTP/2 connection, on the state machine of the h2 library."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
)  # fmt: skip
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings
from hpack.exceptions import HPACKError
from hyperframe.exceptions import HyperframeError

from wiretape.case import Call, Headers
from wiretape.protocols.base import Ask, Miss
from wiretape.protocols.http.forms import NO_ANSWER
from wiretape.protocols.http.meaning import is_grpc
from wiretape.protocols.http.replies import MAX_REQUEST, Desk, Received, Reply, refusal
from wiretape.protocols.http.streaming import messages

_WINDOW = 16 * 1024 * 1024
_LARGEST_FRAME = 1024 * 1024
_TABLE = 65536
_PATIENCE = 0.05
_SETTINGS: Mapping[SettingCodes, int] = MappingProxyType(
    {
        SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW,
        SettingCodes.MAX_FRAME_SIZE: _LARGEST_FRAME,
        SettingCodes.HEADER_TABLE_SIZE: _TABLE,
        SettingCodes.MAX_HEADER_LIST_SIZE: 256 * 1024,
        SettingCodes.MAX_CONCURRENT_STREAMS: 1000,
        SettingCodes.ENABLE_PUSH: 0,
    }
)
# Connection-specific headers have no place in HTTP/2 (RFC 9113 section 8.2.2).
_UNSENT = frozenset(("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"))


@dataclass(slots=True)
class _Stream:
    """A request under way, then the reply to it. `left` is what is still to be sent.

    Of gRPC, `whole` counts the messages that have come, the last of which ends at `end`; `heard` those looked at while more may
    come; `given` the bytes of the reply's body handed out early.
    """

    headers: Headers
    body: bytearray = field(default_factory=bytearray)
    left: memoryview = field(default_factory=lambda: memoryview(b""))
    request: Received | None = None
    reply: Reply | None = None
    begun: bool = False
    whole: int = 0
    end: int = 0
    heard: int = 0
    given: int = 0


class Http2Server:
    """One connection. `origin` stands before every path where the requests came through a tunnel."""

    def __init__(self, desk: Desk, origin: str = "") -> None:
        self._desk, self._origin = desk, origin
        config = H2Configuration(client_side=False, header_encoding="latin-1", validate_outbound_headers=False)
        self._connection = H2Connection(config=config)
        self._connection.local_settings = Settings(client=False, initial_values=dict(_SETTINGS))
        self._connection.max_inbound_frame_size = _LARGEST_FRAME
        self._connection.decoder.max_allowed_table_size = _TABLE
        self._streams: dict[int, _Stream] = {}
        self._asking: list[int] = []
        self._taken: Received | None = None
        self.waiting: Ask | None = None
        self.closed = False

    def start(self, upgrade: tuple[Received, str] | None = None) -> bytes:
        """The first bytes to send. `upgrade` is the request of HTTP/1.1 that became stream 1, and its settings."""
        if upgrade is None:
            self._connection.initiate_connection()
            self._connection.increment_flow_control_window(_WINDOW)
            return self._flush()
        request, settings = upgrade
        try:
            base64.urlsafe_b64decode(settings + "=" * (-len(settings) % 4))
            self._connection.initiate_upgrade_connection(settings.encode())
        except (H2Error, HyperframeError, binascii.Error, ValueError):
            self.closed = True
            return b""
        self._connection.increment_flow_control_window(_WINDOW)
        self._streams[1] = _Stream(headers=(), request=request)
        self._asking.append(1)
        return self._go_on(b"")

    def receive(self, data: bytes) -> bytes:
        """Bytes to send back."""
        return b"" if self.closed else self._go_on(data)

    def _go_on(self, data: bytes) -> bytes:
        try:
            for event in self._connection.receive_data(data) if data else ():
                self._take(event)
            self._ask_next()
            self._send_all()
        except (H2Error, HPACKError, HyperframeError, ValueError, IndexError):
            self.closed = True  # the library has put a GOAWAY with the reason into what is to be sent
        return self._flush()

    def resume(self, answer: Call | Miss) -> bytes:
        """Go on with the answer that was waited for."""
        request, self._taken, self.waiting = self._taken, None, None
        number = self._asking.pop(0)
        assert request is not None
        if number in self._streams:
            self._streams[number].reply = self._desk.reply(request, answer)
        return self._go_on(b"")

    @property
    def pause(self) -> float | None:
        """How long to wait for more of a gRPC call that seems to wait for us, in seconds; None where none does."""
        return None if self.closed or not any(self._stalled()) else _PATIENCE

    def tick(self) -> bytes:
        """Answer what has been asked so far of the calls that wait."""
        for number, stream in list(self._stalled()):
            stream.heard = stream.whole
            if (found := self._desk.early(_request(stream, self._origin))) and found[1] > stream.given:
                self._hand_out(number, stream, *found)
        return self._go_on(b"")

    def _stalled(self) -> Iterator[tuple[int, _Stream]]:
        for number, stream in self._streams.items():
            if stream.whole > stream.heard and stream.reply is None and number not in self._asking:
                yield number, stream

    def _hand_out(self, number: int, stream: _Stream, reply: Reply, size: int) -> None:
        if not stream.given:
            self._connection.send_headers(number, _head(reply))
        stream.left = memoryview(bytes(stream.left) + reply.body[stream.given : size])
        stream.given = size

    def _flush(self) -> bytes:
        return bytes(self._connection.data_to_send())

    def _take(self, event: Event) -> None:
        match event:
            case RequestReceived() if event.stream_id and event.headers is not None:
                headers = tuple((_text(name), _text(value)) for name, value in event.headers)
                self._streams[event.stream_id] = _Stream(headers=headers)
                if ("expect", "100-continue") in headers and event.stream_ended is None:
                    self._connection.send_headers(event.stream_id, [(":status", "100")])
            case DataReceived() if event.stream_id:
                self._data(event)
            case StreamEnded() if event.stream_id in self._streams:
                self._asking.append(event.stream_id)
            case StreamReset() if event.stream_id:
                self._streams.pop(event.stream_id, None)
            case ConnectionTerminated():
                self.closed = not self._streams

    def _data(self, event: DataReceived) -> None:
        number = event.stream_id
        assert number is not None
        self._connection.acknowledge_received_data(event.flow_controlled_length or 0, number)
        stream = self._streams.get(number)
        if stream is None or stream.reply is not None:
            return
        stream.body += event.data or b""
        if is_grpc(stream.headers):
            for end in messages(stream.body, stream.end):
                stream.whole, stream.end = stream.whole + 1, end
        if len(stream.body) > MAX_REQUEST:
            stream.body.clear()
            stream.reply = refusal("wiretape: a mock takes no larger body", 413)

    def _ask_next(self) -> None:
        """Put the whole requests to the book, one after the other: it may let one wait."""
        while self._asking and self.waiting is None:
            number = self._asking[0]
            stream = self._streams.get(number)
            if stream is not None and stream.reply is None:
                self._answer(number, stream.request or _request(stream, self._origin))
            if self.waiting is None:
                self._asking.pop(0)

    def _answer(self, number: int, request: Received) -> None:
        found = self._desk.take(request)
        if isinstance(found, Ask):
            self._taken, self.waiting = request, found
        else:
            self._streams[number].reply = found

    def _begin(self, number: int, stream: _Stream, reply: Reply) -> None:
        """Send the reply's head, if that has not been done."""
        if reply.status == NO_ANSWER:
            del self._streams[number]
            self._connection.reset_stream(number, ErrorCodes.INTERNAL_ERROR)
            return
        if reply.status < 200:
            reply = stream.reply = refusal(f"wiretape: the recorded answer, status {reply.status}, has no meaning in HTTP/2")
        stream.begun = True
        if stream.given:
            if not reply.body:  # a refusal, or an error: what stands in its headers comes as trailers
                stream.reply = replace(reply, headers=(), trailers=reply.trailers or reply.headers[1:])
            stream.left = memoryview(bytes(stream.left) + reply.body[stream.given :])
            return
        stream.left = memoryview(reply.body)
        bare = not (reply.body or reply.trailers or reply.unfinished)
        self._connection.send_headers(number, _head(reply), end_stream=bare)
        if bare:
            del self._streams[number]

    def _send_all(self) -> None:
        for number, stream in list(self._streams.items()):
            if stream.reply is not None and not stream.begun:
                self._begin(number, stream, stream.reply)
            if number in self._streams and (stream.reply is not None or stream.left):
                self._send(number, stream, stream.reply)

    def _send(self, number: int, stream: _Stream, reply: Reply | None) -> None:
        """As much of the body as the client takes now; the end once there is no more."""
        while stream.left:
            size = min(
                len(stream.left),
                self._connection.local_flow_control_window(number),
                self._connection.max_outbound_frame_size,
            )
            if size <= 0:
                return
            self._connection.send_data(number, bytes(stream.left[:size]))
            stream.left = stream.left[size:]
        if reply is None or reply.unfinished:
            return
        if reply.trailers:
            self._connection.send_headers(number, [(name.lower(), value) for name, value in reply.trailers], end_stream=True)
        else:
            self._connection.end_stream(number)
        del self._streams[number]


def _head(reply: Reply) -> list[tuple[str, str]]:
    pairs = [(name.lower(), value) for name, value in reply.headers if name.lower() not in _UNSENT]
    return [(":status", str(reply.status)), *pairs]


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _request(stream: _Stream, origin: str) -> Received:
    pseudo = dict(pair for pair in stream.headers if pair[0].startswith(":"))
    headers = tuple(pair for pair in stream.headers if not pair[0].startswith(":"))
    path = pseudo.get(":path") or pseudo.get(":authority", "")
    return Received(
        method=pseudo.get(":method", ""),
        url=origin + path if path[:1] == "/" else path,
        headers=_joined(headers),
        body=bytes(stream.body),
    )


def _joined(headers: Headers) -> Headers:
    crumbs = [value for name, value in headers if name == "cookie"]
    if len(crumbs) < 2:
        return headers
    return (*(pair for pair in headers if pair[0] != "cookie"), ("cookie", "; ".join(crumbs)))
