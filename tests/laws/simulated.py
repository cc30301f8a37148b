"""A service without a process: handlers that ask a book as a real one asks its mocks, over a pool of connections, in any
interleaving; suites recorded from it; and builds of it with regressions. Time is virtual.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from replayer.answers import AS_RECORDED, WHOLE, Expected, NoAnswer, Talk
from replayer.app import App
from replayer.bindings import Bindings
from replayer.book import Book, Desk
from replayer.client import Client
from replayer.clock import RealClock
from replayer.judge import Judge, Judged
from replayer.linked import Linked
from replayer.masking import Mask
from replayer.material import Material
from replayer.parallel import Cases, Tally
from replayer.plan import Plan
from replayer.received import Received
from replayer.trial import Trials
from tests.laws import virtual
from tests.replayer.conftest import TOY, toy_ask, toy_call
from wiretape.case import Body, Call, Case, Request, Response, Suite
from wiretape.protocols.base import Miss
from wiretape.tree import Tree

_JSON = (("content-type", "application/json"),)
_RECORDED = "2026-11-20T10:00:00Z"


@dataclass(frozen=True, slots=True)
class Route:
    """What one request makes the service do: `steps` are statements, or `begin` and `commit`, in which `{id}` stands for the id
    it was given in its path or draws itself; those after `late` come after the answer. `status` is what it answers, `extra`
    is said in its answer. `uses` is the number of the route whose id is in its path."""

    steps: tuple[str, ...]
    status: int = 200
    extra: int = 0
    uses: int | None = None
    late: tuple[str, ...] = ()


@dataclass(slots=True)
class Database:
    """What the recording was made from: reads answer how often their table was written."""

    writes: Counter[str] = field(default_factory=Counter)

    def answer(self, statement: str) -> dict[str, Tree]:
        verb, table, *_ = statement.split()
        if verb == "SELECT":
            return {"rows": [[table, self.writes[table]]]}
        self.writes[table] += 1
        return {"tag": verb}


def record(routes: Sequence[Route], session: Sequence[str]) -> Suite:
    """The suite of one request to each route, one after the other."""
    database, random, ids = Database(), Random(1), {}
    calls = tuple(toy_call(each, **database.answer(each)) for each in session)
    cases = []
    for number, route in enumerate(routes):
        ids[number] = str(uuid.UUID(int=random.getrandbits(128), version=4)) if route.uses is None else ids[route.uses]
        made, rows = [], []
        for statement in _filled((*route.steps, *route.late), ids[number]):
            fields = {} if statement in ("begin", "commit") else database.answer(statement)
            made.append(toy_call(statement, **fields))
            if "rows" in fields and len(made) <= len(route.steps):
                rows.append(fields["rows"])
        path = f"/{number}" if route.uses is None else f"/{number}/{ids[number]}"
        body: Tree = {"id": ids[number], "rows": rows, "extra": route.extra}
        response = Response(status=route.status, headers=_JSON, body=Body(kind="json", value=body))
        request = Request(method="POST", target=path)
        cases.append(Case(name=f"case-{number}", request=request, response=response, calls=tuple(made), recorded=_RECORDED))
    return Suite(root=Path("suite"), cases=tuple(cases), session=calls)


def _filled(steps: Sequence[str], ident: str) -> Iterator[str]:
    return (step.replace("{id}", f"'{ident}'") for step in steps)


class Service:
    """One build. It asks the desks of a pool; `poll` is what it asks in the background, over a connection of its own."""

    def __init__(
        self, routes: Sequence[Route], book: Book, pool: int, random: Random, poll: str = "", *, traced: bool = False
    ) -> None:
        self._routes, self._random, self._poll, self._book, self._traced = routes, random, poll, book, traced
        self._free: asyncio.Queue[Desk] = asyncio.Queue()
        for _ in range(pool):
            self._free.put_nowait(book.answers())
        self._late: set[asyncio.Task[None]] = set()

    async def _pause(self) -> None:
        """As long as the network takes: sometimes nothing at all."""
        if self._random.random() < 0.8:
            await asyncio.sleep(self._random.choice((0.0, 0.001, 0.003, 0.01)))

    async def handle(self, request: Request, trace: str) -> Received:
        """What the request is answered."""
        _, number, *given = request.target.split("/")
        route = self._routes[int(number)]
        ident = given[0] if given else str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        await self._pause()
        rows = await self._do(_filled(route.steps, ident), trace)
        if route.late:
            self._late.add(asyncio.ensure_future(self._do_late(route, ident, trace)))
        if rows is None:
            return Received(status=500, headers=_JSON, body=b'"it failed"')
        body = {"id": ident, "rows": rows, "extra": route.extra}
        await self._pause()
        return Received(status=route.status, headers=_JSON, body=json.dumps(body).encode())

    async def _do_late(self, route: Route, ident: str, trace: str) -> None:
        await asyncio.sleep(self._random.choice((0.0, 0.004, 0.02)))
        await self._do(_filled(route.late, ident), trace)

    async def _do(self, statements: Iterator[str], trace: str) -> list[Any] | None:
        """The rows read; None where something was refused. A transaction keeps its connection, a lone statement any."""
        rows: list[Any] = []
        held: Desk | None = None
        for statement in statements:
            desk = held or await self._free.get()
            held = desk if held or statement == "begin" else None
            await self._pause()
            answer = desk.take(self._ask(statement, trace))
            await self._pause()
            if isinstance(answer, Miss) and statement not in ("begin", "commit"):
                if held:
                    desk.take(self._ask("rollback", trace))
                self._free.put_nowait(desk)
                return None
            if isinstance(answer, Call) and "rows" in answer.fields:
                rows.append(answer.fields["rows"])
            if statement == "commit" or held is None:
                held = None
                self._free.put_nowait(desk)
        return rows

    def _ask(self, statement: str, trace: str) -> Any:
        return replace(toy_ask(toy_call(statement)), trace=trace if self._traced else "")

    async def poll(self) -> None:
        """In the background, for ever."""
        desk = self._book.answers()
        while self._poll:
            await asyncio.sleep(self._random.uniform(0.001, 0.03))
            desk.take(toy_ask(toy_call(self._poll)))


class _Client:
    """`replayer.client.Client` without a network."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def send(self, request: Request, expected: Expected = WHOLE, talk: Talk = AS_RECORDED) -> Received:
        trace = next((value.split("-")[1] for name, value in request.headers if name == "traceparent"), "")
        try:
            return await self._service.handle(request, trace)
        except TimeoutError as error:
            raise NoAnswer(str(error)) from None

    def close(self) -> None: ...


class _Alive:
    """`replayer.app.App` of a service that never ends."""

    async def ended(self, *, dying: bool = False) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Replayed:
    """Each case's verdict with everything found in it, and how they were run."""

    found: dict[str, tuple[Any, ...]]
    tally: Tally


def replay(
    suite: Suite, build: Sequence[Route], *, at_once: int, pool: int, seed: int, poll: str = "", traced: bool = False
) -> Replayed:
    """Replay a suite against a build, in virtual time."""
    return virtual.run(_replay(suite, build, at_once, pool, Random(seed), poll, traced=traced))


async def _replay(
    suite: Suite, build: Sequence[Route], at_once: int, pool: int, random: Random, poll: str, *, traced: bool
) -> Replayed:
    bindings, codecs = Bindings(), {"main": TOY}
    book = Book(suite, codecs, bindings=bindings)
    service = Service(build, book, pool, random, poll, traced=traced)
    material = Material(stored=suite, suite=suite, others=(), also={}, mask=Mask({}), targets={}, codecs=codecs)
    linked = Linked(suite.cases, bindings)
    plan = cast(
        Plan,
        SimpleNamespace(
            grace=0.5, fail_on="low", noise={}, rerun=("replay", ""), parallel=at_once,
            service=SimpleNamespace(url="http://127.0.0.1:1", command=()),
        ),
    )  # fmt: skip

    async def restart() -> None:
        raise AssertionError

    trials = Trials(
        plan,
        book,
        Judge(plan, material, bindings, linked),
        linked,
        cast(App, _Alive()),
        RealClock(suite.cases),
        restart=restart,
        connect=lambda: cast(Client, _Client(service)),
    )
    found: dict[str, tuple[Any, ...]] = {}

    def emit(case: Case, judged: Judged) -> None:
        found[case.name] = _shown(judged)

    cases = Cases(trials, book, codecs, at_once, emit)
    poller = asyncio.ensure_future(service.poll())
    try:
        await cases.run(list(zip(suite.cases, suite.cases, strict=True)))
    finally:
        poller.cancel()
    return Replayed(found, cases.tally)


def _shown(judged: Judged) -> tuple[Any, ...]:
    """A verdict but for what was drawn at random."""
    finished = judged.finished
    changes = sorted((change.path, change.kind) for change in finished.changes)
    calls = sorted((finding.kind, _plain(finding.operation), finding.count) for finding in finished.calls)
    misses = sorted(_plain(miss.ask.operation) for miss in finished.misses)
    return finished.verdict, changes, calls, misses


def _plain(text: str) -> str:
    return re.sub(r"'[^']*'", "?", text)
