"""The values of SQL literals, as the text a server would give for them."""

from __future__ import annotations

import re
from types import MappingProxyType

from wiretape.protocols.postgres.numbers import numeric_read, numeric_write

_BYTE = r"\\(?:[0-7]{1,3}|x[0-9A-Fa-f]{1,2})"
_ESCAPE = re.compile(rf"((?:{_BYTE})+)|\\(?:u([0-9A-Fa-f]{{4}})|U([0-9A-Fa-f]{{8}})|(.)|\Z)", re.DOTALL)
_UNICODE = re.compile(r"\\(?:([0-9A-Fa-f]{4})|\+([0-9A-Fa-f]{6})|(\\))")
_DOLLAR = re.compile(r"\$[^$]*\$")
_HUGE = re.compile(r"[eE][+-]?0*[0-9]{4,}\Z")  # more digits than anybody compares
_CONTROL = MappingProxyType({"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"})
_BASES = MappingProxyType({"x": 16, "o": 8, "b": 2})


def string_value(literal: str) -> str:
    """What a string literal of any kind says: `'it''s'`, `E'..'`, `U&'..'`, `B'..'`, `X'..'`, `N'..'`, `$tag$..$tag$`. The
    closing quote may be missing."""
    if literal[0] == "$":
        opening = _DOLLAR.match(literal)
        tag = opening[0] if opening else ""
        return literal[len(tag) :].removesuffix(tag)
    prefix, _, body = literal.partition("'")
    body = _unquoted(body, escapes=prefix in ("e", "E"))
    match prefix.lower():
        case "e":
            return _ESCAPE.sub(_escaped, body)
        case "u&":
            return _UNICODE.sub(lambda found: found[3] or _character(int(found[1] or found[2], 16), found[0]), body)
        case "x" if not body.strip("0123456789abcdefABCDEF"):
            return "".join(f"{int(digit, 16):04b}" for digit in body)
        case _:
            return body


def _unquoted(body: str, *, escapes: bool) -> str:
    """Without the closing quote, and with one quote where two stand."""
    if not escapes:
        return body.removesuffix("'").replace("''", "'")
    parts = re.split(r"(\\.)", body, flags=re.DOTALL)
    if not parts[-1] and len(parts) > 1:  # ends in an escaped character, so the quote is missing
        return "".join(part if part[:1] == "\\" else part.replace("''", "'") for part in parts)
    parts[-1] = parts[-1].removesuffix("'")
    return "".join(part if part[:1] == "\\" else part.replace("''", "'") for part in parts)


def _escaped(found: re.Match[str]) -> str:
    codes, short, long, other = found.groups()
    if codes:  # bytes of the encoding, which together make characters
        parts = codes.split("\\")[1:]
        return bytes(int(part[1:], 16) if part[0] == "x" else int(part, 8) & 0xFF for part in parts).decode(errors="replace")
    if code := short or long:
        return _character(int(code, 16), found[0])
    return _CONTROL.get(other or "", other or "")


def _character(code: int, written: str) -> str:
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else written


def number_value(literal: str) -> str:
    """What a number says in plain digits: `1_000` is 1000, `0x1F` is 31, `1e3` is 1000, `.5` is 0.5."""
    literal = literal.replace("_", "")
    if _HUGE.search(literal):
        return literal
    if literal.isascii() and literal.isdigit() and (literal[0] != "0" or literal == "0"):
        return literal
    base = _BASES.get(literal[1:2].lower())
    try:
        return str(int(literal[2:], base)) if base else numeric_read(numeric_write(literal))
    except ValueError:
        return literal
