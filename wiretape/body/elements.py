"""Elements of HTML and XML as they open and close: `[name, {attribute: value}, child, …]`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from wiretape.tree import Tree

MAX_DEPTH = 200
SPACE = re.compile(r"[ \t\n\r\f]+")
VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
AS_IT_IS = frozenset(["pre", "textarea", "script", "style"])

type Element = list[Tree]


class Builder:
    """Elements as they open and close. Raises ValueError for nesting nobody reads."""

    def __init__(self) -> None:
        self.root: Element = ["#document", {}]
        self._open: list[Element] = [self.root]
        self._texts: list[str] = []

    @property
    def names(self) -> list[str]:
        """Of the open elements, the outermost first."""
        return [str(element[0]) for element in self._open]

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if len(self._open) > MAX_DEPTH:
            raise ValueError("nested too deeply")
        self._flush()
        element: Element = [name, {**attributes}]
        self._open[-1].append(element)
        self._open.append(element)

    def end(self, count: int = 1) -> None:
        self._flush()
        for _ in range(count):
            _settle(self._open.pop())

    def text(self, text: str) -> None:
        self._texts.append(text)

    def _flush(self) -> None:
        if self._texts:
            self._open[-1].append("".join(self._texts))
            self._texts.clear()

    def finish(self) -> Element:
        while self._open:
            self.end()
        return self.root


def _settle(element: Element) -> None:
    """White space as it is seen: runs of it are one space, none at the ends of an element's text, none between elements."""
    if element[0] in AS_IT_IS:
        element[2:] = [child.strip() if isinstance(child, str) else child for child in element[2:]]
        return
    children = [SPACE.sub(" ", child).strip() if isinstance(child, str) else child for child in element[2:]]
    element[2:] = [child for child in children if child != ""]
