"""What reading SQL has in common in every dialect, once its own tokenizer has cut the text."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Final

from wiretape import tracing
from wiretape.tree import Tree

# Its kind (word, mark, string, number, parameter, …) and its text.
type Token = tuple[str, str]

_BLANK: Final = " \t\n\r\f\v"
_NO_SPACE_BEFORE: Final = frozenset((",", ")", "]", "."))
_NO_SPACE_AFTER: Final = frozenset(("(", "[", "."))


def cut(sql: str, matches: Iterable[re.Match[str]]) -> Iterator[Token]:
    """The whole string without gaps: tokens as they are written, and of kind `space` what stands between two of them.

    `matches` are the tokenizer's, in order, each with the name of its kind as its last group.
    """
    at = 0
    for match in matches:
        kind = match.lastgroup
        if kind is None or kind == "comment":
            continue
        start, end = match.span(kind)
        if start > at:
            yield "space", sql[at:start]
        yield kind, sql[start:end]
        at = end
    if at < len(sql):
        yield "space", sql[at:]


def untraced(sql: str, comments: Iterable[tuple[int, int]]) -> tuple[str, tuple[str, ...]]:
    """The text without those comments that carry an id of the request it is sent for, and these ids. `comments` is where its
    comments stand. The texts of two requests are the same then."""
    parts: list[str] = []
    traces: list[str] = []
    at = 0
    for start, end in comments:
        if found := tracing.in_comment(sql[start:end]):
            traces += found
            parts.append(sql[at:start])
            at = end
    if not traces:
        return sql, ()
    parts.append(sql[at:])
    return " ".join(part for part in (part.strip(_BLANK) for part in parts) if part), tuple(dict.fromkeys(traces))


def verb_of(found: Sequence[Token], main: Container[str]) -> str:
    """The word, in lower case, that says what a statement does; of one that begins with WITH its main statement's, which begins
    with a word of `main`."""
    words = (text for kind, text in found if kind == "word")
    first = next(words, "")
    if first != "with":
        return first
    depth = 0
    for kind, text in found:
        if kind == "mark":
            depth += {"(": 1, ")": -1}.get(text, 0)
        elif kind == "word" and not depth and text in main:
            return text
    return first


def joined(words: Iterable[str]) -> str:
    """The words of a shape as one text, spaced as people space SQL."""
    pieces: list[str] = []
    tight = True
    for word in words:
        pieces.append(word if tight or word in _NO_SPACE_BEFORE else " " + word)
        tight = word in _NO_SPACE_AFTER
    return "".join(pieces)


def shorten_list(words: list[str]) -> None:
    """`in (?, ?, ?)` at the end of a shape's words becomes `in (?)`."""
    at = len(words) - 2
    while at > 1 and words[at] == "?" and words[at - 1] == ",":
        at -= 2
    if at > 1 and words[at] == "?" and words[at - 1] == "(" and words[at - 2] == "in":
        words[at + 1 :] = [")"]


def is_test(found: Sequence[Token], at: int) -> bool:
    """Whether the NULL, TRUE or FALSE there is no value: IS NULL, IS NOT TRUE and the constraint NOT NULL say otherwise."""
    before = found[at - 1] if at else None
    if before == ("word", "not"):
        return found[at][1] == "null" or (at > 1 and found[at - 2] == ("word", "is"))
    return before == ("word", "is")


def filled(slots: Iterable[str | bytes | int | None], params: Sequence[Tree]) -> tuple[Tree, ...]:
    """The values of a statement in order of appearance: literals as they are, and the parameter that a number names, counted
    from 1. One that is missing is None."""
    count = len(params)
    return tuple(slot if not isinstance(slot, int) else params[slot - 1] if 0 < slot <= count else None for slot in slots)


def places(slots: Iterable[str | bytes | int | None]) -> tuple[str, ...]:
    """Where the values of a statement stand within its call: `params[0]`, or nowhere but in the statement itself."""
    return tuple(f"params[{slot - 1}]" if isinstance(slot, int) and slot > 0 else "" for slot in slots)
