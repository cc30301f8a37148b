"""SQL as calls are matched: one shape for statements that differ only in layout, literals and generated names, and what
they do.

A tokenizer, not a parser: any string is accepted. Callers keep the results by SQL text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from wiretape.protocols.base import Role
from wiretape.protocols.mysql.effects import does_write, role_of, verb_of
from wiretape.protocols.mysql.lexer import Token, pieces, tokens
from wiretape.protocols.mysql.literals import string_value
from wiretape.protocols.mysql.shape import Slot, shape_of
from wiretape.tree import Tree

_WHITE = " \t\n\r\f\v"
_GENERATED = re.compile(r"`?(?!name_\d+`?\Z).*\d.*", re.DOTALL)
_SEMICOLON: Token = ("mark", ";")
_PROGRAMS = frozenset(("procedure", "function", "trigger", "event", "package"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One SQL statement as it is matched.

    `shape` has `?` for every literal and parameter, no comments, and unquoted words in lower case. `literals` are those
    places in order of appearance. `verb` is the word that says what is done (`SELECT`, `INSERT`; behind WITH its main
    statement's), in upper case, empty for an empty statement. `writes`: it changes state on the server.
    """

    shape: str
    literals: tuple[Slot, ...]
    role: Role
    writes: bool
    verb: str


def canonical(sql: str) -> tuple[Statement, ...]:
    """The statements of a string, split at its semicolons; an empty one where there is nothing else. Never raises."""
    found = tokens(sql)
    parts = _split(found)
    for place, name in _stable_names(found, parts).items():
        found[place] = ("word", name)
    return tuple(_statement(found[start:end]) for start, end in parts) or (_statement([]),)


def _statement(found: list[Token]) -> Statement:
    verb = verb_of(found)
    shape, slots = shape_of(found)
    return Statement(
        shape=shape, literals=slots, role=role_of(verb, shape, slots), writes=does_write(verb, shape), verb=verb.upper()
    )


def values(statement: Statement, params: Sequence[Tree]) -> tuple[Tree, ...]:
    """The values of a statement in order of appearance, literals and parameters alike. A parameter that is missing is None."""
    count = len(params)
    return tuple(
        slot if not isinstance(slot, int) else params[slot - 1] if 0 < slot <= count else None for slot in statement.literals
    )


def tidy(sql: str) -> str:
    """The statement as a person reads it in a case: without comments, closing semicolons and the space around it, with stable
    names in place of generated ones, and with hexadecimal literals in place of those whose bytes are no text."""
    found = list(pieces(sql))
    places = [place for place, (kind, _) in enumerate(found) if kind not in ("space", "hint")]
    words = [(kind, text.lower() if kind == "word" else text) for kind, text in map(found.__getitem__, places)]
    parts = _split(words)
    if not parts:
        return ""
    texts = [_without_comments(text) if kind == "space" else text for kind, text in found]
    for place, name in _stable_names(words, parts).items():
        texts[places[place]] = name
    first, last = places[parts[0][0]], places[parts[-1][1] - 1]
    first, last = _with_hints(found, first, -1), _with_hints(found, last, 1)
    for place in range(first, last + 1):
        if found[place][0] == "string" and not _readable(texts[place]):
            _in_hexadecimal(found, texts, place)
    return "".join(texts[first : last + 1])


def _with_hints(found: Sequence[Token], place: int, step: int) -> int:
    """The place of the outermost edge of a hint beside this place, or the place itself."""
    at = kept = place
    while 0 <= at + step < len(found) and found[at + step][0] in ("space", "hint"):
        at += step
        if found[at][0] == "hint":
            kept = at
    return kept


def _readable(text: str) -> bool:
    return text.isprintable() or not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]", text)


def _in_hexadecimal(found: Sequence[Token], texts: list[str], place: int) -> None:
    """`_binary'…'` becomes `x'…'`, and so does any string with control characters or bytes of no text in it."""
    data = string_value(texts[place]).encode("utf-8", "surrogateescape")
    texts[place] = f"x'{data.hex()}'"
    before = place - 1 - (found[place - 1][0] == "space")
    if before >= 0 and found[before] == ("word", "_binary"):
        texts[before] = texts[place - 1] = ""
        texts[place] = f"x'{data.hex()}'"


def _without_comments(space: str) -> str:
    """The white space that stays of what stood between two tokens."""
    before, after = space[: len(space) - len(space.lstrip(_WHITE))], space[len(space.rstrip(_WHITE)) :]
    if before == space:
        return space
    return next((part for part in (after, before) if "\n" in part), " ")


def _split(found: Sequence[Token]) -> list[tuple[int, int]]:
    """Start and end of each statement that has tokens. Nothing splits the body of a stored program."""
    if _SEMICOLON not in found:
        return [(0, len(found))] if found else []
    parts = []
    start = 0
    for place, token in enumerate(found):
        if token == _SEMICOLON and not _is_program(found, start, place):
            if place > start:
                parts.append((start, place))
            start = place + 1
    if start < len(found):
        end = len(found)
        while end > start and found[end - 1] == _SEMICOLON:
            end -= 1
        parts.append((start, end))
    return parts


def _is_program(found: Sequence[Token], start: int, end: int) -> bool:
    """Whether the statement that begins here creates a stored program, or is a compound statement itself."""
    head = [text for _, text in found[start : min(end, start + 12)]]
    if head[:1] in (["create"], ["alter"]):
        return not _PROGRAMS.isdisjoint(head)
    return head[:3] == ["begin", "not", "atomic"]


def _stable_names(found: Sequence[Token], parts: Sequence[tuple[int, int]]) -> dict[int, str]:
    """Where the statements name a savepoint by a name with digits in it, as drivers make them up, and the name that stands
    there instead: numbered by first appearance."""
    names: dict[str, str] = {}
    stable = {}
    for start, end in parts:
        first = found[start][1]
        if first not in ("savepoint", "release") and not (first == "rollback" and ("word", "to") in found[start:end]):
            continue
        place = end - 1
        if start < place and found[place][0] in ("word", "name") and _GENERATED.fullmatch(found[place][1]):
            stable[place] = names.setdefault(found[place][1].strip("`"), f"name_{len(names) + 1}")
    return stable
