"""Calls that come when their case is over already: told from those of the case that is under way now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replayer.lane import Lane
from wiretape.protocols.base import Ask

if TYPE_CHECKING:
    from replayer.book import Book


class Late:
    """Looks at the cases that are over and may still be heard of (`Book.closing`)."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def lane(self, ask: Ask, connection: int, now: Lane | None) -> Lane | None:
        """The case that is over and that an ask belongs to all the same: by its trace, by its connection's transaction, or
        because that case still wants it and the case under way (`now`) knows nothing of the kind.

        What the case that is over does not want is the other's: a build that asks something new asks it in every case.
        """
        if ask.trace and now is not None and ask.trace == now.trace:
            return None
        for lane in reversed(self._book.closing):
            if ask.trace and ask.trace == lane.trace:
                return self._with_begin(lane, connection, now)
            if connection in lane.open:
                if now is None or not _left_open(lane, ask, now):
                    return self._with_begin(lane, connection, now)
                lane.settle(connection)
        if ask.role != "query" or (now is not None and (now.knows(ask) or now.inside(connection))):
            return None
        for lane in reversed(self._book.closing):
            wanted = lane.wants(ask)
            if wanted is not None and not wanted.used:
                return self._with_begin(lane, connection, now)
        return None

    def _with_begin(self, lane: Lane, connection: int, now: Lane | None) -> Lane:
        """The transaction that the ask is the first of was taken for one of the case under way."""
        begun = now.withdraw_begin(connection) if now is not None else None
        if begun is not None:
            at, ask = begun
            self._book.for_lane(lane, ask, connection, at)
        return lane


def _left_open(lane: Lane, ask: Ask, now: Lane) -> bool:
    """Whether the case that is over never ended its transaction, and its connection went back to a pool all the same: another
    transaction begins on it, or what is asked is wanted in the case under way only."""
    if ask.role == "begin":
        return True
    wanted, still = now.wants(ask), lane.wants(ask)
    return wanted is not None and not wanted.used and (still is None or still.used > 0)
