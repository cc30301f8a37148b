"""The cursors a mock holds open: what a recording found is dealt out in the batches that this client asks for.

A client may ask for more on any of its connections, so cursors belong to the target. The number of a cursor that waits for news
is negative, so that every connection knows one when asked for more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from wiretape.protocols.base import Answers
from wiretape.protocols.mongo.commands import Command, whole
from wiretape.protocols.mongo.results import Continued
from wiretape.tree import Tree

_FIRST: Final = 101  # documents of a first batch where the client does not say, as servers do
_BIGGEST: Final = 16 * 1024 * 1024  # bytes of a batch
_KEY: Final = "mongo cursors"
_AWAITS: Final = 1.0  # seconds a server waits for news before it answers that there are none


@dataclass(slots=True)
class Rest:
    """What is left of a result. `recorded`: the number in the recording of a cursor that is left open at its end, else 0.

    A batch that holds just as many documents as were asked for does not tell that there are no more, unless that is the find's
    own `limit`: a server finds out when asked again.
    """

    documents: Sequence[bytes]
    recorded: int = 0
    tails: bool = False
    limit: int = 0
    _at: int = field(default=0, init=False)
    _full: bool = field(default=False, init=False)

    @property
    def spent(self) -> bool:
        """Whether all documents have been dealt."""
        return self._at >= len(self.documents)

    @property
    def over(self) -> bool:
        """Whether the client can be told that there are no more."""
        return self.spent and not self._full and not self.recorded

    def deal(self, count: int | None, most: int) -> Sequence[bytes]:
        """The next documents: at most `count`, and as many as fit into `most` bytes, but one at least."""
        start, size = self._at, 0
        while not self.spent and (count is None or self._at - start < count):
            size += len(self.documents[self._at])
            if size > most and self._at > start:
                break
            self._at += 1
        self._full = count == self._at - start > 0 and len(self.documents) != self.limit
        return self.documents[start : self._at]


@dataclass(slots=True)
class _Desk:
    rests: dict[int, Rest] = field(default_factory=dict)
    continued: dict[int, Continued] = field(default_factory=dict)
    given: int = 0


class Cursors:
    """The open cursors of a target, as one connection's responder sees them."""

    def __init__(self, answers: Answers, target: str) -> None:
        self._desk = cast(_Desk, answers.memory.setdefault(f"{_KEY} {target}", _Desk()))

    @property
    def continued(self) -> dict[int, Continued]:
        """What was taken from the recording of each cursor."""
        return self._desk.continued

    def open(self, command: Command, rest: Rest) -> tuple[Sequence[bytes], int]:
        """The first batch of a result, and the number of the cursor that has the rest of it (0: none has)."""
        asked = _batch_size(command)
        batch = self._deal(rest, _FIRST if asked is None else asked)
        if _single(command):
            return batch, 0
        return batch, self._keep(rest)

    def next(self, number: int, command: Command) -> tuple[Sequence[bytes], int] | None:
        """The next batch of a cursor; None where only a recording can tell what comes."""
        rest = self._desk.rests.get(number)
        if rest is None or (rest.spent and rest.recorded):
            return None
        batch = self._deal(rest, whole(command.body.get("batchSize")) or None)
        if rest.over:
            del self._desk.rests[number]
            return batch, 0
        return batch, number

    def go_on(self, number: int, found: Sequence[bytes], recorded: int, command: Command) -> tuple[Sequence[bytes], int]:
        """The first of the documents that a recording has for a cursor. `recorded`: as in `Rest`."""
        self._desk.rests.pop(number, None)
        rest = Rest(found, recorded, number < 0)
        batch = self._deal(rest, whole(command.body.get("batchSize")) or None)
        if rest.over:
            return batch, 0
        self._desk.rests[number] = rest
        return batch, number

    def recorded(self, number: int, command: Command) -> tuple[int, float | None]:
        """The number that a cursor has in the recording, and the seconds for which a client lets it wait for news (None: it
        expects an answer at once)."""
        rest = self._desk.rests.get(number)
        limit = whole(command.body.get("maxTimeMS"))
        awaits = _AWAITS if limit is None else limit / 1000
        known = rest.recorded if rest and rest.recorded else abs(number)
        return known, awaits if number < 0 or limit is not None else None

    def kill(self, numbers: Tree) -> None:
        """The client wants no more of these."""
        for number in numbers if isinstance(numbers, list) else []:
            self._desk.rests.pop(whole(number) or 0, None)

    def _deal(self, rest: Rest, count: int | None) -> Sequence[bytes]:
        return rest.deal(count, _BIGGEST)

    def _keep(self, rest: Rest) -> int:
        if rest.over:
            return 0
        self._desk.given += 1
        number = -self._desk.given if rest.tails else self._desk.given
        self._desk.rests[number] = rest
        return number


def _batch_size(command: Command) -> int | None:
    cursor = command.body.get("cursor")
    told = cursor.get("batchSize") if isinstance(cursor, dict) else command.body.get("batchSize")
    return whole(told)


def _single(command: Command) -> bool:
    """Whether the client takes one batch and no more."""
    return command.body.get("singleBatch") is True
