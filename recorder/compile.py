"""Captures -> cases: read through the taps, filtered, attributed, named, secrets taken out, written to the suite.

Can be run again with other rules as long as the captures are kept. What could not be read or told for certain is said in the
cases it concerns and in the summary, never left out silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from normalizers import secrets as credentials
from recorder import capture
from recorder.attribute import Attributed, Outbound, Window, attribute
from recorder.dedupe import dedupe
from recorder.evidence import Said, Told, said, told
from recorder.filters import Choice
from recorder.found import name_found
from recorder.naming import Names, graphql_operation, slug
from recorder.routes import Routes
from recorder.taps import Inbound, Loss, Seen, watch
from wiretape import secrets, store
from wiretape.body import meaning
from wiretape.case import Call, Case
from wiretape.config import Config
from wiretape.errors import StoreError
from wiretape.protobuf.registry import Registry
from wiretape.protobuf.sources import load as load_types
from wiretape.protocols.base import Codec
from wiretape.protocols.http import SWITCHING, Exchange, to_messages, to_request, to_response
from wiretape.protocols.raw import EXACTNESS
from wiretape.tree import Tree

_CERTAIN = ("serialize", "in-flight", "trace")
# A service may go on working for a client that has left, and no wire tells how long. In seconds.
_LINGERS = 1.0


@dataclass(slots=True, kw_only=True)
class Summary:
    """What compiling came to. `calls` counts those in cases, `session` the distinct others; `notes` are lines to be said."""

    suite: Path
    written: list[Path] = field(default_factory=list)
    calls: int = 0
    session: int = 0
    ambiguous: list[str] = field(default_factory=list)
    incomplete: list[tuple[str, str]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    requests: int = 0
    filtered: int = 0
    unanswered: int = 0
    deduped: int = 0
    notes: list[str] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)


def compile_captures(config: Config, *, keep: bool = False) -> Summary:
    """Turn every capture under `config.home` into cases of `config.suite`; the captures are deleted once the cases are written.

    Raises StoreError where there is none, ConfigError for filters that cannot be read.
    """
    choice = Choice.parse(config.record.include, config.record.exclude, config.record.sample)
    summary = Summary(suite=config.suite)
    paths = [path for path in capture.captures(config.home) if not _busy(path, summary)]
    if not paths:
        raise StoreError(f"nothing to compile: no captures in {capture.folder(config.home)}; record with wiretape record first")
    names = Names(path.stem for path in config.suite.rglob("*.yaml"))
    made = _Made(types=load_types(config.service.protos if config.service else ()))
    damaged = {path for path in paths if not _compile_one(path, config.record.max_body, choice, names, made, summary)}
    if config.record.dedupe:
        _dedupe(made, summary)
    _write(config, made, summary)
    for path in paths:
        if keep:
            summary.kept.append(path)
        elif path in damaged:
            summary.kept.append(path.rename(path.with_suffix(".damaged")))
        else:
            capture.delete(path)
    return summary


@dataclass(slots=True)
class _Made:
    """What all captures together came to, read with the `types` of the service's gRPC calls."""

    types: Registry
    cases: list[Case] = field(default_factory=list)
    session: dict[str, Call] = field(default_factory=dict)
    facts: dict[str, dict[str, Tree]] = field(default_factory=dict)
    codecs: dict[str, Codec] = field(default_factory=dict)
    traced: bool = False


def _dedupe(made: _Made, summary: Summary) -> None:
    """Keep one case of each kind; say what goes."""
    result = dedupe(made.cases, made.codecs)
    summary.deduped = len(made.cases) - len(result.kept)
    summary.notes += [f"dropped {count} like {name}" for name, count in result.dropped.items()]
    summary.notes.append(f"covered as before: {result.routes} routes, {result.shapes} kinds of request, response and calls")
    names = {case.name for case in result.kept}
    summary.calls = sum(len(case.calls) for case in result.kept)
    summary.ambiguous = [name for name in summary.ambiguous if name in names]
    summary.incomplete = [(name, why) for name, why in summary.incomplete if name in names]
    made.cases = result.kept


def _busy(path: Path, summary: Summary) -> bool:
    busy = capture.in_use(path)
    if busy:
        summary.notes.append(f"{path.name} is still being recorded and was left alone")
    return busy


def _compile_one(path: Path, max_body: int, choice: Choice, names: Names, made: _Made, summary: Summary) -> bool:
    """Add what one capture says; False if it could not be read to its end."""
    seen = Seen()
    whole = True
    try:
        watch(capture.read(path), max_body, seen)
    except StoreError as error:
        whole = False
        summary.notes.append(f"{error}; what came before was used")
    name_found(seen)
    seen.inbound.sort(key=lambda one: one.started)
    _Assembly(path, seen, choice, names, summary, made.types).add_to(made)
    made.codecs |= seen.codecs
    made.traced |= seen.traced
    for target, facts in seen.facts.items():
        made.facts[target] = {**made.facts.get(target, {}), **facts}
    summary.notes += sorted({_lost(loss) for loss in seen.losses})
    summary.notes += [f"target {name} speaks {seen.facts[name]['protocol']!s}, as its first bytes tell" for name in seen.spoken]
    summary.notes += [f"target {name} is {EXACTNESS}" for name in sorted(seen.raw)]
    return whole


def _lost(loss: Loss) -> str:
    where = f"target {loss.target}" if loss.target else "the service"
    return f"{where}: {loss.reason}; what followed on that connection is lost"


class _Assembly:
    """The cases of one capture."""

    def __init__(self, path: Path, seen: Seen, choice: Choice, names: Names, summary: Summary, types: Registry) -> None:
        self._seen = seen
        self._types = types
        self._summary = summary
        self._wanted = [self._want(choice, path, one) for one in seen.inbound]
        self._labels = [
            names.free(_slug(one.exchange)) if wanted else _left_out(one)
            for one, wanted in zip(seen.inbound, self._wanted, strict=True)
        ]

    def _want(self, choice: Choice, path: Path, one: Inbound) -> bool:
        exchange = one.exchange
        self._summary.requests += 1
        if not exchange.status:
            self._summary.unanswered += 1
            return False
        wanted = choice.wants(exchange.method, exchange.target, exchange.status) and choice.draws(f"{path.name}/{one.identity}")
        self._summary.filtered += not wanted
        return wanted

    def add_to(self, made: _Made) -> None:
        windows = [
            Window(started=one.started, ended=_over(one.exchange), serialized=one.serialized) for one in self._seen.inbound
        ]
        result = attribute(windows, self._seen.outbound, Evidence(self._seen))
        for index, one in enumerate(self._seen.inbound):
            if self._wanted[index]:
                made.cases.append(self._case(self._labels[index], one, result.windows[index]))
        for outbound in result.session:
            made.session.setdefault(_identity(outbound), _call(outbound))

    def _case(self, name: str, one: Inbound, calls: Sequence[Attributed]) -> Case:
        exchange = one.exchange
        how = _how(one, calls)
        grpc = exchange.target.partition("?")[0]
        case = Case(
            name=name,
            request=to_request(exchange, self._types.inputs.get(grpc)),
            response=to_response(exchange, self._types.outputs.get(grpc)),
            messages=to_messages(exchange),
            calls=tuple(self._called(each, how) for each in calls),
            recorded=datetime.fromtimestamp(exchange.started, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            attributed=how,
            incomplete="; ".join(dict.fromkeys(self._missing(one, calls))),
        )
        self._summary.calls += len(case.calls)
        if how == "ambiguous":
            self._summary.ambiguous.append(name)
        if case.incomplete:
            self._summary.incomplete.append((name, case.incomplete))
        return case

    def _called(self, each: Attributed, how: str) -> Call:
        others = tuple(self._labels[other] for other in each.others)
        return replace(_call(each.outbound), attributed="" if each.how == how else each.how, ambiguous=others)

    def _missing(self, one: Inbound, calls: Sequence[Attributed]) -> list[str]:
        """Why the case is not whole; empty if it is."""
        exchange = one.exchange
        reasons = [exchange.incomplete] if exchange.incomplete else []
        if exchange.status == SWITCHING and not exchange.is_websocket:
            reasons.append("the connection went on in another protocol, which was not recorded")
        outbound = (each.outbound for each in calls)
        reasons += (f"{one.target}: {one.interaction.incomplete}" for one in outbound if one.interaction.incomplete)
        losses = (loss for loss in self._seen.losses if loss.target and loss.touches(one.started, exchange.ended))
        return reasons + [f"{loss.target}: {loss.reason}" for loss in losses]


def _how(one: Inbound, calls: Sequence[Attributed]) -> str:
    """How the case's calls were found: the least certain way, as the rest says itself."""
    ways = {each.how for each in calls}
    if "ambiguous" in ways:
        return "ambiguous"
    certain = next((way for way in _CERTAIN if way in ways), "")
    return certain or ("transaction" if ways else "serialize" if one.serialized else "in-flight")


def _slug(exchange: Exchange) -> str:
    operation = ""
    if exchange.method == "POST" and b'"query"' in exchange.request_body:
        operation = graphql_operation(meaning(exchange.request_body, exchange.request_headers))
    return slug(exchange.method, exchange.target, exchange.status, operation)


def _left_out(one: Inbound) -> str:
    return f"{one.exchange.method} {one.exchange.target} (left out)"


class Evidence:
    """What the exchanges and the interactions of a capture say."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._routes = Routes((one.exchange.method, one.exchange.target) for one in seen.inbound)

    def request(self, window: int) -> Said:
        one = self._seen.inbound[window]
        return said(one.exchange, self._routes, one.trace)

    def call(self, outbound: Outbound) -> Told:
        ask = self._seen.codecs[outbound.target].ask(_call(outbound))
        return told(ask, outbound.interaction.fields)


def _call(outbound: Outbound) -> Call:
    interaction = outbound.interaction
    return Call(target=outbound.target, operation=interaction.operation, fields=interaction.fields)


def _identity(outbound: Outbound) -> str:
    return repr((outbound.target, outbound.interaction.operation, outbound.interaction.fields))


def _write(config: Config, made: _Made, summary: Summary) -> None:
    """Secrets first, so that no case that holds one is ever on disk."""
    session = list(made.session.values())
    summary.session = len(session)
    if not made.cases:
        return
    taken = secrets.load_secrets(config.home, {})
    found = credentials.find(made.cases, session, taken)
    secrets.save_secrets(config.home, found)
    summary.secrets = sorted(set(found) - set(taken))
    known = {**taken, **found}
    cases = [secrets.protect(case, known) for case in made.cases]
    calls = [secrets.protect(call, known) for call in session]
    summary.written = store.add_to_suite(config.suite, cases, calls, made.facts, traced=made.traced)


def _over(exchange: Exchange) -> float:
    """When a request can no longer be the cause of a call, seconds since the epoch."""
    return exchange.ended if exchange.status else exchange.ended + _LINGERS
