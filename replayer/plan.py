"""What to replay and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from replayer.severity import Severity
from wiretape.case import Noise
from wiretape.config import Config, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`limit`: seconds for an answer; `grace`: seconds to wait, after it, for calls that were recorded. `fail_on`: a case fails
    by differences from this severity up. `parallel` is how many cases may be under way at once. `rerun` is the command line
    but for the case: what comes before `--case NAME`, and after it. `noise`: rules besides those in the files, by the name of
    their case; those of every case under an empty one. `learning`: see `replayer.book.Book`."""

    config: Config
    service: Service
    environ: Mapping[str, str]
    cases: tuple[str, ...] = ()
    passthrough: bool = False
    limit: float = 30.0
    grace: float = 0.5
    rerun: tuple[str, str] = ("wiretape replay", "")
    fail_on: Severity = "low"
    parallel: int = 1
    noise: Mapping[str, tuple[Noise, ...]] = field(default_factory=dict)
    learning: bool = False
