"""From a call to packets: what a case says, in the form in which this client takes it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from wiretape.case import Call
from wiretape.errors import EncodeError
from wiretape.protocols.mysql import diagnostics
from wiretape.protocols.mysql.charsets import Charset
from wiretape.protocols.mysql.constants import BINARY_COLLATION, Kind
from wiretape.protocols.mysql.fields import write_text
from wiretape.protocols.mysql.packets import Column, Ok
from wiretape.protocols.mysql.reading import usual_info
from wiretape.protocols.mysql.sql import Statement
from wiretape.protocols.mysql.types import Type, parse_type
from wiretape.protocols.mysql.values import write_binary, write_text_form
from wiretape.tree import Tree

_NAME = r"(?:`[^`]+`|[\w$]+)"
_ONLY_TABLE = re.compile(
    rf"^(?:select) (?:(?!\bfrom\b).)* from (?:{_NAME}\.)?(?P<table>{_NAME})"
    rf"(?: (?:as )?(?!(?:where|order|group|having|limit|for|lock|procedure|window)\b)(?P<alias>{_NAME}))?"
    r"(?= (?:where|order|group|having|limit|for|lock)\b|$)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One result: columns and rows as payloads, or an OK."""

    columns: tuple[Column, ...] | None = None
    rows: tuple[bytes, ...] = ()
    ok: Ok = field(default_factory=Ok)
    out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A call's results, then its error's payload if it has one."""

    results: tuple[Result, ...] = ()
    error: bytes = b""
    stage: str = ""
    warnings: tuple[Tree, ...] = ()


def render(call: Call, statements: Sequence[Statement], charset: Charset, *, binary: bool, mariadb: bool) -> Rendered:
    """A call as this client takes it. Raises EncodeError naming the place that cannot be written."""
    fields = call.fields
    warnings, count = warned(fields)
    error = diagnostics.encode(fields["error"], charset) if "error" in fields else b""
    told = fields.get("results")
    if isinstance(told, list):
        results = [
            _result(result, f"results[{index}].", _at(statements, index), charset, binary=binary, mariadb=mariadb)
            for index, result in enumerate(told)
        ]
    elif error and "columns" not in fields:
        results = []
    else:
        results = [_result(dict(fields), "", _at(statements, 0), charset, binary=binary, mariadb=mariadb)]
    if not error and statements and statements[-1].verb == "CALL" and results and results[-1].columns is not None:
        results.append(Result())
    if count:
        results = [
            replace(result, ok=_warn(result, _at(statements, index), count, charset)) for index, result in enumerate(results)
        ]
    return Rendered(results=tuple(results), error=error, stage=str(fields.get("stage", "")), warnings=warnings)


def _at(statements: Sequence[Statement], index: int) -> Statement | None:
    return statements[index] if index < len(statements) else None


def _warn(result: Result, statement: Statement | None, count: int, charset: Charset) -> Ok:
    info = result.ok.info
    if info and info == charset.encode(usual_info(statement, result.ok.affected, 0)):
        info = charset.encode(usual_info(statement, result.ok.affected, count))
    return replace(result.ok, warnings=count, info=info)


def warned(fields: Mapping[str, Tree]) -> tuple[tuple[Tree, ...], int]:
    """The warnings a case tells, and how many there are. Raises EncodeError."""
    told = fields.get("warnings")
    if told is None:
        return (), 0
    if isinstance(told, list):
        return tuple(told), len(told)
    if isinstance(told, int) and not isinstance(told, bool) and 0 <= told <= 0xFFFF:
        return tuple({"level": "Warning", "code": 1105, "message": "not recorded"} for _ in range(told)), told
    raise EncodeError("warnings", "expected how many there are, or a list of {level, code, message}")


def _result(told: Tree, path: str, statement: Statement | None, charset: Charset, *, binary: bool, mariadb: bool) -> Result:
    if not isinstance(told, Mapping):
        raise EncodeError(path.rstrip("."), "expected a mapping with columns and rows, or affected and last_insert_id")
    if told.get("columns") is not None:
        names, types = described(told["columns"], f"{path}columns")
        tables = _tables(told.get("tables"), statement, len(names), f"{path}tables")
        columns = tuple(
            column_of(name, type_, charset, table, mariadb=mariadb)
            for name, type_, table in zip(names, types, tables, strict=True)
        )
        rows = told.get("rows", [])
        if not isinstance(rows, list):
            raise EncodeError(f"{path}rows", "expected a list of rows")
        write = binary_row if binary else text_row
        made = tuple(write(types, row, charset, f"{path}rows[{index}]") for index, row in enumerate(rows))
        return Result(columns=columns, rows=made, out=told.get("out") is True)
    if told.get("rows"):
        raise EncodeError(f"{path}rows", "rows need columns: say their names and types")
    affected = _count(told.get("affected"), f"{path}affected")
    given = _count(told.get("last_insert_id"), f"{path}last_insert_id")
    info = str(told["info"]) if "info" in told else usual_info(statement, affected, 0)
    return Result(ok=Ok(affected=affected, last_insert_id=given, info=charset.encode(info)))


def _count(value: Tree, path: str) -> int:
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 64:
        raise EncodeError(path, f"{value!r} is not a whole number")
    return value


def described(columns: Tree, path: str) -> tuple[list[str], list[Type]]:
    """Names and types of a result's columns. Raises EncodeError."""
    pairs: list[Tree] = [[name, type_] for name, type_ in columns.items()] if isinstance(columns, Mapping) else columns  # type: ignore[assignment]
    if not isinstance(pairs, list):
        raise EncodeError(path, "expected the columns' names with their types")
    names, types = [], []
    for index, pair in enumerate(pairs):
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(word, str) for word in pair):
            raise EncodeError(f"{path}[{index}]", "expected [name, type]")
        name, word = str(pair[0]), str(pair[1])
        try:
            types.append(parse_type(word))
        except ValueError as error:
            place = f'{path}["{name}"]' if isinstance(columns, Mapping) else f"{path}[{index}][1]"
            raise EncodeError(place, str(error)) from None
        names.append(name)
    return names, types


def _tables(told: Tree, statement: Statement | None, count: int, path: str) -> list[str]:
    """The table each column comes from: as told, else the only one that the statement reads. Raises EncodeError."""
    if told is None:
        found = _ONLY_TABLE.search(statement.shape) if statement else None
        return [(found["alias"] or found["table"]).strip("`") if found else ""] * count
    if not isinstance(told, list) or len(told) != count or not all(isinstance(table, str) for table in told):
        raise EncodeError(path, f"expected the tables of {count} columns, an empty text for one that comes from none")
    return [str(table) for table in told]


def column_of(name: str, type_: Type, charset: Charset, table: str, *, mariadb: bool) -> Column:
    """A column's definition; MySQL has a type of its own for JSON."""
    column = type_.column(charset.encode(name), charset, charset.encode(table))
    if type_.json and not mariadb:
        column = replace(column, kind=Kind.JSON, collation=BINARY_COLLATION)
    return column


def text_row(types: Sequence[Type], row: Tree, charset: Charset, path: str) -> bytes:
    """A row of the text protocol. Raises EncodeError."""
    cells = cells_of(types, row, charset, path)
    return b"".join([b"\xfb" if cell is None else write_text(cell) for cell in cells])


def binary_row(types: Sequence[Type], row: Tree, charset: Charset, path: str) -> bytes:
    """A row of the binary protocol. Raises EncodeError."""
    nulls = 0
    parts = []
    for index, (type_, cell) in enumerate(zip(types, cells_of(types, row, charset, path), strict=True)):
        if cell is None:
            nulls |= 1 << index + 2
            continue
        try:
            parts.append(write_binary(type_, cell))
        except EncodeError as error:
            raise EncodeError(f"{path}[{index}]", error.reason) from None
    return b"\0" + nulls.to_bytes((len(types) + 9) // 8, "little") + b"".join(parts)


def cells_of(types: Sequence[Type], row: Tree, charset: Charset, path: str) -> list[bytes | None]:
    """The text forms of a row's values. Raises EncodeError."""
    if not isinstance(row, list) or len(row) != len(types):
        given = f"{len(row)} values" if isinstance(row, list) else "no list of values"
        raise EncodeError(path, f"{given} for {len(types)} columns")
    cells = []
    for index, (type_, value) in enumerate(zip(types, row, strict=True)):
        try:
            cells.append(write_text_form(type_, value, charset))
        except EncodeError as error:
            raise EncodeError(f"{path}[{index}]", error.reason) from None
    return cells
