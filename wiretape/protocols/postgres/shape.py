"""The shape of a statement: its words with `?` in place of every value, and the values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from wiretape.protocols.postgres.arrays import quote_item
from wiretape.protocols.postgres.literals import number_value, string_value
from wiretape.protocols.postgres.meaning import spelled, type_of
from wiretape.protocols.sqltext import Token, is_test, joined, shorten_list

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
_SPECIAL = frozenset((*_WORD_VALUES, *_TYPES, "-", ")", "]"))  # no quoted identifier, having quotes, is one of them
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
_NOTHING: Token = ("", "")


def shape_of(found: list[Token]) -> tuple[str, tuple[Slot, ...], tuple[str, ...]]:
    """The shape of a statement's tokens, its slots in order of appearance, and the type of each as far as the text tells it: by
    its cast, by the word before it, or by the kind of literal it is."""
    reader = _Reader(found)
    reader.read()
    return joined(reader.out), tuple(reader.slots), tuple(reader.types)


class _Reader:
    """Walks the tokens of one statement and writes the words of its shape and its slots."""

    __slots__ = ("_at", "_tokens", "out", "slots", "types")

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self.out: list[str] = []
        self.slots: list[Slot] = []
        self.types: list[str] = []

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
                self._slot(int(text[1:]) if len(text) < 10 else 0, "")
            else:
                self._number("", text)

    def _token(self, at: int) -> Token:
        return self._tokens[at] if 0 <= at < len(self._tokens) else _NOTHING

    def _keep(self, text: str) -> None:
        self.out.append(text)
        self._at += 1

    def _slot(self, slot: Slot, kind: str) -> None:
        """Takes the token under way as a value of type `kind`, together with the casts behind it."""
        self.out.append("?")
        self.slots.append(slot)
        self._at += 1
        self.types.append(self._casts() or kind)

    def _casts(self) -> str:
        """Takes the casts that come now; the type of the first, empty where there is none."""
        first = ""
        while self._token(self._at)[0] == "cast" and (end := self._cast_end(self._at + 1)):
            first = first or self._type_name(self._at + 1, end)
            self._at = end
        return first

    def _type_name(self, start: int, end: int) -> str:
        """The type whose tokens these are, without its schema."""
        while self._token(start + 1) == ("mark", "."):
            start += 2
        return " ".join(text.strip('"') for _, text in self._tokens[start:end]).replace(" [ ", "[").replace("[ ]", "[]")

    def _number(self, sign: str, text: str) -> None:
        value = sign + number_value(text)
        self._slot(value, "int8" if value.lstrip("-").isdigit() and len(value) < 19 else "float8")

    def _string(self, text: str, kind: str = "") -> None:
        """String literals that follow each other are one."""
        whole = string_value(text)
        while self._token(self._at + 1)[0] == "string" and self._token(self._at + 1)[1][0] == "'":
            self._at += 1
            whole += string_value(self._token(self._at)[1])
        self._slot(whole, kind)

    def _word(self, text: str) -> None:
        if text in _WORD_VALUES and not is_test(self._tokens, self._at):
            self._slot(_WORD_VALUES[text], "" if text == "null" else "bool")
        elif text in _TYPES and self._token(end := self._type_end(self._at))[0] == "string":
            kind = self._type_name(self._at, end)
            self._at = end
            self._string(self._token(end)[1], kind)
        else:
            self._keep(text)

    def _mark(self, text: str) -> None:
        if text == "-" and self._token(self._at + 1)[0] == "number" and self._value_may_come():
            self._at += 1
            self._number("-", self._token(self._at)[1])
            return
        self._keep(text)
        if text == ")":
            shorten_list(self.out)
        elif text == "]":
            self._shorten_array()

    def _value_may_come(self) -> bool:
        kind, text = self._token(self._at - 1)
        if kind == "word":
            return text in _BEFORE_VALUE
        return not kind or (kind == "mark" and text not in (")", "]"))

    def _shorten_array(self) -> None:
        """`array[?, ?]` of literals is one value, as it is where a driver sends it as such."""
        out, at = self.out, len(self.out) - 2
        count = 0
        while at > 0 and out[at] == "?" and out[at - 1] in (",", "["):
            count += 1
            at -= 2 if out[at - 1] == "," else 1
        if at < 1 or out[at] != "[" or out[at - 1] != "array":
            return
        first = len(self.slots) - count
        slots, kinds = self.slots[first:], self.types[first:]
        if any(isinstance(slot, int) for slot in slots):
            return
        del self.slots[first:], self.types[first:]
        del out[at - 1 :]
        out.append("?")
        self.slots.append(_array(slots, kinds))
        self.types.append(self._casts() or _array_type(kinds))

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


def _array(slots: Sequence[Slot], kinds: Sequence[str]) -> str:
    """The text of an array of these values."""
    items = [
        "NULL" if slot is None else str(slot) if kind.endswith("[]") else quote_item(spelled(type_of(kind), str(slot)), ",")
        for slot, kind in zip(slots, kinds, strict=True)
    ]
    return "{" + ",".join(items) + "}"


def _array_type(kinds: Sequence[str]) -> str:
    """The type of an array of values of these types; text, as the server takes it for, where nothing tells."""
    told = {kind for kind in kinds if kind}
    if told == {"int8", "float8"}:
        return "float8[]"
    return f"{next(iter(told)) if len(told) == 1 else 'text'}[]".replace("[][]", "[]")
