"""Names of cases: readable, stable from run to run, and free in the suite."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wiretape.tree import Tree

_LONGEST = 60
_GENERATED = re.compile(r"[0-9a-f-]{16,}|[0-9a-zA-Z_-]{22,}|\d{10,}", re.IGNORECASE)
_OPERATION = re.compile(r"^\s*(?:query|mutation|subscription)\s+([_A-Za-z]\w*)", re.MULTILINE)
_OTHER = re.compile(r"[^a-z0-9]+")


def slug(method: str, target: str, status: int, operation: str = "") -> str:
    """`POST /orders` answered by 201 -> `post-orders-201`. Segments that look generated become `id`; the query is left out.

    `operation` is what is asked where the path does not tell (GraphQL): `post-graphql-getorders-200`.
    """
    segments = [part for part in target.partition("?")[0].split("/") if part]
    words = ["id" if _GENERATED.fullmatch(part) else part for part in segments] or ["root"]
    words += [operation] if operation else []
    path = _OTHER.sub("-", "-".join([method, *words]).lower()).strip("-")[:_LONGEST].rstrip("-")
    return f"{path}-{status}"


def graphql_operation(body: Tree) -> str:
    """The name of the operation that a GraphQL request asks for; empty where it is none, or has no name."""
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        return ""
    name = body.get("operationName")
    if isinstance(name, str) and name:
        return name
    found = _OPERATION.search(str(body["query"]))
    return found[1] if found else ""


class Names:
    """Gives each name once, with a number where it is taken; `taken` are those the suite already has."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._last: dict[str, int] = {}

    def free(self, name: str) -> str:
        """`name`, or `name-2`, `name-3` …"""
        number = self._last.get(name, 0)
        while True:
            number += 1
            candidate = name if number == 1 else f"{name}-{number}"
            if candidate not in self._taken:
                self._last[name] = number
                self._taken.add(candidate)
                return candidate
