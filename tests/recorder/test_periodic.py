"""What keeps a beat is nobody's call, unless requests keep the same beat around it."""

from __future__ import annotations

import random

import pytest

from recorder.attribute import Outbound, Window, attribute
from recorder.evidence import Said, Told
from recorder.periodic import pace, rest
from wiretape.protocols.base import Interaction


class Recording:
    """Requests, and calls whose operations are their shape and one value: `select order 17`."""

    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.requests: list[tuple[Window, Said]] = []
        self.outbound: list[Outbound] = []

    def ask(self, at: float, route: str, value: str, shape: str = "", *, lasts: float = 0.1) -> None:
        """A request, which makes a call with its value if a shape is given."""
        texts = frozenset((value,))
        said = Said(route=f"{route} 200", asked={"path.2": texts}, answered={"body.id": texts})
        self.requests.append((Window(started=at, ended=at + lasts), said))
        if shape:
            self.make(at + lasts / 2, f"{shape} {value}")

    def make(self, at: float, operation: str, connection: int = 1) -> None:
        interaction = Interaction(operation=operation, fields={}, started=at, ended=at + 0.001)
        self.outbound.append(Outbound(target="main", connection=connection, interaction=interaction))

    def busy(self, until: float) -> None:
        """Four clients that ask irregularly."""
        for _ in range(4):
            at = 0.0
            while at < until:
                at += 0.1 + self.random.expovariate(1 / 0.01)
                self.ask(at, "GET /orders/{}", str(self.random.randrange(1000)), "select order")

    def tick(self, until: float, every: float, jitter: float, operation: str, connection: int = 1) -> None:
        at = 0.0
        while at < until:
            at += every * (1 + self.random.uniform(-jitter, jitter))
            self.make(at, operation, connection)

    def settle(self) -> tuple[list[str], list[str]]:
        """The calls of the requests, and those of none."""
        self.requests.sort(key=lambda one: one[0].started)
        self.outbound.sort(key=lambda one: one.interaction.started)
        result = attribute([window for window, _ in self.requests], self.outbound, self)
        own = sorted(call.outbound.interaction.operation for calls in result.windows for call in calls)
        return own, [one.interaction.operation for one in result.session]

    def request(self, window: int) -> Said:
        return self.requests[window][1]

    def call(self, outbound: Outbound) -> Told:
        shape, _, value = outbound.interaction.operation.rpartition(" ")
        return Told(shape=shape, given=(value,), found={})


@pytest.mark.parametrize("jitter", [0.0, 0.1, 0.2])
@pytest.mark.parametrize("every", [0.03, 0.2, 1.0])
def test_a_poller_among_requests_is_nobodys(every: float, jitter: float) -> None:
    recording = Recording()
    recording.busy(20)
    orders = len(recording.outbound)
    recording.tick(20, every, jitter, "select jobs new")
    own, session = recording.settle()
    assert set(session) == {"select jobs new"}
    assert len(session) == len(recording.outbound) - orders
    assert {one.rpartition(" ")[0] for one in own} == {"select order"}


def test_a_poller_on_a_busy_machine_is_late_but_never_early() -> None:
    recording = Recording()
    recording.busy(20)
    at = 0.0
    while at < 20:
        at += 0.05 + recording.random.expovariate(1 / 0.05)
        recording.make(at, "select jobs new")
    _, session = recording.settle()
    assert set(session) == {"select jobs new"}


def test_heartbeats_with_new_values_each_time_on_several_connections() -> None:
    recording = Recording()
    recording.busy(20)
    for connection, every in ((2, 0.5), (3, 0.7), (4, 0.9)):
        at = 0.0
        while at < 20:
            at += every
            recording.make(at, f"update workers {at:.6f}", connection)
    _, session = recording.settle()
    assert {one.rpartition(" ")[0] for one in session} == {"update workers"}
    assert len(session) == sum(one.connection > 1 for one in recording.outbound)


@pytest.mark.parametrize("every", [0.05, 0.5])
def test_the_calls_of_a_client_of_constant_rate_are_its_requests_own(every: float) -> None:
    recording = Recording()
    for number in range(100):
        recording.ask(number * every, "GET /health", "up", "select one", lasts=0.04)
    own, session = recording.settle()
    assert (len(own), session) == (100, [])


def test_nor_are_they_with_other_clients_around_or_when_now_and_then_one_comes_late() -> None:
    recording = Recording()
    recording.busy(20)
    for number in range(40):
        recording.ask(number * 0.5, "GET /health", "up", lasts=0.04)
        recording.make(number * 0.5 + (0.05 if number % 10 == 9 else 0.02), "select one up")
    _, session = recording.settle()
    assert session == []


def test_calls_that_pass_on_what_requests_say_are_theirs_whatever_their_beat() -> None:
    recording = Recording()
    for number in range(60):
        recording.ask(number * 0.1 + recording.random.uniform(0, 0.09), "GET /orders/{}", str(number), lasts=0.25)
        recording.make(number * 0.1 + 0.1, f"select order {number}")
    own, session = recording.settle()
    assert session == []
    assert len(own) >= 60


def test_a_poller_that_is_delayed_by_anything_still_keeps_its_distance() -> None:
    recording = Recording()
    recording.busy(20)
    at = 0.0
    while at < 20:
        at += 0.05 + recording.random.expovariate(1 / (0.005 if at < 5 else 0.4))
        recording.make(at, "select jobs new")
    _, session = recording.settle()
    assert set(session) == {"select jobs new"}


def test_the_calls_of_one_client_that_waits_for_its_answers_are_its_own() -> None:
    recording = Recording()
    at = 0.0
    for _ in range(200):
        lasts = 0.02 + recording.random.expovariate(1 / 0.03)
        recording.ask(at, "GET /health", "up", "select one", lasts=lasts)
        at += lasts + 0.001
    own, session = recording.settle()
    assert (len(own), session) == (200, [])


def test_irregular_moments_keep_no_beat() -> None:
    draw = random.Random(1)
    for _ in range(200):
        at, times = 0.0, []
        for _ in range(20):
            at += draw.expovariate(1)
            times.append(at)
        assert pace(times) == 0.0
        assert rest(times) < 14
    assert pace([1.0, 2.0, 3.0]) == 0.0  # too few to tell
    assert pace([1.0] * 20) == 0.0
    assert pace(float(n) for n in range(8)) == 1.0


@pytest.mark.parametrize("seed", range(40))
def test_calls_of_fixed_values_are_not_taken_from_a_client_that_happens_to_be_regular(seed: int) -> None:
    recording = Recording(seed)
    at, made = 0.0, 0
    for _ in range(120):
        steady = 0.02 + recording.random.expovariate(1 / 0.01)
        route = recording.random.choice(["health", "stats", "stats"] if seed % 2 else ["stats"])
        recording.ask(at, f"GET /{route}", "same", f"select {route}", lasts=steady)
        made += 1
        at += steady + recording.random.uniform(0, 0.01)
    recording.tick(at, 0.021, 0.1, "select jobs new")
    own, session = recording.settle()
    lost = [one for one in session if "jobs" not in one]
    assert lost == []
    assert len([one for one in own if "jobs" not in one]) == made
