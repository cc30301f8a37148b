"""Real HTTP clients: their programs run against a real service through a relay, then against the mock made of what was seen."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from normalizers.base import When
from replayer.book import Book
from replayer.mocks import Mocks
from tests.laws.transcripts import Chunk
from tests.live.relay import Relay
from tests.live.servers.grpc_service import serve as serve_grpc
from tests.live.servers.web import serve as serve_web
from wiretape import store
from wiretape.case import Call, Case, Request, Response, Suite
from wiretape.config import Address, Target
from wiretape.protocols import codec
from wiretape.protocols.base import Interaction
from wiretape.tree import Tree

HTTP = codec("http")
PROGRAMS = Path(__file__).parents[1] / "compat/programs/http"
RUNNERS = {".py": (sys.executable,), ".mjs": ("node",), ".sh": ("sh",)}
WEB = sorted(path.name for path in PROGRAMS.iterdir() if path.suffix in RUNNERS and "grpc" not in path.name)
NOISE = ("ExperimentalWarning", "node --trace")


def command(name: str, url: str) -> list[str]:
    path = PROGRAMS / name
    return [*RUNNERS[path.suffix], str(path), url]


def told(output: str) -> list[Tree]:
    return [json.loads(line) for line in output.splitlines()]


def read(connections: Sequence[Sequence[Chunk]]) -> tuple[list[Interaction], dict[str, Tree]]:
    """What the tap reads, in the order in which the requests began."""
    found: list[Interaction] = []
    facts: dict[str, Tree] = {}
    for number, chunks in enumerate(connections):
        tap = HTTP.tap()
        for at, (side, data) in enumerate(chunks):
            found += tap.feed(side, data, number * 1e6 + at)
        found += tap.close(number * 1e6 + len(chunks))
        facts = dict(HTTP.merge_facts(facts, tap.facts))
    return sorted(found, key=lambda one: one.started), facts


def stored(calls: Sequence[Call], facts: dict[str, Tree], home: Path) -> Suite:
    """The suite of one case, written to disk and read back."""
    case = Case(name="one", request=Request(method="GET", target="/"), response=Response(status=200), calls=tuple(calls))
    store.add_to_suite(home / "suite", [case], [], {"main": facts})
    return store.load_suite(home / "suite")


async def replayed(name: str, suite: Suite, home: Path) -> tuple[list[Tree], str, list[str]]:
    """The program's lines against the mocks, what it complained about, and the misses."""
    (case,) = suite.cases
    target = Target(name="main", protocol="http", listen=Address(host="127.0.0.1", port=0))
    book = Book(suite, {"main": HTTP})
    book.begin(case, When(recorded=0.0, live=0.0))
    mocks = Mocks({"main": target}, suite.facts, {"main": HTTP}, book, home)
    await mocks.start()
    try:
        url = f"http://127.0.0.1:{mocks.addresses['main'].port}"
        process = await asyncio.create_subprocess_exec(
            *command(name, url), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(60):
            out, complaints = await process.communicate()
    finally:
        await mocks.stop()
    outcome = book.end()
    assert [entry.call.operation for entry in outcome.expected if not entry.used] == []
    return told(out.decode()), complaints.decode(), [miss.explain() for miss in outcome.misses]


def prove(name: str, port: int, home: Path) -> None:
    with Relay(port) as relay:
        ran = subprocess.run(command(name, f"http://127.0.0.1:{relay.port}"), capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    interactions, facts = read(relay.connections)
    assert [one.incomplete for one in interactions if one.incomplete] == []
    calls = [Call(target="main", operation=one.operation, fields=one.fields) for one in interactions]
    assert [problem for call in calls for problem in HTTP.check(call)] == []
    lines, complaints, misses = asyncio.run(replayed(name, stored(calls, facts, home), home))
    assert misses == []
    assert lines == told(ran.stdout), complaints
    assert len(lines) > 1


@pytest.mark.parametrize("name", WEB)
def test_a_client_gets_from_the_mock_what_it_got_from_the_service(name: str, tmp_path: Path) -> None:
    with serve_web() as web:
        prove(name, web.port, tmp_path)


def test_a_grpc_client_gets_from_the_mock_what_it_got_from_the_service(tmp_path: Path) -> None:
    with serve_grpc() as service:
        prove("grpc_client.py", service.port, tmp_path)
