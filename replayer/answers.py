"""What every way of asking the service shares: what is expected, when it is over, and how it fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from replayer.streams import events_of
from wiretape import body as bodies
from wiretape.case import EMPTY, Headers, Message, Response
from wiretape.errors import TargetError

MAX_BODY = 256 * 1024 * 1024


class NoAnswer(TargetError):
    """The service gave no whole answer. `unheard`: a kept-alive connection had been closed before it took anything, so the
    request may be sent again."""

    def __init__(self, reason: str, *, unheard: bool = False) -> None:
        self.unheard = unheard
        super().__init__(reason)


class Cut(Exception):
    """The connection ended before the answer did. `silent`: before a single byte of it."""

    def __init__(self, reason: str, *, silent: bool) -> None:
        self.silent = silent
        super().__init__(reason)


class Talk(Protocol):
    """What happens to the messages of a WebSocket as they are sent and received."""

    def said(self, message: Message) -> Message:
        """The message to send in the place of the recorded one, with live values for recorded ones."""
        ...

    def heard(self, recorded: Message, live: Message) -> None:
        """A message came where this one was recorded."""
        ...


class AsRecorded:
    """Sends what was recorded."""

    def said(self, message: Message) -> Message:
        return message

    def heard(self, recorded: Message, live: Message) -> None: ...


AS_RECORDED = AsRecorded()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What was recorded of an answer, as far as asking depends on it: how many pieces of a stream to wait for where the client
    left it (`pieces`, 0: to its end), and the messages of a WebSocket."""

    pieces: int = 0
    messages: Sequence[Message] = ()

    @classmethod
    def of(cls, response: Response, messages: Sequence[Message]) -> Expected:
        """Of a recorded response. Raises EncodeError where its body cannot be written."""
        if not response.unfinished or response.body == EMPTY:
            return cls(messages=messages)
        return cls(pieces=pieces(bodies.write(response.body, response.headers), response.headers), messages=messages)

    def is_there(self, body: bytes, headers: Headers) -> bool:
        """Whether an answer that may have no end has come as far as the recorded one."""
        return bool(self.pieces) and pieces(body, headers) >= self.pieces


WHOLE = Expected()


def pieces(body: bytes, headers: Headers) -> int:
    """How many whole events, or gRPC messages, a stream has come to so far."""
    if bodies.is_grpc(headers):
        return bodies.grpc_messages(body)
    end = max(body.rfind(b"\n\n") + 2, body.rfind(b"\r\n\r\n") + 4, body.rfind(b"\r\r") + 2)
    told = bodies.meaning(body[:end], headers) if end > 3 else None
    return events_of(told) if isinstance(told, list) else len(body)
