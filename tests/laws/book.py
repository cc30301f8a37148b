"""The simplest book there can be: calls by what they ask, in the order of the recording, the last of them for ever."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from wiretape.case import Call
from wiretape.protocols.base import Ask, Codec, Interaction, Miss, Waiting
from wiretape.tree import Tree


def calls(interactions: Iterable[Interaction], target: str = "main") -> list[Call]:
    return [Call(target=target, operation=one.operation, fields=one.fields) for one in interactions if not one.incomplete]


class Book:
    """`misses` are the asks that no call answered, housekeeping included."""

    def __init__(self, codec: Codec, recorded: Iterable[Call]) -> None:
        self._by_shape: dict[str, list[tuple[tuple[Tree, ...], Call]]] = defaultdict(list)
        self._used: set[int] = set()
        self.misses: list[Ask] = []
        self.memory: dict[str, object] = {}
        for call in recorded:
            ask = codec.ask(call)
            self._by_shape[ask.shape].append((ask.values, call))

    def peek(self, ask: Ask) -> Call | None:
        found = [call for _, call in self._by_shape.get(ask.shape, ())]
        return next((call for call in found if id(call) not in self._used), found[-1] if found else None)

    def take(self, ask: Ask) -> Call | Miss | Waiting:
        found = [call for values, call in self._by_shape.get(ask.shape, ()) if values == ask.values]
        call = next((call for call in found if id(call) not in self._used), found[-1] if found else None)
        if call is None:
            self.misses.append(ask)
            return Miss(ask=ask, nearest=self.peek(ask), advice="record it")
        self._used.add(id(call))
        return call
