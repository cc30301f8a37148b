"""How bad a difference is, and from where on it fails a case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal

from replayer.events import CallFinding, CallKind, Change
from wiretape.case import Strictness

type Severity = Literal["high", "medium", "low"]

# The worst first. What is asked for fails, and so does all that is worse.
LEVELS: Final[tuple[Severity, ...]] = ("high", "medium", "low")

_OF_CHANGE: Final[Mapping[str, Severity]] = MappingProxyType(
    {"removed": "high", "retyped": "high", "changed": "medium", "added": "low"}
)
_GRAVE = re.compile(r'response\.(?:status|trailers\b.*|headers(?:\.content-type|\["content-type"\]))', re.IGNORECASE)


def of_change(change: Change) -> Severity:
    """A status, a content type, a field that is gone or of another type: high. Another value: medium. A new field: low."""
    return "high" if _GRAVE.fullmatch(change.path) else _OF_CHANGE[change.kind]


# By class: where the call changes something, and where it only reads.
_OF_FINDING: Final[Mapping[CallKind, tuple[Severity, Severity]]] = MappingProxyType(
    {
        "missing": ("high", "medium"),
        "extra": ("high", "medium"),
        "changed": ("high", "medium"),
        "statement": ("high", "medium"),
        "n+1": ("high", "medium"),
        "new-table": ("high", "medium"),
        "transaction": ("high", "low"),
        "retry": ("high", "low"),
        "reordered": ("medium", "low"),
    }
)


def of_finding(finding: CallFinding) -> Severity:
    """By its class and by whether it is about a call that changes something. A call that nothing answers: high."""
    if finding.miss is not None:
        return "high"
    writing, reading = _OF_FINDING[finding.kind]
    return writing if finding.writes else reading


def fails(
    changes: Iterable[Change], findings: Iterable[CallFinding], misses: Sequence[object], fail_on: Severity = "low"
) -> bool:
    """Whether any of it is as bad as `fail_on`. A call that nothing answers is always the worst."""
    worst = [*map(of_change, changes), *map(of_finding, findings), *(["high"] if misses else [])]
    return any(LEVELS.index(one) <= LEVELS.index(fail_on) for one in worst)


def counted(findings: Iterable[CallFinding], strictness: Strictness) -> tuple[CallFinding, ...]:
    """The findings about calls that count: all of them, those about writes, or none."""
    if strictness == "off":
        return ()
    return tuple(finding for finding in findings if strictness == "strict" or finding.writes)
