"""Real drivers do the same against a real MariaDB and, with it out of reach, against its recording, and print the same."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from replayer import calls
from tests.live import mysqlrows
from tests.live.mysqlrows import CODEC, COMMANDS, PROGRAMS, case_of
from tests.live.servers import mariadb

pytestmark = pytest.mark.skipif(not mariadb.installed(), reason="no mariadbd on this machine")
NODE_MODULES = PROGRAMS.parent / "node_modules"
NAMES = sorted(path.name for path in PROGRAMS.iterdir() if path.suffix in COMMANDS)


@pytest.fixture(scope="module")
def server() -> Iterator[mariadb.MariaDb]:
    with mariadb.serve() as running:
        yield running


def runnable(program: str) -> bool:
    suffix = "." + program.rsplit(".", 1)[1]
    return shutil.which(COMMANDS[suffix][0]) is not None and (suffix != ".mjs" or NODE_MODULES.exists())


@pytest.mark.parametrize("program", NAMES)
def test_a_program_gets_the_recorded_answers(server: mariadb.MariaDb, program: str) -> None:
    if not runnable(program):
        pytest.skip(f"{program}: its runtime is not on this machine")
    recording = mysqlrows.record(program, server.port)
    assert [one.incomplete for one in recording.interactions if one.incomplete] == []
    assert [problem for call in case_of(recording.interactions).calls for problem in CODEC.check(call)] == []
    output, outcome = mysqlrows.replay(recording, program)
    assert output == recording.output
    assert [miss.explain() for miss in outcome.misses] == []
    assert calls.compare(outcome) == ()
