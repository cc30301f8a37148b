"""Whether a call can be served: what lint and the mock ask before a run; and the JSON Schema of a call's fields."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wiretape.case import Call
from wiretape.errors import EncodeError
from wiretape.protocols.base import Problem
from wiretape.protocols.postgres import diagnostics
from wiretape.protocols.postgres.asks import BUILT_IN, plan
from wiretape.protocols.postgres.results import Shape, Wording, encode_row, shape
from wiretape.protocols.postgres.settings import style
from wiretape.protocols.postgres.types import parse_type
from wiretape.protocols.postgres.values import from_tree
from wiretape.tree import Tree

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
_RESULT: dict[str, Tree] = {
    "columns": _COLUMNS,
    "rows": {"type": "array", "items": _ROW},
    "tag": {"type": "string", "description": "the command tag where rows and text do not tell it: UPDATE 3"},
}
SCHEMA: Mapping[str, Tree] = MappingProxyType(
    {
        "params": {"type": "array", "description": "the values of $1, $2 … as text; null is NULL"},
        "param_types": {"type": "array", "items": {"type": "string"}, "description": "the types of $1, $2 …"},
        **_RESULT,
        "error": _ERROR,
        "stage": {
            "enum": list(diagnostics.STAGES),
            "description": "what the error answers; execute where it does not stand here",
        },
        "notices": {"type": "array", "items": _ERROR},
        "parameters": {"type": "object", "additionalProperties": _SCALAR, "description": "settings that the call changed"},
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


def check(call: Call) -> list[Problem]:
    """Everything in a call that could not be served, by place. Values of types that only the facts know are not judged."""
    fields = call.fields
    problems = [
        Problem(path=name, reason=f"a PostgreSQL call has no such field (it has: {', '.join(SCHEMA)})")
        for name in fields
        if name not in SCHEMA
    ]
    results = fields.get("results")
    if isinstance(results, list):
        count = len(plan(call.operation).statements)
        if len(results) > count:
            problems.append(Problem(path="results", reason=f"{len(results)} results of {count} statements"))
        for index, result in enumerate(results):
            problems += _check_result(result, f"results[{index}].")
    else:
        problems += _check_result(dict(fields), "")
    return problems + _check_params(fields) + _check_diagnostics(fields)


def _check_result(result: Tree, path: str) -> list[Problem]:
    if not isinstance(result, Mapping):
        return [Problem(path=path.rstrip("."), reason="expected a mapping with columns, rows, tag")]
    columns, rows = result.get("columns"), result.get("rows", [])
    if not isinstance(rows, list):
        return [Problem(path=f"{path}rows", reason="expected a list of rows")]
    if columns is None:
        return [Problem(path=f"{path}rows", reason="rows need columns: say their names and types")] if rows else []
    try:
        described = _known(columns, f"{path}columns")
    except EncodeError as error:
        return [_problem(error)]
    if described is None:
        return []
    return [problem for index, row in enumerate(rows) for problem in _check_row(described, row, f"{path}rows[{index}]")]


def _known(columns: Tree, path: str) -> Shape | None:
    return shape(BUILT_IN, columns, path)


def _check_row(described: Shape, row: Tree, path: str) -> list[Problem]:
    wording = Wording(catalog=BUILT_IN, style=style({}))
    if not isinstance(row, list) or len(row) != len(described.types):
        try:
            encode_row(wording, described, (), row, path)
        except EncodeError as error:
            return [_problem(error)]
    return []


def _check_params(fields: Mapping[str, Tree]) -> list[Problem]:
    params, types = fields.get("params", []), fields.get("param_types", [])
    problems = [
        Problem(path=name, reason="expected a list")
        for name, value in (("params", params), ("param_types", types))
        if not isinstance(value, list)
    ]
    if problems or not isinstance(params, list) or not isinstance(types, list):
        return problems
    for index, (value, kind) in enumerate(zip(params, types, strict=False)):
        try:
            from_tree(BUILT_IN, parse_type(BUILT_IN, str(kind))[0], value)
        except EncodeError as error:
            problems.append(Problem(path=f"params[{index}]", reason=error.reason))
    return problems


def _check_diagnostics(fields: Mapping[str, Tree]) -> list[Problem]:
    problems = []
    notices = fields.get("notices", [])
    told = [(notice, f"notices[{index}]") for index, notice in enumerate(notices)] if isinstance(notices, list) else []
    if "error" in fields:
        told.append((fields["error"], "error"))
    for tree, path in told:
        try:
            diagnostics.from_tree(tree, path)
        except EncodeError as error:
            problems.append(_problem(error))
    if "stage" in fields and fields["stage"] not in diagnostics.STAGES:
        problems.append(Problem(path="stage", reason=f"{fields['stage']!r} is none of {', '.join(diagnostics.STAGES)}"))
    return problems


def _problem(error: EncodeError) -> Problem:
    return Problem(path=error.path, reason=error.reason)
