"""The values of one call that may differ, by its noise rules: each by its kind, or several that may change places."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from normalizers.amounts import amount
from normalizers.base import Normalizer, takes
from normalizers.orders import Unordered
from wiretape.protocols.base import Ask
from wiretape.tree import Path, Tree

type Pairs = list[tuple[Tree, Tree]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallNoise:
    """By the position of a value in the ask: the kinds it may be of. `swaps`: positions whose values may stand in any order."""

    kinds: Mapping[int, tuple[Normalizer, ...]]
    swaps: tuple[tuple[int, ...], ...] = ()

    @classmethod
    def of(cls, ask: Ask, places: Mapping[Path, Tree], kinds: Mapping[Path, tuple[Normalizer, ...]]) -> CallNoise:
        """`places`: those within the call that rules name, with what was recorded there. A value of the ask is the one that
        reads like what stands there."""
        found: dict[int, tuple[Normalizer, ...]] = {}
        groups: dict[Path, set[int]] = {}
        for path, value in places.items():
            positions = _positions(ask, path, value)
            for position in positions:
                found[position] = (*found.get(position, ()), *kinds[path])
            if any(isinstance(kind, Unordered) for kind in kinds[path]):
                if isinstance(value, list):
                    inner = (_positions(ask, (*path, at), item) for at, item in enumerate(value))
                    groups.setdefault(path, set()).update(position for some in inner for position in some)
                else:
                    groups.setdefault(path[:-1], set()).update(positions)
        swaps = (tuple(sorted(group)) for group in groups.values() if len(group) > 1)
        return cls(kinds=found, swaps=tuple(swaps))

    def pairings(self, recorded: Sequence[Tree], live: Sequence[Tree], back: Callable[[Tree], Tree]) -> Iterator[Pairs]:
        """The pairs that are still to be compared, as they stand and then with values put in order. `back`: a live value -> the
        recorded one it stands for."""
        if len(recorded) != len(live):
            return
        yield self._left(recorded, live)
        if self.swaps:
            sorted_ = list(live)
            for group in self.swaps:
                for position, value in zip(group, _arranged(recorded, live, group, back), strict=True):
                    sorted_[position] = value
            yield self._left(recorded, sorted_)

    def lets(self, at: int, recorded: Tree, live: Tree) -> bool:
        """Whether a rule takes the live value at a position."""
        return any(_takes(kind, recorded, live) for kind in self.kinds.get(at, ()))

    def _left(self, recorded: Sequence[Tree], live: Sequence[Tree]) -> Pairs:
        pairs = enumerate(zip(recorded, live, strict=True))
        return [pair for at, pair in pairs if not self.lets(at, *pair)]


def _positions(ask: Ask, path: Path, value: Tree) -> list[int]:
    if len(path) == 4 and path[2] == "values" and isinstance(path[3], int):
        return [path[3]]
    if isinstance(value, dict) or path[2:] == ("values",):
        return []
    return [at for at, asked in enumerate(ask.values) if str(asked) == str(value)]


def _arranged(recorded: Sequence[Tree], live: Sequence[Tree], group: Sequence[int], back: Callable[[Tree], Tree]) -> list[Tree]:
    """The live values of a group, each where the recorded one that it equals stands; the others where there is room."""
    left = [live[at] for at in group]
    out: list[Tree] = []
    for at in group:
        wanted = str(recorded[at])
        chosen = next((value for value in left if str(back(value)) == wanted), None)
        out.append(chosen)
        if chosen is not None:
            left.remove(chosen)
    return [left.pop(0) if value is None and left else value for value in out]


def _takes(kind: Normalizer, recorded: Tree, live: Tree) -> bool:
    """A database's parameters are text: a number among them is one all the same."""
    if takes(kind, recorded, live):
        return True
    then, now = _read(recorded), _read(live)
    return not (then is recorded and now is live) and takes(kind, then, now)


def _read(value: Tree) -> Tree:
    if not isinstance(value, str) or (number := amount(value)) is None:
        return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
    return int(value) if value.lstrip("+-").isdecimal() else number
