"""When the server speaks unasked: the order between what the service does and what is then delivered to it.

A message of a subscription, or the answer to an ask that blocks, came in the recording after certain writes of the service. It
is delivered once those have been seen, and never before: a worker is not handed a job that nobody has queued yet. Those are the
writes that name what it names (its queue, its channel, what it says); where none does, all that came before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from wiretape.protocols.base import Ask
from wiretape.tree import walk


class Delivered(Protocol):
    """A recorded call within a case, as far as turns go."""

    @property
    def ask(self) -> Ask: ...

    @property
    def position(self) -> int: ...

    @property
    def required(self) -> bool: ...

    @property
    def used(self) -> int: ...


class Turns[Entry: Delivered]:
    """The turns of one case's calls."""

    def __init__(self, entries: Sequence[Entry] = ()) -> None:
        self._pushes = [entry for entry in entries if entry.ask.role == "push"]
        self._all: dict[str, list[Entry]] = {}
        self._needs: dict[int, Sequence[Entry]] = {}
        for entry in entries:
            if entry.ask.writes and entry.ask.blocks is None and entry.ask.role != "push" and entry.required:
                self._all.setdefault(entry.ask.target, []).append(entry)
        self._unseen = dict(self._all)

    @property
    def pending(self) -> bool:
        """Whether a push of this case is still to be delivered."""
        return bool(self._pushes)

    def come(self, entry: Entry) -> bool:
        """Whether the service has done on this target what in the recording it had done for `entry` to come."""
        if entry.position not in self._needs:
            self._needs[entry.position] = self._needed(entry)
        return all(write.used for write in self._needs[entry.position])

    def shows(self, later: Entry, since: int = -1) -> bool:
        """Whether every write that stood between position `since` and a read, and names what it names, has been seen."""
        target = later.ask.target
        unseen = self._unseen[target] = [write for write in self._unseen.get(target, ()) if not write.used]
        between = [write for write in unseen if since < write.position < later.position]
        names = _names(later.ask) if between else frozenset()
        return not any(names & _names(write.ask) for write in between)

    def _needed(self, entry: Entry) -> Sequence[Entry]:
        before = [write for write in self._all.get(entry.ask.target, ()) if write.position < entry.position]
        names = _names(entry.ask)
        return [write for write in before if names & _names(write.ask)] or before

    def due(self) -> Iterator[Entry]:
        """The pushes to be delivered now, in recorded order."""
        return (entry for entry in list(self._pushes) if self.come(entry))

    def done(self, entry: Entry) -> None:
        """`entry` has been delivered."""
        self._pushes.remove(entry)


def _names(ask: Ask) -> frozenset[str]:
    """Every text in an ask's values."""
    return frozenset(value for _, value in walk(list(ask.values)) if isinstance(value, str) and value)
