"""When the server speaks unasked: the order between what the service does and what is then delivered to it.

A message of a subscription, or the answer to an ask that blocks, came in the recording after certain writes of the service. It
is delivered once those have been seen, and never before: a worker is not handed a job that nobody has queued yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from wiretape.protocols.base import Ask


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
        self._before: dict[str, list[Entry]] = {}
        for entry in entries:
            if entry.ask.writes and entry.ask.blocks is None and entry.ask.role != "push" and entry.required:
                self._before.setdefault(entry.ask.target, []).append(entry)

    @property
    def pending(self) -> bool:
        """Whether a push of this case is still to be delivered."""
        return bool(self._pushes)

    def come(self, entry: Entry) -> bool:
        """Whether the service has done everything on this target that in the recording it had done before `entry`."""
        before = self._before.get(entry.ask.target, ())
        return all(write.used for write in before if write.position < entry.position)

    def due(self) -> Iterator[Entry]:
        """The pushes to be delivered now, in recorded order."""
        return (entry for entry in list(self._pushes) if self.come(entry))

    def done(self, entry: Entry) -> None:
        """`entry` has been delivered."""
        self._pushes.remove(entry)
