"""An exchange under way: what both versions of the protocol gather until request and response are whole."""

from __future__ import annotations

from dataclasses import dataclass, field

from wiretape import body
from wiretape.case import Headers
from wiretape.protocols.http.exchange import Exchange, Message, Version

_STREAMS = frozenset(("text/event-stream", "multipart/x-mixed-replace"))


@dataclass(slots=True)
class Part:
    """A request or a response under way. `start` is its start line's three parts; `size` counts what `body` may not hold."""

    start: tuple[str, str, str] = ("", "0", "")
    headers: Headers = ()
    trailers: Headers = ()
    body: bytearray = field(default_factory=bytearray)
    size: int = 0
    begun: bool = False
    over: bool = False

    def append(self, data: bytes, limit: int) -> None:
        """Some more of the body, of which `limit` bytes are kept."""
        self.size += len(data)
        self.body += data[: max(0, limit - len(self.body))]

    @property
    def streams(self) -> bool:
        """Whether it is of a kind that often never ends: the client leaves."""
        return body.media_type(self.headers) in _STREAMS

    @property
    def calls(self) -> bool:
        """Whether it belongs to gRPC."""
        return body.media_type(self.headers).startswith("application/grpc")

    @property
    def all_there(self) -> bool:
        """Whether the body has the length that the headers say."""
        return body.header(self.headers, "content-length") == str(self.size)


class Building:
    """An exchange under way. `started` and `ended` in seconds since the epoch."""

    def __init__(self, started: float, version: Version = "1.1") -> None:
        self.started = self.ended = started
        self.version: Version = version
        self.request, self.response = Part(), Part()
        self.interim: list[int] = []
        self.problem = ""

    def freeze(
        self,
        max_body: int,
        incomplete: str = "",
        *,
        messages: tuple[Message, ...] = (),
        unfinished: bool = False,
    ) -> Exchange:
        """The exchange as far as it came. What `problem` says is said wherever nothing else is wrong."""
        incomplete = incomplete or self.problem
        method, target, _ = self.request.start
        _, status, reason = self.response.start
        for part, what in ((self.request, "request"), (self.response, "response")):
            if not incomplete and part.size > max_body:
                incomplete = f"{what} body of {part.size} bytes is over the limit of {max_body} (--max-body)"
        return Exchange(
            method=method,
            target=target,
            request_headers=self.request.headers,
            request_body=bytes(self.request.body),
            request_trailers=self.request.trailers,
            status=int(status),
            reason=reason,
            response_headers=self.response.headers,
            response_body=bytes(self.response.body),
            response_trailers=self.response.trailers,
            interim=tuple(self.interim),
            started=self.started,
            ended=self.ended,
            incomplete=incomplete,
            version=self.version,
            messages=messages,
            unfinished=unfinished,
        )

    def cut(self, max_body: int, what: str = "the connection ended") -> Exchange:
        """The exchange where `what` came in between: whole if it is a stream that the client left, as clients do."""
        if self.response.begun and not self.response.over:
            if self.request.over and self.response.all_there:
                return self.freeze(max_body)  # a client of HTTP/2 that counts need not wait for the end of the stream
            if self.response.streams or self.response.calls:
                return self.freeze(max_body, unfinished=True)
        if self.response.over:
            reason = f"the response came before the whole request, and {what}"
        elif self.response.begun:
            reason = f"{what} within the response"
        else:
            reason = f"{what} before a response" if self.request.over else f"{what} within the request"
        return self.freeze(max_body, reason)
