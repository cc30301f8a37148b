"""SQL as calls are matched: one shape for statements that differ only in layout, literals and generated names, and what
they do.

A tokenizer, not a parser: any string is accepted. Callers keep the results by SQL text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wiretape.protocols.base import Role
from wiretape.protocols.mysql.effects import MAIN_VERBS, does_write, role_of
from wiretape.protocols.mysql.lexer import pieces, tokens
from wiretape.protocols.mysql.literals import string_value
from wiretape.protocols.mysql.shape import Slot, shape_of
from wiretape.protocols.sqltext import Token, verb_of

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
    verb = verb_of(found, MAIN_VERBS)
    shape, slots = shape_of(found)
    return Statement(
        shape=shape, literals=slots, role=role_of(verb, shape, slots), writes=does_write(verb, shape), verb=verb.upper()
    )


def tidy(sql: str) -> str:
    """The text as a person reads it in a case: without comments, closing semicolons and the space around it, with stable
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
    for run in _string_runs(found, first, last):
        if not all(_readable(texts[place]) for place in run):
            _in_hexadecimal(found, texts, run)
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


def _string_runs(found: Sequence[Token], first: int, last: int) -> Iterator[list[int]]:
    """The places of string literals; those that follow each other are one."""
    run: list[int] = []
    for place in range(first, last + 1):
        kind = found[place][0]
        if kind == "string":
            run.append(place)
        elif kind not in ("space", "hint"):
            if run:
                yield run
            run = []
    if run:
        yield run


def _in_hexadecimal(found: Sequence[Token], texts: list[str], run: Sequence[int]) -> None:
    """`_binary'…'` becomes `x'…'`, and so does any string with control characters or bytes of no text in it."""
    first = run[0]
    data = "".join(string_value(texts[place]) for place in run).encode("utf-8", "surrogateescape")
    for place in range(first, run[-1] + 1):
        texts[place] = texts[place] if found[place][0] == "hint" else ""
    texts[first] = f"x'{data.hex()}'"
    before = first - 1 - (found[first - 1][0] == "space")
    if before >= 0 and found[before][1].lower() == "_binary":
        texts[before] = texts[first - 1] = ""
    standing = next((text for text in reversed(texts[:first]) if text), "")
    if standing and (standing[-1].isalnum() or standing[-1] in "_$@." or standing[-1] > "\x7f"):
        texts[first] = " " + texts[first]  # or it would belong to what stands before it


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
