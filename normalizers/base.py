"""What a normalizer is: one kind of value that differs from run to run, and when two such values mean the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from wiretape.tree import Tree

# A slow machine may take this long between the request and the moment it writes down. In seconds.
TOLERANCE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """The two clocks values are read against, seconds since the epoch: when the case was recorded, and when it is replayed.
    `tolerance`: how far, in seconds, two moments may be from each other, each read against its own clock."""

    recorded: float
    live: float
    tolerance: float = TOLERANCE


class Normalizer(Protocol):
    """One kind of value. Pure.

    `unasked`: applies without a noise rule (`normalizers.pipeline.explain`). `identity`: the value names one thing (a
    UUID, a token),
    so a recorded one stands for a live one from then on (a binding), and only if the service made it: one that was read from
    the request or from a row must stay what it was.
    """

    @property
    def name(self) -> str: ...

    @property
    def unasked(self) -> bool: ...

    @property
    def identity(self) -> bool: ...

    def recognises(self, value: Tree) -> bool:
        """Whether the value is of this kind at all."""
        ...

    def agrees(self, recorded: Tree, live: Tree, when: When) -> bool:
        """Whether both are of this kind, written alike, and as far from their own clock."""
        ...
