"""What share of the mutations of a suite its rules would find, what hides the rest, and which cases and rules do nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from normalizers.base import When
from normalizers.pipeline import NORMALIZERS
from replayer import diff
from replayer.audit.calls import Watch, of_calls
from replayer.audit.mutations import Mutation, of_response
from replayer.bindings import Bindings
from replayer.calls.known import Known, all_calls
from replayer.diff import Comparison
from replayer.noise import Rules, unmatched
from replayer.received import Received
from replayer.severity import Severity, fails
from wiretape import body as bodies
from wiretape.case import Case, Noise, Response, Strictness, Suite
from wiretape.errors import EncodeError
from wiretape.protocols.base import Ask, Codec
from wiretape.tree import Tree

# Whether a mutation is found, under these rules, with these calls compared, failing from this severity on.
type Found = Callable[[Rules, Strictness, Severity], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A mutation that nobody would notice. `hidden_by` is what it would be noticed without: a noise rule (`noise:
    SELECTOR`), the strictness (`calls: off in suite.yaml`), or the severity from which on a replay fails (`--fail-on high`)."""

    case: str
    mutation: Mutation
    hidden_by: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Report:
    """`tried` counts mutations by case. `empty` are cases none of whose mutations is found, `dead` rules that match nothing,
    `unused` calls that no replay needs, `skipped` cases that are not replayed at all."""

    tried: Counter[str] = field(default_factory=Counter)
    slips: list[Slip] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The share of mutations found, in percent; 0 where there was nothing to mutate."""
        total = self.tried.total()
        return 100 * (total - len(self.slips)) / total if total else 0.0


def audit(suite: Suite, codecs: Mapping[str, Codec], recorded_at: Callable[[Case], float], fail_on: Severity = "low") -> Report:
    """Falsify every case of a suite (its secrets revealed), one thing at a time. `fail_on`: as replays are run."""
    report = Report()
    watch = Watch(suite, codecs, Known(codecs, all_calls(suite.session, suite.cases)))
    for case in suite.cases:
        if case.incomplete:
            report.skipped.append(f"{case.name}: {case.incomplete}")
            continue
        slips = list(_Audited(suite, case, codecs, recorded_at(case), report.tried, watch, fail_on).slips())
        report.slips += slips
        if len(slips) == report.tried[case.name]:
            report.empty.append(case.name)
    report.dead = list(_dead(suite))
    report.unused = list(_unused(suite))
    return report


class _Audited:
    """One case under mutation."""

    def __init__(
        self,
        suite: Suite,
        case: Case,
        codecs: Mapping[str, Codec],
        at: float,
        tried: Counter[str],
        watch: Watch,
        fail_on: Severity,
    ) -> None:
        self._suite, self._case, self._tried, self._watch, self._fail_on = suite, case, tried, watch, fail_on
        self._when = When(recorded=at, live=at)
        self._noise = (*case.noise, *suite.noise)
        self._asks = [codecs[call.target].ask(call) for call in case.calls]

    def slips(self) -> Iterator[Slip]:
        for mutation, response in of_response(self._case.response):
            try:
                received = _received(response)
            except EncodeError:
                continue  # no service could send that
            yield from self._judge(mutation, partial(self._differs, received))
        for mutation, asks in of_calls(self._asks):
            yield from self._judge(mutation, partial(self._calls_differ, asks))

    def _judge(self, mutation: Mutation, found: Found) -> Iterator[Slip]:
        self._tried[self._case.name] += 1
        rules = Rules(self._noise, NORMALIZERS)
        if not found(rules, self._suite.calls, self._fail_on):
            yield Slip(case=self._case.name, mutation=mutation, hidden_by=tuple(self._blamed(found, rules)))

    def _blamed(self, found: Found, rules: Rules) -> Iterator[str]:
        """What the mutation would be found without: one thing alone, or all of it."""
        strictness, fail_on = self._suite.calls, self._fail_on
        alone = False
        for rule in self._noise:
            if found(Rules(_without(self._noise, rule), NORMALIZERS), strictness, fail_on):
                alone = True
                yield f"noise: {rule.selector}"
        if strictness != "strict" and found(rules, "strict", fail_on):
            alone = True
            yield f"calls: {strictness} in suite.yaml"
        if fail_on != "low" and found(rules, strictness, "low"):
            alone = True
            yield f"--fail-on {fail_on}"
        if not alone and found(Rules((), NORMALIZERS), "strict", "low"):
            yield "several rules together"

    def _differs(self, live: Received, rules: Rules, _: Strictness, fail_on: Severity) -> bool:
        by = Comparison(bindings=Bindings(), rules=rules, when=self._when)
        return fails(diff.compare(self._case.response, live, by), (), (), fail_on)

    def _calls_differ(self, asks: Sequence[Ask], rules: Rules, strictness: Strictness, fail_on: Severity) -> bool:
        return self._watch.notices(self._case, asks, self._when, rules, strictness, fail_on)


def _received(response: Response) -> Received:
    return Received(
        status=response.status,
        headers=response.headers,
        body=bodies.write(response.body, response.headers),
        trailers=response.trailers,
    )


def _without(noise: Sequence[Noise], rule: Noise) -> tuple[Noise, ...]:
    return tuple(one for one in noise if one is not rule)


def _dead(suite: Suite) -> Iterator[str]:
    """Rules that name no place: of a case in it, of the suite in any case."""
    for case in suite.cases:
        yield from (f"{case.name}: {line}" for line in unmatched(case, [_tree(case)]))
    for rule in suite.noise:
        if all(unmatched(replace(case, noise=(rule,)), [_tree(case)]) for case in suite.cases):
            yield f"suite.yaml: noise {rule.selector} matches nothing in any case; correct or remove it"


def _unused(suite: Suite) -> Iterator[str]:
    """Calls of cases that are served, but that no build has to make."""
    for case in suite.cases:
        for at, call in enumerate(case.calls):
            if call.ambiguous:
                others = ", ".join(call.ambiguous)
                yield (
                    f"{case.name}: calls[{at}] is ambiguous ({others}), so nobody misses it: {call.operation}; "
                    "record the case again"
                )


def _tree(case: Case) -> Tree:
    recorded: list[Tree] = [dict(call.fields) for call in case.calls]
    return {"response": diff.recorded_tree(case.response), "calls": recorded}
