"""What the service under test answered, as bytes on the wire without the transfer coding."""

from __future__ import annotations

from dataclasses import dataclass

from wiretape.case import Headers, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A whole response. `body` still has its content coding. `messages` are those that came over the WebSocket it became."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    reason: str = ""
    trailers: Headers = ()
    messages: tuple[Message, ...] = ()
