"""Bindings as one case sees them that runs beside others: what earlier cases bound, and its own on top.

Nothing of it shows elsewhere until `commit`. Everything a decision was read from is written down, so that `holds` can tell
whether the case would have gone the very same way after the cases committed meanwhile. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice

from replayer.bindings import Bindings


class Overlay(Bindings):
    """A layer over the bindings of the run, which only grow."""

    def __init__(self, base: Bindings) -> None:
        self._base, self._since = base, base.mark()
        self._changes = 0
        super().__init__()
        self._own_live, self._own_recorded = _Pairs(base._live), _Pairs(base._recorded)
        self._own_known = _Known(base._known)
        self._own_long, self._own_texts = _Stack(base._long), _Stack(base._texts)
        self._live, self._recorded, self._known = self._own_live, self._own_recorded, self._own_known
        self._long, self._texts = self._own_long, self._own_texts

    def __len__(self) -> int:
        """Never 0: what is bound meanwhile must not be overlooked."""
        return max(super().__len__(), 1)

    @property
    def version(self) -> int:
        return self._base.version + self._changes

    @version.setter
    def version(self, version: int) -> None:
        self._changes = version - self._base.version

    def expired(self, text: str, at: float) -> bool:
        return super().expired(text, at) or self._base.expired(text, at)

    def _digest(self, text: str) -> str | None:
        own = super()._digest(text)
        return self._base._digest(text) if own is None else own

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What is read within decides nothing for this case: it is looked whether something is another's."""
        read = (self._own_live, self._own_recorded, self._own_known)
        for each in read:
            each.noted = False
        yield
        for each in read:
            each.noted = True

    def holds(self) -> bool:
        """Whether all that was read here would be read the same now."""
        new = Bindings()
        for recorded, live in islice(self._base._live.items(), self._since, None):
            if recorded in self._own_live.read or live in self._own_recorded.read:
                return False
            new._take(recorded, live)
        if len(new) and any(new.text(text) != text for text in self._own_live.read):
            return False
        return not any(map(self._base._is_known, self._own_known.missed))

    def commit(self) -> None:
        """What was bound and learned here holds for all that follow."""
        base = self._base
        base._live.update(self._own_live.items())
        base._until.update(self._until)
        base._recorded.update(self._own_recorded.items())
        base._known.update(self._own_known.own())
        base._long.extend(self._own_long.own())
        base._texts.extend(self._own_texts.own())
        base.version += bool(len(self._own_live.keys()))


class _Pairs(dict[str, str]):
    """Pairs over those of a base. `items` and `popitem` are its own, everything else looks at both."""

    def __init__(self, base: dict[str, str]) -> None:
        super().__init__()
        self._base = base
        self.read: set[str] = set()
        self.noted = True

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return super().__len__() + len(self._base)

    def __contains__(self, key: object) -> bool:
        if self.noted:
            self.read.add(str(key))
        return super().__contains__(key) or key in self._base

    def __getitem__(self, key: str) -> str:
        return super().__getitem__(key) if super().__contains__(key) else self._base[key]

    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]  # of strings only
        if self.noted:
            self.read.add(key)
        return super().get(key) or self._base.get(key, default)


class _Known(set[str]):
    """Values over those of a base. `missed` are those that were looked for in vain."""

    def __init__(self, base: set[str]) -> None:
        super().__init__()
        self._base = base
        self.missed: set[str] = set()
        self.noted = True

    def __contains__(self, value: object) -> bool:
        if super().__contains__(value) or value in self._base:
            return True
        if self.noted:
            self.missed.add(str(value))
        return False

    def own(self) -> Iterator[str]:
        return super().__iter__()


class _Stack(list[str]):
    """A list that goes on from that of a base."""

    def __init__(self, base: list[str]) -> None:
        super().__init__()
        self._base = base

    def __iter__(self) -> Iterator[str]:
        return chain(self._base, super().__iter__())

    def own(self) -> Iterator[str]:
        return super().__iter__()

    def __bool__(self) -> bool:
        return bool(len(self) or self._base)

    def __getitem__(self, at: int) -> str:  # type: ignore[override]  # only its end is looked at
        return super().__getitem__(at) if len(self) else self._base[at]
