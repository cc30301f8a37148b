"""What a tap has read of one interaction so far, and the interaction it becomes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from wiretape.errors import DecodeError
from wiretape.protocols.base import Interaction, Role
from wiretape.protocols.mysql.asks import operation_of, plan
from wiretape.protocols.mysql.charsets import Charset, of_collation
from wiretape.protocols.mysql.constants import BINARY_COLLATION, Status
from wiretape.protocols.mysql.fields import read_cell
from wiretape.protocols.mysql.packets import Column, Ok
from wiretape.protocols.mysql.sql import Statement
from wiretape.protocols.mysql.types import Type, parse_type, type_name
from wiretape.protocols.mysql.values import read_binary, read_tree
from wiretape.protocols.wire import Cursor
from wiretape.tree import Tree

# Bytes of rows kept of one interaction: a test case that holds more is of no use to anybody.
MAX_ROWS: Final = 64 * 1024 * 1024

_MANY = re.compile(r"(?:insert|replace) .*?(?:values? \([^;]*\), \(|\bselect )", re.DOTALL)


@dataclass(slots=True, kw_only=True)
class ResultSet:
    """One result: rows where it has columns, else what an OK packet tells."""

    columns: list[Column] | None = None
    types: list[Type] = field(default_factory=list)
    charsets: list[Charset] = field(default_factory=list)
    rows: list[Tree] = field(default_factory=list)
    ok: Ok = field(default_factory=Ok)
    out: bool = False


@dataclass(slots=True, kw_only=True)
class Reading:
    """One interaction under way. `prepared`: it was an execution of a prepared statement, so rows come in binary form."""

    sql: str
    started: float
    charset: Charset
    prepared: bool = False
    params: list[Tree] | None = None
    database: str = ""
    ended: float = 0.0
    done: list[ResultSet] = field(default_factory=list)
    now: ResultSet | None = None
    error: dict[str, Tree] | None = None
    stage: str = ""
    warnings: list[Tree] = field(default_factory=list)
    suspended: bool = False
    incomplete: str = ""
    transaction: int | None = None
    role: Role | None = None
    size: int = 0

    def describe(self, columns: list[Column]) -> None:
        """Rows of these columns follow."""
        charsets = [
            self.charset if column.collation == BINARY_COLLATION else of_collation(column.collation) for column in columns
        ]
        types = [parse_type(type_name(*pair)) for pair in zip(columns, charsets, strict=True)]
        self.now = ResultSet(columns=columns, types=types, charsets=charsets)

    def row(self, body: bytes) -> None:
        """A row. Raises DecodeError."""
        self.size += len(body)
        if self.size > MAX_ROWS:
            reason = f"the result is larger than {MAX_ROWS} bytes: the rest of its rows was not kept"
            self.incomplete = self.incomplete or reason
        elif self.now is not None and self.now.columns is not None:
            read = binary_row if self.prepared else text_row
            self.now.rows.append(read(self.now, body))

    def complete(self, ok: Ok) -> None:
        """The end of a result's rows, or an OK packet."""
        result = self.now or ResultSet()
        result.ok = ok
        result.out = result.columns is not None and bool(ok.status & Status.OUT_PARAMETERS)
        self.done.append(result)
        self.now, self.suspended = None, False

    def fail(self, error: dict[str, Tree], stage: str = "") -> None:
        """An ERR packet."""
        self.error, self.stage = error, stage
        if self.now is not None:
            self.done.append(self.now)
        self.now, self.suspended = None, False

    @property
    def warned(self) -> int:
        """How many warnings the server counted in the end."""
        return self.done[-1].ok.warnings if self.done and not self.error else 0

    def interaction(self, at: float) -> Interaction:
        """What was read, as it goes into a case."""
        asked = plan(self.sql)
        return Interaction(
            operation=operation_of(self.sql),
            fields=self._fields(asked.statements),
            started=self.started,
            ended=self.ended or at,
            transaction=self.transaction,
            role=self.role or asked.role,
            incomplete=self.incomplete,
            traces=asked.traces,
        )

    def _fields(self, statements: Sequence[Statement]) -> dict[str, Tree]:
        out: dict[str, Tree] = {}
        if self.params:
            out["params"] = self.params
        if self.database:
            out["database"] = self.database
        results = [*self.done, *([self.now] if self.now else [])]
        calls = statements[-1].verb == "CALL"
        if calls and len(results) > 1 and results[-1].columns is None and _is_plain(results[-1].ok):
            results.pop()
        told = [_result(result, statements, index, self.charset) for index, result in enumerate(results)]
        if len(told) == 1 and len(statements) == 1:
            out.update(told[0])
        elif told:
            out["results"] = list[Tree](told)
        if self.error is not None:
            if out.get("rows") == []:
                del out["rows"]
            out["error"] = self.error
            if self.stage:
                out["stage"] = self.stage
        elif self.warned:
            out["warnings"] = self.warnings or self.warned
        if self.suspended:
            out["suspended"] = True
        return out


def _is_plain(ok: Ok) -> bool:
    return not (ok.affected or ok.last_insert_id or ok.info)


def _result(result: ResultSet, statements: Sequence[Statement], index: int, charset: Charset) -> dict[str, Tree]:
    """A result's fields; what can be told from the rest is left out."""
    if result.columns is not None:
        out: dict[str, Tree] = {"columns": columns_tree(result, charset), "rows": list(result.rows)}
        tables = [charset.decode(column.table) for column in result.columns]
        if len(set(tables) - {""}) > 1:
            out["tables"] = list[Tree](tables)
        return out | ({"out": True} if result.out else {})
    ok = result.ok
    told: dict[str, Tree] = {}
    if ok.affected:
        told["affected"] = ok.affected
    if ok.last_insert_id:
        told["last_insert_id"] = ok.last_insert_id
    statement = statements[index] if index < len(statements) else None
    info = charset.decode(ok.info)
    if info != usual_info(statement, ok.affected, ok.warnings):
        told["info"] = info
    return told


def columns_tree(result: ResultSet, charset: Charset) -> Tree:
    """The columns as a mapping, or as a list of [name, type] where names repeat."""
    names = [charset.decode(column.name) for column in result.columns or ()]
    types = [type_.name for type_ in result.types]
    if len(set(names)) == len(names):
        return dict(zip(names, types, strict=True))
    return [[name, type_] for name, type_ in zip(names, types, strict=True)]


def usual_info(statement: Statement | None, affected: int, warnings: int) -> str:
    """What a server says in words of a statement that changed as many rows as it found."""
    if statement is None:
        return ""
    if statement.verb == "UPDATE":
        return f"Rows matched: {affected}  Changed: {affected}  Warnings: {warnings}"
    if statement.verb in ("INSERT", "REPLACE") and _MANY.match(statement.shape):
        return f"Records: {affected}  Duplicates: 0  Warnings: {warnings}"
    return ""


def text_row(result: ResultSet, body: bytes) -> list[Tree]:
    """A row of the text protocol. Raises DecodeError."""
    cursor = Cursor(body)
    row: list[Tree] = []
    for type_, charset in zip(result.types, result.charsets, strict=True):
        data = read_cell(cursor)
        row.append(None if data is None else read_tree(type_, data, charset))
    return _whole(row, cursor)


def binary_row(result: ResultSet, body: bytes) -> list[Tree]:
    """A row of the binary protocol. Raises DecodeError."""
    columns = result.columns or []
    cursor = Cursor(body)
    cursor.take(1)
    nulls = int.from_bytes(cursor.take((len(columns) + 9) // 8), "little") >> 2
    row: list[Tree] = []
    for index, column in enumerate(columns):
        if nulls >> index & 1:
            row.append(None)
            continue
        data = read_binary(cursor, column.kind, column.flags, column.decimals)
        row.append(read_tree(result.types[index], data, result.charsets[index]))
    return _whole(row, cursor)


def _whole(row: list[Tree], cursor: Cursor) -> list[Tree]:
    if cursor.left:
        raise DecodeError(f"{cursor.left} bytes too many in a row", cursor.pos)
    return row
