"""What a mock says by itself where no recording does: transaction control, settings, version(), and the drivers' other chatter.

Without this, another version of a driver, which chats differently, would fail every case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from wiretape.protocols.postgres import diagnostics, typeinfo
from wiretape.protocols.postgres.session import IDLE, Session
from wiretape.protocols.postgres.sql import Statement
from wiretape.tree import Tree

_CALL = re.compile(r"(?:pg_catalog\.)?(\w+)(?: \(([^()]*)\))?(?: as ([^ ,]+))?(?:, |$)")
_SHOWN: Mapping[str, str] = MappingProxyType(
    {
        "transaction isolation level": "transaction_isolation",
        "time zone": "TimeZone",
        "session authorization": "session_authorization",
    }
)
_UNKNOWN = 'wiretape: no recording says what the setting "{0}" is'
_ADVICE = "add {0} to the target's facts in suite.yaml, under parameters, or record again"


def answer(session: Session, statement: Statement, values: Sequence[Tree]) -> dict[str, Tree]:
    """The fields of the call that answers a statement whose role is not `query`."""
    shape = statement.shape
    if statement.role == "begin" and session.status != IDLE:
        return {"notices": [diagnostics.error("25001", "there is already a transaction in progress", severity="WARNING")]}
    if statement.role == "end" and session.status == IDLE:
        return {"notices": [diagnostics.error("25P01", "there is no transaction in progress", severity="WARNING")]}
    if statement.role == "control" and session.status == IDLE:
        word = " ".join(shape.upper().split()[: 3 if statement.verb == "ROLLBACK" else 1]).replace(
            "ROLLBACK TO ?", "ROLLBACK TO"
        )
        return {"error": diagnostics.error("25P01", f"{word} can only be used in transaction blocks")}
    if statement.verb == "SHOW":
        return _show(session, shape.removeprefix("show "))
    if statement.verb != "SELECT" and not shape.startswith("with "):
        return {}
    if shape == "select ?":
        return {"columns": {"?column?": "int4"}, "rows": [[1]]}
    if shape.startswith("with recursive typeinfo_tree"):
        asked = [int(number) for value in values for number in re.findall(r"\d+", str(value))]
        told = typeinfo.rows(session.wording.catalog, asked)
        return {"columns": dict(typeinfo.ASYNCPG), "rows": [[row[name] for name in typeinfo.ASYNCPG] for row in told]}
    if "pg_type" in shape:
        names = selected(shape)
        if {"name", "oid", "array_oid"} <= set(names):
            return typeinfo.fetched(session.wording.catalog, names, [str(value) for value in values])
        return {
            "columns": [[name, "oid" if name.endswith(("oid", "typarray")) else "text"] for name in names],
            "rows": [],
        }
    return _calls(session, shape.removeprefix("select "), values)


def _show(session: Session, name: str) -> dict[str, Tree]:
    name = _SHOWN.get(name, name).strip('"')
    if name == "all":
        return {"columns": {"name": "text", "setting": "text", "description": "text"}, "rows": []}
    value = session.setting(name)
    if value is None:
        return {"error": diagnostics.error("42704", _UNKNOWN.format(name), hint=_ADVICE.format(name))}
    return {"columns": {name: "text"}, "rows": [[value]]}


def _calls(session: Session, items: str, values: Sequence[Tree]) -> dict[str, Tree]:
    """`version(), current_setting('a') AS b`: one row."""
    given = iter(values)
    columns: list[Tree] = []
    row: list[Tree] = []
    for name, arguments, alias in _CALL.findall(items):
        passed = [next(given, None) for _ in range(arguments.count("?"))]
        kind, value = _call(session, name, passed)
        columns.append([alias.strip('"') or name, kind])
        row.append(value)
    return {"columns": columns, "rows": [row]}


def _call(session: Session, name: str, passed: Sequence[Tree]) -> tuple[str, Tree]:
    match name:
        case "version":
            return "text", f"PostgreSQL {session.parameters['server_version']}, played back by wiretape"
        case "current_schema":
            return "name", "public"
        case "current_setting":
            return "text", session.setting(str(passed[0])) if passed else None
        case "set_config":
            return "text", passed[1] if len(passed) > 1 else None
        case "pg_is_in_recovery":
            return "bool", "f"
    return "void", ""


def selected(shape: str) -> list[str]:
    """The names of the columns that a SELECT returns, as far as its text tells them."""
    body, depth, items, item = (
        shape[shape.rfind("select distinct ") + 16 :] if shape.startswith("with ") else shape[7:],
        0,
        [],
        "",
    )
    for word in re.findall(r"\(|\)|,|[^\s(),]+", body):
        if word == "from" and not depth:
            break
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word == "," and not depth:
            items.append(item)
            item = ""
        else:
            item = word
    return [name.rsplit(".", 1)[-1].strip('"') for name in [*items, item]]
