"""Reads a MongoDB connection from both sides: requests wait for their replies by number.

Each batch of a cursor is a call of its own, told by the cursor's number: a client may ask for the next one on another
connection, and no connection knows what was read of its cursors elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from wiretape.errors import DecodeError
from wiretape.protocols.base import Interaction, Side
from wiretape.protocols.mongo import documents, handshake
from wiretape.protocols.mongo.commands import CONNECTION, Command, read
from wiretape.protocols.mongo.framing import Frame, Stream
from wiretape.protocols.mongo.messages import MORE_TO_COME, OP_MSG, OpMsg, OpReply
from wiretape.protocols.mongo.reading import UNANSWERED, Reading, tails
from wiretape.tree import Tree

_MOST_WAITING: Final = 10_000  # requests without a reply: a client that goes on like this is no client


class MongoTap:
    """The tap of one connection (`wiretape.protocols.base.Tap`)."""

    def __init__(self) -> None:
        self._streams = {side: Stream(side) for side in Side}
        self._facts: Mapping[str, Tree] = {}
        self._waiting: dict[int, Reading] = {}
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
        for reading in {id(reading): reading for reading in self._waiting.values()}.values():
            reading.incomplete, reading.ended = UNANSWERED, at
            self._finish(reading)
        self._waiting = {}
        return self._deliver(None)

    def _deliver(self, failure: DecodeError | None) -> Iterator[Interaction]:
        """What is whole, then the failure: an interaction read before the bytes went wrong is not lost with them."""
        out, self._out = self._out, []
        yield from out
        if failure:
            raise failure

    def _finish(self, reading: Reading) -> None:
        if reading.command.name not in CONNECTION:
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
        reading = Reading(command=command, started=at, transaction=self._transaction(command), ended=at)
        if not command.acknowledged:
            self._finish(reading)
            return
        if len(self._waiting) >= _MOST_WAITING:
            raise DecodeError(f"more than {_MOST_WAITING} requests without a reply", 0)
        self._waiting[frame.request] = reading

    def _transaction(self, command: Command) -> int | None:
        name = command.transaction
        return self._transactions.setdefault(name, len(self._transactions)) if name else None

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
        self._take(reading, documents.read(data), at, last=not goes_on)

    def _take(self, reading: Reading, reply: Mapping[str, Tree], at: float, *, last: bool) -> None:
        command = reading.command
        if command.name in CONNECTION:
            self._facts = handshake.merge(self._facts, handshake.observed(command, reply))
            return
        reading.answer(reply, at)
        if command.name != "getMore":
            if reading.cursor and tails(command.fields.get("query")):
                self._tailing.add(reading.cursor)
        elif command.fields["cursor"] in self._tailing or "maxTimeMS" in command.body:  # there is no other use for that
            reading.started = at  # the wait for news belongs to no request
        if last and not (command.name == "getMore" and reading.empty):
            self._finish(reading)
