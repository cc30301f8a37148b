"""What would still fail once the rules are written: what is no noise, said so that a person knows what it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from replayer.events import CallFinding, Change
from replayer.learn.classify import varies
from replayer.learn.evidence import Evidence, Seen, Series
from replayer.learn.generalise import Proposal
from replayer.report.text import headline
from replayer.trees import GONE
from wiretape.tree import Path, spell


@dataclass(frozen=True, slots=True, kw_only=True)
class Remain:
    """One thing that is no noise. `told` follows the place; `recorded` and `live` are shown where given (GONE: nothing)."""

    case: str
    place: str
    told: str
    recorded: object = None
    live: object = None
    shown: bool = False


def remains(
    evidence: Evidence, rules: Sequence[Proposal], refused: Sequence[tuple[Series, str]], runs: int, *, checked: bool
) -> Iterator[Remain]:
    """Everything that differed in the last `runs` runs and that no rule covers. `checked`: the rules held in those runs."""
    covered = {(one.case, one.path) for rule in rules for one in rule.series}
    reasons = {(one.case, one.path): reason for one, reason in refused}
    series = {(one.case, one.path): one for one in evidence.series()}
    for name, seen in evidence.seen.items():
        last = [seen[run] for run in sorted(seen) if run > evidence.run - runs]
        places: dict[Path, Change] = {}
        for each in last:
            places |= each.changes
        for path, change in places.items():
            if (name, path) in covered and checked:
                yield Remain(case=name, place=spell(path), told="differs beyond what its rule allows")
            elif (name, path) not in covered and (name, path) in series:
                yield _place(name, path, change, series[name, path], reasons.get((name, path), ""))
        yield from _calls(name, last)
        silent = next((each for each in last if not each.answered and each.verdict != "skipped"), None)
        if silent is not None:
            yield Remain(case=name, place="", told=silent.reason)


def _place(name: str, path: Path, change: Change, series: Series, reason: str) -> Remain:
    if reason:
        return Remain(case=name, place=spell(path), told=f"differs from run to run, but {reason}; not noise")
    if varies(series):
        told = "differs from run to run, in too few of them to tell how; run it again"
        return Remain(case=name, place=spell(path), told=told)
    live: object = GONE if change.kind == "removed" else change.live
    recorded: object = GONE if change.kind == "added" else change.recorded
    told = f"constant over {len(series.lives)} runs, but not what was recorded"
    if change.reason:
        told += f" ({change.reason})"
    return Remain(case=name, place=spell(path), told=told, recorded=recorded, live=live, shown=True)


def _calls(name: str, last: Sequence[Seen]) -> Iterator[Remain]:
    """One line for each finding, with the runs that had it."""
    groups: dict[str, list[CallFinding]] = {}
    for each in last:
        for line, finding in {headline(finding): finding for finding in each.findings}.items():
            groups.setdefault(line, []).append(finding)
    for line, found in groups.items():
        always = len(found) == len(last)
        how = "in every run" if always else f"in {len(found)} of {len(last)} runs, which calls are made differs"
        details = f" ({found[0].details[0]})" if found[0].details else ""
        yield Remain(case=name, place=found[0].place, told=f"{line}{details}: {how}; not noise")
