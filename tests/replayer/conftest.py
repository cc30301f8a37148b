"""A toy codec and short ways to write cases, for tests of the replayer that need no real protocol."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from wiretape.case import Body, Call, Case, Request, Response, Suite
from wiretape.protocols.base import Ask, Codec
from wiretape.tree import Tree

CONTROL = MappingProxyType(
    {"begin": "begin", "commit": "end", "rollback": "end", "savepoint": "control", "set": "housekeeping", "message": "push"}
)


def toy_ask(call: Call) -> Ask:
    """Numbers and quoted words in the operation are values; the first word says the role."""
    values = tuple(value.strip("'") for value in re.findall(r"'[^']*'|\b\d+\b", call.operation))
    shape = re.sub(r"'[^']*'|\b\d+\b", "?", call.operation)
    first = call.operation.split()[0].lower()
    role: Any = CONTROL.get(first, "query")
    writes = first in ("insert", "update", "delete", "commit", "pop")
    blocks = 0.2 if first == "pop" else None
    return Ask(
        target=call.target, operation=call.operation, shape=shape, values=values, writes=writes, role=role, blocks=blocks
    )


def _absent(*args: object) -> Any:
    raise NotImplementedError


def _check(call: Call) -> list[Any]:
    return []


TOY = Codec(
    name="toy",
    default_port=1,
    tap=_absent,
    responder=_absent,
    ask=toy_ask,
    check=_check,
    merge_facts=lambda left, right: {**left, **right},
    recognises=_absent,
    upstream=_absent,
)


def toy_call(operation: str, target: str = "main", ambiguous: tuple[str, ...] = (), **fields: Tree) -> Call:
    return Call(target=target, operation=operation, fields=fields, ambiguous=ambiguous)


def toy_case(name: str, *calls: Call, body: Tree = None, request: Tree = None, noise: Any = ()) -> Case:
    json_type = (("content-type", "application/json"),)
    return Case(
        name=name,
        request=Request(method="GET", target=f"/{name}", body=_json(request), headers=json_type),
        response=Response(status=200, headers=json_type, body=_json(body)),
        calls=calls,
        noise=noise,
        recorded="2026-11-20T10:00:00Z",
    )


def _json(tree: Tree) -> Body:
    return Body() if tree is None else Body(kind="json", value=tree)


@pytest.fixture
def codecs() -> Mapping[str, Codec]:
    return {"main": TOY, "other": TOY}


@pytest.fixture
def toy() -> Any:
    """`toy.ask("SELECT 1")`, `toy.call(…)`, `toy.case(…)`, `toy.suite(case, …, session=[…])`."""

    class Toy:
        call = staticmethod(toy_call)
        case = staticmethod(toy_case)

        @staticmethod
        def ask(operation: str, target: str = "main") -> Ask:
            return toy_ask(toy_call(operation, target))

        @staticmethod
        def suite(*cases: Case, session: tuple[Call, ...] = ()) -> Suite:
            from pathlib import Path

            return Suite(root=Path("suite"), cases=cases, session=tuple(session))

    return Toy
