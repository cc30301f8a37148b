"""How bad a difference is, and from where on it fails a case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal

from replayer.events import CallFinding, Change
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


def of_finding(finding: CallFinding) -> Severity:
    """A write that is lost, new or other: high. Writes in another order, and reads: medium."""
    return "high" if finding.writes and finding.kind != "reordered" else "medium"


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
