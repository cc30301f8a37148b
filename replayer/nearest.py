"""What a miss says: the recorded call most like what was asked, how the two differ, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from normalizers.pipeline import NORMALIZERS
from replayer.differences import Alike, Difference, between
from wiretape.case import Call
from wiretape.protocols.base import About, Ask, Miss, about_nothing
from wiretape.tree import Tree, same

_LIKE_ENOUGH = 0.5
_SAME_TABLE, _SAME_VALUES = 0.2, 0.2
_NOTHING_ALIKE = "nothing like it was recorded: a regression, unless it is meant; then record the case again"
_WORD = re.compile(r"\w+|\S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A recorded call, and where it stands: the name of its case, empty for a session call, that of its file, and its number in
    there. `used` is how often it has answered in the case under way."""

    case: str
    call: Call
    ask: Ask
    path: Path | None = None
    position: int = 0
    used: int = 0

    @property
    def where(self) -> str:
        """The place for a person, and for an editor: `calls[2] at get-lamp-200.yaml:14`."""
        file = self.path.name if self.path else f"{self.case}.yaml" if self.case else "session.yaml"
        return f"calls[{self.position}] at {file}" + (f":{self.call.line}" if self.call.line else "")


type Index = Mapping[tuple[str, str], Sequence[Recorded]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a miss is explained by: the calls of the case `here`, then the session's (`near`), every call of the suite by
    (target, shape), which values mean the same here, and what asks are about."""

    here: str
    near: Sequence[Sequence[Recorded]]
    suite: Index
    alike: Alike = same
    about: Callable[[Ask], About] = about_nothing


def explain(ask: Ask, around: Surroundings) -> Miss:
    """The miss for `ask`."""
    own = [entry for calls in around.near for entry in calls if _fits(entry, ask)]
    elsewhere = [entry for entry in around.suite.get((ask.target, ask.shape), ()) if entry.case != around.here]
    exact = _exact(elsewhere, ask)
    best = _nearest(own, ask, around) or _most_similar(ask, around.near, around) or _nearest(elsewhere, ask, around)
    best = best or _most_similar(ask, [[entries[0] for entries in around.suite.values()]], around)
    if best is None:
        return Miss(ask=ask, advice=_NOTHING_ALIKE)
    differences = between(best.ask, ask, around.alike)
    return Miss(
        ask=ask,
        nearest=best.call,
        where=best.where,
        used=_used(best),
        differences=tuple(each.text for each in differences),
        advice=_advice(best, ask, around, differences, exact),
    )


def _fits(entry: Recorded, ask: Ask) -> bool:
    return entry.ask.shape == ask.shape and entry.ask.target == ask.target


def _nearest(entries: Sequence[Recorded], ask: Ask, around: Surroundings) -> Recorded | None:
    """The one with the fewest other values, rather one that has not answered yet."""
    return min(entries, key=lambda entry: (_distance(entry.ask.values, ask.values, around.alike), entry.used), default=None)


def _used(entry: Recorded) -> str:
    if not entry.used:
        return ""
    return "that one has answered already" + (f", {entry.used} times" if entry.used > 1 else "")


def _advice(entry: Recorded, ask: Ask, around: Surroundings, differences: list[Difference], exact: Sequence[str]) -> str:
    here = entry.case == around.here and bool(entry.case)
    if not differences and (here or entry.used):
        return "it was recorded once here, was answered already, and writes: it is not answered twice"
    if exact:
        return f"the very same call is recorded in {_names(exact)}, not in this case; if it belongs here, record the case again"
    if noise := here and _noise(entry, ask, around, differences):
        return noise
    if not entry.case:
        return "the nearest one is a session call"
    if not here:
        return f"the nearest one is recorded in case {entry.case}; a regression, or record this case again"
    return "a regression, unless it is meant; then record the case again"


def _noise(entry: Recorded, ask: Ask, around: Surroundings, differences: list[Difference]) -> str:
    """The rule to write where all that differs is one value of a kind that differs from run to run."""
    values = {each.value for each in differences}
    at = values.pop() if len(values) == 1 else None
    places = around.about(entry.ask).places
    if at is None or at >= min(len(places), len(ask.values)) or not places[at] or entry.ask.shape != ask.shape:
        return ""
    both = (entry.ask.values[at], ask.values[at])
    if any(isinstance(value, list | dict | bytes) or value is None for value in both):
        return ""
    kinds = (kind.name for kind in NORMALIZERS.values() if kind.unasked and all(map(kind.recognises, both)))
    name = next(kinds, "")
    rule = f"calls[{entry.position}].{places[at]}: {name}"
    return f"if this {name} differs from run to run, say so in the case's noise: {rule}" if name else ""


def _exact(elsewhere: Iterable[Recorded], ask: Ask) -> tuple[str, ...]:
    """The names of the cases that have this very call."""
    names = (entry.case for entry in elsewhere if entry.case and _distance(entry.ask.values, ask.values, same) == 0)
    return tuple(dict.fromkeys(names))


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ("case " if len(names) == 1 else "cases ") + ", ".join(names[:3]) + more


def _distance(recorded: Sequence[Tree], live: Sequence[Tree], alike: Alike) -> int:
    pairs = zip(recorded, live, strict=False)
    return abs(len(recorded) - len(live)) + sum(not (same(*pair) or alike(*pair)) for pair in pairs)


def _most_similar(ask: Ask, groups: Sequence[Sequence[Recorded]], around: Surroundings) -> Recorded | None:
    """By the words of the two, whether they touch the same, and the share of values they have in common; one that has not
    answered yet rather than one that has."""
    words = _WORD.findall(ask.shape)
    touches = set(around.about(ask).touches)
    for calls in groups:
        best, most = None, 0.0
        for entries in _by_shape(calls, ask):
            shared = not touches.isdisjoint(around.about(entries[0].ask).touches)
            ratio = _ratio(entries[0], words, at_least=0.0 if shared else _LIKE_ENOUGH)
            if ratio <= _LIKE_ENOUGH and not shared:
                continue
            common, entry = max(((_in_common(each.ask, ask) - 0.01 * bool(each.used), each) for each in entries), key=_first)
            if ratio <= _LIKE_ENOUGH and common < _LIKE_ENOUGH:
                continue  # SET and SETEX of one key have no word in common, but the key
            score = ratio + _SAME_TABLE * shared + _SAME_VALUES * common
            if score > most:
                best, most = entry, score
        if best is not None:
            return best
    return None


def _by_shape(calls: Sequence[Recorded], ask: Ask) -> Iterable[Sequence[Recorded]]:
    """The calls that may be compared with an ask, those of one shape together: what they have in common is looked at once."""
    found: dict[str, list[Recorded]] = {}
    for entry in calls:
        if entry.ask.target == ask.target and entry.ask.role == ask.role:
            found.setdefault(entry.ask.shape, []).append(entry)
    return found.values()


def _ratio(entry: Recorded, words: Sequence[str], at_least: float) -> float:
    """How alike the words are, from 0 to 1; 0 where it is certainly no more than `at_least`."""
    matcher = SequenceMatcher(None, _WORD.findall(entry.ask.shape), words, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() > at_least and matcher.quick_ratio() > at_least else 0.0


def _first(pair: tuple[float, Recorded]) -> float:
    return pair[0]


def _in_common(recorded: Ask, live: Ask) -> float:
    """The share of the recorded values that are asked with, too."""
    asked = {repr(value) for value in live.values}
    return sum(repr(value) in asked for value in recorded.values) / max(len(recorded.values), 1)
