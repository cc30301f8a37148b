"""What crossed a relay as a suite of one case, and that suite played back by the replayer's own book and mocks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from normalizers.base import When
from replayer.book import Book, Outcome
from replayer.mocks import Mocks
from tests.live.relay import Relay
from wiretape.case import Call, Case, Request, Response, Suite
from wiretape.config import Address, Target
from wiretape.protocols.base import Codec, Interaction
from wiretape.tree import Tree

WHEN = When(recorded=0.0, live=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taped:
    """The interactions of all connections in the order in which they began, and what is known of the server."""

    interactions: tuple[Interaction, ...]
    facts: Mapping[str, Tree]

    @property
    def case(self) -> Case:
        calls = tuple(_call(one) for one in self.interactions if one.role != "housekeeping")
        return Case(name="walk", request=Request(method="GET", target="/"), response=Response(status=200), calls=calls)

    @property
    def suite(self) -> Suite:
        session = {repr(one.fields) + one.operation: _call(one) for one in self.interactions if one.role == "housekeeping"}
        return Suite(root=Path("suite"), cases=(self.case,), session=tuple(session.values()))


def _call(one: Interaction) -> Call:
    return Call(target="main", operation=one.operation, fields=one.fields)


def taped(codec: Codec, relay: Relay) -> Taped:
    """Everything that crossed the relay, read through the codec's taps."""
    taps = [codec.tap() for _ in relay.connections]
    found: list[Interaction] = []
    for at, (number, side, data) in enumerate(relay.all):
        found += taps[number].feed(side, data, float(at))
    facts: Mapping[str, Tree] = {}
    for tap in taps:
        found += tap.close(float(len(relay.all)))
        facts = codec.merge_facts(facts, tap.facts)
    return Taped(interactions=tuple(sorted(found, key=lambda one: one.started)), facts=facts)


@dataclass(slots=True, kw_only=True)
class Playing:
    """A mock that listens on `port`. `outcome` is what the book saw, once it is over."""

    port: int = 0
    outcome: Outcome | None = None


@contextmanager
def playing(codec: Codec, tape: Taped, home: Path, when: When = WHEN) -> Iterator[Playing]:
    """The tape's only case under way, for as long as the context lasts."""
    playing, loop = Playing(), asyncio.new_event_loop()
    case, suite = tape.case, tape.suite
    suite = Suite(root=suite.root, cases=(case,), session=suite.session)
    book = Book(suite, {"main": codec}, when=when)
    target = Target(name="main", protocol=codec.name, listen=Address(host="127.0.0.1", port=0))
    ready, over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        mocks = Mocks({"main": target}, {"main": tape.facts}, {"main": codec}, book, home)
        await mocks.start()
        playing.port = mocks.addresses["main"].port
        book.begin(case, when)
        ready.set()
        await over.wait()
        playing.outcome = book.end()
        await mocks.stop()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield playing
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()


@contextmanager
def listening(mocks: Mocks) -> Iterator[int]:
    """The mocks, in a thread of their own: where that of `main` listens."""
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
        yield up.result(20)
    finally:
        done.set()
        thread.join(20)
