"""Real MongoDB drivers do the same against a real server and, with that stopped, against its recording: same answers, no
misses, no findings."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from normalizers.base import When
from replayer.book import Book
from replayer.calls import compare
from replayer.mocks import Mocks
from tests.live.relay import Relay
from tests.live.servers import secantus
from wiretape.case import Call, Case, Request, Response, Suite
from wiretape.casedump import case_text
from wiretape.casefile import read_case
from wiretape.config import Address, Target
from wiretape.protocols import codec
from wiretape.protocols.base import Interaction
from wiretape.tree import Tree
from wiretape.yamlio import load

CODEC = codec("mongo")
PROGRAMS = Path(__file__).parents[1] / "compat" / "programs" / "mongo"
SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    output: str
    interactions: Sequence[Interaction]
    facts: Mapping[str, Tree]
    case: Case


def run(program: str, url: str) -> str:
    """What a program of the compatibility table prints."""
    words = {".py": [sys.executable, "-P"], ".mjs": ["node"], ".rb": ["ruby"], ".php": ["php"], ".pl": ["perl"]}
    file = PROGRAMS / program
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8", "TZ": "UTC"}
    done = subprocess.run(
        [*words[file.suffix], str(file), url], env=environ, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def record(server: secantus.Secantus, program: str, query: str = "") -> Recording:
    with Relay(server.port) as relay:
        output = run(program, server.at(relay.port) + query)
    interactions: list[Interaction] = []
    facts: Mapping[str, Tree] = {}
    for chunks in relay.connections:
        tap = CODEC.tap()
        for number, (side, data) in enumerate(chunks):
            interactions += tap.feed(side, data, float(number))
        interactions += tap.close(float(len(chunks)))
        facts = CODEC.merge_facts(facts, tap.facts)
    calls = tuple(
        Call(target="main", operation=one.operation, fields=one.fields) for one in interactions if one.role != "housekeeping"
    )
    return Recording(output=output, interactions=interactions, facts=facts, case=written(calls))


def written(calls: tuple[Call, ...]) -> Case:
    """A case of these calls, as it is on disk."""
    text, _ = case_text(
        Case(name="walk", request=Request(method="GET", target="/"), response=Response(status=200), calls=calls), "walk"
    )
    return read_case(load(text.encode(), "walk.yaml")).sound("walk.yaml")


def replay(recording: Recording, program: str, url: str) -> tuple[str, list[str]]:
    """What a program prints where only the recording answers, and all that was not as recorded."""
    book = Book(Suite(root=Path(), cases=(recording.case,)), {"main": CODEC})
    book.begin(recording.case, When(recorded=time.time(), live=time.time()))
    with mocked(book, recording.facts) as port:
        output = run(program, url.format(port=port))
    outcome = book.end()
    return output, [miss.explain() for miss in outcome.misses] + [repr(one) for one in compare(outcome)]


@contextmanager
def mocked(book: Book, facts: Mapping[str, Tree]) -> Iterator[int]:
    """The replay's mocks, in a thread of their own: the port they listen on."""
    target = Target(name="main", protocol="mongo", listen=Address(host="127.0.0.1", port=0))
    mocks = Mocks({"main": target}, {"main": facts}, {"main": CODEC}, book, Path())
    up: Future[int] = Future()
    done = threading.Event()

    async def serve() -> None:
        await mocks.start()
        up.set_result(mocks.addresses["main"].port)
        await asyncio.get_running_loop().run_in_executor(None, done.wait)
        await mocks.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        yield up.result(10)
    finally:
        done.set()
        thread.join(10)
