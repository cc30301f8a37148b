"""MySQL's lexical rules: SQL text to tokens. Any string has tokens; an unclosed quote or comment runs to the end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wiretape.protocols.sqltext import Token, cut

# Kinds of tokens: string, bytes (hexadecimal and bit literals), word, variable, parameter, number, name (a quoted identifier),
# mark, hint (the edge of a comment that the server reads: `/*!40101` or `*/`).
_START, _WITHIN = r"[A-Za-z_$\u0080-\U0010ffff]", r"[A-Za-z0-9_$\u0080-\U0010ffff]"
_QUOTED = r"""'(?:[^'\\]++|\\.|'')*+(?:'|\\?\Z) | "(?:[^"\\]++|\\.|"")*+(?:"|\\?\Z)"""
_NAME = r"`(?:[^`]++|``)*+(?:`|\Z)"
# The order is for speed: what is frequent, or quickly told, comes first.
_TOKEN = re.compile(
    rf"""[ \t\n\r\f\v]*+(?:
    (?P<string>    {_QUOTED} | [nN]'(?:[^'\\]++|\\.|'')*+(?:'|\\?\Z) )
  | (?P<name>      {_NAME} )
  | (?P<bytes>     [xXbB]'[0-9A-Fa-f]*+' | 0x[0-9A-Fa-f]++(?!{_WITHIN}) | 0b[01]++(?!{_WITHIN}) )
  | (?P<number>    (?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+(?!{_WITHIN}) )
  | (?P<word>      {_WITHIN}++ )
  | (?P<parameter> \? )
  | (?P<variable>  @@?(?:{_QUOTED}|{_NAME}|(?:{_WITHIN}|\.)++)?+ )
  | (?P<hint>      /\*[mM]?![0-9]*+ | \*/ )
  | (?P<comment>   \#[^\n]*+ | --(?=[\s\x00-\x1f]|\Z)[^\n]*+ | /\*.*?(?:\*/|\Z) )
  | (?P<mark>      [(),;] | <=>|<<|>>|<=|>=|<>|!=|:=|&&|\|\||->>|-> | . )
  | \Z)""",
    re.VERBOSE | re.DOTALL,
)


def tokens(sql: str) -> list[Token]:
    """The tokens of the string, words and variables in lower case, without white space, comments and the edges of hints."""
    found = []
    for match in _TOKEN.finditer(sql):
        kind = match.lastgroup
        if kind in ("word", "variable"):
            found.append((kind, match[kind].lower()))
        elif kind is not None and kind not in ("comment", "hint"):
            found.append((kind, match[kind]))
    return found


def comments(sql: str) -> Iterator[tuple[int, int]]:
    """Where each comment begins and ends, but for those that the server reads."""
    return (match.span("comment") for match in _TOKEN.finditer(sql) if match.lastgroup == "comment")


def pieces(sql: str) -> Iterator[Token]:
    """The whole string without gaps: tokens as they are written, and of kind `space` what stands between two of them."""
    return cut(sql, _TOKEN.finditer(sql))
