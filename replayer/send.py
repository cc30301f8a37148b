"""Sends the recorded requests of a suite, in order, to a service that works on its real dependencies. Compares nothing.

What the service makes anew (a token, a UUID) is carried from an answer into the requests that follow. A case whose request
holds what another's answer gave is sent after that one, though only the former was chosen.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from normalizers.base import When
from normalizers.pipeline import NORMALIZERS
from replayer import diff
from replayer.bindings import Bindings
from replayer.client import Client, Expected, NoAnswer
from replayer.linked import Linked
from replayer.masking import Mask
from replayer.material import recorded_at
from replayer.noise import Rules, check_kinds
from replayer.received import Received
from replayer.talk import Bound
from wiretape.case import Case, Request, Suite
from wiretape.config import Config, Service
from wiretape.errors import EncodeError
from wiretape.links import producers
from wiretape.protobuf.sources import load as load_types
from wiretape.protocols.http import request_head_and_body
from wiretape.secrets import load_secrets, reveal
from wiretape.select import select
from wiretape.sent import Sent, digest
from wiretape.service import endpoint
from wiretape.store import load_suite
from wiretape.tree import Tree, walk
from wiretape.typed import typed_suite

# Sent again where a kept connection was closed meanwhile; anything else goes on a connection of its own, once.
_REPEATABLE: Final = frozenset(("GET", "HEAD", "OPTIONS"))
_UNMISTAKABLE: Final = 12  # characters of a word that two cases do not hold by accident
_WORD = re.compile(rf"[\w.~+/=-]{{{_UNMISTAKABLE},}}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A case whose request was sent: what came, or why nothing did. `recorded` is the status in the case. `needed`: it was not
    chosen, but another case builds on it. Texts are without secrets."""

    sent: Sent
    request: str
    recorded: int
    needed: bool
    elapsed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Which cases to send, where to; `limit` is in seconds, for each answer."""

    config: Config
    service: Service
    environ: Mapping[str, str]
    cases: Sequence[str] = ()
    limit: float = 30.0


async def send(plan: Round, emit: Callable[[Answered], None]) -> None:
    """Send every case chosen. Raises ConfigError, StoreError where the suite cannot be read."""
    config = plan.config
    stored = load_suite(config.suite)
    chosen = {case.name for case in select(stored.cases, plan.cases)}
    secrets = load_secrets(config.home, plan.environ)
    suite = typed_suite(reveal(stored, secrets), load_types(config.service.protos if config.service else ()))
    for case in stored.cases:
        check_kinds(case.noise, NORMALIZERS, case.path)
    url = plan.service.url
    client = Client(endpoint(url), tls=url.startswith("https:"), limit=plan.limit, trusted=config.home / "ca")
    sender = _Sender(suite, client, Mask(secrets))
    try:
        for case in with_producers(suite.cases, chosen):
            emit(await sender.send(case, needed=case.name not in chosen))
    finally:
        client.close()


class _Sender:
    """One run: the values that stand for recorded ones grow with every answer."""

    def __init__(self, suite: Suite, client: Client, mask: Mask) -> None:
        self._suite, self._client, self._mask = suite, client, mask
        self._bindings = Bindings()
        self._linked = Linked(suite.cases, self._bindings)

    async def send(self, case: Case, *, needed: bool) -> Answered:
        started = time.perf_counter()
        request = self._linked.request(case)
        before = dict(self._bindings.pairs)
        mark, status, error = "", 0, ""
        try:
            headers, body = request_head_and_body(request)
            mark = digest(request.method, request.target, headers, body)
            received = await self._answer(case, request)
            status = received.status
            if status == case.response.status:
                self._learn(case, received)
        except (NoAnswer, EncodeError) as problem:
            error = self._mask.text(str(problem))
        pairs = {**self._bindings.pairs, **self._linked.pairs(case)}
        fresh = {recorded: live for recorded, live in pairs.items() if recorded not in before and recorded != live}
        return Answered(
            sent=Sent(case=case.name, digest=mark, status=status, error=error, standing=fresh),
            request=self._mask.text(f"{request.method} {case.request.target}"),
            recorded=case.response.status,
            needed=needed,
            elapsed=time.perf_counter() - started,
        )

    async def _answer(self, case: Case, request: Request) -> Received:
        self._bindings.learn(_request_of(case))
        expected = Expected.of(case.response, case.messages)
        talk = Bound(self._bindings, self._when(case))
        if request.method not in _REPEATABLE:
            self._client.close()
        try:
            return await self._client.send(request, expected, talk)
        except NoAnswer as problem:
            if not problem.unheard:
                raise
        return await self._client.send(request, expected, talk)

    def _learn(self, case: Case, received: Received) -> None:
        """Comparing binds what the service made anew to what it stands for; the differences themselves are of no interest."""
        rules = Rules((*case.noise, *self._suite.noise), NORMALIZERS)
        by = diff.Comparison(bindings=self._bindings, rules=rules, when=self._when(case))
        self._linked.answered(case, received)
        diff.compare(case.response, received, by, case.messages)
        self._linked.bind(case)

    def _when(self, case: Case) -> When:
        return When(recorded=recorded_at(case), live=time.time())


def with_producers(cases: Sequence[Case], chosen: set[str]) -> list[Case]:
    """The chosen cases and, transitively, those whose answers gave what their requests hold or that they link to; in the order
    of `cases`."""
    given: dict[str, list[int]] = {}
    places = {case.name: at for at, case in enumerate(cases)}
    wanted = {at for at, case in enumerate(cases) if case.name in chosen}
    for at, case in enumerate(cases):
        for word in set(_words(_answer_of(case))):
            given.setdefault(word, []).append(at)
    for at in range(len(cases) - 1, -1, -1):
        if at in wanted:
            wanted.update(_sources(cases[at], at, given))
            wanted.update(places[name] for name in producers(cases[at]))
    return [case for at, case in enumerate(cases) if at in wanted]


def _sources(case: Case, at: int, given: Mapping[str, Sequence[int]]) -> Iterator[int]:
    """For each word of the request, the last case before it that was answered with it, if none said it first itself."""
    for word in set(_words(_request_of(case))):
        earlier = [one for one in given.get(word, ()) if one < at]
        if earlier:
            yield earlier[-1]


def _request_of(case: Case) -> Tree:
    request = case.request
    return [request.target, *(value for _, value in (*request.headers, *request.trailers)), request.body.value]


def _answer_of(case: Case) -> Tree:
    response = case.response
    said = [message.value for message in case.messages if message.direction == "receive"]
    return [*(value for _, value in (*response.headers, *response.trailers)), response.body.value, said]


def _words(tree: Tree) -> Iterator[str]:
    for _, value in walk(tree):
        if isinstance(value, str):
            yield from _WORD.findall(value)
            yield from (part for word in _WORD.findall(value) for part in re.split(r"[/=]", word) if len(part) >= _UNMISTAKABLE)
