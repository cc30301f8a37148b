"""The tables that SQL statements name, as far as their words tell: a reader of tokens, not a parser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wiretape.protocols.sqltext import Token

_SOURCES: Final = frozenset(("from", "join", "into", "update", "table", "using", "copy", "only", "truncate"))
_NO_TABLE: Final = frozenset(("set", "select", "lateral", "unnest", "values", "of", "skip", "nowait"))
_BEFORE_NAME: Final = frozenset(("if", "not", "exists", "only", "table", "ignore", "low_priority", "delayed"))
_READING: Final = frozenset(
    ("select", "delete", "returning")
)  # behind these FROM names tables, in EXTRACT(… FROM …) it does not


def tables(found: Sequence[Token]) -> tuple[str, ...]:
    """The tables that statements name, as far as their words tell: no subqueries, no functions, no names of WITH."""
    named: list[str] = []
    levels, local, at = [False], set[str](), 0
    while at < len(found):
        kind, text = found[at]
        word = text if kind == "word" else ""
        if text == "(" and kind == "mark":
            levels.append(False)
        elif text == ")" and kind == "mark":
            if len(levels) > 1:
                levels.pop()
        elif word in _READING or word == "update":
            levels[-1] = True
        if word and found[at + 1 : at + 3] == [("word", "as"), ("mark", "(")]:
            local.add(word)
        if word in _SOURCES and (word != "from" or levels[-1] or len(levels) == 1) and not _locks(found, at):
            at = _named(found, at + 1, word, named)
        else:
            at += 1
    return tuple(dict.fromkeys(name for name in named if name not in local))


def _locks(found: Sequence[Token], at: int) -> bool:
    """Whether the UPDATE there is FOR UPDATE, or DO UPDATE and ON DUPLICATE KEY UPDATE: none of them names a table."""
    return found[at][1] == "update" and at > 0 and found[at - 1][1] in ("for", "do", "key")


def _named(found: Sequence[Token], at: int, source: str, named: list[str]) -> int:
    """Read the names of tables that follow; where they end."""
    while at < len(found):
        while at < len(found) and found[at][0] == "word" and found[at][1] in _BEFORE_NAME:
            at += 1
        if at >= len(found) or found[at][0] not in ("word", "name") or found[at][1] in _NO_TABLE:
            return at
        parts = [_bare(found[at])]
        while at + 2 < len(found) and found[at + 1] == ("mark", ".") and found[at + 2][0] in ("word", "name"):
            at += 2
            parts.append(_bare(found[at]))
        at += 1
        if source in ("from", "join", "using") and at < len(found) and found[at] == ("mark", "("):
            return at  # a function, or the columns of a join
        named.append(".".join(parts))
        after = at
        while after < len(found) and found[after][0] in ("word", "name") and found[after][1] in ("as", *_alias(found, after)):
            after += 1
        if source not in ("from", "truncate", "table", "using") or after >= len(found) or found[after] != ("mark", ","):
            return at
        at = after + 1
    return at


def _alias(found: Sequence[Token], at: int) -> tuple[str, ...]:
    """The word there, where a comma follows it."""
    return (found[at][1],) if at + 1 < len(found) and found[at + 1] == ("mark", ",") else ()


def _bare(token: Token) -> str:
    kind, text = token
    return text[1:-1] if kind == "name" and len(text) > 1 else text
