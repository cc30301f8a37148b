"""Annotations as GitHub's workflows read them from the output: each difference at the line of the case that says otherwise."""

from __future__ import annotations

from typing import Final, TextIO

from replayer.events import CaseFinished, Event, unexplained
from replayer.report.places import Places, seen
from replayer.report.text import change_headline, headline, miss_headline, one_line
from replayer.report.values import show
from replayer.severity import Severity, of_change, of_finding

_MOST: Final = 10  # of a case: GitHub shows ten of a kind for a step
_LEVELS: Final = {"high": "error", "medium": "error", "low": "warning"}


class Github:
    """Writes to the output of the step; anything else GitHub prints as it is."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def on(self, event: Event) -> None:
        match event:
            case CaseFinished() if event.verdict != "skipped":
                self._case(event)

    def close(self) -> None:
        self._stream.flush()

    def _case(self, event: CaseFinished) -> None:
        places = Places(event.case)
        found: list[tuple[str, str, Severity]] = []
        if event.reason:
            found.append(("request", event.reason, "high"))
        for finding in event.calls:
            text = "; ".join([headline(finding), *map(one_line, finding.details)])
            found.append((finding.place or "calls", text, of_finding(finding)))
        found += [("calls", miss_headline(miss), "high") for miss in unexplained(event)]
        for change in event.changes:
            values = f": recorded {show(change.recorded)}, live {show(change.live)}" if change.kind == "changed" else ""
            found.append((change.path, change_headline(change) + values, of_change(change)))
        for place, text, severity in found[:_MOST]:
            level = _LEVELS[severity] if event.verdict != "passed" else "notice"
            self._write(event, places, level, place, f"{text} ({severity})")

    def _write(self, event: CaseFinished, places: Places, level: str, place: str, text: str) -> None:
        where = {"title": f"wiretape: {event.case.name}"}
        if event.case.path is not None:
            where = {"file": seen(event.case.path), "line": str(max(places.line(place), 1)), **where}
        properties = ",".join(f"{name}={_property(value)}" for name, value in where.items())
        self._stream.write(f"::{level} {properties}::{_data(text)}\n")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
