"""Places that vary -> rules: one for all the items of a list, one for all the cases, as far as nothing constant is covered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from replayer import diff
from replayer.learn.calls import written
from replayer.learn.classify import Found, classify
from replayer.learn.evidence import Series
from replayer.trees import GONE
from wiretape.case import Case
from wiretape.protocols.base import Codec
from wiretape.tree import EACH, Path, Selector, Tree, spell, walk

_MOST_LEVELS = 4
_HEADERS = ("headers", "trailers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A rule. `case` is empty for one of the whole suite. `series` is the evidence."""

    case: str
    selector: str
    kind: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    case: str
    selector: str
    series: tuple[Series, ...]


def proposals(
    varying: Sequence[Series], cases: Mapping[str, Case], codecs: Mapping[str, Codec], others: Sequence[Case] = ()
) -> tuple[list[Proposal], list[tuple[Series, str]]]:
    """The rules that cover the places that vary, and the places that no rule should cover, each with the reason. `others`: the
    cases of the suite that were not run."""
    views = {name: _view(case) for name, case in cases.items()}
    rules: list[_Rule] = []
    for name, view in views.items():
        own = [one for one in varying if one.case == name and one.path[0] != "calls"]
        rules += _over_items(name, own, view)
    found: list[Proposal] = []
    refused: list[tuple[Series, str]] = []
    for group in _over_cases(rules, views | {case.name: _view(case) for case in others}):
        _propose(group, found, refused)
    for name, case in cases.items():
        calls = [one for one in varying if one.case == name and one.path[0] == "calls"]
        _of_calls(case, calls, codecs, found, refused)
    return found, refused


def _propose(rules: Sequence[_Rule], found: list[Proposal], refused: list[tuple[Series, str]]) -> None:
    """One rule for all where a kind covers all; else each for itself."""
    series = tuple(one for rule in rules for one in rule.series)
    case = rules[0].case if len(rules) == 1 else ""
    verdict = _classified(series)
    if verdict.kind:
        found.append(Proposal(case=case, selector=rules[0].selector, kind=verdict.kind, series=series))
    elif len(rules) > 1:
        for rule in rules:
            _propose([rule], found, refused)
    elif len(series) > 1:
        for one in series:
            _propose([_Rule(case=one.case, selector=spell(one.path), series=(one,))], found, refused)
    else:
        refused.append((series[0], verdict.reason))


def _classified(series: Sequence[Series]) -> Found:
    place = [str(step).lower() for step in series[0].path]
    if place[1:] == ["status"]:
        return Found(reason="a status is never noise")
    if place[1:] == ["headers", "content-type"]:
        return Found(reason="a content type is never noise")
    return classify(series)


def _over_items(name: str, series: Sequence[Series], view: Tree) -> Iterator[_Rule]:
    """Rules of one case, `[]` where every item varies."""
    places = dict(walk(view))
    groups: dict[tuple[Path, bool, bool], list[Series]] = {}
    for one in series:
        groups.setdefault((_template(one.path), one.arranged, GONE in (one.recorded, *one.values)), []).append(one)
    for (_, arranged, absent), group in groups.items():
        left = {one.path: one for one in group}
        for steps in _generalisations(group):
            selector = Selector("", steps)
            covered = [path for path in left if selector.matches(path)]
            if covered and _all_vary(selector, covered, places, lenient=arranged or absent):
                yield _Rule(case=name, selector=_text(steps), series=tuple(left.pop(path) for path in covered))


def _template(path: Path) -> Path:
    return tuple(-1 if isinstance(step, int) else step for step in path)


def _generalisations(group: Sequence[Series]) -> Iterator[tuple[object, ...]]:
    """From the most general to the places themselves."""
    levels = [at for at, step in enumerate(group[0].path) if isinstance(step, int)]
    for count in range(len(levels) if len(levels) <= _MOST_LEVELS else 0, -1, -1):
        for chosen in combinations(levels, count):
            for one in group:
                yield tuple(EACH if at in chosen else step for at, step in enumerate(one.path))


def _all_vary(selector: Selector, covered: Sequence[Path], places: Mapping[Path, Tree], *, lenient: bool) -> bool:
    """Whether every recorded place that the selector names varied. A short list may keep its order, and what is there now and
    then be there, by mere chance: of those half is enough."""
    named = {path for path, value in places.items() if selector.matches(path) and not _settled(value, lenient=lenient)}
    if lenient and len(covered) > 1:
        return len(named & set(covered)) * 2 >= len(named)
    return named <= set(covered)


def _settled(value: Tree, *, lenient: bool) -> bool:
    """A list of one item has one order."""
    return lenient and isinstance(value, list) and len(value) < 2


def _text(steps: Sequence[object]) -> str:
    out = ""
    for step in steps:
        piece = "[]" if step is EACH else spell((step,))  # type: ignore[arg-type]
        out += piece if piece.startswith("[") or not out else f".{piece}"
    return out


def _over_cases(rules: Sequence[_Rule], views: Mapping[str, Tree]) -> Iterator[list[_Rule]]:
    """Rules of the same place in all of several cases that have it, together."""
    groups: dict[tuple[object, ...], list[_Rule]] = {}
    for rule in rules:
        groups.setdefault((*_folded(rule.selector), rule.series[0].arranged), []).append(rule)
    for group in groups.values():
        selector = Selector("", _folded(group[0].selector))
        having = {name for name, view in views.items() if _has(selector, view, arranged=group[0].series[0].arranged)}
        own = {rule.case for rule in group}
        if len(own) > 1 and having <= own:
            yield group
        else:
            yield from ([rule] for rule in group)


def _has(selector: Selector, view: Tree, *, arranged: bool) -> bool:
    found = (value for path, value in walk(view) if selector.matches(_folded_path(path)))
    return any(not _settled(value, lenient=arranged) for value in found)


def _folded(text: str) -> tuple[object, ...]:
    steps = Selector.parse(text).steps
    if len(steps) > 2 and steps[1] in _HEADERS and isinstance(steps[2], str):
        return (*steps[:2], steps[2].lower(), *steps[3:])
    return steps


def _folded_path(path: Path) -> Path:
    if len(path) > 2 and path[1] in _HEADERS and isinstance(path[2], str):
        return (*path[:2], path[2].lower(), *path[3:])
    return path


def _view(case: Case) -> Tree:
    return {"response": diff.recorded_tree(case.response), "messages": diff.messages_tree(case.messages)}


def _of_calls(
    case: Case,
    series: Sequence[Series],
    codecs: Mapping[str, Codec],
    found: list[Proposal],
    refused: list[tuple[Series, str]],
) -> None:
    """Rules for the values of calls, each place for itself; values that only change places among themselves are unordered."""
    positions = dict.fromkeys(one.path[1] for one in series)
    for position in positions:
        assert isinstance(position, int)
        call = case.calls[position]
        ask = codecs[call.target].ask(call)
        own = [one for one in series if one.path[1] == position]
        places = [written(call, position, ask, int(one.path[3])) for one in own]
        if len(own) > 1 and _swapped(own):
            params = call.fields.get("params")
            if isinstance(params, list) and sorted(map(str, places)) == sorted(
                str(("calls", position, "params", at)) for at in range(len(params))
            ):
                places, own = [("calls", position, "params")], own[:1]
            found += [
                Proposal(case=case.name, selector=spell(place), kind="unordered", series=(one,))
                for place, one in zip(places, own, strict=True)
            ]
            continue
        for place, one in zip(places, own, strict=True):
            _propose([_Rule(case=case.name, selector=spell(place), series=(_numeric(one),))], found, refused)


def _swapped(series: Sequence[Series]) -> bool:
    """Whether in every run the values are those recorded, in other places."""
    wanted = sorted(str(one.recorded) for one in series)
    runs = set.intersection(*(set(one.lives) for one in series))
    return bool(runs) and all(sorted(str(one.lives[run]) for one in series) == wanted for run in runs)


def _numeric(series: Series) -> Series:
    """A database's parameters are text: where all of them say whole numbers, they are meant as such."""
    texts = [str(value) for value in (series.recorded, *series.lives.values())]
    if not all(text.lstrip("-").isdecimal() for text in texts):
        return series
    lives: dict[int, object] = {run: int(str(value)) for run, value in series.lives.items()}
    return Series(case=series.case, path=series.path, recorded=int(str(series.recorded)), lives=lives)
