"""The readings of one batch, that is up to ReadyForQuery: their notices, their transaction, their order."""

from __future__ import annotations

from collections.abc import Iterable

from wiretape.protocols.base import Interaction
from wiretape.protocols.postgres.asks import plan
from wiretape.protocols.postgres.reading import Reading
from wiretape.tree import Tree


class Ledger:
    """Collects what was answered, and lets it go when the server is ready."""

    def __init__(self) -> None:
        self.batch: list[Reading] = []
        self._notices: list[Tree] = []
        self._out: list[Reading | Interaction] = []
        self._status = b"I"
        self._transaction: int | None = None
        self._transactions = 0

    @property
    def last(self) -> Reading | None:
        """What was answered last."""
        return self.batch[-1] if self.batch else None

    def add(self, reading: Reading) -> None:
        """A reading whose answer has ended."""
        self.attach(reading)
        if not reading.ignored and not any(reading is other for other in self.batch):
            self.batch.append(reading)

    def notice(self, notice: Tree) -> None:
        """A notice that came while something was being answered."""
        self._notices.append(notice)

    def attach(self, reading: Reading) -> None:
        """The notices that came so far belong to this reading."""
        reading.notices += self._notices
        self._notices = []

    def ready(self, status: bytes, suspended: Iterable[Reading], at: float) -> None:
        """ReadyForQuery: what was answered is whole. `suspended` readings stay open, but ran in this transaction, too."""
        self._number(status, [*self.batch, *suspended])
        batch, self.batch = self.batch, []
        self._notices = []
        for reading in batch:
            reading.ended = reading.ended or at
        self._out += batch

    def note(self, one: Reading | Interaction) -> None:
        """Something whole that belongs to no batch."""
        self._out.append(one)

    def _number(self, status: bytes, members: list[Reading]) -> None:
        if self._status != b"I" or status != b"I" or len(self.batch) > 1:
            if self._transaction is None:
                self._transactions += 1
                self._transaction = self._transactions
            for reading in members:
                if reading.transaction is None:
                    reading.transaction = self._transaction
        # COMMIT AND CHAIN begins another transaction at once
        if status == b"I" or any(plan(reading.sql).role == "end" for reading in self.batch):
            self._transaction = None
        self._status = status

    def doubt(self, reason: str) -> None:
        """Nothing more will come: what is in the batch is not known to be whole."""
        for reading in self.batch:
            reading.incomplete = reading.incomplete or reason

    def collect(self) -> list[Interaction]:
        """The interactions that became whole since the last call, up to one to which something may still be added."""
        whole = next((at for at, one in enumerate(self._out) if isinstance(one, Reading) and one.open), len(self._out))
        out, self._out = self._out[:whole], self._out[whole:]
        return [one.interaction(one.ended) if isinstance(one, Reading) else one for one in out]

    def release(self) -> None:
        """Nothing more will be added."""
        for one in self._out:
            if isinstance(one, Reading):
                one.open = False
