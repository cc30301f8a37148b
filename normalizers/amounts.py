"""Amounts that a noise rule lets differ: a measured value within a tolerance, a counter that goes on counting."""

from __future__ import annotations

import re
from dataclasses import dataclass

from normalizers.base import Paired
from wiretape.tree import Tree

_AMOUNT = re.compile(r"within (\d+(?:\.\d+)?(?:e-?\d+)?)(%?)")
_WRITTEN = re.compile(r"[+-]?\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?")
_DIGITS = re.compile(r"\d{1,30}")


def amount(value: Tree) -> float | None:
    """The number that a value is, or that a text of nothing else says; None where it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    return float(value) if isinstance(value, str) and _WRITTEN.fullmatch(value) else None


@dataclass(frozen=True, slots=True)
class Within(Paired):
    """`within 0.01`, `within 5%`: no further from the recorded number than that; a text stays a text, an integer an integer."""

    name: str
    tolerance: float
    relative: bool = False

    @classmethod
    def parse(cls, text: str) -> Within | None:
        """The kind a rule names so; None where it is another."""
        found = _AMOUNT.fullmatch(text)
        return cls(text, float(found[1]) / (100 if found[2] else 1), bool(found[2])) if found else None

    def recognises(self, value: Tree) -> bool:
        return amount(value) is not None

    def takes(self, recorded: Tree, live: Tree) -> bool:
        then, now = amount(recorded), amount(live)
        if then is None or now is None or isinstance(recorded, str) != isinstance(live, str):
            return False
        if isinstance(recorded, int) and not isinstance(live, int):
            return False
        room = self.tolerance * abs(then) if self.relative else self.tolerance
        # Written in decimals, 0.3 is 0.1 from 0.2; as binary fractions, a little more.
        return abs(then - now) <= room * (1 + 1e-9)

    def fault(self) -> str:
        return f"not {self.name} of the recorded one"


class Counter(Paired):
    """A whole number that counts something beyond the case: any from 0 up; digits in a text stay in a text."""

    name = "counter"

    def recognises(self, value: Tree) -> bool:
        if isinstance(value, str):
            return bool(_DIGITS.fullmatch(value))
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0

    def takes(self, recorded: Tree, live: Tree) -> bool:
        alike = isinstance(recorded, str) == isinstance(live, str)
        return alike and self.recognises(recorded) and self.recognises(live)

    def fault(self) -> str:
        return "no longer a counter"
