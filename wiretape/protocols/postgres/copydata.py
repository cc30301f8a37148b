"""The data of a COPY as rows of a case, and back: text and CSV (PostgreSQL 18 documentation, COPY, "File Formats").

A value is the text that stands for it, a number where that loses nothing, null for NULL. What is no such data stays text, or
bytes. The binary format is in `copybinary`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from wiretape.errors import EncodeError
from wiretape.protocols.postgres.copylayout import Layout
from wiretape.protocols.postgres.types import Catalog
from wiretape.protocols.postgres.values import from_tree, to_tree
from wiretape.tree import Number, Tree

_BUILT_IN: Final = Catalog.of({})
_NUMERIC, _BYTEA, _TEXT = 1700, 17, 25
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPED = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))", re.DOTALL)
_SPECIAL = {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_OPEN_LINE = re.compile(r"(?<!\\)(?:\\\\)*\\\n")  # the backslash belongs to no other
_END: Final = "\\."


def read(layout: Layout, data: bytes, encoding: str) -> Tree:
    """The rows in `data`; the text, or the bytes, where it holds none."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return data
    try:
        return list(_csv_rows(layout, text) if layout.form == "csv" else _text_rows(layout, text))
    except ValueError:
        return text


def write(layout: Layout, tree: Tree, encoding: str, path: str) -> list[bytes]:
    """The pieces in which a server would send what `read` gave. Raises EncodeError naming the place."""
    if isinstance(tree, bytes):
        return [tree]
    if isinstance(tree, str):
        lines = [tree[found.start() : found.end()] for found in re.finditer(r"[^\n]*\n|[^\n]+\Z", tree)]
    elif isinstance(tree, list):
        line = _csv_line if layout.form == "csv" else _text_line
        lines = [line(layout, _cells(row, f"{path}[{at}]")) for at, row in enumerate(tree)]
    else:
        raise EncodeError(path, "expected a list of rows, or text")
    try:
        return [each.encode(encoding) for each in lines]
    except UnicodeEncodeError as error:
        raise EncodeError(path, f"{error.object[error.start]!r} cannot be written in {encoding}") from error


def told(layout: Layout, data: bytes, encoding: str) -> Tree:
    """`read`, but text or bytes where the rows would not be written as `data` again."""
    found = read(layout, data, encoding)
    if isinstance(found, list):
        try:
            if b"".join(write(layout, found, encoding, "")) == data:
                return found
        except EncodeError:
            pass
        return data.decode(encoding)
    return found


def count(layout: Layout, tree: Tree) -> int | None:
    """How many rows the command tag counts; None where that cannot be told."""
    return len(tree) - (layout.header and bool(tree)) if isinstance(tree, list) else None


def cell(value: Tree, path: str) -> str | None:
    """The text of a value as it stands in a case. Raises EncodeError."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    try:
        return from_tree(_BUILT_IN, _BYTEA if isinstance(value, bytes) else _TEXT, value)
    except EncodeError as error:
        raise EncodeError(path, error.reason) from error


def _cells(row: Tree, path: str) -> list[str | None]:
    if not isinstance(row, list):
        raise EncodeError(path, "expected a list of values")
    return [cell(value, f"{path}[{at}]") for at, value in enumerate(row)]


def _shown(text: str) -> Tree:
    if text[:1] not in "-0123456789":
        return text
    found = to_tree(_BUILT_IN, _NUMERIC, text)
    return found if not isinstance(found, Number) or found.literal == text else text


# Text


def _text_rows(layout: Layout, text: str) -> Iterator[Tree]:
    """Raises ValueError on data that is not plain rows."""
    if _OPEN_LINE.search(text):
        raise ValueError("a line ends in a backslash")
    delimiter, null = layout.delimiter, layout.null
    for line in text.removesuffix("\n").split("\n") if text else ():
        line = line.removesuffix("\r")
        if line == _END:
            return
        parts = line.split(delimiter) if "\\" not in line else _divide(line, delimiter)
        yield [None if part == null else _shown(part if "\\" not in part else _unescaped(part)) for part in parts]


def _divide(line: str, delimiter: str) -> list[str]:
    """The line at its delimiters, where no backslash stands before them."""
    parts, now = [], ""
    for piece in line.split(delimiter):
        now += piece
        if (len(now) - len(now.rstrip("\\"))) % 2:
            now += delimiter
        else:
            parts.append(now)
            now = ""
    return [*parts, now] if now else parts


def _unescaped(part: str) -> str:
    return _ESCAPED.sub(_character, part)


def _character(found: re.Match[str]) -> str:
    code = int(found[1], 16) if found[1] else int(found[2], 8) if found[2] else -1
    if code > 0x7F:
        raise ValueError("a byte of some encoding")
    return chr(code) if code >= 0 else _ESCAPES.get(found[3], found[3])


def _text_line(layout: Layout, cells: Sequence[str | None]) -> str:
    marks, escape = _text_marks(layout.delimiter)
    parts = [layout.null if text is None else marks.sub(escape, text) if marks.search(text) else text for text in cells]
    return layout.delimiter.join(parts) + "\n"


@lru_cache(maxsize=16)
def _text_marks(delimiter: str) -> tuple[re.Pattern[str], Callable[[re.Match[str]], str]]:
    """What is escaped, and how."""
    return re.compile(f"[\\\\\b\f\n\r\t\v{re.escape(delimiter)}]"), (lambda found: _SPECIAL.get(found[0], "\\" + found[0]))


# CSV


def _csv_rows(layout: Layout, text: str) -> Iterator[Tree]:
    """Raises ValueError on data that is not CSV."""
    row: list[Tree] = []
    field, null, quote = _csv_field(layout.delimiter, layout.quote, layout.escape), layout.null, layout.quote
    at = 0
    while at < len(text):
        found = field.match(text, at)
        if found is None:
            raise ValueError("an open quote")
        part, mark = found[1], found[2]
        at = found.end()
        if not row and part == _END and mark != layout.delimiter:
            return
        row.append(_unquoted(layout, part) if quote in part else None if part == null else _shown(part))
        if mark != layout.delimiter or at == len(text):
            if mark == layout.delimiter:
                row.append(None if not null else "")
            yield row
            row = []


@lru_cache(maxsize=16)
def _csv_field(delimiter: str, quote: str, escape: str) -> re.Pattern[str]:
    d, q, e = re.escape(delimiter), re.escape(quote), re.escape(escape)
    return re.compile(rf"((?:[^{d}{q}\r\n]|{q}(?:{_inner(q, e)})*+{q})*+)({d}|\r?\n|\r|\Z)", re.DOTALL)


def _unquoted(layout: Layout, part: str) -> str:
    """The value of a field that has quotes, which may begin anywhere in it."""
    sections, escaped = _csv_quoted(layout.quote, layout.escape)
    return sections.sub(lambda section: escaped.sub(lambda pair: pair[0][1], section[1]), part)


@lru_cache(maxsize=16)
def _csv_quoted(quote: str, escape: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A quoted section of a field, and a pair within it that stands for its second character."""
    q, e = re.escape(quote), re.escape(escape)
    return re.compile(f"{q}((?:{_inner(q, e)})*+){q}", re.DOTALL), re.compile(f"{e}[{q}{e}]")


def _inner(quote: str, escape: str) -> str:
    return f"[^{quote}]|{quote}{quote}" if quote == escape else f"{escape}[{quote}{escape}]|[^{quote}]"


def _csv_line(layout: Layout, cells: Sequence[str | None]) -> str:
    marks = _csv_marks(layout.delimiter, layout.quote)
    alone = len(cells) == 1
    return layout.delimiter.join(_csv_cell(layout, marks, text, alone=alone) for text in cells) + "\n"


def _csv_cell(layout: Layout, marks: re.Pattern[str], text: str | None, *, alone: bool) -> str:
    if text is None:
        return layout.null
    if text != layout.null and not marks.search(text) and not (alone and text == _END):
        return text
    special = f"[{re.escape(layout.quote)}{re.escape(layout.escape)}]"
    return layout.quote + re.sub(special, lambda found: layout.escape + found[0], text) + layout.quote


@lru_cache(maxsize=16)
def _csv_marks(delimiter: str, quote: str) -> re.Pattern[str]:
    """What makes a value need quotes."""
    return re.compile(f"[{re.escape(delimiter)}{re.escape(quote)}\r\n]")
