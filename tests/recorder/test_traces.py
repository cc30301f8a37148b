"""Whom ids are believed, and whom not."""

from __future__ import annotations

from collections.abc import Sequence

from recorder.attribute import Attribution, Outbound, Window, attribute
from recorder.evidence import Said, Told
from recorder.traces import Carrier, Traces
from wiretape.protocols.base import Interaction

SPANS = (Window(started=1, ended=4), Window(started=2, ended=5), Window(started=3, ended=6))
IDS = (frozenset(("a",)), frozenset(("b",)), frozenset(("c",)))


def carrier(at: float, *traces: str, kind: str = "select") -> Carrier:
    return Carrier(kind=kind, started=at, traces=traces)


def owners(calls: Sequence[Carrier], *unit: Carrier, ids: Sequence[frozenset[str]] = IDS) -> tuple[set[int], bool]:
    found, certain = Traces(SPANS, ids, calls).owners(unit)
    return set(found), certain


def test_an_id_of_one_request_tells() -> None:
    one = carrier(3.5, "b")
    assert owners([one], one) == ({1}, True)
    assert owners([one], one, carrier(3.6)) == ({1}, True)  # the rest of its transaction


def test_work_after_the_response_is_still_the_requests() -> None:
    late = carrier(9.0, "a", kind="insert")
    assert owners([late, *(carrier(3.5, trace) for trace in "abc")], late) == ({0}, True)


def test_an_id_of_nobody_tells_nothing() -> None:
    assert owners([], carrier(3.5, "x")) == (set(), False)
    assert owners([], carrier(3.5)) == (set(), False)


def test_an_id_that_two_came_with_tells_neither() -> None:
    shared = (frozenset(("t", "a")), frozenset(("t", "b")), frozenset(("c",)))
    assert owners([], carrier(3.5, "t"), ids=shared) == (set(), False)
    assert owners([], carrier(3.5, "t", "b"), ids=shared) == ({1}, True)  # but it has another, too


def test_two_ids_in_one_transaction_are_doubted() -> None:
    assert owners([], carrier(3.5, "a"), carrier(3.6, "b")) == ({0, 1}, False)


def test_an_id_that_was_about_before_its_request_is_doubted() -> None:
    assert owners([], carrier(1.5, "b")) == ({1}, False)


def test_ids_of_requests_that_are_over_are_doubted_where_that_is_the_rule() -> None:
    stale = [carrier(at, "a") for at in (3.5, 4.5, 5.0, 5.5)]  # a header set once on a shared client
    assert owners(stale, stale[0]) == ({0}, False)
    assert owners(stale, carrier(3.5, "a", kind="insert")) == ({0}, True)  # another kind is none the worse
    each = [carrier(9.0, trace) for trace in "abc"]  # each request's own work, done afterwards
    assert owners(each, each[1]) == ({1}, True)


class Evidence:
    """Requests that differ in nothing but their ids."""

    def __init__(self, *ids: str) -> None:
        self._ids = ids

    def request(self, window: int) -> Said:
        return Said(route="GET /a 200", asked={}, answered={}, traces=frozenset(self._ids[window].split()))

    def call(self, outbound: Outbound) -> Told:
        return Told(shape=outbound.interaction.operation, given=(), found={})


def call(at: float, *traces: str, operation: str = "select", transaction: int | None = None) -> Outbound:
    one = Interaction(operation=operation, fields={}, started=at, ended=at, traces=traces, transaction=transaction)
    return Outbound(target="main", connection=1, interaction=one)


def ways(result: Attribution) -> list[list[tuple[float, str, tuple[int, ...]]]]:
    return [[(one.outbound.interaction.started, one.how, one.others) for one in calls] for calls in result.windows]


def test_calls_go_to_the_request_whose_id_they_carry() -> None:
    result = attribute(
        SPANS,
        [
            call(3.1, "b"),
            call(3.2, "c", transaction=1),
            call(3.3, transaction=1, operation="update"),
            call(3.4, operation="delete"),
            call(7.0, "a"),
            call(5.5, "a", operation="insert"),  # though only c is in flight
        ],
        Evidence("a", "b", "c"),
    )
    assert ways(result) == [
        [(3.4, "ambiguous", (1, 2)), (5.5, "trace", ()), (7.0, "trace", ())],
        [(3.1, "trace", ()), (3.4, "ambiguous", (0, 2))],
        [(3.2, "trace", ()), (3.3, "trace", ()), (3.4, "ambiguous", (0, 1))],
    ]


def test_a_doubted_id_makes_its_request_one_of_those_that_could() -> None:
    result = attribute(SPANS, [call(5.5, trace) for trace in ("a", "a")], Evidence("a", "b", "c"))
    assert ways(result)[0] == [(5.5, "ambiguous", (2,)), (5.5, "ambiguous", (2,))]


def test_one_request_at_a_time_is_said_to_be_that() -> None:
    alone = [Window(started=1, ended=2, serialized=True), Window(started=3, ended=4, serialized=True)]
    result = attribute(alone, [call(1.5, "a"), call(3.5, "a", operation="insert"), call(3.6)], Evidence("a", "b"))
    assert ways(result) == [[(1.5, "serialize", ()), (3.5, "trace", ())], [(3.6, "serialize", ())]]
