"""What holds of every call of a kind rules candidates out: only where it holds without exception, and not by chance."""

from __future__ import annotations

import random

from recorder.evidence import Said, Told
from recorder.patterns import Occurrence, Patterns


class Traffic:
    """Requests of some routes, each with a number, `crowd` in flight at a time; calls are those of the requests named."""

    def __init__(self, *, crowd: int = 4, numbers: int = 1000, count: int = 80) -> None:
        draw = random.Random(1)
        self.numbers = [draw.randrange(numbers) for _ in range(count)]
        self.routes = [("GET /users/{} 200", "GET /orders/{} 200", "POST /orders 201")[draw.randrange(3)] for _ in range(count)]
        self.crowd = crowd
        self.requests = [
            Said(route=route, asked={"path.2": frozenset((str(number),))}, answered={"body.n": frozenset((f"n{number}",))})
            for route, number in zip(self.routes, self.numbers, strict=True)
        ]

    def calls(self, shape: str, *routes: str, valued: bool = True) -> list[Occurrence]:
        """Each request of these routes makes one, while its neighbours are in flight."""
        return [
            self.call(shape, at, (str(self.numbers[at]),) if valued else ())
            for at, route in enumerate(self.routes)
            if not routes or route in routes
        ]

    def call(self, shape: str, at: int, given: tuple[str, ...]) -> Occurrence:
        first = max(at - self.crowd + 1, 0)
        return Occurrence(
            Told(shape=shape, given=given, found={}), tuple(range(first, min(first + self.crowd, len(self.routes))))
        )

    def owners(self, occurrences: list[Occurrence]) -> set[str]:
        """The routes whose requests may make such calls, asked with their own values."""
        patterns = Patterns(occurrences, self.requests)
        return {
            self.routes[at]
            for at, number in enumerate(self.numbers)
            if patterns.possible(Told(shape="s", given=(str(number),), found={}), at)
        }


ALL = {"GET /users/{} 200", "GET /orders/{} 200", "POST /orders 201"}


def test_calls_come_from_where_their_values_always_were() -> None:
    traffic = Traffic()
    assert traffic.owners(traffic.calls("s", "GET /users/{} 200")) == {"GET /users/{} 200"}
    patterns = Patterns(traffic.calls("s", "GET /users/{} 200"), traffic.requests)
    at = traffic.routes.index("GET /users/{} 200")
    assert not patterns.possible(Told(shape="s", given=("other",), found={}), at)
    assert patterns.times("GET /users/{} 200", "s") == 1
    assert patterns.times("POST /orders 201", "s") is None


def test_values_of_answers_tell_as_well() -> None:
    traffic = Traffic()
    made = [
        Occurrence(Told(shape="s", given=(), found={"rows.0": frozenset((f"n{one.call.given[0]}",))}), one.candidates)
        for one in traffic.calls("s", "POST /orders 201")
    ]
    patterns = Patterns(made, traffic.requests)
    assert all(
        patterns.possible(made[0].call, at) == (route == "POST /orders 201" and f"n{number}" in made[0].call.found["rows.0"])
        for at, (route, number) in enumerate(zip(traffic.routes, traffic.numbers, strict=True))
    )


def test_a_kind_that_several_routes_make_is_not_given_to_one() -> None:
    traffic = Traffic()
    assert traffic.owners(traffic.calls("s", "GET /users/{} 200", "POST /orders 201")) == ALL


def test_one_exception_is_enough() -> None:
    traffic = Traffic()
    strange = traffic.call("s", 40, ("none has it",))
    assert traffic.owners([*traffic.calls("s", "GET /users/{} 200"), strange]) == ALL
    outside = Occurrence(Told(shape="s", given=("1",), found={}), ())
    assert traffic.owners([*traffic.calls("s", "GET /users/{} 200"), outside]) == ALL


def test_what_chance_may_bring_about_is_no_pattern() -> None:
    same = Traffic(numbers=1, crowd=40)
    assert same.owners(same.calls("s", "GET /users/{} 200")) == ALL
    few = Traffic(count=6)
    assert few.owners(few.calls("s", *few.routes[:1])) == set(few.routes)


def test_calls_without_values_are_known_by_their_number() -> None:
    traffic = Traffic(crowd=3, count=200)
    patterns = Patterns(traffic.calls("s", "GET /users/{} 200", valued=False), traffic.requests)
    assert patterns.times("GET /users/{} 200", "s") == 1
    assert patterns.times("POST /orders 201", "s") == 0
    crowded = Traffic(crowd=40, count=200)
    assert (
        Patterns(crowded.calls("s", "GET /users/{} 200", valued=False), crowded.requests).times("GET /users/{} 200", "s")
        is None
    )
