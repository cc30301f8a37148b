"""A call that is missing and one that is too many are often one call that changed: in its values, or in its words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Final

from replayer.book import Seen
from replayer.calls.known import Known
from replayer.calls.live import Around, key
from replayer.differences import Alike, Difference, between
from replayer.events import CallFinding, CallKind
from replayer.scope import Expected
from wiretape.protocols.base import About, Ask
from wiretape.tree import Tree, same

type Paired = tuple[list[CallFinding], list[Expected], list[Seen]]

_WORD = re.compile(r"\w+|\S")
_MOST_COMPARED: Final = 2_000  # pairs of calls: what is left over after so many was not changed but made anew
_LIKE, _VERY_LIKE = 0.5, 0.75


def by_values(left: Sequence[Expected], more: list[Seen], known: Known, alike: Alike) -> Paired:
    """Calls of the same shape whose values changed, each missing one with the nearest of those too many."""
    findings, missing = [], []
    for entry in left:
        twins = [seen for seen in more if key(seen.ask) == key(entry.ask) and _differ(seen, entry)]
        if not twins:
            missing.append(entry)
            continue
        twin = min(twins, key=lambda seen: _distance(entry.ask.values, _quiet(entry, seen.ask).values, alike))
        more = [seen for seen in more if seen is not twin]
        differences = between(entry.ask, _quiet(entry, twin.ask), alike)
        findings.append(_finding("changed", entry, twin, differences, known.about(entry.ask)))
    return findings, missing, more


def _differ(seen: Seen, entry: Expected) -> bool:
    return not same(list(seen.ask.values), list(entry.ask.values))


def _quiet(entry: Expected, ask: Ask) -> Ask:
    """The ask with the recorded values wherever a noise rule lets them differ."""
    noise = entry.noise
    if noise is None:
        return ask
    pairs = enumerate(zip(entry.ask.values, ask.values, strict=False))
    kept = tuple(mine if noise.lets(at, mine, theirs) else theirs for at, (mine, theirs) in pairs)
    return replace(ask, values=(*kept, *ask.values[len(kept) :]))


def _distance(recorded: Sequence[Tree], live: Sequence[Tree], alike: Alike) -> int:
    pairs = zip(recorded, live, strict=False)
    return abs(len(recorded) - len(live)) + sum(not (same(*pair) or alike(*pair)) for pair in pairs)


def by_words(left: Sequence[Expected], more: Sequence[Seen], around: Around, known: Known, alike: Alike) -> Paired:
    """Calls that ask nearly the same in the same place: the likest pairs first."""
    asked = [entry for entry in left if entry.ask.role == "query"]
    new = [seen for seen in more if seen.ask.role == "query"]
    if not asked or not new or len(asked) * len(new) > _MOST_COMPARED:
        return [], list(left), list(more)
    asks = [*((id(entry), entry.ask) for entry in asked), *((id(seen), seen.ask) for seen in new)]
    abouts = {number: known.about(ask) for number, ask in asks}
    scored = [
        (score, -at, -to, entry, seen)
        for at, entry in enumerate(asked)
        for to, seen in enumerate(new)
        if (score := _likeness(entry, seen, abouts[id(entry)], abouts[id(seen)], near=around.holds(seen, entry)))
    ]
    findings: dict[int, CallFinding] = {}
    taken: set[int] = set()
    for _, _, _, entry, seen in sorted(scored, key=lambda each: each[:3], reverse=True):
        if id(entry) in taken or id(seen) in taken:
            continue
        taken |= {id(entry), id(seen)}
        differences = between(entry.ask, seen.ask, alike)
        findings[entry.position] = _finding("statement", entry, seen, differences, abouts[id(entry)])
    kept = [findings[position] for position in sorted(findings)]
    return kept, [entry for entry in left if id(entry) not in taken], [seen for seen in more if id(seen) not in taken]


def _likeness(entry: Expected, seen: Seen, mine: About, theirs: About, *, near: bool) -> float:
    """How much two calls are one call that changed; 0 where they are not."""
    if entry.ask.target != seen.ask.target:
        return 0.0
    words = (_WORD.findall(entry.ask.shape), _WORD.findall(seen.ask.shape))
    ratio = SequenceMatcher(None, *words, autojunk=False).ratio()
    verb = mine.verb == theirs.verb
    shared = not set(mine.touches).isdisjoint(theirs.touches)
    enough = (
        ratio >= _VERY_LIKE
        or (verb and shared and (near or ratio >= _LIKE))
        or (near and shared and entry.ask.writes == seen.ask.writes)
        or (near and verb and ratio >= _LIKE)
    )
    return ratio + 0.5 * shared + 0.3 * verb + 0.3 * near if enough else 0.0


def _finding(kind: CallKind, entry: Expected, seen: Seen, differences: list[Difference], about: About) -> CallFinding:
    return CallFinding(
        kind=kind,
        target=entry.ask.target,
        operation=entry.call.operation,
        recorded=entry.call,
        live=seen.ask,
        details=tuple(each.text for each in differences),
        writes=entry.ask.writes or seen.ask.writes,
        place=_place(entry, differences, about),
    )


def _place(entry: Expected, differences: list[Difference], about: About) -> str:
    """The call, or the very value in it where nothing else changed."""
    values = {each.value for each in differences}
    value = values.pop() if len(values) == 1 else None
    within = about.places[value] if value is not None and value < len(about.places) else ""
    dot = "" if not within or within.startswith("[") else "."
    return f"calls[{entry.position}]{dot}{within}"
