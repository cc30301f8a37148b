"""One request put to the book -> what is sent in return, whatever the version of HTTP."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from itertools import combinations, islice
from types import MappingProxyType
from urllib.parse import quote

from wiretape.case import Call, Headers
from wiretape.errors import EncodeError
from wiretape.protocols.base import Answers, Ask, Miss, Waiting
from wiretape.protocols.http.asks import Asked, asked, make
from wiretape.protocols.http.exchange import SWITCHING, Message
from wiretape.protocols.http.forms import NO_ANSWER, message, stored
from wiretape.protocols.http.meaning import is_grpc
from wiretape.protocols.http.streaming import due

MAX_REQUEST = 64 * 1024 * 1024  # bytes of a request's body that a mock takes
_UNAVAILABLE = 14  # gRPC's status where a server cannot answer
_LONGEST = 2000
_MOST_TRIED = 64
_PHRASES = MappingProxyType({status.value: status.phrase for status in HTTPStatus})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is sent; status 0: nothing, but hanging up. `body` is without transfer coding; `unfinished`: it is never ended."""

    status: int
    headers: Headers
    body: bytes = b""
    reason: str = ""
    trailers: Headers = ()
    unfinished: bool = False
    messages: tuple[Message, ...] = ()

    @property
    def phrase(self) -> str:
        """The reason phrase of the status line."""
        return self.reason or _PHRASES.get(self.status, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A whole request. `body` is without transfer coding, content coding kept."""

    method: str
    url: str
    headers: Headers
    body: bytes = b""


class Desk:
    """Puts requests to the book, for one connection."""

    def __init__(self, answers: Answers, target: str) -> None:
        self._answers, self._target = answers, target

    def take(self, request: Received) -> Reply | Ask:
        """The reply; or the ask, where its answer will come later."""
        ask = self._ask(asked(request.method, request.url, request.headers, request.body))
        answer = self._answers.take(ask)
        return ask if isinstance(answer, Waiting) else self.reply(request, answer)

    def _ask(self, live: Asked) -> Ask:
        """The ask of a request. Headers that no recorded call of its kind names are not held against it: a person may have
        taken them out of the case, and a library's next version sends more of them."""
        whole = make(self._target, live)
        if self._answers.peek(whole) is not None:
            return whole
        fewer = (kept for count in reversed(range(len(live.headers))) for kept in combinations(live.headers, count))
        for headers in islice(fewer, _MOST_TRIED):
            ask = make(self._target, replace(live, headers=headers))
            if self._answers.peek(ask) is not None:
                return ask
        return whole

    def reply(self, request: Received, answer: Call | Miss) -> Reply:
        """What the book's answer comes to."""
        if isinstance(answer, Miss):
            return refusal(answer.explain(), grpc=is_grpc(request.headers))
        try:
            found = stored(answer.fields.get("response"))
            messages = _messages(answer)
        except EncodeError as error:
            text = f"wiretape: the recorded answer to {answer.operation} cannot be served: {error}"
            return refusal(text, grpc=is_grpc(request.headers))
        response = found.response
        if response.status < 200 and response.status not in (NO_ANSWER, SWITCHING):
            return refusal(f"wiretape: the recorded answer to {answer.operation} cannot be served: status {response.status}")
        return Reply(
            status=response.status,
            reason=response.reason,
            headers=response.headers,
            body=found.body,
            trailers=response.trailers,
            unfinished=found.unfinished,
            messages=messages,
        )

    def early(self, request: Received) -> tuple[Reply, int] | None:
        """The reply to a streaming gRPC call whose request has not ended, and how many bytes of its body are due by now."""
        live = asked(request.method, request.url, request.headers, request.body)
        for streams in (True, False):  # it may be all that is asked, and only its end is missing
            call = self._answers.peek(make(self._target, live, streams=streams))
            if call is not None:
                reply = self.reply(request, call)
                if size := due(call, live, reply.body):
                    return reply, size
        return None

    def missed(self, request: Received, text: str) -> None:
        """Report a WebSocket message that is not the recorded one: as an ask that nothing answers."""
        operation = f"{request.method} {request.url}"
        shape = f"{operation} message"
        self._answers.take(
            Ask(target=self._target, operation=f"{operation} message {text}", shape=shape, values=(text,), labels=("message",))
        )


def _messages(call: Call) -> tuple[Message, ...]:
    given = call.fields.get("messages", [])
    if not isinstance(given, list):
        raise EncodeError("messages", "expected a list of messages")
    return tuple(message(one, f"messages[{index}]") for index, one in enumerate(given))


def refusal(text: str, status: int = 502, *, grpc: bool = False) -> Reply:
    """The protocol's own error, with an explanation for the service's log."""
    if grpc:
        told = quote(text[:_LONGEST], safe=" !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~")
        said = (("grpc-status", str(_UNAVAILABLE)), ("grpc-message", told), ("wiretape-miss", "1"))
        return Reply(status=200, headers=(("content-type", "application/grpc"), *said))
    return Reply(
        status=status,
        headers=(("content-type", "text/plain; charset=utf-8"), ("wiretape-miss", "1")),
        body=f"{text}\n".encode(errors="replace"),
    )
