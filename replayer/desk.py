"""The book from where one connection stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from replayer.scope import Expected
from wiretape.case import Call
from wiretape.protocols.base import Ask, Miss, Waiting

if TYPE_CHECKING:
    from replayer.book import Book


class Desk:
    """`wiretape.protocols.base.Answers` for the connection of a number."""

    __slots__ = ("_book", "_connection")

    def __init__(self, book: Book, connection: int) -> None:
        self._book, self._connection = book, connection

    @property
    def memory(self) -> dict[str, object]:
        return self._book.memory

    def peek(self, ask: Ask) -> Call | None:
        return self._book.peek(ask)

    def take(self, ask: Ask) -> Call | Miss | Waiting:
        return self._book.take(ask, self._connection)

    @property
    def pushes(self) -> bool:
        """Whether any push is still to be delivered."""
        return self._book.pushes

    def turn(self, ask: Ask) -> Call | None:
        """See `Book.turn`."""
        return self._book.turn(ask, self._connection)

    def push(self, entry: Expected, deliver: Callable[[Call], bool]) -> bool:
        """See `Book.push`."""
        return self._book.push(entry, deliver, self._connection)

    def leave(self) -> None:
        """The connection is over."""
        self._book.left(self._connection)
