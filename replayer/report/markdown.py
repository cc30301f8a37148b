"""Markdown for the summary of a job (`$GITHUB_STEP_SUMMARY`): the result, a table of what differs, the details folded away."""

from __future__ import annotations

import re
from typing import Final, TextIO

from replayer.events import CaseFinished, Event, SuiteFinished, unexplained
from replayer.report.places import Places
from replayer.report.text import change_headline, counts, details, headline, miss_headline
from replayer.severity import of_change, of_finding

_MOST: Final = 100  # cases told in full: GitHub takes a mebibyte
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~])")


class Markdown:
    """Written at the end, the result first."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._cases: list[CaseFinished] = []
        self._closing: SuiteFinished | None = None
        self._written = False

    def on(self, event: Event) -> None:
        match event:
            case CaseFinished() if event.verdict != "passed":
                self._cases.append(event)
            case SuiteFinished():
                self._closing = event

    def close(self) -> None:
        if self._written:
            return
        self._written = True
        self._stream.write("\n".join(self._lines()) + "\n")
        self._stream.flush()

    def _lines(self) -> list[str]:
        closing = self._closing
        lines = [f"### wiretape: {counts(closing)}" if closing else "### wiretape: the run was broken off", ""]
        if self._cases:
            lines += ["| case | what | severity | where |", "|---|---|---|---|"]
            lines += [row for event in self._cases[:_MOST] for row in _rows(event)]
            lines.append("")
        for event in self._cases[:_MOST]:
            lines += _folded(event)
        if len(self._cases) > _MOST:
            lines.append(f"and {len(self._cases) - _MOST} more cases")
        return lines


def _rows(event: CaseFinished) -> list[str]:
    places = Places(event.case)
    found: list[tuple[str, str, str]] = [
        (headline(each), of_finding(each), places.name(each.place or "calls")) for each in event.calls
    ]
    found += [(miss_headline(miss), "high", places.name("calls")) for miss in unexplained(event)]
    found += [(change_headline(each), of_change(each), places.name(each.path)) for each in event.changes]
    found = found or [(event.reason or event.verdict, event.verdict, places.name(""))]
    names = [_plain(event.case.name), *("" for _ in found[1:])]
    return [
        f"| {name} | {_plain(what)} | {severity} | {_plain(where)} |"
        for name, (what, severity, where) in zip(names, found, strict=True)
    ]


def _folded(event: CaseFinished) -> list[str]:
    text = "\n".join(line for _, line in details(event))
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    summary = f"<summary>{_plain(event.verdict)} {_plain(event.case.name)}</summary>"
    return [f"<details>{summary}", "", fence, text, fence, "", "</details>", ""]


def _plain(text: str) -> str:
    """On one line, and nothing in it read as Markdown or HTML."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("\\<", "&lt;").replace("\\>", "&gt;")
