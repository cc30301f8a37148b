"""An audit as a person reads it: the share found, then what hides the rest, the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from replayer.audit.audit import Report, Slip

_SHOWN = 10


def lines(report: Report, *, everything: bool) -> Iterator[str]:
    """`everything`: every slip by name, not only the first ones."""
    total = report.tried.total()
    yield f"{total - len(report.slips)} of {total} mutations of {len(report.tried)} cases would be found: {report.share:.1f} %"
    hidden = Counter(rule for slip in report.slips for rule in slip.hidden_by)
    for rule, count in hidden.most_common():
        mutations = f"{count} mutation{'s' if count > 1 else ''}"
        yield f"{rule} hides {mutations}" if rule.startswith("noise") else f"{rule} lets {mutations} through"
    shown = report.slips if everything else report.slips[:_SHOWN]
    yield from (f"not found: {_slip(slip)}" for slip in shown)
    if len(shown) < len(report.slips):
        yield f"and {len(report.slips) - len(shown)} more; --all lists them"
    yield from (f"{name}: nothing that could change in it would be found" for name in report.empty)
    yield from report.dead
    yield from report.unused
    yield from (f"{line} (not replayed; record it again)" for line in report.skipped)


def _slip(slip: Slip) -> str:
    why = f" ({', '.join(slip.hidden_by)})" if slip.hidden_by else ""
    return f"{slip.case}: {slip.mutation.path} {slip.mutation.what}{why}"
