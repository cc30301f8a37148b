"""The COPYs of one connection as a tap follows them: where they begin, what the client sends for them, where that ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from wiretape.protocols.postgres.asks import plan
from wiretape.protocols.postgres.backend import Column
from wiretape.protocols.postgres.copylayout import Direction, Layout, layout_of
from wiretape.protocols.postgres.copyreading import MAX_DATA, CopyReading
from wiretape.protocols.postgres.frontend import Query
from wiretape.protocols.postgres.pending import Pending
from wiretape.protocols.postgres.reading import Reading
from wiretape.protocols.postgres.results import Wording

BOTH_WAYS: Final = "replication is not recorded"
STRAY: Final = "data of a COPY came that no COPY asked for"
UNTOLD: Final = "the data of a COPY came for a statement that is none"
AMONG_OTHERS: Final = "a COPY from the client among other statements of one text is not recorded"

_DATA, _DONE, _FAIL = b"dcf"


class Copies:
    """`reading` is that of the COPY from the client under way."""

    def __init__(self) -> None:
        self.reading: Reading | None = None
        self._stray = False

    @property
    def drops_sync(self) -> bool:
        """While the server takes the data of a COPY it drops Flush and Sync."""
        return self.reading is not None and self.reading.error is None

    def begin(
        self, reading: Reading, direction: Direction, *, binary: bool, wording: Wording, columns: Sequence[Column] | None
    ) -> None:
        """A COPY begins. `columns` are those of the table, where they are known."""
        statements = plan(reading.sql).statements
        at = len(reading.done)
        layout = layout_of(statements[at]) if at < len(statements) else None
        if layout is None or layout.direction != direction:
            layout, reading.incomplete = Layout(direction=direction), reading.incomplete or UNTOLD
        if (layout.form == "binary") != binary:
            layout = replace(layout, form="binary" if binary else "text")
        if direction == "in" and len(statements) > 1:
            reading.incomplete = reading.incomplete or AMONG_OTHERS
        reading.copy(CopyReading(layout, wording, columns))

    def take(self, reading: Reading, pending: Pending) -> None:
        """The client sends data from now on, or did so already."""
        self.reading, reading.open = reading, True
        if self._stray:
            self._stray, reading.incomplete = False, STRAY
        for tag, body in pending.early:
            self.sent(tag, body, None)
        pending.early.clear()

    def sent(self, tag: int, body: bytes, last: Pending | None) -> None:
        """A message of the client that is not answered. `last` is what it asked last, where that is not answered yet: asyncpg
        does not wait for the server to take the data of a COPY."""
        if self.reading is None:
            if last is not None and tag in (_DATA, _DONE, _FAIL):
                self._sent_early(tag, body, last)
        elif tag == _DATA:
            self.reading.data(body)
        elif tag in (_DONE, _FAIL):
            self.reading.gave_up = tag == _FAIL
            self.end()

    def _sent_early(self, tag: int, body: bytes, last: Pending) -> None:
        if not isinstance(last.message, Query):
            self._stray = True
        elif last.size <= MAX_DATA:  # more would be cut off anyway
            last.early.append((tag, body))
            last.size += len(body)

    def end(self) -> None:
        """The client has sent all that it will."""
        if self.reading is not None:
            self.reading.open = False
            self.reading = None
