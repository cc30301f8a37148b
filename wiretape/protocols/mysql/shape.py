"""The shape of a statement: its words with `?` in place of every value, and the values."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wiretape.protocols.mysql.literals import bytes_value, comparable, string_value
from wiretape.protocols.mysql.numbers import spelled
from wiretape.protocols.mysql.values import said
from wiretape.protocols.sqltext import Token, is_test, joined, shorten_list

type Slot = str | bytes | int | None
"""One place of a statement that holds a value: a literal in comparable form (None: NULL), or the number, from 1, of a
parameter."""

_WORD_VALUES: Mapping[str, str | None] = MappingProxyType({"null": None, "true": "1", "false": "0"})
# Behind these words a minus belongs to the number it precedes
_BEFORE_VALUE = frozenset(
    ("all", "and", "any", "as", "between", "by", "call", "case", "default", "distinct", "div", "else", "from", "having", "in",
     "is", "like", "limit", "mod", "not", "offset", "on", "or", "regexp", "returning", "rlike", "select", "set", "some", "then",
     "to", "using", "values", "when", "where", "xor")
)  # fmt: skip
_TYPES = frozenset(("date", "time", "timestamp"))  # in front of a string literal they give its type
_NOTHING: Token = ("", "")


def shape_of(found: list[Token]) -> tuple[str, tuple[Slot, ...]]:
    """The shape of a statement's tokens, and its slots in order of appearance."""
    reader = _Reader(found)
    reader.read()
    return joined(reader.out), tuple(reader.slots)


class _Reader:
    """Walks the tokens of one statement and writes the words of its shape and its slots."""

    __slots__ = ("_at", "_parameters", "_tokens", "out", "slots")

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._parameters = 0
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
                case "number":
                    self._slot(spelled(text))
                case "bytes":
                    self._slot(said(bytes_value(text)))
                case "parameter":
                    self._parameters += 1
                    self._slot(self._parameters)
                case _:
                    self._keep(text)

    def _token(self, at: int) -> Token:
        return self._tokens[at] if 0 <= at < len(self._tokens) else _NOTHING

    def _keep(self, text: str) -> None:
        self.out.append(text)
        self._at += 1

    def _slot(self, slot: Slot) -> None:
        self.out.append("?")
        self.slots.append(slot)
        self._at += 1

    def _string(self, text: str, *, binary: bool = False) -> None:
        """String literals that follow each other are one."""
        whole = string_value(text)
        while self._token(self._at + 1)[0] == "string":
            self._at += 1
            whole += string_value(self._token(self._at)[1])
        if binary or not whole.isprintable():
            self._slot(said(whole.encode("utf-8", "surrogateescape")))
        else:
            value = comparable(whole)
            self._slot(value if isinstance(value, str) else whole)

    def _word(self, text: str) -> None:
        following = self._token(self._at + 1)
        if text in _WORD_VALUES and not is_test(self._tokens, self._at):
            self._slot(_WORD_VALUES[text])
        elif following[0] == "string" and (text in _TYPES or text[0] == "_"):
            self._at += 1
            self._string(following[1], binary=text == "_binary")
        elif following[0] == "bytes" and text[0] == "_":
            self._at += 1
            self._slot(said(bytes_value(following[1])))
        elif following[0] == "parameter" and text == "_binary":
            self._at += 1
        else:
            self._keep(text)

    def _mark(self, text: str) -> None:
        if text == "-" and self._token(self._at + 1)[0] == "number" and self._value_may_come():
            self._at += 1
            self._slot(spelled("-" + self._token(self._at)[1]))
            return
        self._keep(text)
        if text == ")":
            shorten_list(self.out)

    def _value_may_come(self) -> bool:
        kind, text = self._token(self._at - 1)
        if kind == "word":
            return text in _BEFORE_VALUE
        return not kind or (kind == "mark" and text != ")")
