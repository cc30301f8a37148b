"""A mock's side of an HTTP/2 connection, on the state machine of the h2 library."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from h2.config import H2Configuration
from h2.connection import H2Connection
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
from wiretape.protocols.http.replies import MAX_REQUEST, Desk, Received, Reply, refusal

_WINDOW = 16 * 1024 * 1024
_LARGEST_FRAME = 1024 * 1024
_TABLE = 65536
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
    """A request under way, then the reply to it. `left` is what is still to be sent."""

    headers: Headers
    body: bytearray = field(default_factory=bytearray)
    left: memoryview = field(default_factory=lambda: memoryview(b""))
    request: Received | None = None
    reply: Reply | None = None


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
            self._begin(number, self._desk.reply(request, answer))
        return self._go_on(b"")

    def _flush(self) -> bytes:
        return bytes(self._connection.data_to_send())

    def _take(self, event: Event) -> None:
        match event:
            case RequestReceived() if event.stream_id and event.headers is not None:
                headers = tuple((_text(name), _text(value)) for name, value in event.headers)
                self._streams[event.stream_id] = _Stream(headers=headers)
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
        if len(stream.body) > MAX_REQUEST:
            stream.body.clear()
            self._begin(number, refusal("wiretape: a mock takes no larger body", 413))

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
            self._begin(number, found)

    def _begin(self, number: int, reply: Reply) -> None:
        stream = self._streams[number]
        if reply.status < 200:
            reply = refusal(f"wiretape: the recorded answer, status {reply.status}, has no meaning in HTTP/2")
        stream.reply, stream.left = reply, memoryview(reply.body)
        headers = [(":status", str(reply.status))]
        headers += [(name.lower(), value) for name, value in reply.headers if name.lower() not in _UNSENT]
        bare = not (reply.body or reply.trailers or reply.unfinished)
        self._connection.send_headers(number, headers, end_stream=bare)
        if bare:
            del self._streams[number]

    def _send_all(self) -> None:
        for number, stream in list(self._streams.items()):
            if stream.reply is not None:
                self._send(number, stream, stream.reply)

    def _send(self, number: int, stream: _Stream, reply: Reply) -> None:
        """As much of the body as the client takes now."""
        while stream.left:
            size = min(
                len(stream.left),
                self._connection.local_flow_control_window(number),
                self._connection.max_outbound_frame_size,
            )
            if size <= 0:
                return
            last = size == len(stream.left) and not reply.trailers and not reply.unfinished
            self._connection.send_data(number, bytes(stream.left[:size]), end_stream=last)
            stream.left = stream.left[size:]
        if reply.unfinished:
            return
        if reply.trailers:
            self._connection.send_headers(number, [(name.lower(), value) for name, value in reply.trailers], end_stream=True)
        del self._streams[number]


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
