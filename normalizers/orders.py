"""Collections that have no order: a set written out, an `Allow` header."""

from __future__ import annotations

import re
from dataclasses import dataclass

from normalizers.base import Paired
from wiretape.tree import Tree, same

_BY = re.compile(r"unordered by (\S.*)")
# What parts the items of a list that is written as text: in headers, in PostgreSQL's arrays, in a sentence.
_BETWEEN = re.compile(r"[\s,;|{}()\[\]]+")


@dataclass(frozen=True, slots=True)
class Unordered(Paired):
    """The same items in any order, each as often. `key`: the key of objects that tells which is which; empty: what they mean.

    `takes` knows equal items only; where items may differ in their turn, what compares trees pairs them (`replayer.trees`).
    """

    name: str = "unordered"
    key: str = ""

    @classmethod
    def parse(cls, text: str) -> Unordered | None:
        """The kind a rule names so; None where it is another."""
        found = _BY.fullmatch(text)
        return cls(text, found[1]) if found else None

    def recognises(self, value: Tree) -> bool:
        return isinstance(value, list | str)

    def takes(self, recorded: Tree, live: Tree) -> bool:
        if isinstance(recorded, str) and isinstance(live, str):
            return pieces(recorded) == pieces(live)
        if not isinstance(recorded, list) or not isinstance(live, list) or len(recorded) != len(live):
            return False
        left = list(live)
        for item in recorded:
            at = next((at for at, other in enumerate(left) if same(item, other)), None)
            if at is None:
                return False
            del left[at]
        return True

    def fault(self) -> str:
        return "not the same items in another order"


def pieces(text: str) -> tuple[list[str], list[str]]:
    """The items of a list written as text, and what stands between them, sorted."""
    return sorted(_BETWEEN.split(text)), sorted(_BETWEEN.findall(text))
