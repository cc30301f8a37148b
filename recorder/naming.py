"""Names of cases: readable, stable from run to run, and free in the suite."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LONGEST = 60
_GENERATED = re.compile(r"[0-9a-f-]{16,}|[0-9a-zA-Z_-]{22,}|\d{10,}", re.IGNORECASE)
_OTHER = re.compile(r"[^a-z0-9]+")


def slug(method: str, target: str, status: int) -> str:
    """`POST /orders` answered by 201 -> `post-orders-201`. Segments that look generated become `id`; the query is left out."""
    segments = [part for part in target.partition("?")[0].split("/") if part]
    words = ["id" if _GENERATED.fullmatch(part) else part for part in segments] or ["root"]
    path = _OTHER.sub("-", "-".join([method, *words]).lower()).strip("-")[:_LONGEST].rstrip("-")
    return f"{path}-{status}"


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
