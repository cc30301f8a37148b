"""Reports: each consumes the events of a run and writes them one way. A new one is one module and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Protocol, TextIO, cast

from replayer.events import Event


class Report(Protocol):
    """Made with the stream it writes to."""

    def on(self, event: Event) -> None:
        """Takes one event, in order."""
        ...

    def close(self) -> None:
        """The run is over, or was broken off: write what is still held."""
        ...


REPORTS: Mapping[str, str] = MappingProxyType(
    {
        "terminal": "replayer.report.terminal:Terminal",
        "junit": "replayer.report.junit:Junit",
        "json": "replayer.report.jsonl:JsonLines",
        "markdown": "replayer.report.markdown:Markdown",
        "github": "replayer.report.github:Github",
    }
)


def make(kind: str, stream: TextIO) -> Report:
    """The report called `kind`; KeyError where there is none."""
    module, _, name = REPORTS[kind].partition(":")
    return cast(Report, getattr(import_module(module), name)(stream))
