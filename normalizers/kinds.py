"""Kinds a noise rule may ask for that no value has of its own accord: anything, or anything of a type."""

from __future__ import annotations

from dataclasses import dataclass

from normalizers.base import When
from wiretape.tree import Tree, kind


@dataclass(frozen=True, slots=True)
class OfType:
    """Any value of these types (`wiretape.tree.kind`); any at all where none are named."""

    name: str
    types: tuple[str, ...] = ()
    unasked: bool = False
    identity: bool = False

    def recognises(self, value: Tree) -> bool:
        return not self.types or kind(value) in self.types

    def agrees(self, recorded: Tree, live: Tree, when: When) -> bool:  # noqa: ARG002 - types are read against no clock
        return self.recognises(recorded) and self.recognises(live)
