"""Captures -> cases: read through the taps, filtered, attributed, named, secrets taken out, written to the suite.

Can be run again with other rules as long as the captures are kept. What could not be read or told for certain is said in the
cases it concerns and in the summary, never left out silently.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from normalizers import secrets as credentials
from recorder import capture
from recorder.assembly import Assembly
from recorder.dedupe import dedupe
from recorder.filters import Choice
from recorder.found import name_found
from recorder.links import discover, names_of
from recorder.naming import Names, graphql_operation, slug
from recorder.summary import Summary
from recorder.taps import Inbound, Loss, Seen, watch
from wiretape import secrets, store
from wiretape.body import meaning
from wiretape.case import Call, Case
from wiretape.config import Config
from wiretape.errors import StoreError
from wiretape.protobuf.registry import Registry
from wiretape.protobuf.sources import load as load_types
from wiretape.protocols.base import Codec
from wiretape.protocols.http import Exchange
from wiretape.protocols.raw import EXACTNESS
from wiretape.tree import Tree


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
    if config.record.links:
        made.cases = discover(store.in_order(made.cases), made.ended)
    if config.record.dedupe:
        _dedupe(made, summary)
    summary.count(made.cases)
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
    """What all captures together came to, read with the `types` of the service's gRPC calls. `ended`: when each case's
    response was there, seconds since the epoch."""

    types: Registry
    cases: list[Case] = field(default_factory=list)
    ended: dict[str, float] = field(default_factory=dict)
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
    wanted = [_want(choice, path, one, summary) for one in seen.inbound]
    labels = [
        names.free(_slug(one.exchange)) if want else left_out(one) for one, want in zip(seen.inbound, wanted, strict=True)
    ]
    assembly = Assembly(seen, labels, made.types)
    made.cases += assembly.cases(index for index, want in enumerate(wanted) if want)
    made.ended |= {label: one.exchange.ended for label, one in zip(labels, seen.inbound, strict=True)}
    for call in assembly.session():
        made.session.setdefault(_identity(call), call)
    made.codecs |= seen.codecs
    made.traced |= seen.traced
    for target, facts in seen.facts.items():
        made.facts[target] = {**made.facts.get(target, {}), **facts}
    summary.notes += sorted({_lost(loss) for loss in seen.losses})
    summary.notes += [f"target {name} speaks {seen.facts[name]['protocol']!s}, as its first bytes tell" for name in seen.spoken]
    summary.notes += [f"target {name} is {EXACTNESS}" for name in sorted(seen.raw)]
    return whole


def _want(choice: Choice, path: Path, one: Inbound, summary: Summary) -> bool:
    exchange = one.exchange
    summary.requests += 1
    if not exchange.status:
        summary.unanswered += 1
        return False
    wanted = choice.wants(exchange.method, exchange.target, exchange.status) and choice.draws(f"{path.name}/{one.identity}")
    summary.filtered += not wanted
    return wanted


def _slug(exchange: Exchange) -> str:
    operation = ""
    if exchange.method == "POST" and b'"query"' in exchange.request_body:
        operation = graphql_operation(meaning(exchange.request_body, exchange.request_headers))
    return slug(exchange.method, exchange.target, exchange.status, operation)


def left_out(one: Inbound) -> str:
    """What an exchange is called that is no case."""
    return f"{one.exchange.method} {one.exchange.target} (left out)"


def _identity(call: Call) -> str:
    return repr((call.target, call.operation, call.fields))


def _lost(loss: Loss) -> str:
    where = f"target {loss.target}" if loss.target else "the service"
    return f"{where}: {loss.reason}; what followed on that connection is lost"


def _write(config: Config, made: _Made, summary: Summary) -> None:
    """Secrets first, so that no case that holds one is ever on disk."""
    session = list(made.session.values())
    summary.session = len(session)
    if not made.cases:
        return
    taken = secrets.load_secrets(config.home, {})
    found = credentials.find(made.cases, session, taken, names_of(made.cases))
    secrets.save_secrets(config.home, found)
    summary.secrets = sorted(set(found) - set(taken))
    known = {**taken, **found}
    cases = [secrets.protect(case, known) for case in made.cases]
    calls = [secrets.protect(call, known) for call in session]
    summary.written = store.add_to_suite(config.suite, cases, calls, made.facts, traced=made.traced)
