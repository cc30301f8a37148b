"""The shape of a statement: its words with `?` in place of every value, and the values."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wiretape.protocols.postgres.lexer import Token
from wiretape.protocols.postgres.literals import number_value, string_value

type Slot = str | int | None
"""One place of a statement that holds a value: the text of a literal (None: NULL), or the number, from 1, of a parameter."""

_WORD_VALUES: Mapping[str, str | None] = MappingProxyType({"null": None, "true": "t", "false": "f"})
# Behind these words a minus belongs to the number it precedes
_BEFORE_VALUE = frozenset(
    ("all", "and", "any", "as", "between", "by", "case", "default", "distinct", "else", "from", "having", "ilike", "in",
     "is", "like", "limit", "not", "offset", "on", "or", "returning", "select", "set", "similar", "some", "then", "to",
     "using", "values", "when", "where")
)  # fmt: skip
# These words in front of a string literal give its type
_TYPES = frozenset(
    ("bigint", "bit", "bool", "boolean", "box", "bpchar", "bytea", "char", "character", "cidr", "circle", "date",
     "daterange", "decimal", "double", "float", "float4", "float8", "inet", "int", "int2", "int4", "int4range", "int8",
     "int8range", "integer", "interval", "json", "jsonb", "line", "lseg", "macaddr", "macaddr8", "money", "name",
     "numeric", "numrange", "oid", "path", "pg_lsn", "point", "polygon", "real", "regclass", "regtype", "smallint", "text",
     "time", "timestamp", "timestamptz", "timetz", "tsquery", "tsrange", "tstzrange", "tsvector", "uuid", "varbit",
     "varchar", "xml")
)  # fmt: skip
_VALUES = frozenset(("string", "parameter", "number"))
_SPECIAL = frozenset((*_WORD_VALUES, *_TYPES, "-", ")"))  # no quoted identifier, having quotes, is one of them
_LATER_WORDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "double": frozenset(("precision",)),
        "character": frozenset(("varying",)),
        "char": frozenset(("varying",)),
        "bit": frozenset(("varying",)),
        "interval": frozenset(("year", "month", "day", "hour", "minute", "second", "to")),
    }
)
_ZONES = (["with", "time", "zone"], ["without", "time", "zone"])
_NO_SPACE_BEFORE = frozenset((",", ")", "]", "."))
_NO_SPACE_AFTER = frozenset(("(", "[", "."))
_NOTHING: Token = ("", "")


def shape_of(found: list[Token]) -> tuple[str, tuple[Slot, ...]]:
    """The shape of a statement's tokens, and its slots in order of appearance."""
    reader = _Reader(found)
    reader.read()
    return _join(reader.out), tuple(reader.slots)


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
        count = len(self._tokens)
        while self._at < count:
            kind, text = self._tokens[self._at]
            if kind not in _VALUES and text not in _SPECIAL:
                self._keep(text)
            elif kind == "word":
                self._word(text)
            elif kind == "mark":
                self._mark(text)
            elif kind == "string":
                self._string(text)
            elif kind == "parameter":
                self._slot(int(text[1:]) if len(text) < 10 else 0)
            else:
                self._slot(number_value(text))

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
        while self._token(self._at)[0] == "cast" and (end := self._cast_end(self._at + 1)):
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
        elif text in _TYPES and self._token(end := self._type_end(self._at))[0] == "string":
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

    def _cast_end(self, at: int) -> int:
        """The place behind the type name, qualified or not, that begins here; 0 where none does."""
        if self._token(at)[0] not in ("word", "name"):
            return 0
        while self._token(at + 1) == ("mark", ".") and self._token(at + 2)[0] in ("word", "name"):
            at += 2
        return self._type_end(at)

    def _type_end(self, at: int) -> int:
        """The place behind the type whose first word is here."""
        first = self._token(at)[1]
        at = self._modifier_end(self._later_words_end(first, at + 1))
        if first in ("time", "timestamp") and [text for _, text in self._tokens[at : at + 3]] in _ZONES:
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
