"""The report for a person: failures as they come, a summary at the end; colours and a progress bar only on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, TextIO

from replayer.events import CaseFinished, Event, SuiteFinished, SuiteStarted
from replayer.report.text import Line, Style, of_case, of_suite

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

_STYLES: Mapping[Style, str] = MappingProxyType(
    {
        "passed": "bold green",
        "failed": "bold red",
        "broken": "bold magenta",
        "skipped": "yellow",
        "place": "bold",
        "recorded": "red",
        "live": "green",
        "command": "dim",
        "plain": "",
        "warning": "yellow",
    }
)
_LONG_RUN = 20  # cases from which a bar is shown


class Terminal:
    """Writes plain lines to anything that is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._console: Console | None = None
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        if stream.isatty():
            from rich.console import Console  # takes longer to import than a short run

            self._console = Console(file=stream, highlight=False)

    def on(self, event: Event) -> None:
        match event:
            case SuiteStarted():
                self._write(("plain", f"{name} runs too: {by} links to it") for name, by in event.also.items())
                self._begin(event.total)
            case CaseFinished():
                if event.verdict != "passed" or event.warnings or event.changes or event.calls:
                    self._write([*of_case(event), ("plain", "")])
                if self._bar is not None and self._task is not None:
                    self._bar.advance(self._task)
            case SuiteFinished():
                self.close()
                self._write(of_suite(event))

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _begin(self, total: int) -> None:
        if self._console is None or total < _LONG_RUN:
            return
        from rich.progress import Progress

        self._bar = Progress(console=self._console, transient=True)
        self._task = self._bar.add_task("replaying", total=total)
        self._bar.start()

    def _write(self, lines: Iterable[Line]) -> None:
        for style, line in lines:
            if self._console is not None:
                self._console.print(line, style=_STYLES[style] or None, markup=False, soft_wrap=True)
            else:
                self._stream.write(line + "\n")
        self._stream.flush()
