"""One command's answer, packet by packet: results one after the other, each with its columns and rows or an OK."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wiretape.errors import DecodeError
from wiretape.protocols.mysql.constants import Cap, Status
from wiretape.protocols.mysql.fields import U16, read_lenenc
from wiretape.protocols.mysql.packets import EOF, ERR, LOCAL_INFILE, OK, PROGRESS, Column, Err, Ok
from wiretape.protocols.mysql.reading import Reading
from wiretape.protocols.wire import Cursor
from wiretape.tree import Tree

_MOST_COLUMNS: Final = 65_535
INFILE: Final = "LOAD DATA LOCAL INFILE: the file that the client sent is not recorded"


class Results:
    """Reads the answer of a query or execution into a `Reading`. `status` is the server's newest word on its state."""

    def __init__(
        self, reading: Reading, capabilities: int, known: list[Column] | None = None, *, fetching: bool = False
    ) -> None:
        self.reading = reading
        self.status: int | None = None
        self.last: Ok | None = None
        self._capabilities = capabilities
        self._known = known
        self._columns: list[Column] = []
        self._left = 0
        self._next: Callable[[bytes], bool] = self._row if fetching else self._first

    def take(self, body: bytes) -> bool:
        """A packet of the answer; True where it was the last. Raises DecodeError."""
        if not body:
            raise DecodeError("an empty packet answers nothing", 0)
        if body[0] == ERR:
            return self._failed(body)
        return self._next(body)

    def _failed(self, body: bytes) -> bool:
        error = Err.decode(body)
        if error.code == PROGRESS and self._capabilities & Cap.PROGRESS:
            return False
        self.reading.fail(error_tree(error, self.reading))
        return True

    def _first(self, body: bytes) -> bool:
        if body[0] == OK:
            return self._ended(Ok.decode(body, self._capabilities))
        if body[0] == LOCAL_INFILE:
            self.reading.incomplete = self.reading.incomplete or INFILE
            return False
        if body[0] == EOF and len(body) < 9:
            return self._ended(self._eof(body))
        cursor = Cursor(body)
        self._left = read_lenenc(cursor)
        if not 0 < self._left <= _MOST_COLUMNS:
            raise DecodeError(f"a result of {self._left} columns", 0)
        told = (
            not self._capabilities & (Cap.CACHE_METADATA | Cap.OPTIONAL_METADATA) or not cursor.left or cursor.take(1) != b"\0"
        )
        self._columns = []
        if told:
            self._next = self._column
        else:
            self._columns = list(self._known or ())
            if len(self._columns) != self._left:
                raise DecodeError("rows of columns that were described unseen", 0)
            self._described()
        return False

    def _column(self, body: bytes) -> bool:
        self._columns.append(Column.decode(body, self._capabilities))
        self._left -= 1
        if not self._left:
            self._described()
        return False

    def _described(self) -> None:
        self.reading.describe(self._columns)
        self._next = self._row if self._capabilities & Cap.DEPRECATE_EOF else self._columns_end

    def _columns_end(self, body: bytes) -> bool:
        status = self._eof(body).status
        self.status = status
        self._next = self._row
        if status & Status.CURSOR_EXISTS:
            self.reading.suspended = True
            return True
        return False

    def _row(self, body: bytes) -> bool:
        if body[0] == EOF and len(body) < (0xFFFFFF if self._capabilities & Cap.DEPRECATE_EOF else 9):
            deprecated = self._capabilities & Cap.DEPRECATE_EOF
            return self._ended(Ok.decode(body, self._capabilities) if deprecated else self._eof(body))
        self.reading.row(body)
        return False

    def _eof(self, body: bytes) -> Ok:
        if body[0] != EOF or len(body) > 8:
            raise DecodeError("the columns' end is missing", 0)
        cursor = Cursor(body)
        cursor.take(1)
        if not cursor.left:
            return Ok()
        return Ok(warnings=U16.read(cursor), status=U16.read(cursor))

    def _ended(self, ok: Ok) -> bool:
        self.status, self.last = ok.status, ok
        self._next = self._first
        if ok.status & Status.CURSOR_EXISTS and not ok.status & Status.LAST_ROW_SENT and self.reading.now is not None:
            self.reading.suspended = True
            return True
        self.reading.complete(ok)
        return not ok.status & Status.MORE_RESULTS


def error_tree(error: Err, reading: Reading) -> dict[str, Tree]:
    """An error as it stands in a case."""
    return {"code": error.code, "state": error.state, "message": reading.charset.decode(error.message)}
