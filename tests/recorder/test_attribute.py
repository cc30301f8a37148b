"""Which request caused which call: certain, or said to be uncertain."""

from __future__ import annotations

from collections.abc import Sequence

from recorder.attribute import Attribution, Outbound, Window, attribute
from recorder.evidence import Said, Told
from wiretape.protocols.base import Interaction, Role


def call(
    name: str,
    started: float,
    *,
    connection: int = 1,
    transaction: int | None = None,
    role: Role = "query",
    target: str = "main",
) -> Outbound:
    interaction = Interaction(
        operation=name, fields={}, started=started, ended=started + 0.1, transaction=transaction, role=role
    )
    return Outbound(target=target, connection=connection, interaction=interaction)


def windows(*spans: tuple[float, float], serialized: bool = False) -> list[Window]:
    return [Window(started=started, ended=ended, serialized=serialized) for started, ended in spans]


def said(result: Attribution) -> list[list[tuple[str, str, tuple[int, ...]]]]:
    return [[(one.outbound.interaction.operation, one.how, one.others) for one in calls] for calls in result.windows]


def session(result: Attribution) -> list[str]:
    return [one.interaction.operation for one in result.session]


def test_only_request_in_flight() -> None:
    result = attribute(windows((1, 2), (3, 4)), [call("b", 3.5), call("a", 1.5), call("c", 3.2)])
    assert said(result) == [[("a", "in-flight", ())], [("c", "in-flight", ()), ("b", "in-flight", ())]]
    assert session(result) == []


def test_serialized_unless_it_was_not_alone() -> None:
    result = attribute(windows((1, 2), (3, 5), (4, 6), serialized=True), [call("a", 1.5), call("b", 3.5), call("c", 5.5)])
    assert said(result) == [[("a", "serialize", ())], [("b", "in-flight", ())], [("c", "in-flight", ())]]


def test_back_to_back_requests_are_alone() -> None:
    result = attribute(windows((1, 2), (2, 3), serialized=True), [call("a", 1), call("b", 2)])
    assert said(result) == [[("a", "serialize", ())], [("b", "serialize", ())]]


def test_several_in_flight_is_ambiguous_in_each() -> None:
    result = attribute(windows((1, 5), (2, 6), (7, 8)), [call("a", 3)])
    assert said(result) == [[("a", "ambiguous", (1,))], [("a", "ambiguous", (0,))], []]


def test_outside_every_window_is_session() -> None:
    result = attribute(windows((1, 2)), [call("migrate", 0.5), call("job", 2)])
    assert said(result) == [[]]
    assert session(result) == ["migrate", "job"]


def test_commit_after_the_response_stays_with_its_transaction() -> None:
    unit = [call("BEGIN", 1.2, transaction=4, role="begin"), call("INSERT", 1.5, transaction=4)]
    result = attribute(windows((1, 2), (2.5, 4)), [*unit, call("COMMIT", 3, transaction=4, role="end")])
    assert said(result) == [[("BEGIN", "in-flight", ()), ("INSERT", "in-flight", ()), ("COMMIT", "transaction", ())], []]


def test_begin_before_the_window_belongs_to_what_follows() -> None:
    unit = [call("BEGIN", 0.5, transaction=1, role="begin"), call("INSERT", 1.5, transaction=1)]
    assert said(attribute(windows((1, 2)), unit)) == [[("BEGIN", "transaction", ()), ("INSERT", "in-flight", ())]]


def test_later_members_narrow_but_the_end_does_not() -> None:
    spans = windows((1, 10), (2, 4), (5, 20))
    narrowed = [call("BEGIN", 3, transaction=1, role="begin"), call("INSERT", 4.5, transaction=1)]
    result = attribute(spans, [*narrowed, call("COMMIT", 15, transaction=1, role="end")])
    expected = [("BEGIN", "transaction", ()), ("INSERT", "in-flight", ()), ("COMMIT", "transaction", ())]
    assert said(result) == [expected, [], []]


def test_transactions_of_other_connections_are_others() -> None:
    here, there = call("a", 1.5, transaction=1), call("b", 9, connection=2, transaction=1)
    result = attribute(windows((1, 2)), [here, there])
    assert said(result) == [[("a", "in-flight", ())]]
    assert session(result) == ["b"]


def test_housekeeping_is_never_part_of_a_case() -> None:
    ping = call("SELECT 1", 1.5, role="housekeeping")
    result = attribute(windows((1, 2)), [ping, call("a", 1.6)])
    assert said(result) == [[("a", "in-flight", ())]]
    assert session(result) == ["SELECT 1"]


def test_a_transaction_around_housekeeping_only_goes_with_it() -> None:
    unit = [
        call("BEGIN", 1.2, transaction=1, role="begin"),
        call("SELECT 1", 1.3, transaction=1, role="housekeeping"),
        call("ROLLBACK", 1.4, transaction=1, role="end"),
    ]
    result = attribute(windows((1, 2)), unit)
    assert said(result) == [[]]
    assert sorted(session(result)) == ["BEGIN", "ROLLBACK", "SELECT 1"]


def test_a_transaction_with_housekeeping_and_a_query_stays() -> None:
    unit = [
        call("BEGIN", 1.2, transaction=1, role="begin"),
        call("SET x", 1.3, transaction=1, role="housekeeping"),
        call("a", 1.4, transaction=1),
    ]
    result = attribute(windows((1, 2)), unit)
    assert [name for name, _, _ in said(result)[0]] == ["BEGIN", "a"]
    assert session(result) == ["SET x"]


def test_no_windows() -> None:
    assert session(attribute([], [call("a", 1)])) == ["a"]


class _Known:
    """Requests of two routes; a call's kind is its operation, its value the last word of it."""

    def __init__(self, routes: Sequence[tuple[str, str]]) -> None:
        self._said = [Said(route=route, asked={"path": frozenset((word,))}, answered={}) for route, word in routes]

    def request(self, window: int) -> Said:
        return self._said[window]

    def call(self, outbound: Outbound) -> Told:
        kind, _, word = outbound.interaction.operation.partition(" ")
        return Told(shape=kind, given=(word,), found={})


def test_work_after_the_response_may_be_an_earlier_requests() -> None:
    evidence = _Known([("order", "a"), ("show", "b"), ("order", "c")])
    calls = [call("insert a", 1.5), call("audit a", 2.05), call("select b", 2.2), call("insert c", 5.5), call("audit c", 6.01)]
    result = attribute(windows((1, 2), (2.01, 3), (5, 6)), calls, evidence)
    assert session(result) == ["audit c"]
    assert ("audit a", "in-flight", ()) not in said(result)[1]
    certain = attribute(windows((1, 2), (2.01, 3), (5, 6)), calls[:-1], evidence)
    assert ("audit a", "in-flight", ()) in said(certain)[1]  # nothing tells that it comes so late
