"""JUnit XML, as CI servers read it: failures for regressions, errors for cases that could not be run."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TextIO

from replayer.events import CaseFinished, Event, SuiteFinished
from replayer.report.text import details

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ELEMENTS = {"failed": "failure", "broken": "error", "skipped": "skipped"}


class Junit:
    """Written at the end, as the totals stand first."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._cases: list[CaseFinished] = []
        self._elapsed: float | None = None
        self._written = False

    def on(self, event: Event) -> None:
        match event:
            case CaseFinished():
                self._cases.append(event)
            case SuiteFinished():
                self._elapsed = event.elapsed

    def close(self) -> None:
        if self._written:
            return
        self._written = True
        self._stream.write('<?xml version="1.0" encoding="utf-8"?>\n')
        self._stream.write(ET.tostring(self._tree(), encoding="unicode") + "\n")
        self._stream.flush()

    def _tree(self) -> ET.Element:
        elapsed = sum(case.elapsed for case in self._cases) if self._elapsed is None else self._elapsed
        totals = {
            "tests": str(len(self._cases)),
            **{name: str(sum(case.verdict == verdict for case in self._cases)) for verdict, name in _TOTALS},
            "time": f"{elapsed:.3f}",
        }
        root = ET.Element("testsuites", {"name": "wiretape", **totals})
        suite = ET.SubElement(root, "testsuite", {"name": "wiretape", **totals})
        for case in self._cases:
            _add(suite, case)
        return root


_TOTALS = (("failed", "failures"), ("broken", "errors"), ("skipped", "skipped"))


def _add(suite: ET.Element, event: CaseFinished) -> None:
    place = {"file": str(event.case.path)} if event.case.path else {}
    name = {"name": _clean(event.case.name), "classname": "wiretape", "time": f"{event.elapsed:.3f}"}
    element = ET.SubElement(suite, "testcase", {**name, **place})
    if event.verdict in _ELEMENTS:
        lines = [line for _, line in details(event)]
        message = (lines[0] if lines else event.verdict).strip()
        inner = ET.SubElement(element, _ELEMENTS[event.verdict], {"message": _clean(message), "type": event.verdict})
        inner.text = _clean("\n".join(lines))


def _clean(text: str) -> str:
    """Without what XML cannot hold."""
    return _NOT_XML.sub("�", text)
