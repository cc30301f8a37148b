"""What clients send of prepared statements: the parameters of an execution, query attributes, pieces of long values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from wiretape.errors import DecodeError
from wiretape.protocols.mysql.charsets import Charset
from wiretape.protocols.mysql.constants import Cap
from wiretape.protocols.mysql.fields import U8, U16, U32, read_lenenc, read_text
from wiretape.protocols.mysql.packets import Column, Err
from wiretape.protocols.mysql.reading import Reading
from wiretape.protocols.mysql.values import parameter, read_parameter
from wiretape.protocols.wire import Cursor
from wiretape.tree import Tree

_HAS_COUNT: Final = 0x08
_UNSIGNED: Final = 0x8000
LAST: Final = 0xFFFFFFFF
"""MariaDB: the statement prepared last, whose number the client has not waited for."""


@dataclass(slots=True, kw_only=True)
class Parameters:
    """The parameters of one prepared statement: their types, which a client tells once, and what of them has come in pieces."""

    count: int
    types: list[int] = field(default_factory=list)
    pieces: dict[int, bytearray] = field(default_factory=dict)

    def add(self, index: int, data: bytes) -> None:
        """COM_STMT_SEND_LONG_DATA: more of a value."""
        self.pieces.setdefault(index, bytearray()).extend(data)

    def read(self, cursor: Cursor, flags: int, capabilities: int, charset: Charset) -> list[Tree]:
        """The values behind the head of a COM_STMT_EXECUTE. Raises DecodeError."""
        count = self.count
        attributed = bool(capabilities & Cap.QUERY_ATTRIBUTES)
        if attributed and (flags & _HAS_COUNT or count) and cursor.left:
            count = read_lenenc(cursor)
        out: list[Tree] = []
        if count:
            if not 0 <= count <= cursor.left * 8:
                raise DecodeError(f"{count} parameters in {cursor.left} bytes", cursor.pos)
            out = self.values(cursor, count, charset, named=attributed)
        self.pieces.clear()
        return out[: self.count]

    def values(self, cursor: Cursor, count: int, charset: Charset, *, named: bool) -> list[Tree]:
        """So many values, with their types before them where the client tells those. Raises DecodeError."""
        nulls = int.from_bytes(cursor.take((count + 7) // 8), "little")
        if U8.read(cursor):
            self.types = read_types(cursor, count, named=named)
        if len(self.types) < count:
            raise DecodeError("parameters whose types were told unseen", cursor.pos)
        return [
            None if nulls >> index & 1 and index not in self.pieces else self._value(cursor, index, charset)
            for index in range(count)
        ]

    def _value(self, cursor: Cursor, index: int, charset: Charset) -> Tree:
        kind = self.types[index]
        if index in self.pieces:
            return parameter(kind & 0xFF, bytes(self.pieces[index]), charset)
        return read_parameter(cursor, kind & 0xFF, unsigned=bool(kind & _UNSIGNED), charset=charset)


def read_types(cursor: Cursor, count: int, *, named: bool) -> list[int]:
    """Parameter types, each with its name where query attributes are spoken."""
    types = []
    for _ in range(count):
        types.append(U16.read(cursor))
        if named:
            read_text(cursor)
    return types


def query_text(body: bytes, capabilities: int, charset: Charset) -> bytes:
    """The SQL of a COM_QUERY (its payload behind the command byte), past the attributes that may stand before it."""
    if not capabilities & Cap.QUERY_ATTRIBUTES:
        return body
    cursor = Cursor(body)
    count = read_lenenc(cursor)
    read_lenenc(cursor)
    if count:
        if not 0 <= count <= cursor.left * 8:
            raise DecodeError(f"{count} query attributes in {cursor.left} bytes", cursor.pos)
        Parameters(count=count).values(cursor, count, charset, named=True)
    return cursor.take(cursor.left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Execute:
    """The head of COM_STMT_EXECUTE."""

    statement: int
    flags: int

    @classmethod
    def read(cls, cursor: Cursor) -> Execute:
        """Behind the command byte. Raises DecodeError."""
        out = cls(statement=U32.read(cursor), flags=U8.read(cursor))
        cursor.take(4)
        return out

    @property
    def opens_cursor(self) -> bool:
        """Whether rows are to be fetched a few at a time."""
        return bool(self.flags & 0x07)


@dataclass(slots=True, kw_only=True)
class Prepared:
    """A prepared statement, as a tap knows it. `open` is what was read through its cursor so far."""

    sql: str
    parameters: Parameters
    number: int = 0
    columns: list[Column] = field(default_factory=list)
    missing: str = ""
    open: Reading | None = None


class Preparing:
    """Reads the answer to a COM_STMT_PREPARE into `statement`; `error` is set where that was refused."""

    def __init__(self, statement: Prepared, capabilities: int) -> None:
        self.statement = statement
        self.error: Err | None = None
        self._capabilities = capabilities
        self._parameters = self._columns = -1
        self._ends = 0 if capabilities & Cap.DEPRECATE_EOF else 1

    def take(self, body: bytes) -> bool:
        """A packet of the answer; True where it was the last. Raises DecodeError."""
        if body[:1] == b"\xff":
            self.error = Err.decode(body)
            return True
        if self._parameters < 0:
            self._first(body)
        elif self._parameters:
            self._parameters -= 1
        else:
            if len(self.statement.columns) < self._described:
                self.statement.columns.append(Column.decode(body, self._capabilities))
            self._columns -= 1
        return not self._parameters and not self._columns

    def _first(self, body: bytes) -> None:
        cursor = Cursor(body)
        if U8.read(cursor):
            raise DecodeError("no answer to a prepare begins like this", 0)
        self.statement.number = U32.read(cursor)
        self._described, count = U16.read(cursor), U16.read(cursor)
        self.statement.parameters.count = count
        self._parameters = count + self._ends if count else 0
        self._columns = self._described + self._ends if self._described else 0
