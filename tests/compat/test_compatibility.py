"""Every row of the table: recorded against the real server, replayed with that server stopped, answers and calls the same.

What comes of it is docs/compatibility.md: written by the last test here where it is not what is committed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.compat import document, harness, servers
from tests.compat.table import ROWS, Row

PAGE = Path(__file__).parents[2] / "docs/compatibility.md"


@dataclass(slots=True)
class Bench:
    """What was recorded of the rows of this session, all servers being stopped since."""

    recorded: dict[str, harness.Recorded] = field(default_factory=dict)
    versions: dict[tuple[str, bool], str] = field(default_factory=dict)
    ports: list[int] = field(default_factory=list)
    passed: list[Row] = field(default_factory=list)


@pytest.fixture(scope="module")
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Record every row that is to be tested, server by server, and stop each server after its rows."""
    made = Bench()
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    wanted = [call.params["row"] for call in calls if call is not None and isinstance(call.params.get("row"), Row)]
    for kind, tls in sorted({(row.server, row.tls) for row in wanted}):
        with servers.serve(kind, tls=tls) as server:
            made.versions[kind, tls] = servers.version(kind, server)
            made.ports.append(server.port)
            for row in (row for row in wanted if (row.server, row.tls) == (kind, tls)):
                made.recorded[row.title] = _recorded(row, server, tmp_path_factory.mktemp("row"))
    return made


def _recorded(row: Row, server: object, home: Path) -> harness.Recorded:
    try:
        servers.setup(row.server, row.codec, server)
        return harness.record(row, server, home)
    except Exception as error:  # noqa: BLE001 - one row's trouble is no other's
        run = harness.Run(code=-1, output="", errors="")
        return harness.Recorded(run=run, suite=home, home=home, trouble=f"{type(error).__name__}: {error}")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: re.sub(r"[^a-z0-9]+", "-", row.title.lower().replace("→", "to")))
def test_a_driver_gets_its_recorded_answers_with_the_server_stopped(bench: Bench, row: Row) -> None:
    recorded = bench.recorded[row.title]
    if recorded.trouble:
        pytest.fail(recorded.trouble, pytrace=False)
    assert all(map(harness.refuses, bench.ports)), "a server still listens"
    played, problems = harness.play(row, recorded)
    if trouble := [each for each in (harness.same_answers(recorded.run, played), *problems) if each]:
        pytest.fail("\n".join(trouble), pytrace=False)
    bench.passed.append(row)


def test_rows_are_told_apart() -> None:
    titles = [row.title for row in ROWS]
    assert len(set(titles)) == len(titles)
    assert all((harness.PROGRAMS / name).is_file() for row in ROWS for name in (row.program, row.replayed) if name)


def test_the_page_is_what_was_run(bench: Bench) -> None:
    """The committed table, but for versions, is the one just run; where it is not, it is written anew."""
    if len(bench.recorded) < len(ROWS):  # someone tries a few
        return
    assert len(bench.passed) == len(ROWS), "not every row works"
    made = document.page(bench.passed, bench.versions)
    kept = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if document.without_versions(made) != document.without_versions(kept):
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(made, encoding="utf-8")
        pytest.fail("docs/compatibility.md was not what the tests found; it has been written anew: look at it and commit it")
