"""What a run says as it goes: the runner emits these, reports consume them. Findings are data, never exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from wiretape.case import Call, Case
from wiretape.protocols.base import Ask, Miss
from wiretape.tree import Tree

type Verdict = Literal["passed", "failed", "broken", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference in a response. `path` is a selector within the case (`response.body.items[0].id`)."""

    path: str
    kind: Literal["changed", "retyped", "added", "removed"]
    recorded: Tree = None
    live: Tree = None
    reason: str = ""


# missing, extra, changed (its values), reordered (a write) · statement: other words, changed by other means than values ·
# n+1: the same question again and again with other values · retry: again with the same ones · transaction: what surrounds a
# call begins or ends elsewhere, or otherwise · new-table: it touches what nothing recorded touches
type CallKind = Literal["missing", "extra", "changed", "statement", "reordered", "n+1", "retry", "transaction", "new-table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFinding:
    """One difference between what the service asked in the recording and now. `count` is how often (an N+1 asks many times).

    `writes`: it is about a call that changes state. `place` is a selector within the case (`calls[3].params[1]`); of a call
    that was never recorded, that of the call it comes after. `miss` is what is said about it where no recording answered.
    """

    kind: CallKind
    target: str
    operation: str
    recorded: Call | None = None
    live: Ask | None = None
    details: tuple[str, ...] = ()
    count: int = 1
    writes: bool = False
    place: str = ""
    miss: Miss | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFinished:
    """`reason` says why a case is broken or skipped. `elapsed` in seconds. `rerun` is the command that runs just this case,
    `curl` one line that sends its request by hand. `warnings` are mistakes in the case that change no verdict. `case` is as
    stored, so secrets are only named in it."""

    case: Case
    verdict: Verdict
    changes: tuple[Change, ...] = ()
    calls: tuple[CallFinding, ...] = ()
    misses: tuple[Miss, ...] = ()
    reason: str = ""
    elapsed: float = 0.0
    rerun: str = ""
    curl: str = ""
    warnings: tuple[str, ...] = ()


def unexplained(event: CaseFinished) -> list[Miss]:
    """The misses that no finding about the calls tells of: all of them where calls are not compared."""
    told = {(finding.live.target, finding.live.shape) for finding in event.calls if finding.live is not None}
    return [miss for miss in event.misses if (miss.ask.target, miss.ask.shape) not in told]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteStarted:
    """`total` cases will run. `also`: those that were not chosen, each with a chosen one that links to it."""

    total: int
    also: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteFinished:
    """`stray` are misses outside of any case (start-up, background jobs). `elapsed` in seconds. `beside` cases ran beside
    others, and of those `again` were tried a second time, alone (`--parallel`)."""

    passed: int
    failed: int
    broken: int
    skipped: int
    elapsed: float
    stray: tuple[Miss, ...] = ()
    beside: int = 0
    again: int = 0


type Event = SuiteStarted | CaseFinished | SuiteFinished
