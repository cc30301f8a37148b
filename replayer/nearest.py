"""What a miss says: the recorded call most like what was asked, and how the two differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from wiretape.case import Call
from wiretape.protocols.base import Ask, Miss
from wiretape.tree import Tree, same

_LIKE_ENOUGH = 0.5
_SHOWN = 8
_NOTHING_ALIKE = "nothing like it was recorded: the service asks something new, or the case must be recorded again"
_WORD = re.compile(r"\w+|\S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A recorded call, and where it stands: the name of its case, empty for a session call."""

    case: str
    call: Call
    ask: Ask


type Index = Mapping[tuple[str, str], Sequence[Recorded]]


def explain(ask: Ask, here: str, near: Sequence[Sequence[Recorded]], suite: Index) -> Miss:
    """The miss for `ask` in case `here`. `near` are the calls of the case, then the session's; `suite` every call by
    (target, shape)."""
    own = [entry for calls in near for entry in calls if _fits(entry, ask)]
    elsewhere = [entry for entry in suite.get((ask.target, ask.shape), ()) if entry.case != here]
    exact = _exact(elsewhere, ask)
    if own:
        best = min(own, key=lambda entry: _distance(entry.ask.values, ask.values))
        return _miss(ask, best, here, tuple(value_differences(best.ask, ask)), exact)
    similar = _most_similar(ask, near)
    if similar is None and elsewhere:
        best = min(elsewhere, key=lambda entry: _distance(entry.ask.values, ask.values))
        return _miss(ask, best, here, tuple(value_differences(best.ask, ask)), exact)
    similar = similar or _most_similar(ask, [[entries[0] for entries in suite.values()]])
    if similar is None:
        return Miss(ask=ask, advice=_NOTHING_ALIKE)
    return _miss(ask, similar, here, tuple(word_differences(similar.ask.shape, ask.shape)), exact)


def _fits(entry: Recorded, ask: Ask) -> bool:
    return entry.ask.shape == ask.shape and entry.ask.target == ask.target


def _miss(ask: Ask, entry: Recorded, here: str, differences: tuple[str, ...], exact: tuple[str, ...]) -> Miss:
    if not differences and entry.case == here:
        advice = "it was recorded once here, was answered already, and writes: it is not answered twice"
    elif exact:
        advice = f"the very same call is recorded in {_names(exact)}, not in this case"
    elif entry.case and entry.case != here:
        advice = f"the nearest one is recorded in case {entry.case}"
    elif not entry.case:
        advice = "the nearest one is a session call"
    else:
        advice = ""
    return Miss(ask=ask, nearest=entry.call, differences=differences, advice=advice)


def _exact(elsewhere: Iterable[Recorded], ask: Ask) -> tuple[str, ...]:
    """The names of the cases that have this very call."""
    names = (entry.case for entry in elsewhere if entry.case and _distance(entry.ask.values, ask.values) == 0)
    return tuple(dict.fromkeys(names))


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ("case " if len(names) == 1 else "cases ") + ", ".join(names[:3]) + more


def _distance(recorded: Sequence[Tree], live: Sequence[Tree]) -> int:
    return abs(len(recorded) - len(live)) + sum(not same(*pair) for pair in zip(recorded, live, strict=False))


def _most_similar(ask: Ask, groups: Sequence[Sequence[Recorded]]) -> Recorded | None:
    words = _WORD.findall(ask.shape)
    for calls in groups:
        best, ratio = None, _LIKE_ENOUGH
        for entry in calls:
            if entry.ask.target != ask.target or entry.ask.role != ask.role:
                continue
            matcher = SequenceMatcher(None, _WORD.findall(entry.ask.shape), words, autojunk=False)
            if matcher.quick_ratio() > ratio and matcher.ratio() > ratio:
                best, ratio = entry, matcher.ratio()
        if best is not None:
            return best
    return None


def value_differences(recorded: Ask, live: Ask) -> Iterator[str]:
    """One line for each value in which two asks of one shape differ."""
    names = labels(live)
    for at, (mine, theirs) in enumerate(zip(recorded.values, live.values, strict=False)):
        yield from _tree_differences(names[at], mine, theirs)
    if len(recorded.values) != len(live.values):
        yield f"number of values: recorded {len(recorded.values)}, live {len(live.values)}"


def _tree_differences(name: str, recorded: Tree, live: Tree) -> Iterator[str]:
    if same(recorded, live):
        return
    if isinstance(recorded, dict) and isinstance(live, dict):
        for key in [*recorded, *(key for key in live if key not in recorded)]:
            if key not in live:
                yield f"{name}.{key}: recorded {recorded[key]!r}, live nothing"
            elif key not in recorded:
                yield f"{name}.{key}: recorded nothing, live {live[key]!r}"
            else:
                yield from _tree_differences(f"{name}.{key}", recorded[key], live[key])
    elif isinstance(recorded, list) and isinstance(live, list) and len(recorded) == len(live):
        for at, pair in enumerate(zip(recorded, live, strict=True)):
            yield from _tree_differences(f"{name}[{at}]", *pair)
    else:
        yield f"{name}: recorded {recorded!r}, live {live!r}"


def labels(ask: Ask) -> list[str]:
    """What to call each value of an ask: as the codec does, else its position and the words before it in the shape."""
    if ask.labels:
        return [*ask.labels]
    pieces = ask.shape.split("?")
    if len(pieces) != len(ask.values) + 1:
        return [f"value {at}" for at in range(1, len(ask.values) + 1)]
    columns = re.match(r"(?is)insert into \S+ ?\(([^()]*)\) ?values ?\($", pieces[0].strip())
    names = [name.strip() for name in columns[1].split(",")] if columns else []
    return [f"value {at + 1}{_label(pieces[at], names, at)}" for at in range(len(ask.values))]


def _label(before: str, columns: Sequence[str], at: int) -> str:
    if at < len(columns):
        return f" ({columns[at]})"
    found = re.search(r"([\w.\"]+) ?(?:<=|>=|<>|!=|=|<|>|\b(?:like|ilike|limit|offset)) ?$", before, re.IGNORECASE)
    word = re.search(r"\b(limit|offset) ?$", before, re.IGNORECASE)
    name = word[1] if word else found[1] if found else ""
    return f" ({name})" if name else ""


def word_differences(recorded: str, live: str) -> Iterator[str]:
    """One line for each run of words in which two shapes differ."""
    left, right = recorded.split(), live.split()
    for shown, (tag, a, b, c, d) in enumerate(
        op for op in SequenceMatcher(None, left, right, autojunk=False).get_opcodes() if op[0] != "equal"
    ):
        if shown == _SHOWN:
            yield "and more"
            return
        was, now = " ".join(left[a:b]), " ".join(right[c:d])
        if tag == "delete":
            yield f"no longer there: {was}"
        elif tag == "insert":
            yield f"new: {now}"
        else:
            yield f"recorded: {was}, live: {now}"
