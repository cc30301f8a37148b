"""The values of SQL literals, in the form in which values are compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from wiretape.protocols.mysql.moments import canonical
from wiretape.protocols.mysql.numbers import spelled
from wiretape.protocols.mysql.values import said
from wiretape.tree import Tree

_ESCAPE = re.compile(r"\\(.)|(['\"])\2", re.DOTALL)
_LETTERS: Mapping[str, str] = MappingProxyType({"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"})


def string_value(literal: str) -> str:
    """What a string literal says: `'it''s'`, `"a\\nb"`, `N'x'`. The closing quote may be missing."""
    quote = literal[0] if literal[0] in "'\"" else literal[1]
    body = literal[literal.index(quote) + 1 :]
    if "\\" not in body and quote not in body[:-1]:
        return body.removesuffix(quote)
    out, at = [], 0
    for found in _ESCAPE.finditer(body):
        if found[2] not in (None, quote):
            continue
        out.append(body[at : found.start()])
        out.append(quote if found[1] is None else _escaped(found[1]))
        at = found.end()
    return "".join((*out, body[at:].removesuffix(quote)))


def _escaped(letter: str) -> str:
    if letter in "%_":  # they keep their backslash, for LIKE
        return "\\" + letter
    return _LETTERS.get(letter, letter)


def bytes_value(literal: str) -> bytes:
    """What `x'4142'`, `0x4142`, `b'0101'` or `0b0101` says."""
    digits = literal[2:].rstrip("'")
    if literal[0] in "xX" or literal[:2] == "0x":
        return bytes.fromhex(digits if len(digits) % 2 == 0 else "0" + digits)
    if digits.strip("01"):
        return digits.encode()
    return int(digits or "0", 2).to_bytes((len(digits) + 7) // 8, "big")


def comparable(value: Tree) -> Tree:
    """A value as it is compared, whichever way a driver sends it: numbers in one spelling, moments in one form, bytes that are
    text as text; NULL is None, a truth value a number."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float):
        return spelled(str(value))
    if isinstance(value, str):
        return canonical(value)
    if isinstance(value, bytes):
        return said(value)
    return value
