"""Reads a MongoDB connection from both sides: requests wait for their replies by number, cursors for the rest of their
documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from wiretape.errors import DecodeError
from wiretape.protocols.base import Interaction, Side
from wiretape.protocols.mongo import documents, handshake, replies
from wiretape.protocols.mongo.commands import CONNECTION, Command, read, whole
from wiretape.protocols.mongo.framing import Frame, Stream
from wiretape.protocols.mongo.messages import MORE_TO_COME, OP_MSG, OpMsg, OpReply
from wiretape.protocols.mongo.reading import MAX_HELD, TOO_LONG, UNANSWERED, Reading, tails
from wiretape.tree import Tree

_MOST_WAITING: Final = 10_000  # requests without a reply: a client that goes on like this is no client


class MongoTap:
    """The tap of one connection (`wiretape.protocols.base.Tap`)."""

    def __init__(self) -> None:
        self._streams = {side: Stream(side) for side in Side}
        self._facts: Mapping[str, Tree] = {}
        self._waiting: dict[int, Reading] = {}
        self._cursors: dict[int, Reading] = {}
        self._tailing: set[int] = set()
        self._transactions: dict[str, int] = {}
        self._out: list[Interaction] = []
        self._over = False

    @property
    def facts(self) -> Mapping[str, Tree]:
        return self._facts

    def feed(self, side: Side, data: bytes, at: float) -> Iterator[Interaction]:
        failure: DecodeError | None = None
        if not self._over:
            self._streams[side].push(data)
            try:
                while frame := self._streams[side].next():
                    self._read(side, frame, at)
            except DecodeError as error:
                failure, self._over = error, True
        return self._deliver(failure)

    def close(self, at: float) -> Iterator[Interaction]:
        self._over = True
        for reading in self._waiting.values():
            target = self._cursors.get(_cursor(reading.command)) if reading.command.name == "getMore" else None
            (target or reading).incomplete = UNANSWERED
            if target is None and reading.command.name not in CONNECTION:
                self._finish(reading, at)
        for reading in self._cursors.values():
            self._finish(reading)
        self._waiting, self._cursors = {}, {}
        return self._deliver(None)

    def _deliver(self, failure: DecodeError | None) -> Iterator[Interaction]:
        """What is whole, then the failure: an interaction read before the bytes went wrong is not lost with them."""
        out, self._out = self._out, []
        yield from out
        if failure:
            raise failure

    def _finish(self, reading: Reading, at: float | None = None) -> None:
        if at is not None:
            reading.ended = at
        self._out.append(reading.interaction())

    def _read(self, side: Side, frame: Frame, at: float) -> None:
        try:
            if side is Side.CLIENT:
                self._asked(frame, at)
            else:
                self._answered(frame, at)
        except DecodeError as error:
            raise DecodeError(error.reason, frame.at) from None

    def _asked(self, frame: Frame, at: float) -> None:
        command = read(frame.opcode, frame.body)
        if command.name == "killCursors":
            self._kill(command)
        reading = Reading(command=command, started=at, transaction=self._transaction(command))
        if not command.acknowledged:
            if command.name not in CONNECTION:
                self._finish(reading, at)
            return
        if len(self._waiting) >= _MOST_WAITING:
            raise DecodeError(f"more than {_MOST_WAITING} requests without a reply", 0)
        self._waiting[frame.request] = reading

    def _transaction(self, command: Command) -> int | None:
        name = command.transaction
        return self._transactions.setdefault(name, len(self._transactions)) if name else None

    def _kill(self, command: Command) -> None:
        """The client wants no more of these cursors: what it read of them is all there will be."""
        numbers = command.body.get("cursors")
        for number in numbers if isinstance(numbers, list) else []:
            if reading := self._cursors.pop(abs(whole(number) or 0), None):
                self._finish(reading)

    def _answered(self, frame: Frame, at: float) -> None:
        goes_on = False
        if frame.opcode == OP_MSG:
            message = OpMsg.decode(frame.body)
            goes_on = bool(message.flags & MORE_TO_COME)
            data = next(section.documents[0] for section in message.sections if not section.name)
        else:
            found = OpReply.decode(frame.body).documents
            if len(found) != 1:
                raise DecodeError(f"a reply of {len(found)} documents", 0)
            data = found[0]
        reading = self._waiting.get(frame.response_to)
        if reading is None:
            return  # asked before the recording began
        if goes_on:  # what follows answers this reply, or, as some servers have it, the request once more
            self._waiting[frame.request], reading.streams = reading, True
        elif reading.streams:
            self._waiting = {number: other for number, other in self._waiting.items() if other is not reading}
        else:
            del self._waiting[frame.response_to]
        self._take(reading, documents.read(data), len(data), at)

    def _take(self, reading: Reading, reply: Mapping[str, Tree], size: int, at: float) -> None:
        command = reading.command
        if command.name in CONNECTION:
            self._facts = handshake.merge(self._facts, handshake.observed(command, reply))
        elif command.name == "getMore":
            self._continued(reading, reply, size, at)
        else:
            reading.answer(reply, size, at)
            if reading.cursor and not tails(command.fields.get("query")):
                self._cursors[reading.cursor] = reading
                return
            if reading.cursor:
                self._tailing.add(reading.cursor)
            self._finish(reading)

    def _continued(self, reading: Reading, reply: Mapping[str, Tree], size: int, at: float) -> None:
        number = _cursor(reading.command)
        opened = self._cursors.get(number)
        batch = replies.batch(reply)
        if opened is None or batch is None:
            # another connection's cursor, one that tails, or an error: a call of its own
            if batch is None or batch[0] or not batch[1]:
                # the wait for news belongs to no request; a client may limit no other
                waited = number in self._tailing or "maxTimeMS" in reading.command.body
                started = at if waited else reading.started
                again = Reading(command=reading.command, started=started, transaction=reading.transaction, waited=waited)
                again.answer(reply, size, at)
                self._finish(again)
            return
        opened.add(batch, size)
        opened.ended = at
        if not opened.cursor or opened.held > MAX_HELD:
            opened.incomplete = TOO_LONG if opened.cursor else ""
            self._finish(self._cursors.pop(number))


def _cursor(command: Command) -> int:
    return abs(whole(command.argument) or 0)
