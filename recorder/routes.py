"""Which requests go the same way: paths with the parts that vary left open (`/orders/{}`), inferred from all that were seen."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

OPEN: Final = "{}"
_GENERATED = re.compile(r"\d+|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}|[0-9A-Za-z_-]{22,}", re.IGNORECASE)
# So many different words at one place of otherwise equal paths are values rather than names of things.
_MANY: Final = 9


class Routes:
    """The routes of a set of requests. A segment is open if it looks generated, or if too many stand in its place."""

    def __init__(self, requests: Iterable[tuple[str, str]]) -> None:
        """`requests` are methods and targets."""
        root = _Node()
        for method, target in requests:
            node = root.child(method)
            for segment in segments(target):
                node = node.child(segment)
            node.ends = True
        self._root = _merged(root, methods=True)

    def of(self, method: str, target: str) -> str:
        """`GET /orders/17?x=1` -> `GET /orders/{}`."""
        node, path = self._root.children.get(method), []
        for segment in segments(target):
            if node is None or segment not in node.children:
                path.append(OPEN if node is not None and OPEN in node.children else segment)
                node = node.children.get(OPEN) if node is not None else None
            else:
                path.append(segment)
                node = node.children[segment]
        return f"{method} /{'/'.join(path)}"


def segments(target: str) -> list[str]:
    """The parts of a path, those that look generated left open."""
    parts = target.partition("?")[0].removeprefix("/").split("/")
    return [OPEN if _GENERATED.fullmatch(part) else part for part in parts]


class _Node:
    __slots__ = ("children", "ends")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.ends = False

    def child(self, name: str) -> _Node:
        return self.children.setdefault(name, _Node())


def _merged(node: _Node, *, methods: bool = False) -> _Node:
    """The node with children that go on in the same way, and are many, made one."""
    out = _Node()
    out.ends = node.ends
    children = {name: _merged(child) for name, child in node.children.items()}
    if not methods and len(children) >= _MANY:
        alike: dict[str, list[str]] = {}
        for name, child in children.items():
            alike.setdefault(_spelled(child), []).append(name)
        for names in alike.values():
            if len(names) >= _MANY or (OPEN in names and len(names) > 1):
                children[OPEN] = children[names[0]]
                for name in names:
                    if name != OPEN:
                        del children[name]
    out.children = children
    return out


def _spelled(node: _Node) -> str:
    inner = ",".join(f"{name}:{_spelled(child)}" for name, child in sorted(node.children.items()))
    return f"{'.' if node.ends else ''}({inner})"
