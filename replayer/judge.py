"""What came of a case -> its verdict, with every difference, masked and ready to be reported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from normalizers.base import When
from normalizers.pipeline import NORMALIZERS
from replayer import calls, diff
from replayer.bindings import Bindings
from replayer.book import Outcome
from replayer.calls.known import Known, all_calls
from replayer.curl import curl
from replayer.diff import Comparison
from replayer.events import CallFinding, CaseFinished, Change
from replayer.linked import Linked
from replayer.material import Material
from replayer.noise import Rules, unmatched
from replayer.plan import Plan
from replayer.received import Received
from replayer.severity import counted, fails
from wiretape.case import Case
from wiretape.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict, and the bare answer, changes and findings behind it (`CaseFinished` shows them without secrets)."""

    finished: CaseFinished
    changes: tuple[Change, ...] = ()
    calls: tuple[CallFinding, ...] = ()
    received: Received | None = None


class Judge:
    """Compares under the rules of one suite. `stored` is a case as it stands in its file, `case` the same with its secrets."""

    def __init__(self, plan: Plan, material: Material, bindings: Bindings, linked: Linked) -> None:
        self._plan, self._material, self._bindings, self._linked = plan, material, bindings, linked
        suite = material.suite
        self._known = Known(material.codecs, all_calls(suite.session, (*suite.cases, *material.others)))

    @property
    def traced(self) -> bool:
        """Whether the suite's requests were recorded with trace ids added to them."""
        return self._material.suite.traced

    def rules(self, case: Case) -> Rules:
        """The noise rules that hold for a case."""
        more = self._plan.noise
        noise = (*case.noise, *self._material.suite.noise, *more.get(case.name, ()), *more.get("", ()))
        return Rules(noise, NORMALIZERS)

    def changes(self, case: Case, received: Received, when: When, rules: Rules, bindings: Bindings) -> tuple[Change, ...]:
        """How an answer differs from the recorded one; what is fresh in it is bound, and stands where others link to it."""
        self._linked.answered(case, received)
        placed = partial(self._linked.places.meet, case)
        by = Comparison(bindings=bindings, rules=rules, when=when, placed=placed)
        changes = diff.compare(case.response, received, by, case.messages)
        self._linked.bind(case, bindings)
        return changes

    def answered(
        self,
        stored: Case,
        case: Case,
        received: Received,
        changes: tuple[Change, ...],
        *,
        outcome: Outcome,
        when: When,
        elapsed: float,
        warnings: tuple[str, ...],
    ) -> Judged:
        """The service answered, in a way that differs by `changes`."""
        findings = self._findings(outcome, when)
        failed = fails(changes, findings, outcome.misses, self._plan.fail_on)
        mask = self._material.mask
        finished = CaseFinished(
            case=stored,
            verdict="failed" if failed else "passed",
            changes=tuple(map(mask.change, changes)),
            calls=tuple(map(mask.finding, findings)),
            misses=tuple(map(mask.miss, outcome.misses)),
            elapsed=elapsed,
            warnings=(*warnings, *(_warnings(case, received) if case.noise else ())),
        )
        shown = self._with_commands(finished) if failed else finished
        return Judged(finished=shown, changes=changes, calls=findings, received=received)

    def _findings(self, outcome: Outcome, when: When) -> tuple[CallFinding, ...]:
        found = calls.compare(outcome, self._known, self._bindings.alike(when))
        return counted(found, self._material.suite.calls)

    def silent(
        self, stored: Case, reason: str, elapsed: float, *, gone: bool, outcome: Outcome | None = None, when: When | None = None
    ) -> Judged:
        """No answer. From a service that lives and was refused an answer by a mock this is a regression, not a broken run."""
        mask = self._material.mask
        misses = outcome.misses if outcome else ()
        findings = self._findings(outcome, when) if outcome and when else ()
        finished = CaseFinished(
            case=stored,
            verdict="failed" if misses and not gone else "broken",
            calls=tuple(map(mask.finding, findings)) if misses else (),
            misses=tuple(map(mask.miss, misses)),
            reason=mask.text(reason),
            elapsed=elapsed,
        )
        return Judged(finished=self._with_commands(finished), calls=findings)

    def _with_commands(self, finished: CaseFinished) -> CaseFinished:
        before, after = self._plan.rerun
        rerun = f"{before} --case {finished.case.name}" + (f" {after}" if after else "")
        request = self._linked.shown(finished.case, self._material.stored.cases)
        return replace(finished, rerun=rerun, curl=self._material.mask.text(curl(request, self._plan.service.url)))


def _warnings(case: Case, received: Received) -> tuple[str, ...]:
    recorded_calls: list[Tree] = [dict(call.fields) for call in case.calls]
    trees: list[Tree] = [
        {
            "response": dict(diff.recorded_tree(case.response)),
            "messages": diff.messages_tree(case.messages),
            "calls": recorded_calls,
        },
        {"response": dict(diff.live_tree(received, case.response)), "messages": diff.messages_tree(received.messages)},
    ]
    return unmatched(case, trees)
