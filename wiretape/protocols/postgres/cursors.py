"""Cursors that SQL declares: which query each is of, so that two whose FETCHes read alike are told apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from wiretape.protocols.postgres.lexer import pieces, tokens
from wiretape.protocols.postgres.sql import identifier, tidy
from wiretape.tree import Number, Tree

_NAME: Final = r"(\"(?:[^\"]|\"\")+\"|[^\s\";]+)"
_DECLARE = re.compile(
    rf"declare\s+{_NAME}\s+(?:(?:binary|insensitive|asensitive|no|scroll)\s+)*cursor\s+(?:(with|without)\s+hold\s+)?for\s+(.*)",
    re.IGNORECASE | re.DOTALL,
)
_CLOSE = re.compile(rf"close\s+{_NAME}", re.IGNORECASE)
_READS = frozenset(("fetch", "move"))
_SPACE: Final = " \t\n\r\f\v"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A DECLARE: the cursor's name, whether it outlives its transaction, and its query as it was written."""

    name: str
    hold: bool
    query: str


def declared(sql: str) -> Declared | None:
    """What a statement declares; None where it is no DECLARE, or none that can be read."""
    found = _DECLARE.match(sql.lstrip(_SPACE)) or _DECLARE.match(tidy(sql))
    if found is None:
        return None
    return Declared(name=identifier(found[1]), hold=(found[2] or "").lower() == "with", query=found[3])


def closed(sql: str) -> str | None:
    """The cursor that a CLOSE names; empty for all of them, None where it is no CLOSE."""
    found = _CLOSE.match(sql.lstrip(_SPACE))
    if found is None:
        return None
    return "" if found[1].lower() == "all" else identifier(found[1])


def read_by(sql: str) -> str:
    """The cursor that a FETCH or MOVE reads; empty where the statement is neither."""
    found = tokens(sql) if sql.lstrip(_SPACE)[:5].lower().rstrip(_SPACE) in _READS else []
    while found and found[-1] == ("mark", ";"):
        found.pop()
    if len(found) < 2 or found[0][1] not in _READS or found[-1][0] not in ("word", "name"):
        return ""
    return identifier(found[-1][1])


def written_out(query: str, params: Sequence[Tree]) -> str:
    """The query with literals in place of its parameters, as a person would have written it."""
    return tidy("".join(_written(kind, text, params) for kind, text in pieces(query)))


def _written(kind: str, text: str, params: Sequence[Tree]) -> str:
    if kind != "parameter" or len(text) > 9 or not 0 < int(text[1:]) <= len(params):
        return text
    value = params[int(text[1:]) - 1]
    if value is None:
        return "NULL"
    if isinstance(value, int | Number) and not isinstance(value, bool) and str(value).isdigit():
        return str(value)
    plain = "\\x" + value.hex() if isinstance(value, bytes) else str(value)
    return "'" + plain.replace("'", "''") + "'"


class Cursors[T]:
    """The cursors of one connection, and what is known of each."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[bool, T]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._open

    def __iter__(self) -> Iterator[str]:
        return iter(self._open)

    def get(self, name: str) -> T | None:
        """What is known of a cursor."""
        found = self._open.get(name)
        return found[1] if found else None

    def declare(self, cursor: Declared, known: T) -> None:
        """A DECLARE was done."""
        self._open[cursor.name] = (cursor.hold, known)

    def close(self, name: str | None) -> None:
        """A CLOSE was done: `name` as `closed` gives it."""
        if name:
            self._open.pop(name, None)
        elif name is not None:
            self._open.clear()

    def end(self) -> None:
        """A transaction ended."""
        if self._open:
            self._open = {name: found for name, found in self._open.items() if found[0]}
