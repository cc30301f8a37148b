"""SQL as calls are matched: one shape for statements that differ only in layout, literals and generated names, and what they do.

A tokenizer, not a parser: any string is accepted. Canonicalising costs some hundred nanoseconds a token, so callers keep the results
by SQL text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from wiretape.protocols.base import Role
from wiretape.protocols.postgres.lexer import Token, scan, tokens
from wiretape.protocols.postgres.literals import number_value, string_value
from wiretape.tree import Tree

type Slot = str | int | None
"""One place of a statement that holds a value: the text of a literal (None: NULL), or the number, from 1, of a parameter."""

_WORD_VALUES: Mapping[str, str | None] = MappingProxyType({"null": None, "true": "t", "false": "f"})
# Behind these words a minus belongs to the number it precedes
_BEFORE_VALUE = frozenset(
    ("all", "and", "any", "as", "between", "by", "case", "default", "distinct", "else", "from", "having", "ilike", "in", "is", "like",
     "limit", "not", "offset", "on", "or", "returning", "select", "set", "similar", "some", "then", "to", "using", "values", "when",
     "where")
)  # fmt: skip
# These words in front of a string literal give its type
_TYPES = frozenset(
    ("bigint", "bit", "bool", "boolean", "box", "bpchar", "bytea", "char", "character", "cidr", "circle", "date", "daterange",
     "decimal", "double", "float", "float4", "float8", "inet", "int", "int2", "int4", "int4range", "int8", "int8range", "integer",
     "interval", "json", "jsonb", "line", "lseg", "macaddr", "macaddr8", "money", "name", "numeric", "numrange", "oid", "path",
     "pg_lsn", "point", "polygon", "real", "regclass", "regtype", "smallint", "text", "time", "timestamp", "timestamptz", "timetz",
     "tsquery", "tsrange", "tstzrange", "tsvector", "uuid", "varbit", "varchar", "xml")
)  # fmt: skip
_LATER_WORDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "double": frozenset(("precision",)),
        "character": frozenset(("varying",)),
        "char": frozenset(("varying",)),
        "bit": frozenset(("varying",)),
        "interval": frozenset(("year", "month", "day", "hour", "minute", "second", "to")),
    }
)
_NO_SPACE_BEFORE = frozenset((",", ")", "]", ".", "::"))
_NO_SPACE_AFTER = frozenset(("(", "[", ".", "::"))
_NOTHING: Token = ("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One SQL statement as it is matched.

    `shape` has `?` for every literal and parameter, no comments, and unquoted words in lower case. `literals` are those places in
    order of appearance. `verb` is the word that says what is done (`SELECT`, `INSERT`; behind WITH its main statement's), in upper
    case, empty for an empty statement.
    """

    shape: str
    literals: tuple[Slot, ...]
    role: Role
    writes: bool
    verb: str


def canonical(sql: str) -> tuple[Statement, ...]:
    """The statements of a string, split at its top-level semicolons; an empty one where there is nothing else. Never raises."""
    names: dict[str, str] = {}
    found = tuple(_statement(part, names) for part in _split(tokens(sql)))
    return found or (_statement([], names),)


def values(statement: Statement, params: Sequence[Tree]) -> tuple[Tree, ...]:
    """The values of a statement in order of appearance, literals and parameters alike. A parameter that is missing is None."""
    return tuple(
        slot if not isinstance(slot, int) else params[slot - 1] if 0 < slot <= len(params) else None
        for slot in statement.literals
    )


def _statement(found: list[Token], names: dict[str, str]) -> Statement:
    verb = _verb(found)
    place = _generated_name(found)
    if place is not None:
        found[place] = ("word", names.setdefault(found[place][1], f"name_{len(names) + 1}"))
    reader = _Reader(found)
    reader.read()
    shape = _join(reader.out)
    return Statement(
        shape=shape,
        literals=tuple(reader.slots),
        role=_role(verb, shape, reader.slots),
        writes=_writes(verb, shape),
        verb=verb.upper(),
    )


def _split(found: list[Token]) -> Iterator[list[Token]]:
    """The tokens of each statement that has any. Semicolons in parentheses and in a function's `BEGIN ATOMIC … END` do not split."""
    part: list[Token] = []
    depth = 0
    for token in found:
        kind, text = token
        if kind == "mark":
            if text == ";" and depth <= 0:
                if part:
                    yield part
                part, depth = [], 0
                continue
            depth += {"(": 1, ")": -1}.get(text, 0)
        elif kind == "word" and text in ("atomic", "case", "end") and part and part[0][1] == "create":
            depth += _block(text, part, depth)
        part.append(token)
    if part:
        yield part


def _block(word: str, before: list[Token], depth: int) -> int:
    """What a word does to the nesting within a CREATE statement."""
    if word == "atomic":
        return int(before[-1] == ("word", "begin"))
    return 0 if not depth else 1 if word == "case" else -1


def _join(words: list[str]) -> str:
    pieces: list[str] = []
    tight = True
    for word in words:
        pieces.append(word if tight or word in _NO_SPACE_BEFORE else " " + word)
        tight = word in _NO_SPACE_AFTER
    return "".join(pieces)


class _Reader:
    """Walks the tokens of one statement and writes the words of its shape and its slots."""

    __slots__ = ("_at", "_tokens", "out", "slots")

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self.out: list[str] = []
        self.slots: list[Slot] = []

    def read(self) -> None:
        while self._at < len(self._tokens):
            kind, text = self._tokens[self._at]
            match kind:
                case "word":
                    self._word(text)
                case "mark":
                    self._mark(text)
                case "string":
                    self._string(text)
                case "parameter":
                    self._slot(int(text[1:]) if len(text) < 10 else 0)
                case "number":
                    self._slot(number_value(text))
                case _:
                    self._keep(text)

    def _token(self, at: int) -> Token:
        return self._tokens[at] if 0 <= at < len(self._tokens) else _NOTHING

    def _keep(self, text: str) -> None:
        self.out.append(text)
        self._at += 1

    def _slot(self, slot: Slot) -> None:
        """Takes the token under way as a value, together with the casts behind it."""
        self.out.append("?")
        self.slots.append(slot)
        self._at += 1
        while self._token(self._at)[0] == "cast" and (end := self._type_end(self._at + 1)):
            self._at = end

    def _string(self, text: str) -> None:
        """String literals that follow each other are one."""
        whole = string_value(text)
        while self._token(self._at + 1)[0] == "string" and self._token(self._at + 1)[1][0] == "'":
            self._at += 1
            whole += string_value(self._token(self._at)[1])
        self._slot(whole)

    def _word(self, text: str) -> None:
        if text in _WORD_VALUES and not self._tests_for(text):
            self._slot(_WORD_VALUES[text])
        elif text in _TYPES and (end := self._type_end(self._at)) and self._token(end)[0] == "string":
            self._at = end
        else:
            self._keep(text)

    def _tests_for(self, text: str) -> bool:
        """IS NULL, IS NOT TRUE and the constraint NOT NULL say something other than a value does."""
        before = self._token(self._at - 1)
        return before == ("word", "is") or (
            before == ("word", "not") and (text == "null" or self._token(self._at - 2) == ("word", "is"))
        )

    def _mark(self, text: str) -> None:
        if text == "-" and self._token(self._at + 1)[0] == "number" and self._value_may_come():
            self._at += 1
            self._slot("-" + number_value(self._token(self._at)[1]))
            return
        self._keep(text)
        if text == ")":
            self._shorten_list()

    def _value_may_come(self) -> bool:
        kind, text = self._token(self._at - 1)
        if kind == "word":
            return text in _BEFORE_VALUE
        return not kind or (kind == "mark" and text not in (")", "]"))

    def _shorten_list(self) -> None:
        """`in (?, ?, ?)` becomes `in (?)`."""
        out = self.out
        at = len(out) - 2
        while at > 1 and out[at] == "?" and out[at - 1] == ",":
            at -= 2
        if at > 1 and out[at] == "?" and out[at - 1] == "(" and out[at - 2] == "in":
            out[at + 1 :] = [")"]

    def _type_end(self, at: int) -> int:
        """The place behind the type name that begins here; 0 where none does."""
        kind, first = self._token(at)
        if kind not in ("word", "name"):
            return 0
        at += 1
        while self._token(at) == ("mark", ".") and self._token(at + 1)[0] in ("word", "name"):
            at += 2
        at = self._modifier_end(self._later_words_end(first, at))
        if first in ("time", "timestamp") and self._token(at)[1] in ("with", "without"):
            if (self._token(at + 1), self._token(at + 2)) == (("word", "time"), ("word", "zone")):
                at += 3
        return self._array_end(at)

    def _later_words_end(self, first: str, at: int) -> int:
        later = _LATER_WORDS.get(first, frozenset())
        while self._token(at)[1] in later:
            at += 1
        return at

    def _modifier_end(self, at: int) -> int:
        """Behind `(10, 2)`."""
        if self._token(at) != ("mark", "("):
            return at
        end = at + 1
        while self._token(end)[0] == "number" or self._token(end) in (("mark", ","), ("mark", "-")):
            end += 1
        return end + 1 if self._token(end) == ("mark", ")") else at

    def _array_end(self, at: int) -> int:
        """Behind `[]`, as often as it stands there."""
        while self._token(at) == ("mark", "["):
            end = at + 1 + (self._token(at + 1)[0] == "number")
            if self._token(end) != ("mark", "]"):
                break
            at = end + 1
        return at


# Names that drivers make up: savepoints, cursors, prepared statements

_NAME_LAST = frozenset(("savepoint", "release", "fetch", "move", "close", "deallocate"))
_NAME_SECOND = frozenset(("declare", "prepare", "execute"))


def _generated_name(found: Sequence[Token]) -> int | None:
    """Where a statement names a savepoint, cursor or prepared statement by a name with digits in it; None where it does not."""
    first = found[0][1].lower() if found else ""
    if first in _NAME_SECOND:
        place = 1
    elif first in _NAME_LAST or (first == "rollback" and any(text.lower() == "to" for _, text in found)):
        place = len(found) - 1
    else:
        return None
    if not 0 < place < len(found) or found[place][0] not in ("word", "name"):
        return None
    return place if any(map(str.isdigit, found[place][1])) else None


def tidy(sql: str) -> str:
    """The statement as a person reads it in a case: without comments, closing semicolons and the space around it, and with stable
    names in place of generated ones. Everything else stays as written."""
    pieces: list[Token] = []
    for kind, text in scan(sql):
        if kind != "space":
            pieces.append((kind, text))
        elif pieces and pieces[-1][0] == "space":
            pieces[-1] = ("space", _one_space(pieces[-1][1], text))
        elif pieces:
            pieces.append(("space", _one_space("", text)))
    while pieces and (pieces[-1][0] == "space" or pieces[-1] == ("mark", ";")):
        pieces.pop()
    return "".join(text for _, text in _stable_names(pieces))


def _one_space(before: str, text: str) -> str:
    """The white space that stays where `text`, space or comment, follows the space `before`: the last line break counts."""
    if text[0] in "-/":
        return before or " "
    return text if "\n" in text or "\n" not in before else before


def _stable_names(pieces: list[Token]) -> list[Token]:
    names: dict[str, str] = {}
    part: list[int] = []  # places of the tokens of the statement under way
    for place, piece in enumerate([*pieces, ("mark", ";")]):
        if piece == ("mark", ";"):
            generated = _generated_name([pieces[index] for index in part])
            if generated is not None:
                name = pieces[part[generated]][1]
                pieces[part[generated]] = ("word", names.setdefault(name, f"name_{len(names) + 1}"))
            part = []
        elif piece[0] != "space":
            part.append(place)
    return pieces


# What a statement does

_BEGIN = re.compile(r"begin\b|start transaction\b")
_END = re.compile(r"(?:commit|end|rollback|abort)\b(?! prepared)|prepare transaction\b")
_CONTROL = re.compile(r"savepoint\b|release\b|rollback (?:work |transaction )?to\b")
_SESSION_VERBS = frozenset(("set", "show", "reset", "discard", "deallocate", "unlisten"))
_SESSION_CALL = (
    r"(?:pg_catalog\.)?(?:version|current_schema|set_config|current_setting|pg_advisory_unlock_all|pg_is_in_recovery)"
    r" \([^()]*\)(?: as [^ ,]+)?"
)
_SESSION_QUERY = re.compile(rf"select {_SESSION_CALL}(?:, {_SESSION_CALL})*|select current_schema|close all")
_TYPE_QUERY = re.compile(r"\b(?:from|join) (?:pg_catalog\.)?pg_type\b")
_WRITING_VERBS = frozenset(
    ("insert", "update", "delete", "merge", "truncate", "create", "alter", "drop", "comment", "grant", "revoke", "reindex", "cluster",
     "vacuum", "refresh", "security", "import", "reassign", "call", "do")
)  # fmt: skip
_WRITING_PART = re.compile(r"(?:^|[()] |\()(?:insert into|update|delete from|merge into) (?!set\b)\S")
_WRITING_SELECT = re.compile(r"[^(]*? into (?!\?)\S")
_COPY_IN = re.compile(r"copy \S+(?: \([^()]*\))? from\b")
_MAIN_VERBS = frozenset(("select", "insert", "update", "delete", "merge", "values", "table"))


def _verb(found: Sequence[Token]) -> str:
    words = (text for kind, text in found if kind == "word")
    first = next(words, "")
    if first != "with":
        return first
    depth = 0
    for kind, text in found:
        if kind == "mark":
            depth += {"(": 1, ")": -1}.get(text, 0)
        elif kind == "word" and not depth and text in _MAIN_VERBS:
            return text
    return first


def _role(verb: str, shape: str, slots: Sequence[Slot]) -> Role:
    if _BEGIN.match(shape):
        return "begin"
    if _CONTROL.match(shape):
        return "control"
    if _END.match(shape):
        return "end"
    if not shape or verb in _SESSION_VERBS or (shape == "select ?" and slots == ["1"]):
        return "housekeeping"
    if _SESSION_QUERY.fullmatch(shape) or (verb == "select" and _TYPE_QUERY.search(shape)):
        return "housekeeping"
    return "query"


def _writes(verb: str, shape: str) -> bool:
    if verb in _WRITING_VERBS or verb in ("commit", "end") or shape.startswith("prepare transaction"):
        return True
    if verb == "copy":
        return _COPY_IN.match(shape) is not None
    if verb == "explain" and "analyze" not in shape:
        return False
    if shape.startswith("with ") or verb == "explain":
        return _WRITING_PART.search(shape) is not None
    return verb == "select" and _WRITING_SELECT.match(shape) is not None
