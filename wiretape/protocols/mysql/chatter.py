"""What a mock says by itself where no recording does: transaction control, variables, version(), the drivers' other chatter.

Without this, another version of a driver, which chats differently, would fail every case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from wiretape.protocols.mysql import diagnostics
from wiretape.protocols.mysql.charsets import DEFAULTS
from wiretape.protocols.mysql.lexer import pieces, tokens
from wiretape.protocols.mysql.literals import string_value
from wiretape.protocols.mysql.session import Session
from wiretape.protocols.mysql.shape import shape_of
from wiretape.protocols.mysql.sql import Statement
from wiretape.tree import Number, Tree

_VARIABLE = re.compile(r"@@(?:(?:session|global|local)\.)?`?(\w+)`?")
_ADVICE = "wiretape: no recording says what the variable {0} is; add {0} to the target's facts in suite.yaml, under variables"
_PAIRS: dict[str, Tree] = {"Variable_name": "varchar(64) not null", "Value": "varchar(2048) not null"}


def answer(session: Session, statement: Statement, values: Sequence[Tree], sql: str) -> dict[str, Tree]:
    """The fields of the call that answers a statement whose role is not `query`. `sql` is the text the statement stood in."""
    shape = statement.shape
    if statement.verb == "SHOW":
        return _show(session, shape, [str(value) for value in values])
    if statement.verb != "SELECT":
        return {}
    columns: list[Tree] = []
    row: list[Tree] = []
    for name, item, given in selected(sql):
        found = _VARIABLE.fullmatch(item)
        if found:
            try:
                value = session.variable(found[1])
            except KeyError:
                return {"error": diagnostics.error(_ADVICE.format(found[1]), 1193)}
        else:
            value = _call(session, item, given)
        columns.append([name, _type(value)])
        row.append(value)
    return {"columns": columns, "rows": [row]}


def _type(value: Tree) -> str:
    match value:
        case Number():
            return "decimal(20,6)"
        case int() if value > 2**63 - 1:
            return "bigint unsigned"
        case int():
            return "bigint"
        case _:
            return f"varchar({max(len(str(value)), 64)})"


def _call(session: Session, item: str, given: Sequence[Tree]) -> Tree:
    match item.split(" ")[0]:
        case "version":
            return session.variable("version")
        case "database" | "schema":
            return session.database or None
        case "user" | "session_user" | "system_user":
            return f"{session.user}@localhost"
        case "current_user":
            return f"{session.user}@%"
        case "connection_id" | "convert_tz":
            return 1
        case "current_role":
            return None
    value = given[0] if given else None
    return int(value) if isinstance(value, str) and value.isdecimal() and item == "?" else value


def _show(session: Session, shape: str, values: list[str]) -> dict[str, Tree]:
    words = shape.split()
    what = words[2] if len(words) > 2 and words[1] in ("session", "global", "local") else words[1]
    match what:
        case "variables":
            rows = [
                [name, _shown(value)] for name, value in sorted(session.variables().items()) if _is_wanted(name, shape, values)
            ]
            return {"columns": dict(_PAIRS), "rows": list[Tree](rows)}
        case "warnings" | "errors":
            columns: dict[str, Tree] = {
                "Level": "varchar(7) not null",
                "Code": "int unsigned not null",
                "Message": "varchar(512) not null",
            }
            return {"columns": columns, "rows": [_warning(each) for each in session.warnings]}
        case "count":
            return {"columns": {"@@session.warning_count": "bigint"}, "rows": [[len(session.warnings)]]}
        case "collation":
            named: dict[str, Tree] = {
                "Collation": "varchar(64) not null", "Charset": "varchar(32) not null", "Id": "bigint not null",
                "Default": "varchar(3) not null", "Compiled": "varchar(3) not null", "Sortlen": "bigint not null",
            }  # fmt: skip
            told: list[Tree] = [[f"{one.name}_general_ci", one.name, one.collation, "Yes", "Yes", 1] for one in DEFAULTS]
            return {"columns": named, "rows": told}
        case "character" | "charset":
            named = {
                "Charset": "varchar(32) not null", "Description": "varchar(60) not null",
                "Default collation": "varchar(64) not null", "Maxlen": "bigint not null",
            }  # fmt: skip
            told = [[one.name, one.name, f"{one.name}_general_ci", one.widest] for one in DEFAULTS]
            return {"columns": named, "rows": told}
    return {"columns": dict(_PAIRS), "rows": []}


def _shown(value: Tree) -> Tree:
    return value if isinstance(value, str) else str(value)


def _is_wanted(name: str, shape: str, values: list[str]) -> bool:
    if not values:
        return True
    if "like" in shape.split():
        return any(re.fullmatch(_pattern(value), name, re.IGNORECASE) for value in values)
    return name in [value.lower() for value in values]


def _pattern(like: str) -> str:
    parts = re.findall(r"\\[%_]|.", like, re.DOTALL)
    return "".join(".*" if part == "%" else "." if part == "_" else re.escape(part[-1]) for part in parts)


def _warning(told: Tree) -> Tree:
    if not isinstance(told, dict):
        return ["Warning", 1105, str(told)]
    return [told.get("level", "Warning"), told.get("code", 1105), told.get("message", "")]


def selected(sql: str) -> Iterator[tuple[str, str, tuple[Tree, ...]]]:
    """Each item of a SELECT without FROM: the name its column gets, its shape without the alias, its values."""
    items: list[list[tuple[str, str]]] = [[]]
    depth = 0
    for number, (kind, text) in enumerate(_body(sql)):
        depth += {"(": 1, ")": -1}.get(text, 0) if kind == "mark" else 0
        if not number:
            continue
        if not depth and kind == "word" and text.lower() in ("limit", "from"):
            break
        if not depth and (kind, text) == ("mark", ","):
            items.append([])
        elif not depth and (kind, text) == ("mark", ";"):
            break
        else:
            items[-1].append((kind, text))
    for item in items:
        yield _item([piece for piece in item if piece[0] != "hint"])


def _body(sql: str) -> Iterator[tuple[str, str]]:
    """The pieces from SELECT on."""
    begun = False
    for kind, text in pieces(sql):
        begun = begun or kind not in ("space", "hint", "mark")
        if begun:
            yield kind, " " if kind == "space" else text


def _item(found: list[tuple[str, str]]) -> tuple[str, str, tuple[Tree, ...]]:
    words = [piece for piece in found if piece[0] != "space"]
    alias = ""
    if len(words) > 2 and words[-2][1].lower() == "as":
        alias, words = _name(words[-1]), words[:-2]
    elif len(words) > 1 and words[-1][0] in ("word", "name") and words[-1][1].lower() != "null":
        alias, words = _name(words[-1]), words[:-1]
    text = "".join(text for _, text in found).strip()
    shape, slots = shape_of(tokens(" ".join(text for _, text in words)))
    if not alias and len(words) == 1 and words[0][0] == "string":
        alias = string_value(words[0][1])
    return alias or text, shape, tuple(slots)


def _name(token: tuple[str, str]) -> str:
    kind, text = token
    if kind == "string":
        return string_value(text)
    return text[1:-1].replace("``", "`") if kind == "name" else text
