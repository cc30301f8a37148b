"""Which inbound request caused which call: what is certain, what can be concluded, and what is not certain is said.

The rules, in order: the id of a request that a call carries (`trace`: see `recorder.traces`); requests let through one at a
time (`serialize`); the only request in flight when the call began (`in-flight`); the other statements of the call's transaction
(`transaction`), which also carry a COMMIT sent after the response. Where several requests could have made a call, what it was
made with and what it was answered may tell (`values`, `signature`: see `recorder.deduce`). A call that several could have made
all the same goes to each of them, marked with the others. Pure: no clocks, no files.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from recorder.batches import Batches
from recorder.deduce import SESSION, Deduction, Suspect
from recorder.evidence import Said, Told
from recorder.patterns import groups
from recorder.periodic import Asked, Beat, background
from recorder.traces import Carrier, Traces
from wiretape.protocols.base import Interaction

# How long after its response a request may begin another call, in seconds, where its kind is known to come so late.
_BEHIND: Final = 0.25
# Calls that say something of who made them: what is asked, and how a transaction ends.
_TELLING: Final = ("query", "end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time in which a request was under way, seconds since the epoch. `serialized`: the recorder let no other in."""

    started: float
    ended: float
    serialized: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """One interaction with a target, and the connection it ran on (unique over all targets)."""

    target: str
    connection: int
    interaction: Interaction


class Evidence(Protocol):
    """What requests and calls say, looked up where time alone does not tell."""

    def request(self, window: int) -> Said: ...

    def call(self, outbound: Outbound) -> Told: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributed:
    """A call of a window. `how`: a rule or `ambiguous`: then `others` are the windows that could have made it, too. `because`
    is the evidence, in words."""

    outbound: Outbound
    how: str
    because: str = ""
    others: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """`windows[n]` are the calls of the n-th window, `session` the calls no window caused; all in the order they began."""

    windows: Sequence[Sequence[Attributed]]
    session: Sequence[Outbound]


def attribute(windows: Sequence[Window], outbound: Iterable[Outbound], evidence: Evidence | None = None) -> Attribution:
    """Give every interaction to the windows that may have caused it, or to the session. Without `evidence` by time alone."""
    flight = _Flight(windows)
    session: list[Outbound] = []
    units: list[_Unit] = []
    outbound = list(outbound)
    evidence = _Once(evidence) if evidence is not None else None
    requests = [evidence.request(number) for number in range(len(windows))] if evidence is not None and outbound else []
    carriers = _carriers(outbound, evidence)
    traces = Traces(windows, [request.traces for request in requests], carriers.values())
    for together in _units(outbound):
        session += (one for one in together if one.interaction.role == "housekeeping")
        members = [one for one in together if one.interaction.role != "housekeeping"]
        candidates = () if _only_housekeeping(together, members) else _candidates(flight, members)
        told, certain = traces.owners(carriers[id(one)] for one in members if id(one) in carriers)
        if certain:
            how = "" if candidates == tuple(told) and flight.alone(candidates[0]) else "trace"
            units.append(_Unit(members=members, candidates=tuple(told), how=how, traced=True))
        elif candidates or told:
            units.append(_Unit(members=members, candidates=tuple(sorted({*candidates, *told}))))
        else:
            session += members
    if evidence is not None and units:
        _reach_back(units, session, flight, evidence)
        _share(units, flight, requests, evidence)
        _deduce(units, windows, requests, session, evidence)
    return _given(units, flight, len(windows), session)


@dataclass(slots=True, kw_only=True)
class _Unit:
    """Calls of one request, whichever it is. `how` it was concluded where time alone does not tell, and for each query among
    them in turn `because` of what. `traced`: they carry the request's id; `shared`: they were made for all candidates."""

    members: Sequence[Outbound]
    candidates: tuple[int, ...]
    how: str = ""
    because: Sequence[str] = ()
    traced: bool = False
    shared: bool = False


class _Once:
    """Evidence that is looked up once."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._calls: dict[int, Told] = {}

    def request(self, window: int) -> Said:
        return self._evidence.request(window)

    def call(self, outbound: Outbound) -> Told:
        if id(outbound) not in self._calls:
            self._calls[id(outbound)] = self._evidence.call(outbound)
        return self._calls[id(outbound)]


def _reach_back(units: Sequence[_Unit], session: Iterable[Outbound], flight: _Flight, evidence: Evidence) -> None:
    """Services go on after the response (an audit, a mail). What was seen to come with no request in flight, each time just
    behind a response, may be that also where it comes while others are in flight: it may be an earlier request's, then."""
    behind: dict[str, bool] = {}
    for one in session:
        if one.interaction.role == "query":
            shape = evidence.call(one).shape
            behind[shape] = behind.get(shape, True) and bool(flight.just_ended(one.interaction.started))
    for unit in units:
        asked = [one for one in unit.members if one.interaction.role == "query"]
        if asked and not unit.traced and all(behind.get(evidence.call(one).shape) for one in asked):
            earlier = flight.just_ended(unit.members[0].interaction.started)
            unit.candidates = tuple(sorted({*unit.candidates, *earlier}))


def _carriers(outbound: Iterable[Outbound], evidence: Evidence | None) -> dict[int, Carrier]:
    """What of the calls carries ids, by the identity of the call."""
    if evidence is None:
        return {}
    return {
        id(one): Carrier(kind=evidence.call(one).shape, started=one.interaction.started, traces=one.interaction.traces)
        for one in outbound
        if one.interaction.traces
    }


def _share(units: Sequence[_Unit], flight: _Flight, requests: Sequence[Said], evidence: Evidence) -> None:
    """Calls that one request made for others, too, are theirs as well."""
    traced = [(unit, one) for unit in units if unit.traced for one in unit.members if one.interaction.role == "query"]
    batches = Batches(requests, [(unit.candidates[0], evidence.call(one)) for unit, one in traced])
    for unit, one in traced:
        owner = unit.candidates[0]
        others = batches.served(evidence.call(one), owner, flight.at(one.interaction.started) - {owner})
        if others:
            unit.candidates, unit.shared, unit.how = (owner, *sorted({*unit.candidates[1:], *others})), True, ""


def _deduce(
    units: Sequence[_Unit],
    windows: Sequence[Window],
    requests: Sequence[Said],
    session: Sequence[Outbound],
    evidence: Evidence,
) -> None:
    """Narrow the candidates by what requests and calls say."""
    suspects = [_suspect(unit, evidence) for unit in units]
    outside = [_suspect(_Unit(members=(one,), candidates=()), evidence) for one in session]
    beats = [_beat(unit, suspect) for unit, suspect in zip(units, suspects, strict=True)]
    beats += [_beat(_Unit(members=(one,), candidates=()), suspect) for one, suspect in zip(session, outside, strict=True)]
    asked = [
        Asked(groups=groups(said.route), at=window.started, texts=said.texts)
        for said, window in zip(requests, windows, strict=True)
    ]
    ticking = background(beats, asked)
    deduction = Deduction(suspects, requests, [call for one in outside for call in one.calls], ticking)
    verdicts = deduction.decide()
    for number, left in deduction.left.items():
        # One that is left only as nothing is known of it is not the one.
        if number not in verdicts and not units[number].shared and len(left) > 1:
            units[number].candidates = left
    for number, verdict in verdicts.items():
        unit = units[number]
        if unit.shared:
            continue
        if len(unit.candidates) > 1:
            unit.how, unit.because = verdict.how, verdict.because
        unit.candidates = () if verdict.window == SESSION else (verdict.window,)


def _suspect(unit: _Unit, evidence: Evidence) -> Suspect:
    telling = [one for one in unit.members if one.interaction.role in _TELLING]
    return Suspect(
        calls=tuple(map(evidence.call, telling)),
        candidates=unit.candidates,
        ends=sum(one.interaction.role == "end" for one in telling),
        traced=unit.traced,
    )


def _beat(unit: _Unit, suspect: Suspect) -> Beat:
    first = unit.members[0]
    return Beat(
        kind=suspect.kind,
        given=tuple(text for call in suspect.calls for text in call.given),
        at=first.interaction.started,
        connection=first.connection,
        candidates=unit.candidates,
    )


def _given(units: Iterable[_Unit], flight: _Flight, windows: int, session: list[Outbound]) -> Attribution:
    found: list[list[Attributed]] = [[] for _ in range(windows)]
    for unit in units:
        if not unit.candidates:
            session += unit.members
        for index in unit.candidates:
            others = tuple(other for other in unit.candidates if other != index)
            found[index] += _attributed(flight, unit, index, others)
    for calls in found:
        calls.sort(key=lambda one: one.outbound.interaction.started)
    session.sort(key=lambda one: one.interaction.started)
    return Attribution(windows=found, session=session)


def _units(outbound: Iterable[Outbound]) -> Iterable[list[Outbound]]:
    """What belongs together whatever else is true: the members of one transaction; each of the rest alone."""
    units: dict[object, list[Outbound]] = defaultdict(list)
    for number, one in enumerate(outbound):
        transaction = one.interaction.transaction
        units[number if transaction is None else (one.connection, transaction)].append(one)
    for unit in units.values():
        unit.sort(key=lambda one: one.interaction.started)
        yield unit


def _only_housekeeping(unit: Sequence[Outbound], members: Sequence[Outbound]) -> bool:
    """A transaction a pool or driver opened for its own questions is the pool's own as well."""
    return len(members) < len(unit) and all(one.interaction.role in ("begin", "end") for one in members)


def _candidates(flight: _Flight, members: Sequence[Outbound]) -> tuple[int, ...]:
    """The windows in flight at the first member that began in one, narrowed by every later member.

    The end of a transaction does not narrow: it may come after the response, while a stranger is in flight.
    """
    candidates: frozenset[int] = frozenset()
    for one in members:
        here = flight.at(one.interaction.started)
        if not candidates:
            candidates = here
        elif one.interaction.role != "end":
            candidates = candidates & here or candidates
    return tuple(sorted(candidates))


def _attributed(flight: _Flight, unit: _Unit, index: int, others: tuple[int, ...]) -> Iterator[Attributed]:
    because = iter(unit.because)
    for one in unit.members:
        why = next(because, "") if one.interaction.role in _TELLING else ""
        if others:
            yield Attributed(outbound=one, how="ambiguous", others=others)
        elif unit.how:
            yield Attributed(outbound=one, how=unit.how, because=why)
        elif flight.at(one.interaction.started) != {index}:
            yield Attributed(outbound=one, how="transaction")
        else:
            yield Attributed(outbound=one, how="serialize" if flight.alone(index) else "in-flight")


class _Flight:
    """Which windows are open at a moment, in O(log n): the answer changes only where a window begins or ends."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self._windows = windows
        self._times: list[float] = []
        self._open: list[frozenset[int]] = []
        self._shared: set[int] = set()
        self._ended = sorted((window.ended, number) for number, window in enumerate(windows))
        now: frozenset[int] = frozenset()
        edges = sorted([(w.ended, 0, n) for n, w in enumerate(windows)] + [(w.started, 1, n) for n, w in enumerate(windows)])
        for time, beginning, number in edges:
            now = now | {number} if beginning else now - {number}
            if len(now) > 1:
                self._shared |= now
            self._times.append(time)
            self._open.append(now)

    def at(self, time: float) -> frozenset[int]:
        """The windows open at `time`; at the very end of a window its response is out, so it no longer is."""
        place = bisect_right(self._times, time)
        return self._open[place - 1] if place else frozenset()

    def just_ended(self, time: float) -> frozenset[int]:
        """The windows that ended shortly before `time`."""
        first = bisect_left(self._ended, (time - _BEHIND, -1))
        return frozenset(number for _, number in self._ended[first : bisect_right(self._ended, (time, len(self._windows)))])

    def alone(self, index: int) -> bool:
        """Whether the recorder let this request through alone, and it was."""
        return self._windows[index].serialized and index not in self._shared
