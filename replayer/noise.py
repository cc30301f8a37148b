"""Noise rules: the places a suite or a case says may differ, and of what kind the live value must still be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from normalizers.base import Normalizer, takes
from replayer.callnoise import CallNoise
from wiretape.case import Call, Case, Noise
from wiretape.errors import CaseFormatError, ConfigError
from wiretape.noisekinds import named_place, unknown_kind
from wiretape.protocols.base import Ask
from wiretape.tree import Path, Selector, Tree, walk

_HEADERS = ("headers", "trailers")


class Rules:
    """The rules of one case and its suite, ready to ask. Header names match in any case."""

    def __init__(self, noise: Sequence[Noise], kinds: Mapping[str, Normalizer]) -> None:
        self._rules = tuple((_folded(rule.selector), kinds[rule.kind]) for rule in noise)

    def at(self, path: Path) -> Iterator[Normalizer]:
        """The kinds that the rules naming exactly this path ask for."""
        if not self._rules:
            return iter(())
        place = _folded_path(path)
        return (kind for selector, kind in self._rules if selector.matches(place))

    def allow(self, path: Path, recorded: Tree, live: Tree) -> bool:
        """Whether a rule of this very place lets `live` stand where `recorded` stood."""
        return any(takes(kind, recorded, live) for kind in self.at(path))

    def of_call(self, call: Call, position: int, ask: Ask) -> CallNoise | None:
        """What may differ within the case's call number `position`; None where nothing may. `calls[0].values[1]` is the second
        value of what is asked, wherever it stands."""
        if not any(selector.steps[0] == "calls" for selector, _ in self._rules):
            return None
        fields: dict[str, Tree] = {**call.fields, "values": list(ask.values)}
        places = {path: value for path, value in walk(fields, ("calls", position)) if any(True for _ in self.at(path))}
        kinds = {path: tuple(self.at(path)) for path in places}
        return CallNoise.of(ask, places, kinds) if places else None


def check_kinds(noise: Sequence[Noise], kinds: Mapping[str, Normalizer], path: object) -> None:
    """Raises CaseFormatError for a rule whose kind does not exist."""
    for rule in noise:
        if rule.kind not in kinds:
            reason = f"{rule.selector}: {unknown_kind(rule.kind, kinds)}"
            raise CaseFormatError(str(path), rule.line, 1, reason) if path else ConfigError(reason)


def unmatched(case: Case, trees: Sequence[Tree]) -> tuple[str, ...]:
    """One line for each rule of the case that names no place in any of the trees (of the recording, of this run)."""
    return tuple(
        f"noise {rule.selector} matches nothing, neither recorded nor live; correct or remove it"
        for rule in case.noise
        if not _may_be_absent(rule) and not any(_folded_matches(rule.selector, tree) for tree in trees)
    )


def _folded_matches(selector: Selector, tree: Tree) -> bool:
    folded = named_place(_folded(selector))
    return any(folded.matches(_folded_path(path)) for path, _ in walk(tree))


def _may_be_absent(rule: Noise) -> bool:
    return rule.kind.partition(" ")[0] == "optional"


def _folded(selector: Selector) -> Selector:
    steps = selector.steps
    if len(steps) > 2 and steps[1] in _HEADERS and isinstance(steps[2], str):
        return Selector(selector.text, (*steps[:2], steps[2].lower(), *steps[3:]))
    return selector


def _folded_path(path: Path) -> Path:
    if len(path) > 2 and path[1] in _HEADERS and isinstance(path[2], str):
        return (*path[:2], path[2].lower(), *path[3:])
    return path
