"""What share of the mutations of a suite its rules would find, what hides the rest, and which cases and rules do nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from normalizers.base import When
from normalizers.pipeline import NORMALIZERS
from replayer import diff
from replayer.audit.calls import noticed, of_calls
from replayer.audit.mutations import Mutation, of_response
from replayer.bindings import Bindings
from replayer.diff import Comparison
from replayer.noise import Rules, unmatched
from replayer.received import Received
from wiretape import body as bodies
from wiretape.case import Case, Noise, Response, Suite
from wiretape.errors import EncodeError
from wiretape.protocols.base import Codec
from wiretape.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A mutation that nobody would notice. `hidden_by` are the rules without any of which it would be noticed."""

    case: str
    mutation: Mutation
    hidden_by: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Report:
    """`tried` counts mutations by case. `empty` are cases none of whose mutations is found, `dead` rules that match nothing,
    `skipped` cases that are not replayed at all."""

    tried: Counter[str] = field(default_factory=Counter)
    slips: list[Slip] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The share of mutations found, in percent; 0 where there was nothing to mutate."""
        total = self.tried.total()
        return 100 * (total - len(self.slips)) / total if total else 0.0


def audit(suite: Suite, codecs: Mapping[str, Codec], recorded_at: Callable[[Case], float]) -> Report:
    """Falsify every case of a suite (its secrets revealed), one thing at a time."""
    report = Report()
    for case in suite.cases:
        if case.incomplete:
            report.skipped.append(f"{case.name}: {case.incomplete}")
            continue
        slips = list(_Audited(suite, case, codecs, recorded_at(case), report.tried).slips())
        report.slips += slips
        if len(slips) == report.tried[case.name]:
            report.empty.append(case.name)
    report.dead = list(_dead(suite))
    return report


class _Audited:
    """One case under mutation."""

    def __init__(self, suite: Suite, case: Case, codecs: Mapping[str, Codec], at: float, tried: Counter[str]) -> None:
        self._suite, self._case, self._codecs, self._tried = suite, case, codecs, tried
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
            yield from self._judge(mutation, partial(noticed, self._suite, self._case, self._codecs, asks, self._when))

    def _judge(self, mutation: Mutation, found: Callable[[Rules], bool]) -> Iterator[Slip]:
        self._tried[self._case.name] += 1
        if found(Rules(self._noise, NORMALIZERS)):
            return
        blamed = tuple(str(rule.selector) for rule in self._noise if found(Rules(_without(self._noise, rule), NORMALIZERS)))
        if not blamed and self._noise and found(Rules((), NORMALIZERS)):
            blamed = ("several rules together",)
        yield Slip(case=self._case.name, mutation=mutation, hidden_by=blamed)

    def _differs(self, live: Received, rules: Rules) -> bool:
        return bool(diff.compare(self._case.response, live, Comparison(bindings=Bindings(), rules=rules, when=self._when)))


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


def _tree(case: Case) -> Tree:
    recorded: list[Tree] = [dict(call.fields) for call in case.calls]
    return {"response": diff.recorded_tree(case.response), "calls": recorded}
