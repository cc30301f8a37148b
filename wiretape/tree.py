"""The one neutral value, what two of them being the same means, and how a place inside one is named.

Codecs, normalizers, book, diff and store all speak `Tree`. Places are named by selectors (`response.body.items[].id`), and one
grammar serves noise rules, diffs and edits alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

type Tree = bool | int | float | str | bytes | list[Tree] | dict[str, Tree] | None
type Path = tuple[str | int, ...]


class Number(float):
    """A float that remembers how it was written, so that `12.50` does not become `12.5`."""

    __slots__ = ("literal",)
    literal: str

    def __new__(cls, literal: str) -> Number:
        self = super().__new__(cls, literal)
        self.literal = literal
        return self

    def __repr__(self) -> str:
        return self.literal

    def __str__(self) -> str:
        return self.literal

    def __reduce__(self) -> tuple[type[Number], tuple[str]]:
        return Number, (self.literal,)


def kind(value: Tree) -> str:
    """The name of a value's type, in JSON's words: null, boolean, integer, number, string, bytes, array, object."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case bytes():
            return "bytes"
        case list():
            return "array"
        case _:
            return "object"


def same(left: Tree, right: Tree) -> bool:
    """Equal in value and in type: 1 is not "1", not 1.0 and not true. The order of an object's keys does not matter."""
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(same(value, right[key]) for key, value in left.items())
        )
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(same, left, right))
    return kind(left) == kind(right) and (left == right or (left != left and right != right))


_NAME = re.compile(r"[^\s.\[\]\"*]+")
_STEP = re.compile(
    r"""\.?(?:
        (?P<deep>\*\*) | (?P<any>\*) | (?P<each>\[\]) | \[(?P<index>\d+)\]
        | \["(?P<quoted>(?:[^"\\]|\\.)*)"\] | (?P<name>[^\s.\[\]"*]+)
    )""",
    re.VERBOSE,
)

ANY = object()
DEEP = object()
EACH = object()


@dataclass(frozen=True, slots=True)
class Selector:
    """A place, or a family of places, in a tree.

    `a.b` keys, `["odd key"]` a key that is not a plain word, `[0]` one item, `[]` every item, `*` any one key or item, `**` any
    number of steps, none included. A selector always speaks of whole paths: `body.id` does not match `body.id.x`.
    """

    text: str
    steps: tuple[object, ...]

    @classmethod
    def parse(cls, text: str) -> Selector:
        """Raises ValueError, saying which character cannot be read."""
        steps: list[object] = []
        at = 0
        while at < len(text):
            found = _STEP.match(text, at)
            if not found or ((found[0].startswith(".") == (at == 0)) and found["name"] and (at == 0 or text[at] != ".")):
                raise ValueError(f"cannot read selector {text!r} at character {at + 1}")
            steps.append(_step(found))
            at = found.end()
        if not steps:
            raise ValueError("a selector cannot be empty")
        return cls(text, tuple(steps))

    def matches(self, path: Path) -> bool:
        """Whether the whole of `path` is named by this selector."""
        return _matches(self.steps, path)

    def find(self, tree: Tree) -> Iterator[tuple[Path, Tree]]:
        """Every place in `tree` that this selector names, in the tree's order."""
        return ((path, value) for path, value in walk(tree) if self.matches(path))

    def __str__(self) -> str:
        return self.text


def _step(found: re.Match[str]) -> object:
    if found["deep"]:
        return DEEP
    if found["any"]:
        return ANY
    if found["each"]:
        return EACH
    if found["index"]:
        return int(found["index"])
    if found["quoted"] is not None:
        return re.sub(r"\\(.)", r"\1", found["quoted"])
    return found["name"]


def _matches(steps: Sequence[object], path: Path) -> bool:
    if not steps:
        return not path
    head, rest = steps[0], steps[1:]
    if head is DEEP:
        return any(_matches(rest, path[skip:]) for skip in range(len(path) + 1))
    if not path:
        return False
    here = path[0]
    fits = head is ANY or (isinstance(here, int) if head is EACH else type(head) is type(here) and head == here)
    return fits and _matches(rest, path[1:])


def walk(tree: Tree, path: Path = ()) -> Iterator[tuple[Path, Tree]]:
    """Every value in the tree with its path, containers before what they hold."""
    yield path, tree
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from walk(value, (*path, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from walk(value, (*path, index))


def spell(path: Path) -> str:
    """The selector that names exactly this path."""
    out = ""
    for step in path:
        if isinstance(step, int):
            out += f"[{step}]"
        elif _NAME.fullmatch(step):
            out += f".{step}" if out else step
        else:
            escaped = step.replace("\\", "\\\\").replace('"', '\\"')
            out += f'["{escaped}"]'
    return out
