"""What several replays of one build showed: at each place that ever differed, the value of each run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from replayer.events import CallFinding, Change
from replayer.judge import Judged
from replayer.learn.calls import changed_values
from replayer.trees import GONE, REARRANGED
from wiretape.case import Case
from wiretape.protocols.base import Codec
from wiretape.tree import Path, Selector, same


@dataclass(slots=True, kw_only=True)
class Series:
    """One place of a case that differed: what was recorded there, and what each run had (GONE: nothing). `arranged`: it is a
    list, and what differed is the order of its items."""

    case: str
    path: Path
    recorded: object
    arranged: bool = False
    lives: dict[int, object] = field(default_factory=dict)

    @property
    def values(self) -> list[object]:
        """What the runs had, in their order, of those that tell."""
        return [value for _, value in sorted(self.lives.items())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One case in one run. `answered`: there was a response to compare. `refused`: a call of it was not answered."""

    answered: bool
    changes: Mapping[Path, Change]
    findings: tuple[CallFinding, ...]
    verdict: str
    reason: str
    refused: bool


class Evidence:
    """Collects run after run."""

    def __init__(self, codecs: Mapping[str, Codec]) -> None:
        self._codecs = codecs
        self._series: dict[tuple[str, Path, bool], Series] = {}
        self._ruled: dict[tuple[str, Path, bool], int] = {}
        self.seen: dict[str, dict[int, Seen]] = {}
        self.cases: dict[str, Case] = {}
        self.run = 0

    def begin(self) -> None:
        """Another run begins."""
        self.run += 1

    def add(self, case: Case, judged: Judged) -> None:
        """What came of a case, bare, in the run under way."""
        self.cases[case.name] = case
        finished = judged.finished
        changes = {steps(change.path): change for change in judged.changes}
        self.seen.setdefault(case.name, {})[self.run] = Seen(
            answered=judged.received is not None,
            changes=changes,
            findings=judged.calls,
            verdict=finished.verdict,
            reason=finished.reason,
            refused=bool(finished.misses),
        )
        for path, change in changes.items() if not finished.misses else ():
            self._note(case.name, path, change)  # an answer to a call that was refused is not the build's own
        for finding in judged.calls:
            for path, recorded, live in changed_values(case, finding, self._codecs):
                self._at(case.name, path, recorded).lives[self.run] = live

    def _note(self, case: str, path: Path, change: Change) -> None:
        recorded = GONE if change.kind == "added" else change.recorded
        series = self._at(case, path, recorded, arranged=change.reason == REARRANGED)
        series.lives[self.run] = GONE if change.kind == "removed" else change.live

    def _at(self, case: str, path: Path, recorded: object, *, arranged: bool = False) -> Series:
        key = (case, path, arranged)
        if key not in self._series:
            self._series[key] = Series(case=case, path=path, recorded=recorded, arranged=arranged)
        return self._series[key]

    def ruled(self, series: Series) -> None:
        """From the next run on a rule covers the place, so that no difference there says nothing."""
        self._ruled.setdefault((series.case, series.path, series.arranged), self.run)

    def series(self) -> list[Series]:
        """Every place that ever differed, with its values; a run without a difference had what was recorded."""
        filled = (self._filled(key, series) for key, series in self._series.items())
        return [series for series in filled if any(not alike(value, series.recorded) for value in series.values)]

    def _filled(self, key: tuple[str, Path, bool], series: Series) -> Series:
        lives = dict(series.lives)
        last = self._ruled.get(key, self.run)
        for run, seen in self.seen[series.case].items():
            if run not in lives and run <= last and _tells(seen, series.path):
                lives[run] = series.recorded
        return Series(case=series.case, path=series.path, recorded=series.recorded, arranged=series.arranged, lives=lives)


def _tells(seen: Seen, path: Path) -> bool:
    """Whether a run in which nothing differed at a place had what was recorded there."""
    if path[0] == "calls":
        return seen.answered and not seen.findings
    above = (seen.changes.get(path[:length]) for length in range(1, len(path)))
    return seen.answered and not seen.refused and all(change is None or change.reason == REARRANGED for change in above)


def steps(path: str) -> Path:
    """The steps of a change's path."""
    return tuple(step for step in Selector.parse(path).steps if isinstance(step, str | int))


def alike(left: object, right: object) -> bool:
    """Whether two values of a series are the same; GONE is like itself only."""
    return left is right or (GONE not in (left, right) and same(left, right))  # type: ignore[arg-type]
