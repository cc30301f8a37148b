"""What both versions of HTTP come to: a request with its response, and the messages of a WebSocket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wiretape.body import header
from wiretape.case import Headers
from wiretape.protocols.base import Side

SWITCHING = 101

type Version = Literal["1.0", "1.1", "2"]
type MessageKind = Literal["text", "binary", "close"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One whole message of a WebSocket, sent by `side` at `at` (seconds since the epoch).

    `data` is without framing, masking and compression: UTF-8 for `text`; for `close` the code (two bytes, big-endian) with its
    reason, or nothing (RFC 6455 section 5.5.1).
    """

    side: Side
    kind: MessageKind
    data: bytes
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its response. `status` 0: no response came. Times in seconds since the epoch.

    Bodies are without transfer coding, content coding kept, and cut at the tap's `max_body`. `version` is how it went over the
    wire; HTTP/2 headers are in lower case, without pseudo headers, `:authority` as `host` first of all. `messages` are those of
    the WebSocket the exchange became. `unfinished`: a stream of events that the client left, or that was cut: that is how such
    streams end, so the exchange is whole. `incomplete` says why the reading is not whole, else empty.
    """

    method: str
    target: str
    request_headers: Headers
    request_body: bytes
    request_trailers: Headers
    status: int
    reason: str
    response_headers: Headers
    response_body: bytes
    response_trailers: Headers
    interim: tuple[int, ...]
    started: float
    ended: float
    incomplete: str
    version: Version = "1.1"
    messages: tuple[Message, ...] = ()
    unfinished: bool = False

    @property
    def is_websocket(self) -> bool:
        """Whether the connection went on as a WebSocket."""
        return self.status == SWITCHING and header(self.response_headers, "upgrade").strip().lower() == "websocket"
