"""From SQL text to what is asked: one plan for each text, shared by the tap, the mock and the book."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from wiretape import tracing
from wiretape.case import Call
from wiretape.errors import EncodeError
from wiretape.protocols.base import Ask, Role
from wiretape.protocols.postgres.copydata import cell
from wiretape.protocols.postgres.copylayout import Layout, layout_of
from wiretape.protocols.postgres.cursors import read_by
from wiretape.protocols.postgres.lexer import comments
from wiretape.protocols.postgres.meaning import canonical, likely, type_of
from wiretape.protocols.postgres.sql import Statement, identifier
from wiretape.protocols.postgres.sql import canonical as statements_of
from wiretape.protocols.postgres.types import Catalog, parse_type
from wiretape.protocols.postgres.values import from_tree
from wiretape.protocols.sqltext import untraced
from wiretape.tree import Tree

_ORDER: tuple[Role, ...] = ("query", "begin", "end", "control", "housekeeping")
BUILT_IN: Final = Catalog.of({})
BYTEA: Final = 17
_LONGEST_KEPT: Final = 8192  # characters
_LONGEST_VALUE_KEPT: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """What one SQL text asks.

    `role` is the weightiest of its statements'; `parameters` is the highest `$n`; `layout` is that of the data of a COPY, if
    the text is one, `cursor` the name of the cursor that it reads. Known by its identity, so that it is a cheap key.

    Of a text whose comments carry ids of the request it is sent for (`traces`), `plain` is the plan of the text without them:
    such texts are new each time, and only what they have in common is kept.
    """

    sql: str
    statements: tuple[Statement, ...]
    shape: str
    role: Role
    writes: bool
    parameters: int
    layout: Layout | None = None
    cursor: str = ""
    traces: tuple[str, ...] = ()
    plain: Plan | None = None

    @property
    def verb(self) -> str:
        """The first word of the only statement, in capitals; empty where there are several or none."""
        return self.statements[0].verb.upper() if len(self.statements) == 1 else ""


def plan(sql: str) -> Plan:
    """The plan of a text. Those of texts that may well come again are kept."""
    bare, traces = untraced(sql, comments(sql)) if tracing.may_carry(sql) else (sql, ())
    found = _kept(bare) if len(bare) <= _LONGEST_KEPT else _plan(bare)
    return replace(found, traces=traces, plain=found) if traces else found


def _plan(sql: str) -> Plan:
    statements = statements_of(sql)
    roles = {statement.role for statement in statements}
    return Plan(
        sql=sql,
        statements=statements,
        shape="; ".join(statement.shape for statement in statements),
        role=next((role for role in _ORDER if role in roles), "housekeeping"),
        writes=any(statement.writes for statement in statements),
        parameters=max((slot for each in statements for slot in each.literals if isinstance(slot, int)), default=0),
        layout=layout_of(statements[0]) if len(statements) == 1 else None,
        cursor=read_by(sql) if len(statements) == 1 else "",
    )


_kept = lru_cache(maxsize=4096)(_plan)


def make(target: str, asked: Plan, params: Sequence[str | bytes | None], types: tuple[int, ...] = ()) -> Ask:
    """The ask of a plan with its parameters, as text or None (bytes where a binary parameter's type is not known), and their
    types (0: not known)."""
    if asked.plain is not None:
        return replace(make(target, asked.plain, params, types), trace=asked.traces[0])
    if all(value is None or len(value) <= _LONGEST_VALUE_KEPT for value in params):
        return _kept_ask(target, asked, tuple(params), types)
    return _make(target, asked, params, types)


def meant(statement: Statement, params: Sequence[Tree], types: Sequence[int]) -> tuple[Tree, ...]:
    """The values of a statement in the spelling in which they are compared. `types` are the parameters' (0: not known)."""
    out = []
    for slot, kind in zip(statement.literals, statement.types, strict=True):
        if isinstance(slot, int):
            known = types[slot - 1] if 0 < slot <= len(types) else 0
            value = params[slot - 1] if 0 < slot <= len(params) else None
            out.append(canonical(known or type_of(kind), value))
        else:
            out.append(canonical(type_of(kind), slot))
    return tuple(out)


def _make(target: str, asked: Plan, params: Sequence[Tree], types: Sequence[int] = ()) -> Ask:
    if len(asked.statements) == 1:
        found = meant(asked.statements[0], params, types)
    else:
        found = tuple(value for statement in asked.statements for value in meant(statement, params, types))
    return Ask(
        target=target,
        operation=asked.sql,
        shape=asked.shape,
        values=found,
        writes=asked.writes,
        role=asked.role,
        trace=next(iter(asked.traces), ""),
    )


_kept_ask = lru_cache(maxsize=4096)(_make)


def ask(call: Call) -> Ask:
    """A recorded call as an ask."""
    params, types = call.fields.get("params"), call.fields.get("param_types")
    if call.fields.get("described") is True:
        return describing(call.target, plan(call.operation))
    if "payload" in call.fields:
        shape = f'notification "{channel(call)}"'
        return Ask(
            target=call.target,
            operation=call.operation,
            shape=shape,
            values=(call.fields["payload"],),
            labels=("payload",),
            role="push",
        )
    if "copy_in" in call.fields:
        asked = _make(call.target, plan(call.operation), ())
        return sending(asked, call.fields["copy_in"], gave_up=call.fields.get("copy_fail") is True)
    if "cursor" in call.fields:
        query = plan(str(call.fields["cursor"]))
        return reading(_make(call.target, plan(call.operation), ()), query.shape, _make("", query, ()).values)
    if not isinstance(params, list):
        return _make(call.target, plan(call.operation), ())
    named = types if isinstance(types, list) else []
    kinds = [str(named[index]) if index < len(named) else "" for index in range(len(params))]
    texts = [_text(value, kind) for value, kind in zip(params, kinds, strict=True)]
    oids = [_known(kind) or likely(value) for value, kind in zip(params, kinds, strict=True)]
    return _make(call.target, plan(call.operation), texts, oids)


def _known(kind: str) -> int:
    """The OID of a parameter's type, 0 where the recording does not tell it."""
    return 0 if kind == "unknown" else type_of(kind)


def _text(value: Tree, kind: Tree) -> Tree:
    """A parameter as text; as it stands where it is not one of its type."""
    try:
        oid = parse_type(BUILT_IN, str(kind))[0] if kind else 0
    except ValueError:  # a type of the database's own: its values are written as text
        oid = 0
    if isinstance(value, bytes) and oid != BYTEA:
        return value
    try:
        return from_tree(BUILT_IN, oid, value)
    except EncodeError:
        return value


def channel(call: Call) -> str:
    """The channel of a notification (`NOTIFY bell`)."""
    return identifier(call.operation.partition(" ")[2].strip())


def reading(ask: Ask, shape: str, values: tuple[Tree, ...]) -> Ask:
    """The ask of a FETCH or MOVE with the query of its cursor, that is with the query's `shape` and `values`."""
    return replace(ask, shape=f"{ask.shape} of {shape}", values=(*ask.values, *values))


def describing(target: str, asked: Plan) -> Ask:
    """The ask of a statement that is described only. It is no statement's own: what a driver describes it may never run."""
    return Ask(target=target, operation=asked.sql, shape=f"describe {asked.shape}", role="housekeeping")


def sending(ask: Ask, data: Tree, *, gave_up: bool) -> Ask:
    """The ask of a COPY with what the client sent: its rows are values of the ask. `gave_up`: it ended in CopyFail."""
    rows: list[Tree] = data if isinstance(data, list) else [data]
    labels = [f"value {at}" for at in range(1, len(ask.values) + 1)]
    values = list(ask.values)
    for at, row in enumerate(rows):
        cells = row if isinstance(row, list) else [row]
        labels += [f"copy_in[{at}][{place}]" for place in range(len(cells))]
        values += map(_cell, cells)
    if gave_up:
        labels.append("copy_fail")
        values.append(True)
    return replace(ask, values=tuple(values), labels=tuple(labels))


def _cell(value: Tree) -> Tree:
    try:
        return value if isinstance(value, bytes) else cell(value, "")
    except EncodeError:
        return value
