"""PostgreSQL's lexical rules: SQL text to tokens. Any string has tokens; an unclosed quote or comment runs to the end."""

from __future__ import annotations

import re
from collections.abc import Iterator

type Token = tuple[str, str]
"""Kind (string, word, parameter, number, name, cast, mark) and text. A `name` is a quoted identifier; words are in lower case."""

_START, _WITHIN = r"[A-Za-z_\u0080-\U0010ffff]", r"[A-Za-z0-9_\u0080-\U0010ffff]"
_NO_COMMENT = r"(?!--|/\*)"
# An operator ends in + or - only if it holds one of ~ ! @ # % ^ & | ` ?, and has 63 characters at most.
_TOKEN = re.compile(
    rf"""
    (?P<space>     [ \t\n\r\f\v]++ | --[^\n\r]*+ | /\*(?:[^*/]++|\*(?!/)|/(?!\*))*+\*/ )
  | (?P<comment>   /\* )
  | (?P<string>    [eE]'(?:[^'\\]++|\\.|\\\Z|'')*+(?:'|\Z)
                 | (?:[bBnNxX]|[uU]&)?'(?:[^']++|'')*+(?:'|\Z)
                 | \$(?P<tag>(?:{_START}{_WITHIN}*+)?+)\$.*?(?:\$(?P=tag)\$|\Z) )
  | (?P<name>      (?:[uU]&)?"(?:[^"]++|"")*+(?:"|\Z) )
  | (?P<word>      {_START}(?:{_WITHIN}|\$)*+ )
  | (?P<parameter> \$[0-9]++ )
  | (?P<number>    0[xX][0-9a-fA-F_]++ | 0[oO][0-7_]++ | 0[bB][01_]++
                 | (?:[0-9][0-9_]*+(?:\.(?!\.)[0-9_]*+)?+|\.[0-9][0-9_]*+)(?:[eE][+-]?[0-9]++)?+ )
  | (?P<cast>      :: )
  | (?P<mark>      (?:{_NO_COMMENT}[-+*/<>=]){{0,62}}+{_NO_COMMENT}[~!@#%^&|`?](?:{_NO_COMMENT}[-+*/<>=~!@#%^&|`?]){{0,62}}+
                 | (?:{_NO_COMMENT}[-+*/<>=]){{0,62}}{_NO_COMMENT}[*/<>=]
                 | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def scan(sql: str) -> Iterator[tuple[str, str]]:
    """Kind and text of every piece of the string, in order and without gaps; white space and comments are of kind `space`."""
    at = 0
    while at < len(sql):
        for found in _TOKEN.finditer(sql, at):
            kind = found.lastgroup or "mark"
            if kind == "comment":  # one that holds comments, or is not closed
                start, at = found.start(), _comment_end(sql, found.start())
                yield "space", sql[start:at]
                break
            yield kind, found[0]
        else:
            return


def tokens(sql: str) -> list[Token]:
    """The tokens of the string, without white space and comments."""
    return [(kind, text.lower() if kind == "word" else text) for kind, text in scan(sql) if kind != "space"]


def _comment_end(sql: str, at: int) -> int:
    depth = 0
    for found in _COMMENT_EDGE.finditer(sql, at):
        depth += 1 if found[0] == "/*" else -1
        if not depth:
            return found.end()
    return len(sql)
