"""The calls of a case against the calls of its recording, each difference once and in its own words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from replayer.book import Outcome, Seen
from replayer.calls.alignment import aligned
from replayer.calls.known import Known
from replayer.calls.live import Around, key, significant
from replayer.calls.order import reordered
from replayer.calls.pairing import by_values, by_words
from replayer.calls.repeats import Repeats, novelty, shown, times
from replayer.calls.transactions import Boundaries
from replayer.differences import Alike
from replayer.events import CallFinding
from replayer.scope import Expected, Key
from wiretape.protocols.base import Miss
from wiretape.tree import same

_NAMED = 3
_NOTHING = Known()


def compare(outcome: Outcome, known: Known = _NOTHING, alike: Alike = same) -> tuple[CallFinding, ...]:
    """Every finding, by where it stands in the case. The order of reads does not matter. `alike` tells which recorded and live
    values mean the same."""
    live = significant(outcome.seen)
    left, more = _unpaired(live, outcome.expected)
    if not left and not more and not _may_move(live):
        return ()
    if left or more:
        live = aligned(live, outcome.expected)
        left, more = _unpaired(live, outcome.expected)
    targets = dict.fromkeys([*(entry.ask.target for entry in outcome.expected), *(seen.ask.target for seen in live)])
    boundaries = {target: Boundaries(target, outcome.expected, live) for target in targets}
    told = {target for target, boundary in boundaries.items() if boundary.known}
    left = [entry for entry in left if entry.ask.target not in told or entry.ask.role not in ("begin", "end")]
    more = [seen for seen in more if seen.ask.target not in told or seen.ask.role not in ("begin", "end")]
    around = Around(live)
    repeats = Repeats(live, outcome.expected, around, known)
    changed, left, more = by_values(left, more, known, alike)
    loops, left, more = repeats.loops(more, left)
    restated, left, more = by_words(left, more, around, known, alike)
    restated = [replace(each, details=(*each.details, *novelty(each.live, known))) for each in restated if each.live]
    found = [*changed, *loops, *restated, *repeats.added(more)]
    gave_up = bool(found and outcome.misses) and _gave_up(left, live, around)
    if not gave_up:
        found += _missing(left, live)
        found += [finding for target in told for finding in boundaries[target].findings()]
    found += reordered(live)
    return _explained(sorted(found, key=_position), outcome.misses, left if gave_up else ())


def _unpaired(live: Sequence[Seen], expected: Sequence[Expected]) -> tuple[list[Expected], list[Seen]]:
    """What was recorded and not asked, and what was asked and not recorded (or not as often)."""
    served = {id(seen.expected) for seen in live if seen.how == "first"}
    left = [entry for entry in expected if entry.required and id(entry) not in served]
    return left, [seen for seen in live if seen.how != "first"]


def _may_move(live: Sequence[Seen]) -> bool:
    """Whether there is anything whose order or transaction matters."""
    return any(seen.ask.writes or seen.ask.role in ("begin", "end") for seen in live)


def _position(finding: CallFinding) -> int:
    number = finding.place[len("calls[") :].partition("]")[0]
    return int(number) if number else -1


def _missing(left: Sequence[Expected], live: Sequence[Seen]) -> Iterator[CallFinding]:
    groups: dict[Key, list[Expected]] = {}
    for entry in left:
        groups.setdefault(key(entry.ask), []).append(entry)
    for group in groups.values():
        first = group[0]
        asked = sum(key(seen.ask) == key(first.ask) for seen in live)
        details = [f"with values {shown(first.ask.values)}"] if first.ask.values else []
        if asked:
            details.append(f"recorded {times(asked + len(group))}, asked {times(asked)} now")
        yield CallFinding(
            kind="missing",
            target=first.ask.target,
            operation=first.call.operation,
            recorded=first.call,
            details=tuple(details),
            count=len(group),
            writes=first.ask.writes,
            place=f"calls[{first.position}]",
        )


def _gave_up(left: Sequence[Expected], live: Sequence[Seen], around: Around) -> bool:
    """Whether the service gave up at a call that nothing answered, so that what is missing is what it would have asked later:
    it went on with nothing recorded, and nothing from before that is missing."""
    at = next((at for at, seen in enumerate(live) if seen.how == "missed"), None)
    if at is None or any(seen.how == "first" and seen.ask.role == "query" for seen in live[at + 1 :]):
        return False
    before = around.before(live[at])
    return before is None or all(entry.position > before.position for entry in left)


def _explained(found: Sequence[CallFinding], misses: Sequence[Miss], unmade: Sequence[Expected]) -> tuple[CallFinding, ...]:
    """With what is said about a call that nothing answered, and the calls that were not made after it."""
    out = []
    missed: dict[Key, Miss] = {}
    for miss in misses:
        missed.setdefault(key(miss.ask), miss)
    left = unmade
    for finding in found:
        said = missed.get(key(finding.live)) if finding.live is not None else None
        details = finding.details
        if said is not None and left:
            named = "; ".join(entry.call.operation for entry in left[:_NAMED])
            more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
            details = (*details, f"after that error {len(left)} recorded {_calls(left)} not made: {named}{more}")
            left = ()
        out.append(replace(finding, miss=said, details=details))
    return tuple(out)


def _calls(left: Sequence[Expected]) -> str:
    return "call was" if len(left) == 1 else "calls were"
