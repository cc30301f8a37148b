"""What a person reads about a case and a run, as lines: the terminal colours them, JUnit holds them plain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal

from replayer.events import CallFinding, CallKind, CaseFinished, Change, SuiteFinished, unexplained
from replayer.report.places import Places
from replayer.report.values import pair, several_lines, show
from replayer.severity import of_change, of_finding
from wiretape.protocols.base import Miss

type Style = Literal["passed", "failed", "broken", "skipped", "place", "recorded", "live", "command", "plain", "warning"]
type Line = tuple[Style, str]

_LINE_STYLES: Mapping[str, Style] = MappingProxyType({"-": "recorded", "+": "live"})
_HEADLINES: Mapping[CallKind, str] = MappingProxyType(
    {
        "missing": "missing call",
        "extra": "extra call",
        "changed": "changed call",
        "statement": "changed statement",
        "reordered": "reordered write",
        "n+1": "N+1",
        "retry": "retried call",
        "transaction": "changed transaction",
        "new-table": "call to something new",
    }
)
_ADDED: frozenset[CallKind] = frozenset(("extra", "n+1", "retry", "new-table"))
_LONG = 400
_STRAYS = 5
_MISSES = 5


def of_case(event: CaseFinished) -> Iterator[Line]:
    """The lines about one case that did not pass."""
    yield event.verdict, f"{event.verdict.upper()} {event.case.name}  ({event.elapsed * 1000:.0f} ms)"
    yield from details(event)


def details(event: CaseFinished) -> Iterator[Line]:
    """What differs, and how to see it again."""
    if event.reason:
        yield "plain", f"  {event.reason}"
    # A response that differs after a miss is a consequence of it, so the calls come first.
    changes = [line for change in event.changes for line in _change(change)]
    yield from [*_calls(event), *changes] if event.misses else [*changes, *_calls(event)]
    for warning in event.warnings:
        yield "warning", f"  warning: {warning}"
    if event.curl:
        yield "command", f"  {event.curl}"
    if event.rerun:
        yield "command", f"  rerun: {event.rerun}"


def headline(finding: CallFinding) -> str:
    """What happened to a call, in a line."""
    times = f" ×{finding.count}" if finding.count > 1 else ""
    words = _HEADLINES[finding.kind]
    if finding.kind == "statement" and finding.live is not None and finding.live.labels:
        words = "changed request"  # it has names for its values: no statement of a language
    return f"{words} on {finding.target}{times}: {one_line(finding.operation)}"


def change_headline(change: Change) -> str:
    """What happened to a place of the response, in a line."""
    reason = f": {change.reason}" if change.reason else ""
    what = {"removed": " is gone", "added": " is new", "retyped": " changed its type", "changed": ""}[change.kind]
    return f"{change.path}{what}{reason}"


def _change(change: Change) -> Iterator[Line]:
    yield "place", f"  {change_headline(change)}  ({of_change(change)})"
    if change.kind == "removed":
        yield "recorded", f"    recorded  {show(change.recorded)}"
    elif change.kind == "added":
        yield "live", f"    live      {show(change.live)}"
    else:
        yield from _both(change)


def _both(change: Change) -> Iterator[Line]:
    lines = list(several_lines(change.recorded, change.live))
    if lines:
        yield "plain", "    - recorded, + live"
        for line in lines:
            yield _LINE_STYLES.get(line[:1], "plain"), f"    {line}"
        return
    recorded, live = pair(change.recorded, change.live)
    yield "recorded", f"    {recorded}"
    yield "live", f"    {live}"


def _calls(event: CaseFinished) -> Iterator[Line]:
    """The findings, each with what is said about the call as a miss; then the misses that are in no finding."""
    places = Places(event.case)
    for finding in event.calls:
        yield from _finding(finding, places)
    left = unexplained(event)
    for miss in left[:_MISSES]:
        yield from _miss(miss)
    if len(left) > _MISSES:
        yield "plain", f"  and {len(left) - _MISSES} more calls that nothing recorded answers"


def stands(finding: CallFinding, places: Places) -> str:
    """Where to look: the place in the case, and the line of its file."""
    after = "after " if finding.kind in _ADDED and finding.place != "calls" else ""
    return f"{after}{finding.place or 'calls'}, {places.name(finding.place or 'calls')}"


def _finding(finding: CallFinding, places: Places) -> Iterator[Line]:
    yield "place", f"  {headline(finding)}  ({of_finding(finding)})"
    yield "plain", f"    {stands(finding, places)}"
    for detail in finding.details:
        yield "plain", f"    {one_line(detail)}"
    if finding.miss is None:
        return
    yield "plain", "    nothing recorded answers it, so the service got an error"
    if finding.kind in ("changed", "statement"):
        if finding.miss.advice:
            yield "plain", f"    {finding.miss.advice}"
    else:
        yield from _nearest(finding.miss)


def miss_headline(miss: Miss) -> str:
    """What a miss is, in a line."""
    return f"no recorded call on {miss.ask.target} answers: {one_line(miss.ask.operation)}"


def _miss(miss: Miss) -> Iterator[Line]:
    yield "place", f"  {miss_headline(miss)}"
    if miss.ask.values:
        yield "plain", f"    with values {', '.join(show(value) for value in miss.ask.values)}"
    yield from _nearest(miss)


def _nearest(miss: Miss) -> Iterator[Line]:
    if miss.nearest is not None:
        where = f", {miss.where}" if miss.where else ""
        yield "plain", f"    nearest recorded: {one_line(miss.nearest.operation)}{where}"
    for difference in miss.differences:
        yield "plain", f"    {one_line(difference)}"
    if miss.used:
        yield "plain", f"    {miss.used}"
    if miss.advice:
        yield "plain", f"    {miss.advice}"


def one_line(text: str) -> str:
    """The text without its line ends, cut where it is too long to be read."""
    line = " ".join(text.split())
    return line if len(line) <= _LONG else f"{line[:_LONG]}… ({len(line)} characters)"


def of_suite(event: SuiteFinished) -> Iterator[Line]:
    """Strays and the closing line."""
    for miss in event.stray[:_STRAYS]:
        yield "warning", "outside of any case:"
        yield from _miss(miss)
    if len(event.stray) > _STRAYS:
        yield "warning", f"and {len(event.stray) - _STRAYS} more calls outside of any case that nothing recorded answers"
    style: Style = "failed" if event.failed else "broken" if event.broken or not event.passed else "passed"
    yield style, f"{counts(event)} in {event.elapsed:.1f} s"
    if event.beside:
        total = event.passed + event.failed + event.broken + event.skipped
        yield "plain", f"parallel: {event.beside} of {total} cases beside others, {event.again} tried again alone"


def counts(event: SuiteFinished) -> str:
    """How many cases ended how."""
    return f"{event.passed} passed, {event.failed} failed, {event.broken} broken, {event.skipped} skipped"
