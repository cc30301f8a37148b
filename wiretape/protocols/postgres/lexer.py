"""PostgreSQL's lexical rules: SQL text to tokens. Any string has tokens; an unclosed quote or comment runs to the end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wiretape.protocols.sqltext import Token, cut

# Kinds of tokens: string, word, parameter, number, name (a quoted identifier), cast, mark.
_START, _WITHIN = r"[A-Za-z_\u0080-\U0010ffff]", r"[A-Za-z0-9_\u0080-\U0010ffff]"
_NO_COMMENT = r"(?!--|/\*)"
_STRING = rf"""
    '(?:[^']++|'')*+(?:'|\Z)
  | [eE]'(?:[^'\\]++|\\.|\\\Z|'')*+(?:'|\Z)
  | [bBnNxX]'(?:[^']++|'')*+(?:'|\Z)
  | [uU]&'(?:[^']++|'')*+(?:'|\Z)
  | \$(?P<tag>(?:{_START}{_WITHIN}*+)?+)\$.*?(?:\$(?P=tag)\$|\Z)
"""
_NUMBER = r"""
    0[xX][0-9a-fA-F_]++ | 0[oO][0-7_]++ | 0[bB][01_]++
  | [0-9][0-9_]*+(?:\.(?!\.)[0-9_]*+)?+(?:[eE][+-]?[0-9]++)?+
  | \.[0-9][0-9_]*+(?:[eE][+-]?[0-9]++)?+
"""
# An operator ends in + or - only if it holds one of ~ ! @ # % ^ & | ` ?, and has 63 characters at most.
_OPERATOR = rf"""
    (?:{_NO_COMMENT}[-+*/<>=]){{0,62}}+{_NO_COMMENT}[~!@#%^&|`?](?:{_NO_COMMENT}[-+*/<>=~!@#%^&|`?]){{0,62}}+
  | (?:{_NO_COMMENT}[-+*/<>=]){{0,62}}{_NO_COMMENT}[*/<>=]
"""
# The order is for speed: what is frequent, or quickly told, comes first.
_TOKEN = re.compile(
    rf"""[ \t\n\r\f\v]*+(?:
    (?=['eEbBnNxXuU$])(?P<string>{_STRING})
  | (?P<name>       "(?:[^"]++|"")*+(?:"|\Z) | [uU]&"(?:[^"]++|"")*+(?:"|\Z) )
  | (?P<word>       {_START}(?:{_WITHIN}|\$)*+ )
  | (?P<parameter>  \$[0-9]++ )
  | (?P<comment>    --[^\n\r]*+ | /\*(?:[^*/]++|\*(?!/)|/(?!\*))*+\*/ )
  | (?P<open>       /\* )
  | (?P<number>     {_NUMBER})
  | (?P<cast>       :: )
  | (?P<mark>       [(),;] | {_OPERATOR} | . )
  | \Z)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def tokens(sql: str) -> list[Token]:
    """The tokens of the string, words in lower case, without white space and comments."""
    found = []
    for match in _matches(sql):
        kind = match.lastgroup
        if kind == "word":
            found.append((kind, match[kind].lower()))
        elif kind is not None and kind != "comment":
            found.append((kind, match[kind]))
    return found


def pieces(sql: str) -> Iterator[Token]:
    """The whole string without gaps: tokens as they are written, and of kind `space` what stands between two of them."""
    return cut(sql, _matches(sql))


def comments(sql: str) -> Iterator[tuple[int, int]]:
    """Where each comment begins and ends."""
    for match in _matches(sql, nested=True):
        kind = match.lastgroup
        if kind == "comment":
            yield match.span(kind)
        elif kind == "open":
            yield match.start(kind), _comment_end(sql, match.start(kind))


def _matches(sql: str, *, nested: bool = False) -> Iterator[re.Match[str]]:
    """Every token's match with the white space before it. A comment that holds comments, or is not closed, has none, but where
    `nested` is asked for that of its beginning."""
    at = 0
    while at < len(sql):
        for found in _TOKEN.finditer(sql, at):
            if found.lastgroup == "open":
                at = _comment_end(sql, found.start("open"))
                if nested:
                    yield found
                break
            yield found
        else:
            return


def _comment_end(sql: str, at: int) -> int:
    depth = 0
    for found in _COMMENT_EDGE.finditer(sql, at):
        depth += 1 if found[0] == "/*" else -1
        if not depth:
            return found.end()
    return len(sql)
