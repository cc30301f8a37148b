"""Runs the programs of tests/compat/programs/mysql: recorded against a real server, played back against a mock."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql

from normalizers.base import When
from replayer.book import Book, Outcome
from tests.live.mock import Mock
from tests.live.relay import Chunk, Relay
from tests.live.servers.mariadb import DATABASE, PASSWORD, USER
from wiretape.case import Call, Case, Request, Response, Suite
from wiretape.protocols import codec
from wiretape.protocols.base import Interaction
from wiretape.tree import Tree

CODEC = codec("mysql")
PROGRAMS = Path(__file__).parents[1] / "compat" / "programs" / "mysql"
JARS = ":".join(
    f"/usr/share/java/{name}.jar" for name in ("mariadb-java-client", "slf4j-api", "slf4j-nop", "jna", "jna-platform")
)
COMMANDS: Mapping[str, Sequence[str]] = {
    ".py": (sys.executable, "-P"),
    ".mjs": ("node",),
    ".rb": ("ruby",),
    ".php": ("php",),
    ".pl": ("perl",),
    ".sh": ("sh",),
    ".java": ("java", "-XX:TieredStopAtLevel=1", "-cp", JARS),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What a program printed against the real server, and what the tap made of it."""

    output: str
    interactions: Sequence[Interaction]
    facts: Mapping[str, Tree]
    connections: Sequence[Sequence[Chunk]]


def url(port: int) -> str:
    return f"mysql://{USER}:{PASSWORD}@127.0.0.1:{port}/{DATABASE}"


def prepare(port: int) -> None:
    """Bring the server to the state every program begins in."""
    script = (PROGRAMS / "setup.sql").read_text(encoding="utf-8")
    session = pymysql.connect(
        host="127.0.0.1", port=port, user=USER, password=PASSWORD, database=DATABASE, autocommit=True, ssl_disabled=True
    )
    with session, session.cursor() as cursor:
        for statement in script.split(";\n"):
            if statement.strip():
                cursor.execute(statement)


def run(program: str, port: int, *, check: bool = True) -> str:
    path = PROGRAMS / program
    with tempfile.TemporaryDirectory() as home:
        environ = {"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8", "TZ": "UTC"}
        done = subprocess.run(
            [*COMMANDS[path.suffix], str(path), url(port)], capture_output=True, text=True, cwd=home, env=environ,
            timeout=60, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + (done.stderr if done.returncode else "")


def read(connections: Sequence[Sequence[Chunk]]) -> tuple[list[Interaction], Mapping[str, Tree]]:
    interactions: list[Interaction] = []
    facts: Mapping[str, Tree] = {}
    for chunks in connections:
        tap = CODEC.tap()
        for number, (side, data) in enumerate(chunks):
            interactions += tap.feed(side, data, float(number))
        interactions += tap.close(float(len(chunks)))
        facts = CODEC.merge_facts(facts, tap.facts)
    return interactions, facts


def record(program: str, port: int) -> Recording:
    prepare(port)
    with Relay(port) as relay:
        output = run(program, relay.port)
    interactions, facts = read(relay.connections)
    return Recording(output=output, interactions=interactions, facts=facts, connections=relay.connections)


def case_of(interactions: Sequence[Interaction]) -> Case:
    """One case that holds everything the program asked, as if one request had caused it."""
    made = tuple(
        Call(target="main", operation=one.operation, fields=one.fields) for one in interactions if one.role != "housekeeping"
    )
    return Case(
        name="program", request=Request(method="GET", target="/"), response=Response(status=200), calls=made,
        recorded="2026-01-01T00:00:00.000000Z",
    )  # fmt: skip


@contextmanager
def played(recording: Recording) -> Iterator[tuple[int, Book]]:
    """A mock that answers from the recording: its port, and the book."""
    case = case_of(recording.interactions)
    book = Book(Suite(root=Path("/nowhere"), cases=(case,)), {"main": CODEC})
    book.begin(case, When(recorded=0.0, live=0.0))
    with Mock(CODEC, recording.facts, book.answers("main")) as mock:
        yield mock.port, book


def replay(recording: Recording, program: str) -> tuple[str, Outcome]:
    with played(recording) as (port, book):
        output = run(program, port, check=False)
        return output, book.end()
