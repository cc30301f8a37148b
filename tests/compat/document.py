"""docs/compatibility.md, made of the rows that passed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from tests.compat import runtimes
from tests.compat.table import ROWS, Row

_HEAD = """\
# What is known to work

Written by the tests (`tests/compat`), not by hand. Each row is a program that uses a driver: it is run against the real server
through `wiretape`'s recorder; then the server is stopped, and the unchanged program runs again against what was recorded. A row
is *yes* where both runs print the same and end the same, and the second asks for exactly what the first did.

"""
_CROSS = """
## Another driver than recorded

The program is recorded with one driver and replayed with another; the statements are the same.

"""
_LANGUAGES = {
    "py": "Python",
    "js": "Node",
    "mjs": "Node",
    "java": "Java",
    "rb": "Ruby",
    "php": "PHP",
    "pl": "Perl",
    "go": "Go",
    "sh": "shell",
}


def page(passed: Iterable[Row], versions: Mapping[tuple[str, bool], str]) -> str:
    """The whole page; rows that did not pass say so."""
    good = {row.title for row in passed}
    same = [row for row in ROWS if not row.crossed]
    cross = [row for row in ROWS if row.crossed]
    head = ("client", "version", "language", "server", "TLS", "record", "replay, server stopped", "notes")
    text = _HEAD + _table(head, [_cells(row, versions, row.title in good) for row in same])
    if cross:
        head = ("recorded with, replayed with", "version", "server", "replay, server stopped", "notes")
        text += _CROSS + _table(head, [_crossed(row, versions, row.title in good) for row in cross])
    return text


def _cells(row: Row, versions: Mapping[tuple[str, bool], str], good: bool) -> tuple[str, ...]:
    language = _LANGUAGES[row.program.rsplit(".", 1)[1]]
    said = "yes" if good else "no"
    server = versions.get((row.server, row.tls), row.server)
    return row.title, _version(runtimes.version(row.probe)), language, server, "yes" if row.tls else "", said, said, row.notes


def _crossed(row: Row, versions: Mapping[tuple[str, bool], str], good: bool) -> tuple[str, ...]:
    server = versions.get((row.server, row.tls), row.server)
    return row.title, _version(runtimes.version(row.probe)), server, "yes" if good else "no", row.notes


def _version(text: str) -> str:
    found = re.search(r"\d+(\.\d+)+\w*", text)
    return found[0] if found else text


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def without_versions(text: str) -> str:
    return re.sub(r"\d+(\.\d+)+\w*", "N", text)
