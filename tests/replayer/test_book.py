"""Which recorded call answers an ask."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizers.base import When
from normalizers.pipeline import NORMALIZERS
from replayer.book import Book
from replayer.noise import Rules
from tests.replayer.conftest import TOY, toy_ask, toy_call, toy_case
from wiretape.case import Call, Noise, Suite
from wiretape.protocols.base import Miss, Waiting
from wiretape.tree import Selector

WHEN = When(recorded=1795000000.0, live=1795000000.0)
R1, L1 = "7b0e4d2a-1111-4222-8333-944455566677", "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"


@pytest.fixture
def opened(toy: Any, codecs: Any) -> Any:
    """A book at the given calls of a case `here`; other cases and session calls on request."""

    def make(*calls: Call, others: Any = (), session: Any = (), **more: Any) -> Any:
        case = toy.case("here", *calls)
        book = Book(toy.suite(case, *others, session=session), codecs, **more)
        book.begin(case, WHEN)
        return book

    return make


def test_same_call_each_recording_once_then_the_last_again(toy: Any, opened: Any) -> None:
    book = opened(toy.call("SELECT 1", rows=[["a"]]), toy.call("SELECT 1", rows=[["b"]]))
    answers = book.answers()
    assert [answers.take(toy.ask("SELECT 1")).fields["rows"] for _ in range(3)] == [[["a"]], [["b"]], [["b"]]]
    assert [seen.how for seen in book.end().seen] == ["first", "first", "repeat"]


def test_a_write_is_never_answered_twice(toy: Any, opened: Any) -> None:
    answers = opened(toy.call("INSERT x 1")).answers()
    assert isinstance(answers.take(toy.ask("INSERT x 1")), Call)
    miss = answers.take(toy.ask("INSERT x 1"))
    assert isinstance(miss, Miss)
    assert "not answered twice" in miss.explain()


def test_other_values_are_a_miss_that_names_them(toy: Any, opened: Any) -> None:
    book = opened(toy.call("SELECT x WHERE id = 1"))
    miss = book.answers().take(toy.ask("SELECT x WHERE id = 2"))
    assert miss.nearest.operation == "SELECT x WHERE id = 1"
    assert miss.differences == ("value 1 (id): recorded '1', live '2'",)
    assert book.end().misses == (miss,)


def test_another_shape_is_a_miss_that_names_the_words(toy: Any, opened: Any) -> None:
    miss = opened(toy.call("SELECT a FROM t WHERE on = 1 AND id = 2")).answers().take(toy.ask("SELECT a FROM t WHERE id = 2"))
    assert miss.differences == ("on = 1 AND is gone",)


def test_a_miss_says_which_other_case_has_the_call(toy: Any, opened: Any) -> None:
    others = [toy.case("there", toy.call("SELECT x 5"))]
    miss = opened(toy.call("SELECT x 4"), others=others).answers().take(toy.ask("SELECT x 5"))
    assert "recorded in case there" in miss.advice


def test_nothing_alike_says_so(toy: Any, opened: Any) -> None:
    miss = opened(toy.call("SELECT a")).answers().take(toy.ask("UPDATE something quite = other"))
    assert miss.nearest is None
    assert "nothing like it was recorded" in miss.explain()


def test_session_calls_answer_any_time_and_repeat(toy: Any, opened: Any) -> None:
    book = opened(session=[toy.call("SELECT v", rows=[[1]])])
    answers = book.answers()
    for _ in range(2):
        assert answers.take(toy.ask("SELECT v")).fields["rows"] == [[1]]
    book.end()
    assert isinstance(answers.take(toy.ask("SELECT v")), Call)


def test_a_case_call_goes_before_a_session_call(toy: Any, opened: Any) -> None:
    book = opened(toy.call("SELECT v", rows=[[2]]), session=[toy.call("SELECT v", rows=[[1]])])
    assert book.answers().take(toy.ask("SELECT v")).fields["rows"] == [[2]]


def test_targets_do_not_mix(toy: Any, opened: Any) -> None:
    book = opened(toy.call("SELECT v", target="other"))
    assert isinstance(book.answers().take(toy.ask("SELECT v")), Miss)


def test_transaction_control_without_recording_is_no_reported_miss(toy: Any, opened: Any) -> None:
    book = opened()
    assert isinstance(book.answers().take(toy.ask("begin")), Miss)
    outcome = book.end()
    assert outcome.misses == ()
    assert [seen.how for seen in outcome.seen] == ["synthesised"]


def test_volatile_values_agree_after_exact_ones(toy: Any, opened: Any) -> None:
    book = opened(toy.call(f"INSERT id '{R1}'", rows=[[R1]]), toy.call(f"SELECT id '{R1}'", rows=[["found", R1]]))
    answers = book.answers()
    assert answers.take(toy.ask(f"INSERT id '{L1}'")).fields["rows"] == [[L1]]
    assert answers.take(toy.ask(f"SELECT id '{L1}'")).fields["rows"] == [["found", L1]]
    assert book.lanes[0].settled


def test_an_id_that_was_served_must_come_back(toy: Any, opened: Any) -> None:
    book = opened(toy.call("SELECT user 1", rows=[[R1]]), toy.call(f"SELECT posts '{R1}'"))
    answers = book.answers()
    answers.take(toy.ask("SELECT user 1"))
    assert isinstance(answers.take(toy.ask(f"SELECT posts '{L1}'")), Miss)


def test_noise_on_a_parameter_is_typed(toy: Any, codecs: Any) -> None:
    noise = (Noise(selector=Selector.parse("calls[0].params[0]"), kind="uuid"),)
    case = toy.case("here", toy.call(f"INSERT id '{R1}'", params=[R1]), noise=noise)
    for value, kind in ((L1, Call), ("4", Miss)):
        book = Book(toy.suite(case), codecs)
        book.bindings.learn(R1)
        book.begin(case, WHEN, Rules(noise, NORMALIZERS))
        assert isinstance(book.answers().take(toy.ask(f"INSERT id '{value}'")), kind)


def test_a_noise_rule_does_not_take_what_another_call_stands_for(toy: Any, codecs: Any) -> None:
    noise = (Noise(selector=Selector.parse("calls[0].values[1]"), kind="any"),)
    other = R1.replace("7", "8")
    case = toy.case("here", toy.call(f"SELECT '{R1}' 'a'"), toy.call(f"SELECT '{other}' 'b'"), noise=noise)
    book = Book(toy.suite(case), codecs)
    book.begin(case, WHEN, Rules(noise, NORMALIZERS))
    asked = [f"SELECT '{L1}' 'b'", f"SELECT '{L1.replace('a', 'b')}' 'a'", f"SELECT '{L1.replace('a', 'c')}' 'a'"]
    hows = [type(book.answers().take(toy.ask(each))) for each in asked]
    assert hows == [Call, Call, Miss]
    assert [seen.expected.position for seen in book.end().seen[:2]] == [1, 0]


def test_outside_a_case_a_miss_is_a_stray(toy: Any, opened: Any) -> None:
    book = opened(toy.call("SELECT 1"))
    book.end()
    assert isinstance(book.answers().take(toy.ask("SELECT 1")), Miss)
    assert len(book.stray) == 1


def test_settled_when_all_required_were_seen_and_the_transaction_is_over(toy: Any, opened: Any) -> None:
    book = opened(toy.call("begin"), toy.call("INSERT x 1"), toy.call("commit"), toy.call("SELECT maybe", ambiguous=("there",)))
    answers, states = book.answers(), []
    book.lanes[0].on_settled = lambda: states.append(book.lanes[0].asked)
    for operation in ("begin", "INSERT x 1", "commit"):
        answers.take(toy.ask(operation))
    assert states == [3]


def test_a_transaction_nobody_expected_is_waited_for(toy: Any, opened: Any) -> None:
    book = opened()
    answers = book.answers()
    answers.take(toy.ask("begin"))
    assert not book.lanes[0].settled
    answers.take(toy.ask("rollback"))
    assert book.lanes[0].settled


def test_passthrough_asks_the_real_server(toy: Any, opened: Any) -> None:
    book = opened(passthrough=True)
    assert isinstance(book.answers().take(toy.ask("SELECT 1")), Waiting)
    assert book.end().misses == ()


def test_peek_looks_everywhere_and_prefers_what_did_not_fail(toy: Any, opened: Any) -> None:
    others = [toy.case("there", toy.call("SELECT x 5", columns={"x": "int4"}))]
    book = opened(toy.call("INSERT y 1", error={"code": "23505"}), toy.call("INSERT y 2", columns={}), others=others)
    answers = book.answers()
    assert answers.peek(toy.ask("SELECT x 9")).fields == {"columns": {"x": "int4"}}
    assert "error" not in answers.peek(toy.ask("INSERT y 3")).fields
    assert "error" in answers.peek(toy.ask("INSERT y 1")).fields
    assert answers.peek(toy.ask("SELECT nothing")) is None
    assert book.end().seen == ()


def test_serve_has_all_cases_at_once(toy: Any, codecs: Any) -> None:
    cases = [toy.case("a", toy.call("SELECT 1", rows=["a"])), toy.case("b", toy.call("SELECT 2", rows=["b"]))]
    book = Book(toy.suite(*cases), codecs)
    missed: list[Miss] = []
    book.on_miss = missed.append
    book.open_all(lambda _: WHEN)
    answers = book.answers()
    assert [answers.take(toy.ask(f"SELECT {n}")).fields["rows"] for n in (2, 1, 2)] == [["b"], ["a"], ["b"]]
    answers.take(toy.ask("SELECT 3"))
    assert len(missed) == 1


operations = st.sampled_from(
    ["SELECT a 1", "SELECT a 2", "SELECT b 1", "INSERT a 1", "begin", "commit", "SELECT c 'x'", "set x"]
)


@given(
    recorded=st.lists(operations, max_size=8), session=st.lists(operations, max_size=3), asked=st.lists(operations, max_size=12)
)
def test_never_answers_with_another_shape_nor_other_values(recorded: list[str], session: list[str], asked: list[str]) -> None:
    case = toy_case("here", *map(toy_call, recorded))
    suite = Suite(root=__import__("pathlib").Path("s"), cases=(case,), session=tuple(map(toy_call, session)))
    book = Book(suite, {"main": TOY})
    book.begin(case, WHEN)
    answers = book.answers()
    for operation in asked:
        answer = answers.take(toy_ask(toy_call(operation)))
        assert isinstance(answer, Miss) or answer.operation == operation
    outcome = book.end()
    served = [seen.expected for seen in outcome.seen if seen.how == "first"]
    assert len(served) == len(set(map(id, served)))


def test_a_dropped_filter_is_shown_against_this_case_though_another_has_the_call(toy: Any, opened: Any) -> None:
    others = [toy.case("there", toy.call("SELECT a, b FROM t WHERE active"))]
    miss = (
        opened(toy.call("SELECT a, b FROM t WHERE active AND kind = 'x'"), others=others)
        .answers()
        .take(toy.ask("SELECT a, b FROM t WHERE active"))
    )
    assert miss.differences == ("AND kind = 'x' is gone",)
    assert (
        miss.advice
        == "the very same call is recorded in case there, not in this case; if it belongs here, record the case again"
    )


def test_a_statement_asked_over_and_over_is_explained_a_few_times(toy: Any, opened: Any) -> None:
    book = opened(toy.call("SELECT x WHERE id = 0"))
    for number in range(1, 1500):
        book.answers().take(toy.ask(f"SELECT x WHERE id = {number}"))
    outcome = book.end()
    assert len(outcome.misses) == 1000
    assert len(outcome.seen) == 1499
    assert outcome.misses[500].ask.values == ("501",)


def test_a_write_that_changes_nothing_more_is_answered_again_and_counted(toy: Any, opened: Any) -> None:
    book = opened(toy.call("INSERT x 1"))
    settled = replace(toy.ask("INSERT x 1"), settles=True)
    answers = book.answers()
    assert [isinstance(answers.take(settled), Call) for _ in range(2)] == [True, True]
    assert isinstance(answers.take(replace(settled, values=("2",))), Miss)
    assert [seen.how for seen in book.end().seen] == ["first", "repeat", "missed"]
