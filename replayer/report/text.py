"""What a person reads about a case and a run, as lines: the terminal colours them, JUnit holds them plain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal

from replayer.events import CallFinding, CaseFinished, Change, SuiteFinished
from replayer.report.values import pair, several_lines, show
from wiretape.protocols.base import Ask, Miss

type Style = Literal["passed", "failed", "broken", "skipped", "place", "recorded", "live", "command", "plain", "warning"]
type Line = tuple[Style, str]

_LINE_STYLES: Mapping[str, Style] = MappingProxyType({"-": "recorded", "+": "live"})
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


def _change(change: Change) -> Iterator[Line]:
    reason = f": {change.reason}" if change.reason else ""
    if change.kind == "removed":
        yield "place", f"  {change.path} is gone{reason}"
        yield "recorded", f"    recorded  {show(change.recorded)}"
    elif change.kind == "added":
        yield "place", f"  {change.path} is new{reason}"
        yield "live", f"    live      {show(change.live)}"
    else:
        yield "place", f"  {change.path}{' changed its type' if change.kind == 'retyped' else ''}{reason}"
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
    left = list(event.misses)
    for finding in event.calls:
        yield from _finding(finding)
        own = [miss for miss in left if finding.live is not None and _key(miss.ask) == _key(finding.live)]
        left = [miss for miss in left if miss not in own]
        if own:
            yield from _unanswered(own[0], finding)
    for miss in left[:_MISSES]:
        yield from _miss(miss)
    if len(left) > _MISSES:
        yield "plain", f"  and {len(left) - _MISSES} more calls that nothing recorded answers"


def _key(ask: Ask) -> tuple[str, str]:
    return ask.target, ask.shape


def _unanswered(miss: Miss, finding: CallFinding) -> Iterator[Line]:
    yield "plain", "    nothing recorded answers it, so the service got an error"
    if finding.kind != "changed":
        yield from _nearest(miss)


def _finding(finding: CallFinding) -> Iterator[Line]:
    times = f" ×{finding.count}" if finding.count > 1 else ""
    yield "place", f"  {finding.kind} call on {finding.target}{times}: {_one_line(finding.operation)}"
    for detail in finding.details:
        yield "plain", f"    {_one_line(detail)}"


def _miss(miss: Miss) -> Iterator[Line]:
    yield "place", f"  no recorded call on {miss.ask.target} answers: {_one_line(miss.ask.operation)}"
    if miss.ask.values:
        yield "plain", f"    with values {', '.join(show(value) for value in miss.ask.values)}"
    yield from _nearest(miss)


def _nearest(miss: Miss) -> Iterator[Line]:
    if miss.nearest is not None:
        yield "plain", f"    nearest recorded: {_one_line(miss.nearest.operation)}"
    for difference in miss.differences:
        yield "plain", f"    {difference}"
    if miss.advice:
        yield "plain", f"    {miss.advice}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def of_suite(event: SuiteFinished) -> Iterator[Line]:
    """Strays and the closing line."""
    for miss in event.stray[:_STRAYS]:
        yield "warning", "outside of any case:"
        yield from _miss(miss)
    if len(event.stray) > _STRAYS:
        yield "warning", f"and {len(event.stray) - _STRAYS} more calls outside of any case that nothing recorded answers"
    style: Style = "failed" if event.failed else "broken" if event.broken or not event.passed else "passed"
    counts = f"{event.passed} passed, {event.failed} failed, {event.broken} broken, {event.skipped} skipped"
    yield style, f"{counts} in {event.elapsed:.1f} s"
    if event.beside:
        total = event.passed + event.failed + event.broken + event.skipped
        yield "plain", f"parallel: {event.beside} of {total} cases beside others, {event.again} tried again alone"
