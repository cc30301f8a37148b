"""SQL as calls are matched: one shape for statements that differ only in layout, literals and generated names, and what
they do.

A tokenizer, not a parser: any string is accepted. Canonicalising costs about a microsecond a token, so callers keep the
results by SQL text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from wiretape.protocols.base import Role
from wiretape.protocols.postgres.effects import MAIN_VERBS, does_write, role_of
from wiretape.protocols.postgres.lexer import pieces, tokens
from wiretape.protocols.postgres.shape import Slot, shape_of
from wiretape.protocols.sqltext import Token, verb_of

__all__ = ["Slot", "Statement", "canonical", "identifier", "quoted", "tidy"]

_WHITE = " \t\n\r\f\v"
_GENERATED = re.compile(r"(?!name_\d+\Z).*\d.*", re.DOTALL)
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_SEMICOLON: Token = ("mark", ";")
_NAME_LAST = frozenset(("savepoint", "release", "fetch", "move", "close", "deallocate"))
_NAME_SECOND = frozenset(("declare", "prepare", "execute"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One SQL statement as it is matched.

    `shape` has `?` for every literal and parameter, no comments, and unquoted words in lower case. `literals` are those
    places in order of appearance, `types` what the text tells of the type of each (empty: nothing). `verb` is the word that
    says what is done (`SELECT`, `INSERT`; behind WITH its main statement's), in upper case, empty for an empty statement.
    `writes`: it changes state on the server.
    """

    shape: str
    literals: tuple[Slot, ...]
    types: tuple[str, ...]
    role: Role
    writes: bool
    verb: str


def canonical(sql: str) -> tuple[Statement, ...]:
    """The statements of a string, split at its top-level semicolons; an empty one where there is nothing else. Never raises."""
    found = tokens(sql)
    parts = _split(found)
    for place, name in _stable_names(found, parts).items():
        found[place] = ("word", name)
    return tuple(_statement(found[start:end]) for start, end in parts) or (_statement([]),)


def _statement(found: list[Token]) -> Statement:
    verb = verb_of(found, MAIN_VERBS)
    shape, slots, types = shape_of(found)
    return Statement(
        shape=shape,
        literals=slots,
        types=types,
        role=role_of(verb, shape, slots),
        writes=does_write(verb, shape),
        verb=verb.upper(),
    )


def identifier(text: str) -> str:
    """An SQL identifier without its quotes, or folded where it has none."""
    return text[1:-1].replace('""', '"') if text.startswith('"') else text.lower()


def quoted(name: str) -> str:
    """An SQL identifier, in quotes where it needs them. The opposite of `identifier`."""
    doubled = name.replace('"', '""')
    return name if _PLAIN_NAME.fullmatch(name) else f'"{doubled}"'


def tidy(sql: str) -> str:
    """The statement as a person reads it in a case: without comments, closing semicolons and the space around it, and with
    stable names in place of generated ones. Everything else stays as written."""
    found = list(pieces(sql))
    places = [place for place, (kind, _) in enumerate(found) if kind != "space"]
    words = [(kind, text.lower() if kind == "word" else text) for kind, text in map(found.__getitem__, places)]
    parts = _split(words)
    if not parts:
        return ""
    texts = [_without_comments(text) if kind == "space" else text for kind, text in found]
    for place, name in _stable_names(words, parts).items():
        at = places[place]
        # a quoted name may stand right behind a word, a plain one may not
        texts[at] = " " + name if at and found[at - 1][0] != "space" else name
    return "".join(texts[places[parts[0][0]] : places[parts[-1][1] - 1] + 1])


def _without_comments(space: str) -> str:
    """The white space that stays of what stood between two tokens."""
    before, after = space[: len(space) - len(space.lstrip(_WHITE))], space[len(space.rstrip(_WHITE)) :]
    if before == space:
        return space
    return next((part for part in (after, before) if "\n" in part), " ")


def _split(found: Sequence[Token]) -> list[tuple[int, int]]:
    """Start and end of each statement that has tokens. Semicolons in parentheses and in a function's `BEGIN ATOMIC … END`
    do not split."""
    if _SEMICOLON not in found:
        return [(0, len(found))] if found else []
    parts = []
    start = depth = 0
    for place, (kind, text) in enumerate(found):
        if kind == "mark":
            if text == ";" and depth <= 0:
                if place > start:
                    parts.append((start, place))
                start, depth = place + 1, 0
            elif text == "(":
                depth += 1
            elif text == ")":
                depth -= 1
        elif kind == "word" and text in ("atomic", "case", "end") and found[start][1] == "create":
            depth += _block(text, found[place - 1], depth)
    if start < len(found):
        parts.append((start, len(found)))
    return parts


def _block(word: str, before: Token, depth: int) -> int:
    """What a word does to the nesting within a CREATE statement."""
    if word == "atomic":
        return int(before == ("word", "begin"))
    return 0 if not depth else 1 if word == "case" else -1


def _stable_names(found: Sequence[Token], parts: Sequence[tuple[int, int]]) -> dict[int, str]:
    """Where the statements name a savepoint, cursor or prepared statement by a name with digits in it, as drivers make them
    up, and the name that stands there instead: numbered by first appearance."""
    names: dict[str, str] = {}
    stable = {}
    for start, end in parts:
        first = found[start][1]
        if first in _NAME_SECOND:
            place = start + 1
        elif first in _NAME_LAST or (first == "rollback" and ("word", "to") in found[start:end]):
            place = end - 1
        else:
            continue
        if start < place < end and found[place][0] in ("word", "name") and _GENERATED.fullmatch(found[place][1]):
            stable[place] = names.setdefault(found[place][1], f"name_{len(names) + 1}")
    return stable
