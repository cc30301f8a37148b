"""Plays a Redis server on one connection."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from wiretape.case import Call
from wiretape.errors import DecodeError, EncodeError
from wiretape.protocols.base import Answers, Ask, Miss, Waiting
from wiretape.protocols.redis import resp
from wiretape.protocols.redis.asks import PUSHES, Prepared, prepare
from wiretape.protocols.redis.commands import SCRIPTS, STATE, SUBSCRIBING
from wiretape.protocols.redis.forms import PLAIN
from wiretape.protocols.redis.requests import Argv, Requests, single
from wiretape.protocols.redis.resp import NULL_ARRAY, Value
from wiretape.protocols.redis.session import OK, Session, asked
from wiretape.protocols.redis.types import data
from wiretape.protocols.redis.writing import write, write_as
from wiretape.tree import Tree

_KEPT: Final = 4096
_LONGEST_KEPT: Final = 16 * 1024
_NOT_RUN: Final = resp.Error(b"ERR wiretape: this command was recorded in a transaction that was given up")
_QUEUED: Final = resp.Simple(b"QUEUED")
_EXECABORT: Final = resp.Error(b"EXECABORT Transaction discarded because of previous errors.")
_PLAYED: Final = frozenset({"MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH"})

type _Then = Callable[[Call | Miss], bytes]


class _Queue:
    """What a client has queued since MULTI, and what each will answer. `spoilt`: one could not even be queued."""

    __slots__ = ("answers", "spoilt")

    def __init__(self) -> None:
        self.answers: list[Value] = []
        self.spoilt = False


class RedisResponder:
    """The mock's side of one connection (`wiretape.protocols.base.Responder`). Any password is accepted."""

    def __init__(self, facts: Mapping[str, Tree], answers: Answers, target: str) -> None:
        self._requests = Requests()
        self._session = Session(facts)
        self._answers, self._target = answers, target
        self._queue: _Queue | None = None
        self._waiting: Ask | None = None
        self._then: _Then | None = None
        self._timeout: Value = None
        self._kept: dict[tuple[int, int], tuple[Call, bytes]] = {}
        self._broken = False

    @property
    def waiting(self) -> Ask | None:
        return self._waiting

    @property
    def pause(self) -> float | None:
        blocks = self._waiting.blocks if self._waiting is not None else None
        return None if blocks is None or blocks == math.inf else blocks

    @property
    def closed(self) -> bool:
        return self._broken or self._session.closed

    @property
    def upgrade(self) -> bool:
        return False

    def upgraded(self) -> bytes:
        return b""

    def greet(self) -> bytes:
        return b""

    def receive(self, data: bytes) -> bytes:
        if self._waiting is None and self._requests.between and (argv := single(data)) is not None and not self.closed:
            return self._command(argv)  # nearly always
        self._requests.push(data)
        return self._go_on(b"")

    def resume(self, answer: Call | Miss) -> bytes:
        then, self._then, self._waiting = self._then, None, None
        return self._go_on(then(answer) if then else b"")

    def tick(self) -> bytes:
        if self.pause is None:
            return b""
        self._waiting = self._then = None
        return self._go_on(self._encode(self._timeout))

    def push(self, call: Call) -> bytes | None:
        names = PUSHES.get(call.operation)
        if names is None or not self._listens(call, names):
            return None
        try:
            told = [write(PLAIN, call.fields.get(name), 3, (name,)) for name in names]
        except EncodeError:
            return None
        return self._encode(resp.Push([call.operation.encode(), *told]))

    def _listens(self, call: Call, names: tuple[str, ...]) -> bool:
        """Whether the client asked for such messages."""
        if call.operation == "invalidate":
            return self._session.tracking and self._session.protocol > 2
        channels = self._session.channels[call.operation.removesuffix("message").upper()]
        name = call.fields.get(names[0])
        return isinstance(name, str | bytes) and data(name) in channels

    def _go_on(self, out: bytes) -> bytes:
        """Answers what has arrived, until an answer is to be waited for."""
        parts = [out]
        try:
            while self._waiting is None and not self.closed:
                argv = self._requests.next()
                if argv is None:
                    break
                parts.append(self._command(argv))
        except DecodeError as error:
            self._broken = True
            parts.append(self._encode(resp.Error(f"ERR {error.reason}".encode())))
        return b"".join(parts)

    def _encode(self, value: Value) -> bytes:
        return resp.encode(value, self._session.protocol)

    def _say(self, value: Value) -> bytes:
        """An answer, unless the client wants none."""
        return self._spoken(self._encode(value))

    def _spoken(self, reply: bytes) -> bytes:
        silent = self._session.silent
        if not silent:
            return reply
        if silent == "skip":
            self._session.silent = ""
        return b""

    def _command(self, argv: Argv) -> bytes:
        prepared = prepare(self._target, argv, self._session.db)
        name = prepared.command.name
        if (refused := self._session.refuses(name)) is not None:
            return self._say(refused)
        if name in _PLAYED:
            return self._transact(prepared)
        if prepared.ask.role == "housekeeping":
            return self._chat(prepared)
        if self._queue is not None:
            return self._take(prepared.queued, lambda answer: self._enqueued(answer, prepared))
        return self._take(prepared.ask, lambda answer: self._spoken(self._served(answer, prepared)), prepared)

    def _take(self, ask: Ask, then: _Then, prepared: Prepared | None = None) -> bytes:
        answer = self._answers.take(ask)
        if isinstance(answer, Waiting):
            self._waiting, self._then = ask, then
            self._timeout = write(prepared.form, None, self._session.protocol) if prepared else None
            return b""
        return then(answer)

    # Answers.

    def _served(self, answer: Call | Miss, prepared: Prepared) -> bytes:
        if isinstance(answer, Miss):
            return self._encode(_missed(answer))
        key = (id(answer), self._session.protocol)
        kept = self._kept.get(key)
        if kept is not None and kept[0] is answer:
            return kept[1]
        reply = self._encode(self._value(answer, prepared))
        if len(reply) <= _LONGEST_KEPT:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[key] = (answer, reply)
        return reply

    def _value(self, call: Call, prepared: Prepared | None) -> Value:
        try:
            return reply(call, prepared, self._session.protocol)
        except EncodeError as error:
            return _unservable(call, error)

    # What a server answers of itself.

    def _chat(self, prepared: Prepared) -> bytes:
        name, argv = prepared.command.name, prepared.argv
        word = name.partition(" ")[0]
        if name in SUBSCRIBING:
            return self._spoken(b"".join(map(self._encode, self._session.subscriptions(argv, name))))
        if word in STATE:
            was = self._session.silent
            value = self._session.own(argv, word)
            if word == "RESET":
                self._queue = None
            if self._queue is not None:
                self._queue.answers.append(value)
                return self._say(_QUEUED)
            if name == "CLIENT REPLY":
                if self._session.silent == "skip" and was == "off":
                    self._session.silent = "off"
                return b"" if self._session.silent else self._encode(value)
            return self._say(value)
        if name in SCRIPTS:
            return self._made(asked(argv, name))
        return self._take(prepared.ask, lambda answer: self._told(answer, prepared))

    def _told(self, answer: Call | Miss, prepared: Prepared) -> bytes:
        own = isinstance(answer, Miss)
        return self._made(asked(prepared.argv, prepared.command.name) if own else self._value(answer, prepared))  # type: ignore[arg-type]

    def _made(self, value: Value) -> bytes:
        if self._queue is not None:
            self._queue.answers.append(value)
            return self._say(_QUEUED)
        return self._say(value)

    # Transactions.

    def _transact(self, prepared: Prepared) -> bytes:
        name = prepared.command.name
        refused = self._misplaced(name)
        if refused:
            return self._take(prepared.ask, lambda _: self._say(resp.Error(refused.encode())))
        return self._take(prepared.ask, lambda answer: self._say(self._transacted(name, answer)))

    def _misplaced(self, name: str) -> str:
        if self._queue is None:
            return f"ERR {name} without MULTI" if name in ("EXEC", "DISCARD") else ""
        if name == "MULTI":
            return "ERR MULTI calls can not be nested"
        return "ERR WATCH inside MULTI is not allowed" if name == "WATCH" else ""

    def _transacted(self, name: str, answer: Call | Miss) -> Value:
        queue, recorded = self._queue, None if isinstance(answer, Miss) else answer
        if name == "MULTI":
            self._queue = _Queue()
            return OK
        if queue is None or name == "UNWATCH":
            if recorded is not None and "error" in recorded.fields:
                return self._value(recorded, None)
            return OK
        self._queue = None
        if name == "DISCARD":
            return OK
        return self._executed(queue, recorded)

    def _executed(self, queue: _Queue, recorded: Call | None) -> Value:
        """What EXEC answers: the recorded end of it, unless what was queued had another."""
        if queue.spoilt:
            return _EXECABORT
        if queue.answers:
            return NULL_ARRAY if all(answer is _NOT_RUN for answer in queue.answers) else queue.answers
        if recorded is not None and "error" in recorded.fields:
            return self._value(recorded, None)
        return NULL_ARRAY if recorded is not None and "reply" in recorded.fields else []

    def _enqueued(self, answer: Call | Miss, prepared: Prepared) -> bytes:
        queue = self._queue
        assert queue is not None
        if isinstance(answer, Miss):
            queue.answers.append(_missed(answer))
        elif answer.fields.get("stage") == "queue":
            queue.spoilt = True
            return self._say(self._value(answer, None))
        else:
            queue.answers.append(self._value(answer, prepared))
        return self._say(_QUEUED)


def reply(call: Call, prepared: Prepared | None, protocol: int) -> Value:
    """A call's answer. Raises EncodeError."""
    fields = call.fields
    if "error" in fields:
        error = data(fields["error"], ("error",))
        return resp.BlobError(error) if fields.get("as") == "blob error" else resp.Error(error)
    if "reply" not in fields:
        return _NOT_RUN
    tree, mark = fields["reply"], fields.get("as")
    if mark is not None:
        return write_as(tree, mark)
    return write(prepared.form if prepared else PLAIN, tree, protocol)


def _missed(miss: Miss) -> resp.Error:
    return resp.Error(f"ERR {miss.explain()}".encode("utf-8", "replace"))


def _unservable(call: Call, error: EncodeError) -> resp.Error:
    told = f"ERR wiretape: the recorded call {call.operation!r} cannot be served: {error}"
    return resp.Error(told.encode("utf-8", "replace"))
