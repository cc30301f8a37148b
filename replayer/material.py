"""A suite ready to be replayed: loaded, checked, its secrets revealed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from normalizers.pipeline import NORMALIZERS
from replayer.masking import Mask
from replayer.noise import check_kinds
from wiretape.body import header
from wiretape.case import Call, Case, Suite
from wiretape.config import Config, Target, spoken
from wiretape.errors import CaseFormatError, ConfigError
from wiretape.links import prerequisites
from wiretape.protobuf.sources import load as load_types
from wiretape.protocols import codec
from wiretape.protocols.base import Codec
from wiretape.secrets import load_secrets, reveal
from wiretape.select import select
from wiretape.store import load_suite
from wiretape.typed import typed_suite


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """A suite ready to be replayed: `stored` as on disk, `suite` with its secrets, both for the cases selected. `others` are
    the rest, as on disk: what a miss may point at, and a statement prepared early may be described by. `also` are cases that
    were not selected, each with one that links to it. `targets` are those of the configuration, with the protocols that were
    found while recording."""

    stored: Suite
    suite: Suite
    others: tuple[Case, ...]
    also: Mapping[str, str]
    mask: Mask
    targets: Mapping[str, Target]
    codecs: Mapping[str, Codec]


def prepare(config: Config, environ: Mapping[str, str], globs: Sequence[str] = (), *, alone: bool = False) -> Material:
    """Load and check the suite. Raises ConfigError, StoreError.

    `alone`: only the cases selected, without those that they link to.
    """
    whole = load_suite(config.suite)
    chosen = select(whole.cases, globs)
    also = {} if alone else prerequisites(whole.cases, chosen)
    names = {case.name for case in chosen} | also.keys()
    stored = replace(whole, cases=tuple(case for case in whole.cases if case.name in names))
    for case in stored.cases:
        check_kinds(case.noise, NORMALIZERS, case.path)
    check_kinds(stored.noise, NORMALIZERS, stored.root / "suite.yaml")
    secrets = load_secrets(config.home, environ)
    targets = spoken(config.targets, whole.facts)
    _check_targets(whole, targets)
    revealed = typed_suite(reveal(stored, secrets), load_types(config.service.protos if config.service else ()))
    codecs = {name: codec(target.protocol) for name, target in targets.items()}
    _check_calls(revealed, codecs)
    return Material(
        stored=stored,
        suite=revealed,
        others=tuple(case for case in whole.cases if case.name not in names),
        also=also,
        mask=Mask(secrets),
        targets=targets,
        codecs=codecs,
    )


def _all_calls(suite: Suite) -> Iterator[tuple[Path, Call]]:
    """Every call with the file it stands in."""
    for case in suite.cases:
        yield from ((case.path or suite.root / f"{case.name}.yaml", call) for call in case.calls)
    yield from ((suite.root / "session.yaml", call) for call in suite.session)


def _check_calls(suite: Suite, codecs: Mapping[str, Codec]) -> None:
    """A call that could not be served is a mistake in its file, not something for the service to stumble over."""
    for path, call in _all_calls(suite):
        for problem in codecs[call.target].check(call, suite.facts.get(call.target)):
            where = f"{problem.path}: " if problem.path else ""
            raise CaseFormatError(path, call.line, 0, f"{call.target} call cannot be served: {where}{problem.reason}")


def _check_targets(suite: Suite, targets: Mapping[str, Target]) -> None:
    for path, call in _all_calls(suite):
        name = path.name
        if call.target not in targets:
            known = ", ".join(targets) or "none"
            raise ConfigError(
                f"{name} calls target {call.target}, which is not configured (known: {known}); "
                f"add targets.{call.target} to wiretape.yaml, or --dep {call.target}=PROTOCOL://@LISTEN"
            )


def check_passthrough(codecs: Mapping[str, Codec]) -> None:
    """Raises ConfigError for a protocol whose calls cannot be put to the real server."""
    for name, each in codecs.items():
        if each.upstream is None:
            raise ConfigError(
                f"--on-miss passthrough: what target {name} ({each.name}) is asked cannot be passed on; leave the option out"
            )


def recorded_at(case: Case) -> float:
    """When a case was recorded, seconds since the epoch: as it says, else by its response's Date, else now."""
    at = recorded_or_none(case)
    return time.time() if at is None else at


def recorded_or_none(case: Case) -> float | None:
    """The same; None where nothing tells."""
    with contextlib.suppress(ValueError):
        at = datetime.fromisoformat(case.recorded)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    with contextlib.suppress(ValueError):
        return parsedate_to_datetime(header(case.response.headers, "date")).timestamp()
    return None
