"""How the data of a COPY is laid out, as its statement says: the format, and the marks between and around values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from wiretape.protocols.postgres.sql import Statement

type Direction = Literal["in", "out"]
type Form = Literal["text", "csv", "binary"]

_STREAMED = re.compile(
    r"""copy (?:binary )?(?:\(.*\)|(?:"(?:[^"]|"")*+"|[^\s"(])++(?: \([^()]*\))?) (?:(from)|to) (?:stdin|stdout)\b(.*)""",
    re.DOTALL,
)
_INTO = re.compile(r"""copy ((?:"(?:[^"]|"")*+"|[^\s"(])++)(?: \(([^()]*)\))? from\b""")
_WORD = re.compile(r'"[^"]*"|\w+|[?(),*]')
_VALUED = frozenset(("format", "delimiter", "delimiters", "quote", "escape", "null", "encoding"))
_SWITCHES = MappingProxyType({"t": True, "f": False, "on": True, "off": False, "1": True, "0": False, "match": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The options of a COPY that matter to its data (PostgreSQL 18 documentation, COPY, "File Formats").

    `header`: the first row holds the names of the columns. `encoding` is PostgreSQL's name, empty where it is the client's.
    `columns`: how many the statement names, 0 where it names none.
    """

    direction: Direction
    form: Form = "text"
    delimiter: str = "\t"
    null: str = "\\N"
    quote: str = '"'
    escape: str = '"'
    header: bool = False
    encoding: str = ""
    columns: int = 0


def layout_of(statement: Statement) -> Layout | None:
    """The layout of what the client sends or is sent; None where the statement is no COPY from or to the client."""
    if statement.verb != "COPY":
        return None
    found = _STREAMED.fullmatch(statement.shape)
    if found is None:
        return None
    options = _options(found[2], statement)
    form: Form = "csv" if options.get("format") == "csv" else "binary" if _is_binary(statement.shape, options) else "text"
    csv = form == "csv"
    quote = options.get("quote") or '"'
    into = _INTO.match(statement.shape)
    return Layout(
        direction="in" if found[1] else "out",
        form=form,
        delimiter=options.get("delimiter") or options.get("delimiters") or ("," if csv else "\t"),
        null=options.get("null", "" if csv else "\\N"),
        quote=quote,
        escape=options.get("escape") or quote,
        header=options.get("header") == "t",
        encoding=options.get("encoding", ""),
        columns=into[2].count(",") + 1 if into and into[2] else 0,
    )


def introspection(shape: str) -> str:
    """The shape of the query with which a driver learns the types of the columns that a COPY fills; empty for no such COPY."""
    into = _INTO.match(shape)
    return " ".join(("select", into[2] or "*", "from", into[1], "limit ?")) if into else ""


def _is_binary(shape: str, options: dict[str, str]) -> bool:
    return options.get("format") == "binary" or shape.startswith("copy binary ")


def _options(tail: str, statement: Statement) -> dict[str, str]:
    """The options by name, old syntax and new alike."""
    words = list(_words(tail, statement))
    found: dict[str, str] = {}
    for at, word in enumerate(words):
        following = [each for each in words[at + 1 : at + 3] if each != "as"]
        value = following[0] if following else ""
        if word in ("csv", "binary") and "format" not in found:
            found["format"] = word
        elif word == "header":
            found["header"] = "t" if _SWITCHES.get(value.lower(), True) else "f"
        elif word in _VALUED and following:
            found[word] = value.lower() if word == "format" else value
    return found


def _words(tail: str, statement: Statement) -> Iterator[str]:
    """The words, with the values that the shape only marks; NULL is a word here."""
    given = iter(statement.literals[len(statement.literals) - tail.count("?") :] if "?" in tail else ())
    for word in _WORD.findall(tail.partition(" where ")[0]):
        if word != "?":
            yield word.strip('"')
            continue
        value = next(given, "")
        yield "null" if value is None else str(value)
