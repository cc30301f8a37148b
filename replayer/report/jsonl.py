"""One JSON object a line: each case as it ends, the suite last."""

from __future__ import annotations

import json
from typing import TextIO

from replayer.events import CallFinding, CaseFinished, Change, Event, SuiteFinished, unexplained
from replayer.report.places import Places
from replayer.report.values import plain
from replayer.severity import of_change, of_finding
from wiretape.case import Call
from wiretape.protocols.base import Ask, Miss


class JsonLines:
    """Keys that say nothing (an empty reason, no warnings) are left out, but for the lists. `line` is that of the case's file.
    A call that nothing answered is told with the finding it belongs to (`miss`); `misses` are those that belong to none."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def on(self, event: Event) -> None:
        match event:
            case CaseFinished():
                self._write(_case(event))
            case SuiteFinished():
                self._write(_suite(event))

    def close(self) -> None:
        self._stream.flush()

    def _write(self, line: dict[str, object]) -> None:
        self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._stream.flush()


def _case(event: CaseFinished) -> dict[str, object]:
    places = Places(event.case)
    line: dict[str, object] = {
        "event": "case",
        "case": event.case.name,
        "verdict": event.verdict,
        "changes": [_change(change, places) for change in event.changes],
        "calls": [_finding(finding, places) for finding in event.calls],
        "misses": list(map(_miss, unexplained(event))),
        "elapsed": round(event.elapsed, 6),
    }
    said = {
        "reason": event.reason,
        "warnings": list(event.warnings),
        "file": str(event.case.path or ""),
        "rerun": event.rerun,
        "curl": event.curl,
    }
    return line | {name: value for name, value in said.items() if value}


def _suite(event: SuiteFinished) -> dict[str, object]:
    line: dict[str, object] = {
        "event": "suite",
        "passed": event.passed,
        "failed": event.failed,
        "broken": event.broken,
        "skipped": event.skipped,
        "elapsed": round(event.elapsed, 6),
    }
    return line | ({"stray": list(map(_miss, event.stray))} if event.stray else {})


def _change(change: Change, places: Places) -> dict[str, object]:
    line: dict[str, object] = {"path": change.path, "kind": change.kind, "severity": of_change(change)}
    line |= _line(change.path, places)
    if change.kind != "added":
        line["recorded"] = plain(change.recorded)
    if change.kind != "removed":
        line["live"] = plain(change.live)
    return line | ({"reason": change.reason} if change.reason else {})


def _line(place: str, places: Places) -> dict[str, object]:
    number = places.line(place)
    return {"line": number} if number else {}


def _finding(finding: CallFinding, places: Places) -> dict[str, object]:
    line: dict[str, object] = {
        "kind": finding.kind,
        "severity": of_finding(finding),
        "target": finding.target,
        "operation": finding.operation,
        "count": finding.count,
        "place": finding.place or "calls",
        **_line(finding.place or "calls", places),
        "details": list(finding.details),
    }
    if finding.recorded is not None:
        line["recorded"] = _call(finding.recorded)
    if finding.live is not None:
        line["live"] = _ask(finding.live)
    return line | ({"miss": _miss(finding.miss)} if finding.miss is not None else {})


def _miss(miss: Miss) -> dict[str, object]:
    line: dict[str, object] = {"target": miss.ask.target, **_ask(miss.ask), "differences": list(miss.differences)}
    if miss.nearest is not None:
        line["nearest"] = _call(miss.nearest)
    said = {"where": miss.where, "used": miss.used, "advice": miss.advice}
    return line | {name: value for name, value in said.items() if value}


def _call(call: Call) -> dict[str, object]:
    return {"operation": call.operation} | ({"line": call.line} if call.line else {})


def _ask(ask: Ask) -> dict[str, object]:
    return {"operation": ask.operation, "values": [plain(value) for value in ask.values]}
