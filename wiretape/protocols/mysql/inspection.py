"""Whether a call can be served: what lint and the mock ask before a run; and the JSON Schema of a call's fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from wiretape.case import Call
from wiretape.errors import EncodeError
from wiretape.protocols.base import Problem
from wiretape.protocols.mysql import diagnostics
from wiretape.protocols.mysql.asks import plan
from wiretape.protocols.mysql.charsets import UTF8MB4
from wiretape.protocols.mysql.rendering import binary_row, described, render, warned
from wiretape.tree import Tree

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
_NUMBER: Tree = {"type": "integer", "minimum": 0}
_RESULT: dict[str, Tree] = {
    "columns": _COLUMNS,
    "rows": {
        "type": "array",
        "items": {"type": "array", "description": "one row, as the mariadb client prints its values; null is NULL"},
    },
    "tables": {
        "type": "array",
        "items": {"type": "string"},
        "description": "the table each column comes from, where there is more than one",
    },
    "out": {"type": "boolean", "description": "the row holds a procedure's OUT parameters"},
    "affected": {**_NUMBER, "description": "rows changed; 0 where it does not stand here"},  # type: ignore[dict-item]
    "last_insert_id": {**_NUMBER, "description": "the AUTO_INCREMENT value that was made"},  # type: ignore[dict-item]
    "info": {"type": "string", "description": "what the server says in words, where that is not the usual"},
}
_ERROR: Tree = {
    "type": "object",
    "properties": {"code": _NUMBER, "state": {"type": ["string", "integer"]}, "message": {"type": "string"}},
    "additionalProperties": False,
}
SCHEMA: Mapping[str, Tree] = MappingProxyType(
    {
        "params": {"type": "array", "description": "the values of the statement's ?; null is NULL"},
        "database": {"type": "string", "description": "the database in use, where it is not the one the client connected to"},
        **_RESULT,
        "warnings": {
            "description": "how many warnings there are, or the warnings",
            "oneOf": [
                _NUMBER,
                {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"level": {"type": "string"}, "code": _NUMBER, "message": {"type": "string"}},
                        "additionalProperties": False,
                    },
                },
            ],
        },
        "error": _ERROR,
        "stage": {
            "enum": list(diagnostics.STAGES),
            "description": "what the error answers; execute where it does not stand here",
        },
        "suspended": {
            "type": "boolean",
            "description": "the client read these rows and no more, though there may have been more",
        },
        "results": {
            "type": "array",
            "description": "the results of several statements in one text, or of a procedure",
            "items": {"type": "object", "properties": _RESULT, "additionalProperties": False},
        },
    }
)


def check(call: Call, facts: Mapping[str, Tree] | None = None, /) -> list[Problem]:  # noqa: ARG001 - no fact says what fits
    """Everything in a call that could not be served, by place."""
    return [Problem(path=error.path, reason=error.reason) for error in _problems(call)]


def _problems(call: Call) -> Iterator[EncodeError]:
    fields = call.fields
    for name in fields:
        if name not in SCHEMA:
            yield EncodeError(name, f"a MySQL call has no such field (it has: {', '.join(SCHEMA)})")
    if not isinstance(fields.get("params", []), list):
        yield EncodeError("params", "expected a list")
    if "stage" in fields and fields["stage"] not in diagnostics.STAGES:
        yield EncodeError("stage", f"{fields['stage']!r} is none of {', '.join(diagnostics.STAGES)}")
    results = fields.get("results")
    told = [(result, f"results[{index}].") for index, result in enumerate(results)] if isinstance(results, list) else []
    broken = False
    for result, path in told or [(dict(fields), "")]:
        for error in _rows(result, path):
            broken = True
            yield error
    if not broken:
        yield from _rest(call)


def _rows(result: Tree, path: str) -> Iterator[EncodeError]:
    """Problems of columns and rows, each row on its own."""
    if not isinstance(result, Mapping) or result.get("columns") is None:
        return
    try:
        _, types = described(result["columns"], f"{path}columns")
    except EncodeError as error:
        yield error
        return
    rows = result.get("rows", [])
    for index, row in enumerate(rows if isinstance(rows, list) else ()):
        try:
            binary_row(types, row, UTF8MB4, f"{path}rows[{index}]")
        except EncodeError as error:
            yield error


def _rest(call: Call) -> Iterator[EncodeError]:
    try:
        warned(call.fields)
        render(call, plan(call.operation).statements, UTF8MB4, binary=True, mariadb=True)
    except EncodeError as error:
        yield error
