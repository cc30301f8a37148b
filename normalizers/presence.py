"""What is there only now and then: a hint that was computed in time, a field of a canary."""

from __future__ import annotations

from dataclasses import dataclass

from normalizers.base import Normalizer, Paired, takes
from wiretape.tree import Tree, same


@dataclass(frozen=True, slots=True)
class Optional(Paired):
    """May be absent; where it is present it is of the kind `inner`, or (None) as it was recorded, if it was."""

    name: str = "optional"
    inner: Normalizer | None = None

    def recognises(self, value: Tree) -> bool:
        return self.inner is None or self.inner.recognises(value)

    def takes(self, recorded: Tree, live: Tree) -> bool:
        return same(recorded, live) if self.inner is None else takes(self.inner, recorded, live)

    def fault(self) -> str:
        return self.inner.fault() if isinstance(self.inner, Paired) else f"not {self.name.removeprefix('optional ')}"


def may_go(kind: Normalizer) -> bool:
    """Whether a rule of this kind lets what was recorded be absent."""
    return kind.name == "any" or isinstance(kind, Optional)


def may_come(kind: Normalizer, live: Tree) -> bool:
    """Whether a rule of this kind lets a value be there that was not recorded."""
    return kind.recognises(live)
