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

    def agree(self, recorded: float, live: float) -> bool:
        """Whether two moments, seconds since the epoch, are as far from their own clock."""
        return abs((recorded - self.recorded) - (live - self.live)) <= self.tolerance


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


class Paired:
    """A kind that only a noise rule asks for, and that can be told of both values together, not of the live one alone."""

    unasked = False
    identity = False

    def takes(self, recorded: Tree, live: Tree) -> bool:
        """Whether `live` may stand where `recorded` stood."""
        raise NotImplementedError

    def fault(self) -> str:
        """What is wrong with a live value that it does not take, in words that follow the place."""
        raise NotImplementedError

    def agrees(self, recorded: Tree, live: Tree, when: When) -> bool:  # noqa: ARG002 - rules are read against no clock
        """See Normalizer."""
        return self.takes(recorded, live)


def takes(kind: Normalizer, recorded: Tree, live: Tree) -> bool:
    """Whether a noise rule of this kind lets `live` stand where `recorded` stood."""
    return kind.takes(recorded, live) if isinstance(kind, Paired) else kind.recognises(live)
