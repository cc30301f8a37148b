"""What the service asked for a case, without what does not count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from replayer.book import Seen, around_nothing
from replayer.scope import Expected, Key
from wiretape.protocols.base import Ask


def key(ask: Ask) -> Key:
    """What two asks of one kind have in common."""
    return ask.target, ask.shape


def significant(seen: Sequence[Seen]) -> list[Seen]:
    """What the service asked for this case: no driver chatter, no session calls, no transaction around nothing."""
    own = [entry for entry in seen if entry.ask.role != "housekeeping" and entry.how != "session"]
    idle: set[int] = set()
    for connection in {entry.connection for entry in own}:
        idle |= around_nothing([(entry.ask, at) for at, entry in enumerate(own) if entry.connection == connection])
    return _in_turn(own, idle) if idle else own


def _in_turn(own: Sequence[Seen], idle: set[int]) -> list[Seen]:
    """Without the transactions around nothing (`idle`), which must not count for the recorded ones that held something.

    Which recorded BEGIN answered which live one was chance, so they are dealt out again: first to what is not idle. A recorded
    transaction that is around nothing only here (its calls were left out) gets what is left over and stays: it was expected.
    """
    left: dict[Key, list[Expected]] = {}
    for entry in own:
        if is_control(entry) and entry.how == "first" and entry.expected is not None and entry.expected.required:
            left.setdefault(key(entry.ask), []).append(entry.expected)
    for recorded in left.values():
        recorded.sort(key=lambda expected: expected.position)
    dealt: dict[int, Seen] = {}
    for at in (*(at for at in range(len(own)) if at not in idle), *sorted(idle)):
        entry = own[at]
        if is_control(entry) and left.get(key(entry.ask)):
            dealt[at] = replace(entry, how="first", expected=left[key(entry.ask)].pop(0))
        elif at not in idle:
            dealt[at] = replace(entry, how="repeat") if is_control(entry) and entry.how == "first" else entry
    return [dealt[at] for at in sorted(dealt)]


def is_control(seen: Seen) -> bool:
    """Whether an ask begins or ends a transaction, and nothing else."""
    return seen.ask.role in ("begin", "end") and not seen.ask.values


class Around:
    """Where asks stand: between which recorded calls of their target, by those that were answered for the first time."""

    def __init__(self, live: Sequence[Seen]) -> None:
        self._before: dict[int, Expected | None] = {}
        self._after: dict[int, Expected | None] = {}
        for order, into in ((list(live), self._before), (list(reversed(live)), self._after)):
            last: dict[str, Expected] = {}
            for seen in order:
                into[id(seen)] = last.get(seen.ask.target)
                if seen.how == "first" and seen.expected is not None and seen.ask.role not in ("begin", "end"):
                    last[seen.ask.target] = seen.expected

    def before(self, seen: Seen) -> Expected | None:
        """The recorded call that was made last."""
        return self._before[id(seen)]

    def holds(self, seen: Seen, entry: Expected) -> bool:
        """Whether a recorded call stands where the ask came."""
        before, after = self._before[id(seen)], self._after[id(seen)]
        return (before is None or before.position < entry.position) and (after is None or entry.position < after.position)
