"""Plays a MongoDB server on one connection, answering from recorded calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from wiretape.case import Call
from wiretape.errors import DecodeError, EncodeError
from wiretape.protocols.base import Answers, Ask, Miss, Side, Waiting
from wiretape.protocols.mongo import asks, chatter, documents, handshake, replies
from wiretape.protocols.mongo.commands import CONNECTION, Command, read, whole
from wiretape.protocols.mongo.cursors import Cursors, Rest
from wiretape.protocols.mongo.framing import Frame, Stream
from wiretape.protocols.mongo.messages import MORE_TO_COME, OP_MSG, OP_QUERY, OP_REPLY, OpMsg, OpReply, Section, frame
from wiretape.protocols.mongo.reading import tails
from wiretape.protocols.mongo.scram import Authentication
from wiretape.tree import Tree

_BAD_MESSAGE = 22  # InvalidBSON
# Where a change stream would go on after the connection broke: a driver wants to be told, and never goes back there.
_CLOCK: Mapping[str, Tree] = MappingProxyType({"operationTime": {"$timestamp": {"t": 1, "i": 1}}})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """A request whose answer is yet to come. `pause`: seconds until there is nothing to wait for any more."""

    frame: Frame
    command: Command
    ask: Ask | None
    pause: float | None


class MongoResponder:
    """The mock's side of one connection (`wiretape.protocols.base.Responder`)."""

    def __init__(self, facts: Mapping[str, Tree], answers: Answers, target: str) -> None:
        self._facts, self._answers, self._target = facts, answers, target
        self._stream = Stream(Side.CLIENT)
        self._cursors = Cursors(answers, target)
        password = facts.get("password")
        self._authentication = Authentication(str(password) if password is not None else "")
        self._pending: _Pending | None = None
        self._closed = False
        self._sent = 0

    @property
    def waiting(self) -> Ask | None:
        return self._pending.ask if self._pending else None

    @property
    def pause(self) -> float | None:
        return self._pending.pause if self._pending else None

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def upgrade(self) -> bool:
        return False

    def upgraded(self) -> bytes:
        return b""

    def greet(self) -> bytes:
        return b""

    def push(self, call: Call) -> bytes | None:  # noqa: ARG002 - a server says nothing unasked
        return None

    def receive(self, data: bytes) -> bytes:
        if self._closed:
            return b""
        self._stream.push(data)
        return self._go_on(b"")

    def resume(self, answer: Call | Miss) -> bytes:
        pending, self._pending = self._pending, None
        return self._go_on(self._answer(pending.frame, pending.command, answer) if pending else b"")

    def tick(self) -> bytes:
        pending, self._pending = self._pending, None
        if pending is None:
            return b""
        return self._go_on(self._batch(pending.frame, pending.command, ((), whole(pending.command.argument) or 0)))

    def _go_on(self, out: bytes) -> bytes:
        parts = [out]
        while self._pending is None and not self._closed:
            try:
                found = self._stream.next()
            except DecodeError as error:
                self._closed = True
                parts.append(self._refusal(0, OP_MSG, error))
                break
            if found is None:
                break
            try:
                parts.append(self._handle(found))
            except DecodeError as error:
                self._closed = True
                parts.append(self._refusal(found.request, found.opcode, error))
        return b"".join(parts)

    def _refusal(self, request: int, opcode: int, error: DecodeError) -> bytes:
        told = replies.error(_BAD_MESSAGE, "InvalidBSON", f"wiretape: {error}")
        return self._send(request, opcode, documents.write(told))

    def _send(self, request: int, opcode: int, reply: bytes, flags: int = 0) -> bytes:
        self._sent += 1
        if opcode == OP_QUERY:
            return frame(OP_REPLY, OpReply(documents=(reply,)).body(), request=self._sent, response_to=request)
        body = OpMsg(flags=flags, sections=(Section(documents=(reply,)),)).body()
        return frame(OP_MSG, body, request=self._sent, response_to=request)

    def _reply(self, asked: Frame, command: Command, reply: bytes) -> bytes:
        return self._send(asked.request, asked.opcode, reply) if command.acknowledged else b""

    def _tell(self, asked: Frame, command: Command, reply: Mapping[str, Tree]) -> bytes:
        return self._reply(asked, command, documents.write(reply))

    def _handle(self, asked: Frame) -> bytes:
        """Answers one message. Raises DecodeError."""
        command = read(asked.opcode, asked.body)
        if command.name in CONNECTION:
            return self._tell(asked, command, self._connected(command))
        if command.name == "getMore":
            return self._more(asked, command)
        return self._find(asked, command, asks.live(self._target, command))

    def _connected(self, command: Command) -> dict[str, Tree]:
        """The reply to what only keeps a connection."""
        match command.name:
            case "hello" | "isMaster":
                return handshake.hello(self._facts, command)
            case "saslStart":
                return self._authentication.start(command)
            case "saslContinue":
                return self._authentication.go_on(command)
            case "killCursors":
                self._cursors.kill(command.body.get("cursors"))
        return chatter.answer(self._facts, command)

    def _more(self, asked: Frame, command: Command) -> bytes:
        number = whole(command.argument) or 0
        batch = self._cursors.next(number, command)
        if batch is not None:
            return self._batch(asked, command, batch)
        recorded, awaits = self._cursors.recorded(number, command)
        ask = asks.more(self._target, command.operation, recorded, awaits)
        return self._find(asked, command, ask)

    def _find(self, asked: Frame, command: Command, ask: Ask) -> bytes:
        answer = self._answers.take(ask)
        if isinstance(answer, Waiting) or (isinstance(answer, Miss) and ask.blocks is not None):
            waits = ask if isinstance(answer, Waiting) else None
            self._pending = _Pending(frame=asked, command=command, ask=waits, pause=_limit(ask))
            return b""
        return self._answer(asked, command, answer)

    def _answer(self, asked: Frame, command: Command, answer: Call | Miss) -> bytes:
        if isinstance(answer, Miss):
            missed = answer.ask.role == "query"
            return self._tell(asked, command, replies.missed(answer) if missed else chatter.answer(self._facts, command))
        try:
            return self._serve(asked, command, answer)
        except EncodeError as error:
            told = f"wiretape: the recorded call {answer.operation!r} cannot be served: {error}"
            return self._tell(asked, command, replies.error(replies.UNSERVABLE, "WiretapeUnservable", told))

    def _serve(self, asked: Frame, command: Command, call: Call) -> bytes:
        """Raises EncodeError."""
        fields = call.fields
        found = replies.found(fields)
        if found is None:
            return self._tell(asked, command, replies.rendered(fields))
        if command.name == "getMore":
            number, exhausted = whole(command.argument) or 0, fields.get("exhausted") is True
            return self._batch(asked, command, self._cursors.go_on(number, found, command, exhausted=exhausted))
        query = command.fields.get("query")
        limit = whole(query.get("limit")) if isinstance(query, Mapping) else None
        rest = Rest(found, recorded=whole(fields.get("cursor")) or 0, tails=tails(query), limit=limit or 0)
        batch, number = self._cursors.open(command, rest)
        told = {**replies.rendered(fields), **(_CLOCK if rest.tails else {})}
        return self._reply(asked, command, replies.with_cursor(told, "firstBatch", batch, number, _namespace(command)))

    def _batch(self, asked: Frame, command: Command, batch: tuple[Sequence[bytes], int]) -> bytes:
        """A batch that follows the first; all of them, each in answer to the one before, where the client asked for that."""
        place = f"{command.database}.{command.body.get('collection')!s}"
        out: list[bytes] = []
        request = asked.request
        while True:
            reply = replies.with_cursor({"ok": replies.OK}, "nextBatch", *batch, place)
            more = self._cursors.next(batch[1], command) if command.exhaust and batch[1] else None
            if more is None:
                return b"".join([*out, self._send(request, asked.opcode, reply)])
            out.append(self._send(request, asked.opcode, reply, MORE_TO_COME))
            request, batch = self._sent, more


def _namespace(command: Command) -> str:
    place = command.argument if isinstance(command.argument, str) else f"$cmd.{command.name}"
    return f"{command.database}.{place}"


def _limit(ask: Ask) -> float | None:
    return None if ask.blocks is None or ask.blocks == float("inf") else ask.blocks
