"""Where a place of a case stands in its file: the line that a person, an editor or a review shows."""

from __future__ import annotations

from pathlib import Path

from wiretape.case import Case
from wiretape.tree import Selector
from wiretape.yamlspans import Node, spans


class Places:
    """Reads the file of a case when the first line is asked for."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._text = ""
        self._root: Node | None = None

    def name(self, place: str) -> str:
        """`FILE:LINE`, the file as seen from the working directory; of a case without a file its name."""
        path = self._case.path
        if path is None:
            return f"case {self._case.name}"
        line = self.line(place)
        return f"{seen(path)}:{line}" if line else seen(path)

    def line(self, place: str) -> int:
        """The line of what is named, or of the nearest thing around it that is there; 0 where the file cannot be read."""
        if self._root is None:
            self._load()
        if self._root is None:
            return 0
        try:
            steps = Selector.parse(place).steps if place else ()
        except ValueError:
            steps = ()
        return self._text.count("\n", 0, self._start(self._root, steps)) + 1

    def _load(self) -> None:
        if self._case.path is None:
            return
        try:
            self._text = self._case.path.read_text()
        except (OSError, ValueError):
            return  # it was there when the run began
        self._root = spans(self._text)

    def _start(self, node: Node, steps: tuple[object, ...]) -> int:
        """Where the deepest thing begins that the steps lead to."""
        at = node.start
        for step in steps:
            if isinstance(step, int):
                entry = node.entries[step] if step < len(node.entries) else None
            else:
                entry = next((each for each in node.entries if each.key and self._key(each.key) == str(step).lower()), None)
            if entry is None:
                return at
            at, node = entry.start, entry.value
        return at

    def _key(self, node: Node) -> str:
        """A key without its quotes, in lower case: names of headers have no case."""
        return self._text[node.start : node.end].strip("\"'").lower()


def seen(path: Path) -> str:
    """A path as a person at the working directory writes it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)
