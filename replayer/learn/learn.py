"""Replays a build again and again, under the rules found so far, until nothing new differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from replayer.events import Event, SuiteFinished
from replayer.learn.classify import varies
from replayer.learn.evidence import Evidence, Series
from replayer.learn.generalise import Proposal, proposals
from replayer.learn.remains import Remain, remains
from replayer.masking import Mask
from replayer.material import prepare
from replayer.plan import Plan
from replayer.runner import run
from wiretape.case import Case, Noise
from wiretape.tree import Selector

_MOST_ROUNDS = 6
# A list of two items keeps its order every other time by chance, and so does a boolean: that takes more runs to tell.
_PATIENCE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """The rules proposed, what no rule covers and would still fail, and how many runs that took. `checked`: the runs that were
    made under these very rules. `stored` are the cases as in their files."""

    rules: tuple[Proposal, ...]
    remains: tuple[Remain, ...]
    runs: int
    checked: int
    stored: tuple[Case, ...]
    mask: Mask


async def learn(plan: Plan, runs: int, say: Callable[[str], None]) -> Learned:
    """`runs` replays in each round (2 or more). Raises as `replayer.runner.run` does."""
    material = prepare(plan.config, plan.environ, plan.cases)
    evidence = Evidence(material.codecs)
    rules: list[Proposal] = []
    checked = 0
    for _ in range(_MOST_ROUNDS):
        for _ in range(runs):
            evidence.begin()
            closing = await run(replace(plan, noise=_noise(rules), learning=True), _deaf, evidence.add)
            say(f"run {evidence.run}: {_told(closing)}")
        found, refused = proposals(_varying(evidence), evidence.cases, material.codecs, material.others)
        found = [_without_secrets(rule, material.mask) for rule in found]
        checked = runs if _same(found, rules) else 0
        rules = found
        for rule in rules:
            for one in rule.series:
                evidence.ruled(one)
        if checked and not _undecided(evidence, runs):
            break
    left = remains(evidence, rules, refused, runs, checked=bool(checked))
    stored = material.stored.cases
    return Learned(
        rules=tuple(rules), remains=tuple(left), runs=evidence.run, checked=checked, stored=stored, mask=material.mask
    )


def _without_secrets(rule: Proposal, mask: Mask) -> Proposal:
    """A form that would spell out a secret says less."""
    if mask.text(rule.kind) == rule.kind:
        return rule
    return replace(rule, kind="optional string" if rule.kind.startswith("optional") else "string")


def _deaf(_: Event) -> None:
    """What a single replay reports is not shown."""


def _told(closing: SuiteFinished) -> str:
    differ = closing.failed + closing.broken
    return f"{closing.passed} cases as recorded, {differ} not" if differ else f"all {closing.passed} cases as recorded"


def _noise(rules: Sequence[Proposal]) -> dict[str, tuple[Noise, ...]]:
    by_case: dict[str, list[Noise]] = {}
    for rule in rules:
        by_case.setdefault(rule.case, []).append(Noise(selector=Selector.parse(rule.selector), kind=rule.kind))
    return {case: tuple(noise) for case, noise in by_case.items()}


def _same(found: Sequence[Proposal], rules: Sequence[Proposal]) -> bool:
    def plain(some: Sequence[Proposal]) -> set[tuple[str, str, str]]:
        return {(rule.case, rule.selector, rule.kind) for rule in some}

    return plain(found) == plain(rules)


def _varying(evidence: Evidence) -> list[Series]:
    return [series for series in evidence.series() if varies(series)]


def _undecided(evidence: Evidence, runs: int) -> bool:
    """Whether a place has been constant, and other than recorded, in fewer runs than it takes to be sure."""
    return any(
        not varies(series)
        and len(series.lives) < runs * (_PATIENCE if series.arranged or isinstance(series.recorded, bool) else 2)
        for series in evidence.series()
    )
