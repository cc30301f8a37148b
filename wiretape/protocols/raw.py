"""Any protocol over TCP, as bytes: what the client sent, what came back, in order. No meaning is understood.

A call is a turn: all the client said up to the server's answer, and all the server said up to the client's next word. It is
matched by equal bytes and by nothing less: an id, a time or a nonce among them is another message. What the server says
before the client does is the `greeting` of the target's facts; what it says unasked later belongs to the turn before it. A
client that pauses for `PAUSE` seconds without an answer begins a new turn, so that one-way streams (statsd, syslog) fall into
their messages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from wiretape.case import Call
from wiretape.errors import DecodeError
from wiretape.protocols.base import Answers, Ask, Codec, Interaction, Miss, Problem, Side, Waiting
from wiretape.tree import Tree

PAUSE: Final = 0.2
PATIENCE: Final = 0.5  # how long a message that nothing recorded equals may still grow, in seconds
MAX_MESSAGE: Final = 4 * 1024 * 1024
BINARY: Final = "send"  # the operation of a message that is no text: its bytes are in `sent`
EXACTNESS: Final = "recorded as raw bytes: its calls are matched by equal bytes, in order, and nothing of them is understood"
_LONGEST_SHAPE: Final = 1024
_BYTES: Tree = {"description": "text, or !!binary"}

SCHEMA: Mapping[str, Tree] = MappingProxyType(
    {
        "sent": {"description": "what the client sent, where it is no text (!!binary)"},
        "reply": _BYTES,
        "closes": {"type": "boolean", "description": "the server then closes the connection"},
    }
)


def readable(data: bytes) -> str | bytes:
    """Text where the bytes are text (UTF-8, printable, with line ends and tabs), else the bytes."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data
    return text if all(char.isprintable() or char in "\r\n\t" for char in text) else data


def wire(value: Tree) -> bytes:
    """The bytes a value of a case stands for."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")


class RawTap:
    """Groups the bytes of both sides into turns."""

    def __init__(self) -> None:
        self._greeting = bytearray()
        self._sent, self._reply = bytearray(), bytearray()
        self._started = self._ended = self._spoke = 0.0
        self._closes = False
        self._incomplete = ""

    def feed(self, side: Side, data: bytes, at: float) -> Iterator[Interaction]:
        if side is Side.CLIENT:
            if self._sent and (self._reply or at - self._spoke > PAUSE):
                yield self._turn()
            if not self._sent:
                self._started = at
            self._spoke = self._ended = at
            self._add(self._sent, data)
        elif self._sent:
            self._ended = at
            self._add(self._reply, data)
        else:
            self._add(self._greeting, data)

    def close(self, at: float) -> Iterator[Interaction]:  # noqa: ARG002 - a turn ends with its last byte
        if self._sent:
            yield self._turn()

    def server_ended(self, *, reset: bool) -> None:
        """The server has ended the connection while the client still had it open, in an orderly way or by a reset."""
        self._closes = not reset
        self._incomplete = "the server reset the connection" if reset else ""

    @property
    def facts(self) -> Mapping[str, Tree]:
        return {"greeting": readable(bytes(self._greeting))} if self._greeting else {}

    def _add(self, part: bytearray, data: bytes) -> None:
        if len(part) + len(data) > MAX_MESSAGE:
            raise DecodeError(f"one side sent more than {MAX_MESSAGE} bytes in one go", len(part))
        part += data

    def _turn(self) -> Interaction:
        said, answer = readable(bytes(self._sent)), readable(bytes(self._reply))
        fields: dict[str, Tree] = {} if isinstance(said, str) else {"sent": said}
        if answer:
            fields["reply"] = answer
        if self._closes:
            fields["closes"] = True
        self._sent.clear()
        self._reply.clear()
        return Interaction(
            operation=said if isinstance(said, str) else BINARY,
            fields=fields,
            started=self._started,
            ended=self._ended,
            incomplete=self._incomplete,
        )


def ask(call: Call) -> Ask:
    """A recorded turn as an ask."""
    return _ask(call.target, wire(call.fields.get("sent", call.operation)))


def _ask(target: str, sent: bytes) -> Ask:
    said = readable(sent)
    told = said if isinstance(said, str) else f"{BINARY} {sent[:100].hex()}"
    shape = told if isinstance(said, str) and len(said) <= _LONGEST_SHAPE else hashlib.sha256(sent).hexdigest()
    return Ask(target=target, operation=told[:_LONGEST_SHAPE], shape=shape)


def check(call: Call, facts: Mapping[str, Tree] | None = None) -> list[Problem]:  # noqa: ARG001 - any bytes will do
    """What of a call could not be served."""
    problems = [
        Problem(path=name, reason="must be text, or !!binary")
        for name in ("sent", "reply")
        if name in call.fields and not isinstance(call.fields[name], str | bytes)
    ]
    if not isinstance(call.fields.get("closes", False), bool):
        problems.append(Problem(path="closes", reason="must be true or false"))
    problems += (Problem(path=name, reason="is not a field of a raw call") for name in call.fields if name not in SCHEMA)
    return problems


class RawResponder:
    """Answers a message once it equals a recorded one; hangs up on one that does not within `PATIENCE` of its last byte."""

    def __init__(self, facts: Mapping[str, Tree], answers: Answers, target: str) -> None:
        self._greeting = wire(facts.get("greeting", ""))
        self._answers, self._target = answers, target
        self._heard = bytearray()
        self._again = False
        self._waiting: Ask | None = None
        self.closed = False

    def greet(self) -> bytes:
        return self._greeting

    def receive(self, data: bytes) -> bytes:
        self._heard += data
        self._again = not self._again
        if self.closed or self._waiting is not None or not self._heard:
            return b""
        asked = _ask(self._target, bytes(self._heard))
        if len(self._heard) <= MAX_MESSAGE and self._answers.peek(asked) is None:
            return b""
        return self._take(asked)

    def resume(self, answer: Call | Miss) -> bytes:
        self._waiting = None
        return self._serve(answer)

    def tick(self) -> bytes:
        return self._take(_ask(self._target, bytes(self._heard))) if self.pause is not None else b""

    @property
    def pause(self) -> float | None:
        """Two values by turns: every byte that comes lets the wait begin anew."""
        if not self._heard or self.closed or self._waiting is not None:
            return None
        return PATIENCE + 0.001 * self._again

    @property
    def waiting(self) -> Ask | None:
        return self._waiting

    @property
    def upgrade(self) -> bool:
        return False

    def upgraded(self) -> bytes:
        return b""

    def push(self, call: Call) -> bytes | None:  # noqa: ARG002 - what a server sends unasked is part of a turn here
        return None

    def _take(self, asked: Ask) -> bytes:
        answer = self._answers.take(asked)
        self._heard.clear()
        if isinstance(answer, Waiting):
            self._waiting = asked
            return b""
        return self._serve(answer)

    def _serve(self, answer: Call | Miss) -> bytes:
        if isinstance(answer, Miss):  # the protocol's own way to say so is not known
            self.closed = True
            return b""
        self.closed = answer.fields.get("closes") is True
        return wire(answer.fields.get("reply", ""))


CODEC = Codec(
    name="raw",
    default_port=0,
    tap=RawTap,
    responder=RawResponder,
    ask=ask,
    check=check,
    merge_facts=lambda old, new: {**old, **new},
    recognises=lambda client, server: False,  # noqa: ARG005 - what is nothing else is raw
    schema=SCHEMA,
)
