"""Whether a call can be served: what lint and the mock ask before a run; and the JSON Schema of a call's fields."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from types import MappingProxyType

from wiretape.case import Call
from wiretape.errors import EncodeError
from wiretape.protocols.base import Problem
from wiretape.protocols.postgres import copybinary, copydata, diagnostics
from wiretape.protocols.postgres.asks import plan
from wiretape.protocols.postgres.copylayout import layout_of
from wiretape.protocols.postgres.results import BYTEA, Shape, Wording, shape
from wiretape.protocols.postgres.settings import style
from wiretape.protocols.postgres.sql import Statement
from wiretape.protocols.postgres.types import Catalog
from wiretape.protocols.postgres.values import NoBinary, from_tree, is_record, record_binary, to_binary
from wiretape.tree import Tree

_DATES = frozenset({1082, 1114, 1184, 1186, 1115, 1182, 1185, 1187})
_SCALAR: Tree = {"type": ["string", "number", "boolean", "null"]}
_ROW: Tree = {"type": "array", "description": "one row, as psql prints its values; null is NULL"}
_COLUMNS: Tree = {
    "description": "the result's columns: name and type, or a list of [name, type] where names repeat",
    "oneOf": [
        {"type": "object", "additionalProperties": {"type": "string"}},
        {
            "type": "array",
            "items": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "string"}], "minItems": 2, "maxItems": 2},
        },
    ],
}
_ERROR: Tree = {
    "type": "object",
    "properties": {name: {"type": ["string", "integer"]} for name in diagnostics.NAMES.values()},
    "additionalProperties": False,
}
_COPY: Tree = {
    "description": "the data of a COPY: a list of rows, each value as its text, null is NULL; or all of it as text or bytes",
    "oneOf": [{"type": "array", "items": {"type": "array"}}, {"type": "string"}],
}
_RESULT: dict[str, Tree] = {
    "columns": _COLUMNS,
    "rows": {"type": "array", "items": _ROW},
    "tag": {"type": "string", "description": "the command tag where rows and text do not tell it: UPDATE 3"},
    "copy_out": _COPY,
}
SCHEMA: Mapping[str, Tree] = MappingProxyType(
    {
        "params": {"type": "array", "description": "the values of $1, $2 … as text; null is NULL"},
        "param_types": {"type": "array", "items": {"type": "string"}, "description": "the types of $1, $2 …"},
        **_RESULT,
        "copy_in": _COPY,
        "copy_fail": {"type": "boolean", "description": "the client gave up the COPY after what it had sent"},
        "error": _ERROR,
        "stage": {
            "enum": list(diagnostics.STAGES),
            "description": "what the error answers; execute where it does not stand here",
        },
        "notices": {"type": "array", "items": _ERROR},
        "parameters": {"type": "object", "additionalProperties": _SCALAR, "description": "settings that the call changed"},
        "result": {"description": "what a function returned that was called by its OID"},
        "cursor": {"type": "string", "description": "the query of the cursor that a FETCH or MOVE reads"},
        "payload": {"type": "string", "description": "what another connection's NOTIFY told this one"},
        "notifications": {
            "type": "array",
            "description": "what the connection was told of its own notifications, as it listens on these channels",
            "items": {
                "type": "object",
                "properties": {"channel": {"type": "string"}, "payload": {"type": "string"}},
                "additionalProperties": False,
            },
        },
        "described": {
            "type": "boolean",
            "description": "the client asked what the result would look like, and did not run the statement",
        },
        "suspended": {
            "type": "boolean",
            "description": "the client read these rows and no more, though there may have been more",
        },
        "results": {
            "type": "array",
            "description": "the results of several statements in one text",
            "items": {"type": "object", "properties": _RESULT, "additionalProperties": False},
        },
    }
)


def check(call: Call, facts: Mapping[str, Tree] | None = None, /) -> list[Problem]:
    """Everything in a call that could not be served, by place. Without facts, types that are not built in are not judged."""
    types = (facts or {}).get("types")
    try:
        catalog = Catalog.of(types if isinstance(types, Mapping) else {})
    except EncodeError as error:
        return [Problem(path="", reason=f"the facts of {call.target} in suite.yaml are wrong: {error}")]
    told = (facts or {}).get("parameters")
    settings = {name: str(value) for name, value in told.items()} if isinstance(told, Mapping) else {}
    inspection = _Inspection(catalog, settings, lenient=facts is None)
    return [Problem(path=error.path, reason=error.reason) for error in inspection.of(call)]


class _Inspection:
    """Tries to write each part of a call."""

    def __init__(self, catalog: Catalog, settings: Mapping[str, str], *, lenient: bool) -> None:
        self._wording = Wording(catalog=catalog, style=style(settings))
        # dates in other styles are served as they stand, but nobody can judge them
        self._judges_dates = self._wording.style.datestyle.startswith("ISO") and self._wording.style.interval == "postgres"
        self._lenient = lenient

    def of(self, call: Call) -> Iterator[EncodeError]:
        fields = call.fields
        for name in fields:
            if name not in SCHEMA:
                yield EncodeError(name, f"a PostgreSQL call has no such field (it has: {', '.join(SCHEMA)})")
        results = fields.get("results")
        if isinstance(results, list):
            statements = plan(call.operation).statements
            count = len(statements)
            if count == 1:
                yield EncodeError("results", "this is one statement: write its columns, rows and tag without results")
            elif len(results) > count:
                yield EncodeError("results", f"{len(results)} results of {count} statements")
            for index, result in enumerate(results):
                yield from self._result(result, f"results[{index}].", statements[index] if index < count else None)
        else:
            yield from self._result(dict(fields), "", plan(call.operation).statements[0])
        yield from self._params(fields)
        yield from _diagnostics(fields)

    def _result(self, result: Tree, path: str, statement: Statement | None) -> Iterator[EncodeError]:
        if not isinstance(result, Mapping):
            yield EncodeError(path.rstrip("."), "expected a mapping with columns, rows, tag")
            return
        if "copy_in" in result or "copy_out" in result:
            yield from self._copy(result, path, statement)
            return
        columns, rows = result.get("columns"), result.get("rows", [])
        if not isinstance(rows, list):
            yield EncodeError(f"{path}rows", "expected a list of rows")
        elif columns is not None:
            described = yield from self._columns(columns, f"{path}columns")
            if described is not None:
                for index, row in enumerate(rows):
                    yield from self._row(described, row, f"{path}rows[{index}]")
        elif rows:
            yield EncodeError(f"{path}rows", "rows need columns: say their names and types")

    def _copy(self, result: Mapping[str, Tree], path: str, statement: Statement | None) -> Iterator[EncodeError]:
        layout = layout_of(statement) if statement else None
        for name in ("copy_in", "copy_out"):
            if name not in result:
                continue
            if layout is None or name != f"copy_{layout.direction}":
                yield EncodeError(f"{path}{name}", "the statement is no COPY in that direction")
                continue
            columns, described = result.get("columns"), None
            if columns is not None and layout.form == "binary":
                described = yield from self._columns(columns, f"{path}columns")
            try:
                if layout.form != "binary":
                    copydata.write(layout, result[name], self._wording.encoding, f"{path}{name}")
                elif described is not None or columns is None:
                    copybinary.write(self._wording, described, result[name], f"{path}{name}")
            except EncodeError as error:
                yield error

    def _columns(self, columns: Tree, path: str) -> Generator[EncodeError, None, Shape | None]:
        try:
            return shape(self._wording.catalog, columns, path)
        except EncodeError as error:
            if not (self._lenient and _may_be_custom(error)):
                yield error
        return None

    def _row(self, described: Shape, row: Tree, path: str) -> Iterator[EncodeError]:
        if not isinstance(row, list) or len(row) != len(described.types):
            given = f"{len(row)} values" if isinstance(row, list) else "no list of values"
            yield EncodeError(path, f"{given} for {len(described.types)} columns")
            return
        for index, (value, (oid, _)) in enumerate(zip(row, described.types, strict=True)):
            yield from self._value(oid, value, f"{path}[{index}]")

    def _value(self, oid: int, value: Tree, path: str) -> Iterator[EncodeError]:
        if isinstance(value, bytes) and oid != BYTEA:
            return  # the binary form itself
        if oid in _DATES and not self._judges_dates:
            return
        try:
            text = from_tree(self._wording.catalog, oid, value)
            if is_record(oid, value):
                record_binary(self._wording.catalog, value, self._wording.style)
                return
            if text is not None and self._wording.catalog.by_oid(oid) is not None:
                to_binary(self._wording.catalog, oid, text, self._wording.style)
        except NoBinary:
            return
        except EncodeError as error:
            yield EncodeError(path, error.reason)

    def _params(self, fields: Mapping[str, Tree]) -> Iterator[EncodeError]:
        params, types = fields.get("params", []), fields.get("param_types", [])
        if not isinstance(params, list) or not isinstance(types, list):
            yield EncodeError("params" if isinstance(types, list) else "param_types", "expected a list")
            return
        for index, (value, kind) in enumerate(zip(params, types, strict=False)):
            described = yield from self._columns([["", kind]], f"param_types[{index}]")
            if described is not None:
                yield from self._value(described.types[0][0], value, f"params[{index}]")


def _may_be_custom(error: EncodeError) -> bool:
    """A type that is not built in, and no misspelling of one that is."""
    return "not a known type" in error.reason and "did you mean" not in error.reason


def _diagnostics(fields: Mapping[str, Tree]) -> Iterator[EncodeError]:
    notices = fields.get("notices", [])
    told = [(notice, f"notices[{index}]") for index, notice in enumerate(notices)] if isinstance(notices, list) else []
    if "error" in fields:
        told.append((fields["error"], "error"))
    for tree, path in told:
        try:
            diagnostics.from_tree(tree, path)
        except EncodeError as error:
            yield error
    if "stage" in fields and fields["stage"] not in diagnostics.STAGES:
        yield EncodeError("stage", f"{fields['stage']!r} is none of {', '.join(diagnostics.STAGES)}")
