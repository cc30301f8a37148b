"""From SQL text to what is asked: one plan for each text, shared by the tap, the mock and the book."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from wiretape import tracing
from wiretape.case import Call
from wiretape.protocols.base import Ask, Role
from wiretape.protocols.mysql.lexer import comments
from wiretape.protocols.mysql.literals import comparable
from wiretape.protocols.mysql.sql import Statement, canonical, tidy
from wiretape.protocols.sqltext import filled, untraced
from wiretape.tree import Tree

_ORDER: tuple[Role, ...] = ("query", "begin", "end", "control", "housekeeping")
_LONGEST_KEPT: Final = 8192  # characters


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """What one SQL text asks. `role` is the weightiest of its statements'; `parameters` is the number of its `?`.

    Of a text whose comments carry ids of the request it is sent for (`traces`), `plain` is the plan of the text without them:
    such texts are new each time, and only what they have in common is kept.
    """

    sql: str
    statements: tuple[Statement, ...]
    shape: str
    role: Role
    writes: bool
    parameters: int
    traces: tuple[str, ...] = ()
    plain: Plan | None = None


def plan(sql: str) -> Plan:
    """The plan of a text. Those of texts that may well come again are kept."""
    bare, traces = _untraced(sql)
    found = _kept(bare) if len(bare) <= _LONGEST_KEPT else _plan(bare)
    return replace(found, traces=traces, plain=found) if traces else found


def _untraced(sql: str) -> tuple[str, tuple[str, ...]]:
    return untraced(sql, comments(sql)) if tracing.may_carry(sql) else (sql, ())


def _plan(sql: str) -> Plan:
    return planned(sql, canonical(sql))


_kept = lru_cache(maxsize=4096)(_plan)
_kept_tidy = lru_cache(maxsize=4096)(tidy)


def operation_of(sql: str) -> str:
    """How a case words the text."""
    bare, _ = _untraced(sql)
    return _kept_tidy(bare) if len(bare) <= _LONGEST_KEPT else tidy(bare)


def planned(sql: str, statements: Sequence[Statement]) -> Plan:
    """The plan of these statements."""
    roles = {statement.role for statement in statements}
    return Plan(
        sql=sql,
        statements=tuple(statements),
        shape="; ".join(statement.shape for statement in statements),
        role=next((role for role in _ORDER if role in roles), "housekeeping"),
        writes=any(statement.writes for statement in statements),
        parameters=max((slot for each in statements for slot in each.literals if isinstance(slot, int)), default=0),
    )


def make(target: str, asked: Plan, params: Sequence[Tree], database: str = "") -> Ask:
    """The ask of a plan with its parameters. `database` is the one in use, where that is not the connection's own."""
    given = [comparable(value) for value in params]
    found = tuple(value for statement in asked.statements for value in filled(statement.literals, given))
    shape = f"use {database}: {asked.shape}" if database else asked.shape
    return Ask(
        target=target,
        operation=asked.sql,
        shape=shape,
        values=found,
        writes=asked.writes,
        role=asked.role,
        trace=next(iter(asked.traces), ""),
    )


def ask(call: Call) -> Ask:
    """A recorded call as an ask."""
    params, database = call.fields.get("params"), call.fields.get("database")
    return make(
        call.target,
        plan(call.operation),
        params if isinstance(params, list) else (),
        database if isinstance(database, str) else "",
    )
