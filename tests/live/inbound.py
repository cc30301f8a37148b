"""From what a relay saw to cases on disk, and from those to a replay against a service: the whole way, in one process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from normalizers.base import When
from normalizers.pipeline import NORMALIZERS
from recorder.naming import Names, graphql_operation, slug
from replayer import diff
from replayer.answers import Expected
from replayer.bindings import Bindings
from replayer.client import Client
from replayer.diff import Comparison
from replayer.events import CaseFinished, Change
from replayer.noise import Rules
from replayer.received import Received
from replayer.report.text import details
from replayer.talk import Bound
from tests.laws.transcripts import Chunk
from wiretape import store
from wiretape.case import Case
from wiretape.config import Address
from wiretape.protocols.http import Exchange, HttpTap, to_messages, to_request, to_response


def exchanges(connections: Sequence[Sequence[Chunk]]) -> list[Exchange]:
    """What the tap reads of each connection, one after another."""
    found: list[Exchange] = []
    for chunks in connections:
        tap = HttpTap(10**7)
        now = time.time()
        for side, data in chunks:
            found += tap.feed(side, data, now)
        found += tap.close(now)
    return found


def stored(found: Sequence[Exchange], home: Path) -> list[Case]:
    """The exchanges as cases, written to disk and read back."""
    names = Names(())
    cases = [
        Case(
            name=names.free(slug(each.method, each.target, each.status, graphql_operation(to_request(each).body.value))),
            request=to_request(each),
            response=to_response(each),
            messages=to_messages(each),
            recorded=f"2026-11-20T10:00:00.{number:06}Z",
        )
        for number, each in enumerate(found)
    ]
    assert [each.incomplete for each in found if each.incomplete] == []
    store.add_to_suite(home / "suite", cases, [], {})
    return list(store.load_suite(home / "suite").cases)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What one case came to."""

    received: Received
    changes: tuple[Change, ...]
    lines: tuple[str, ...]


def replay(cases: Sequence[Case], port: int, *, tls: bool = False, limit: float = 10.0) -> dict[str, Replayed]:
    """Each case sent to the service and compared, by name."""

    async def run() -> dict[str, Replayed]:
        client = Client(Address(host="127.0.0.1", port=port), tls=tls, limit=limit)
        try:
            return {case.name: await _one(client, case) for case in cases}
        finally:
            client.close()

    return asyncio.run(run())


async def _one(client: Client, case: Case) -> Replayed:
    bindings = Bindings()
    when = When(recorded=time.time(), live=time.time())
    bindings.learn(case.request.body.value)
    received = await client.send(case.request, Expected.of(case.response, case.messages), Bound(bindings, when))
    by = Comparison(bindings=bindings, rules=Rules((), NORMALIZERS), when=when)
    changes = diff.compare(case.response, received, by, case.messages)
    lines = [line for _, line in details(CaseFinished(case=case, verdict="failed", changes=changes))]
    return Replayed(received=received, changes=changes, lines=tuple(lines))
