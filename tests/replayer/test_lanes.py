"""Which case an ask belongs to: with several under way, with one that is over but heard of still, with background work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from normalizers.base import When
from replayer.book import Book, Lane
from replayer.calls import compare
from replayer.calls.known import Known
from replayer.overlay import Overlay
from tests.replayer.conftest import TOY
from wiretape.case import Call
from wiretape.protocols.base import Miss
from wiretape.tree import same

WHEN = When(recorded=1795000000.0, live=1795000000.0)
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def several(toy: Any, codecs: Any) -> Any:
    """A book, and the lanes of these cases, all under way at once. Traces by the number of the case."""

    def make(*cases: list[Call], session: Any = (), traces: Any = ()) -> tuple[Book, list[Lane]]:
        made = [toy.case(f"case-{number}", *calls) for number, calls in enumerate(cases)]
        book = Book(toy.suite(*made, session=session), codecs)
        traces = [*traces, *[""] * len(made)]
        lanes = [
            book.begin(case, WHEN, beside=Overlay(book.bindings), trace=trace)
            for case, trace in zip(made, traces, strict=False)
        ]
        return book, lanes

    return make


@pytest.fixture
def one_after_the_other(toy: Any, codecs: Any) -> Any:
    """A book in which the first case is over and the second is under way, alone."""

    def make(first: list[Call], second: list[Call], session: Any = (), before: Any = ()) -> tuple[Book, Lane, Lane, Any]:
        cases = toy.case("first", *first), toy.case("second", *second)
        book = Book(toy.suite(*cases, session=session), codecs)
        desk = book.answers()
        lane = book.begin(cases[0], WHEN)
        for operation in before:
            desk.take(toy.ask(operation))
        book.close(lane)
        return book, lane, book.begin(cases[1], WHEN), desk

    return make


def asked(lane: Lane) -> list[tuple[str, str]]:
    return [(seen.ask.operation, seen.how) for seen in lane.outcome.seen]


def found(lane: Lane) -> list[str]:
    return [each.kind for each in compare(lane.outcome, Known({"main": TOY}, ()), same)]


def test_an_ask_goes_to_the_only_case_that_wants_it(toy: Any, several: Any) -> None:
    book, (one, two) = several([toy.call("SELECT a 1", rows=[1])], [toy.call("SELECT a 2", rows=[2])])
    desk = book.answers()
    assert desk.take(toy.ask("SELECT a 2")).fields["rows"] == [2]
    assert (asked(one), asked(two)) == ([], [("SELECT a 2", "first")])
    assert not one.doubtful
    assert two.settled
    assert not one.settled


def test_a_transaction_is_given_as_a_whole_with_its_first_telling_statement(toy: Any, several: Any) -> None:
    who = toy.call("SELECT who 1", rows=["alice"])
    own = [[toy.call("begin"), who, toy.call(f"INSERT a {n}"), toy.call("commit")] for n in (1, 2)]
    book, (one, two) = several(*own)
    left, right = book.answers(), book.answers()
    for operation in ("begin", "SELECT who 1"):
        left.take(toy.ask(operation))
        right.take(toy.ask(operation))
    assert (asked(one), asked(two)) == ([], [])
    left.take(toy.ask("INSERT a 2"))
    right.take(toy.ask("INSERT a 1"))
    for desk in (left, right):
        desk.take(toy.ask("commit"))
    assert [how for _, how in asked(one)] == ["first"] * 4
    assert [operation for operation, _ in asked(two)] == ["begin", "SELECT who 1", "INSERT a 2", "commit"]
    assert (one.settled, two.settled, one.doubtful, two.doubtful) == (True, True, False, False)
    assert (found(one), found(two)) == ([], [])


def test_what_several_want_alike_is_counted_once_they_are_through(toy: Any, several: Any) -> None:
    who = toy.call("SELECT who 1", rows=["alice"])
    book, (one, two) = several([who], [who])
    desk = book.answers()
    assert desk.take(toy.ask("SELECT who 1")).fields["rows"] == ["alice"]
    book.answered(two)
    assert (one.settled, two.settled) == (False, True)
    book.answered(one)
    desk.take(toy.ask("SELECT who 1"))
    assert one.settled
    assert (one.doubtful, two.doubtful) == (False, False)


@pytest.mark.parametrize("times", [1, 3])
def test_too_many_or_too_few_of_what_several_want_makes_them_doubtful(toy: Any, several: Any, times: int) -> None:
    who = toy.call("SELECT who 1", rows=["alice"])
    book, lanes = several([who], [who], [toy.call("SELECT b 1")])
    for _ in range(times):
        book.answers().take(toy.ask("SELECT who 1"))
    for lane in lanes[:2]:
        book.answered(lane)
        book.close(lane)
    one, two, _ = lanes
    assert one.doubtful or two.lacking
    assert two.doubtful or two.lacking


@pytest.mark.parametrize("other", ["SELECT a 2", "INSERT new 1", "SELECT a 1"])
def test_what_nobody_wants_may_be_anybodys(toy: Any, several: Any, other: str) -> None:
    book, lanes = several([toy.call("SELECT a 1")], [toy.call("SELECT b 1")])
    book.answers().take(toy.ask("SELECT a 1"))
    assert not any(lane.doubtful for lane in lanes)
    book.answers().take(toy.ask(other))
    assert all(lane.doubtful for lane in lanes)


def test_different_answers_to_the_same_ask_are_not_told_apart(toy: Any, several: Any) -> None:
    book, lanes = several([toy.call("SELECT a 1", rows=[1])], [toy.call("SELECT a 1", rows=[2])])
    book.answers().take(toy.ask("SELECT a 1"))
    assert all(lane.doubtful for lane in lanes)


def test_a_trace_tells_even_those_apart(toy: Any, several: Any) -> None:
    other = TRACE.replace("0af7", "1bf8")
    book, (one, two) = several([toy.call("SELECT a 1", rows=[1])], [toy.call("SELECT a 1", rows=[2])], traces=(TRACE, other))
    desk = book.answers()
    assert desk.take(replace(toy.ask("SELECT a 1"), trace=other)).fields["rows"] == [2]
    assert desk.take(replace(toy.ask("SELECT a 1"), trace=TRACE)).fields["rows"] == [1]
    assert desk.take(replace(toy.ask("SELECT a 1"), trace=TRACE)).fields["rows"] == [1]
    assert (asked(one), found(two)) == ([("SELECT a 1", "first"), ("SELECT a 1", "repeat")], [])
    assert (one.doubtful, two.doubtful) == (False, False)


def test_a_target_is_traced_once_it_was_seen_a_few_times_and_never_otherwise(toy: Any, several: Any) -> None:
    book, _ = several([toy.call(f"SELECT a {n}") for n in range(4)], traces=(TRACE,))
    for number in range(3):
        assert not book.traced("main")
        book.answers().take(replace(toy.ask(f"SELECT a {number}"), trace=TRACE))
    assert book.traced("main")
    book.answers().take(toy.ask("SELECT a 3"))
    assert not book.traced("main")


def test_session_calls_are_no_case_of_several(toy: Any, several: Any) -> None:
    book, lanes = several([toy.call("SELECT a 1")], [toy.call("SELECT b 1")], session=[toy.call("SELECT jobs 0", rows=[])])
    assert isinstance(book.answers().take(toy.ask("SELECT jobs 0")), Call)
    assert not any(lane.doubtful or lane.asked for lane in lanes)


def test_what_one_case_binds_is_not_seen_by_those_beside_it(toy: Any, several: Any) -> None:
    recorded, live = "7b0e4d2a-1111-4222-8333-944455566677", "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    book, (one, two) = several([toy.call(f"INSERT a '{recorded}'")], [toy.call("SELECT b 1")])
    book.answers().take(toy.ask(f"INSERT a '{live}'"))
    assert one.bindings.stand(recorded) == live
    assert two.bindings.stand(recorded) == recorded
    assert isinstance(one.bindings, Overlay)
    one.bindings.commit()
    assert two.bindings.stand(recorded) == live


# One case after the other.


def test_a_late_call_that_the_case_before_wants_is_its_own(toy: Any, one_after_the_other: Any) -> None:
    _, first, second, desk = one_after_the_other([toy.call("INSERT log 1")], [toy.call("SELECT a 1")])
    assert isinstance(desk.take(toy.ask("INSERT log 1")), Call)
    desk.take(toy.ask("SELECT a 1"))
    assert (found(first), found(second)) == ([], [])


def test_a_late_transaction_is_the_case_befores_with_its_begin_and_its_end(toy: Any, one_after_the_other: Any) -> None:
    late = [toy.call("begin"), toy.call("INSERT log 1"), toy.call("commit")]
    now = [toy.call("begin"), toy.call("INSERT a 1"), toy.call("commit")]
    _, first, second, desk = one_after_the_other(late, now)
    for operation in ("begin", "INSERT log 1", "commit", "begin", "INSERT a 1", "commit"):
        desk.take(toy.ask(operation))
    assert (found(first), found(second)) == ([], [])


def test_a_transaction_open_at_the_end_goes_on_as_the_case_befores(toy: Any, one_after_the_other: Any) -> None:
    """It also rolls back where it was recorded to commit: a finding in its own case, not in the next."""
    _, first, second, desk = one_after_the_other(
        [toy.call("begin"), toy.call("INSERT log 1"), toy.call("commit")],
        [toy.call("begin"), toy.call("INSERT a 1"), toy.call("commit")],
        before=("begin", "INSERT log 1"),
    )
    desk.take(toy.ask("SELECT new 1"))
    desk.take(toy.ask("rollback"))
    for operation in ("begin", "INSERT a 1", "commit"):
        desk.take(toy.ask(operation))
    assert "extra" in found(first)
    assert found(second) == []


def test_what_is_new_in_a_case_is_not_put_down_to_the_one_before(toy: Any, one_after_the_other: Any) -> None:
    _, first, second, desk = one_after_the_other(
        [toy.call("SELECT a 1")], [toy.call("SELECT b 1")], before=("SELECT a 1", "SELECT c 1")
    )
    for operation in ("SELECT b 1", "SELECT a 1", "SELECT c 1"):
        desk.take(toy.ask(operation))
    assert (found(first), found(second)) == (["extra"], ["extra", "extra"])


def test_nothing_that_was_consumed_is_lacking_in_the_next_case(toy: Any, one_after_the_other: Any) -> None:
    same_calls = [toy.call("SELECT a 1", rows=[1]), toy.call("INSERT b 1")]
    _, _, second, desk = one_after_the_other(
        same_calls, same_calls, before=("SELECT a 1", "SELECT a 1", "INSERT b 1", "INSERT b 1")
    )
    assert all(isinstance(desk.take(toy.ask(operation)), Call) for operation in ("SELECT a 1", "INSERT b 1"))
    assert found(second) == []


def test_a_poller_on_its_own_connection_does_not_take_a_cases_answer(toy: Any, one_after_the_other: Any) -> None:
    jobs = toy.call("SELECT jobs 0", rows=["none"])
    book, _, second, desk = one_after_the_other([], [toy.call("SELECT jobs 0", rows=["one"])], session=[jobs])
    book.end(second)
    poller = book.answers()
    quiet = book.begin(toy.case("quiet"), WHEN)
    for _ in range(2):
        poller.take(toy.ask("SELECT jobs 0"))
    book.close(quiet)
    lane = book.begin(toy.case("second", toy.call("SELECT jobs 0", rows=["one"])), WHEN)
    assert poller.take(toy.ask("SELECT jobs 0")).fields["rows"] == ["none"]
    assert desk.take(toy.ask("SELECT jobs 0")).fields["rows"] == ["one"]
    assert [how for _, how in asked(lane)] == ["session", "first"]
    assert found(lane) == []


def test_where_traces_are_passed_on_an_ask_without_is_no_cases(toy: Any, codecs: Any) -> None:
    jobs = toy.call("SELECT jobs 0", rows=["none"])
    case = toy.case("here", *(toy.call(f"SELECT a {n}") for n in range(3)), toy.call("SELECT jobs 0", rows=["one"]))
    book = Book(toy.suite(case, session=[jobs]), codecs)
    lane = book.begin(case, WHEN, trace=TRACE)
    desk = book.answers()
    for number in range(3):
        desk.take(replace(toy.ask(f"SELECT a {number}"), trace=TRACE))
    assert book.answers().take(toy.ask("SELECT jobs 0")).fields["rows"] == ["none"]
    assert desk.take(replace(toy.ask("SELECT jobs 0"), trace=TRACE)).fields["rows"] == ["one"]
    assert found(lane) == []


def test_a_connection_that_is_lost_ends_its_transaction(toy: Any, codecs: Any) -> None:
    case = toy.case("here", toy.call("SELECT a 1"))
    book = Book(toy.suite(case), codecs)
    lane = book.begin(case, WHEN)
    desk = book.answers()
    desk.take(toy.ask("begin"))
    desk.take(toy.ask("SELECT a 1"))
    assert not lane.settled
    desk.leave()
    assert lane.settled


def test_a_write_seen_moves_later_reads_on(toy: Any, codecs: Any) -> None:
    """Whatever else reads meanwhile: what is read is the state that was recorded before, or after, the write."""
    calls = [toy.call("SELECT a 'k'", rows=[0]), toy.call("UPDATE a 'k'"), toy.call("SELECT a 'k'", rows=[1])]
    case = toy.case("here", *calls)
    book = Book(toy.suite(case), codecs)
    book.begin(case, WHEN)
    desk, other = book.answers(), book.answers()
    asked_for = [
        (desk, "SELECT a 'k'"),
        (other, "SELECT a 'k'"),
        (desk, "UPDATE a 'k'"),
        (other, "SELECT a 'k'"),
        (desk, "SELECT a 'k'"),
    ]
    said = [each.take(toy.ask(operation)) for each, operation in asked_for]
    assert [answer.fields.get("rows") for answer in said] == [[0], [0], None, [1], [1]]
    assert not any(isinstance(answer, Miss) for answer in said)
