"""Which cases may be under way at once, and what a case that ran beside others may count on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from normalizers.base import When
from replayer.apart import Profile, apart, needs, profile
from replayer.bindings import Bindings
from replayer.lane import entries_of
from replayer.nearest import Recorded
from replayer.noise import Rules
from replayer.overlay import Overlay
from tests.replayer.conftest import TOY, toy_ask, toy_call, toy_case
from wiretape.case import Case, Link, Linked, Message
from wiretape.protocols import codec

WHEN = When(recorded=1795000000.0, live=1795000000.0)
R1, R2 = "7b0e4d2a-1111-4222-8333-944455566677", "8c1f5e3b-1111-4222-8333-944455566677"
L1, L2 = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee"


def of(case: Case) -> Profile:
    calls = [Recorded(case=case.name, call=call, ask=toy_ask(call)) for call in case.calls]
    return profile(case, entries_of(calls, WHEN, Rules((), {})), {"main": TOY, "other": TOY})


def told(left: str, right: str, *known: str, rows: Any = (1, 1), traced: bool = False) -> bool:
    bindings = Bindings()
    bindings.learn(list(known))
    one, other = (of(toy_case(str(n), toy_call(each, rows=rows[n]))) for n, each in enumerate((left, right)))
    return apart(one, other, bindings, lambda _: traced)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("SELECT a 1", "SELECT b 1", True),  # another shape
        ("SELECT a 1", "SELECT a 2", True),  # other values
        ("SELECT a 1", "SELECT a 1", True),  # the same, answered the same
        ("INSERT a 1", "INSERT a 1", True),
        (f"INSERT a '{R1}'", f"INSERT a '{R2}'", False),  # ids that are yet to be made
        (f"INSERT a '{R1}' 1", f"INSERT a '{R2}' 2", True),
        ("SELECT a '2026-11-20T10:00:00Z'", "SELECT a '2026-11-20T10:00:01Z'", False),
    ],
)
def test_calls_that_tell_cases_apart(left: str, right: str, *, expected: bool) -> None:
    assert told(left, right) is expected


def test_another_answer_to_the_same_ask_needs_a_trace() -> None:
    assert not told("SELECT a 1", "SELECT a 1", rows=(1, 2))
    assert told("SELECT a 1", "SELECT a 1", rows=(1, 2), traced=True)


def test_ids_that_are_known_tell_cases_apart() -> None:
    assert not told(f"SELECT a '{R1}'", f"SELECT a '{R2}'", R1)
    assert told(f"SELECT a '{R1}'", f"SELECT a '{R2}'", R1, R2)


def test_a_write_whose_effect_is_read_is_not_left_open() -> None:
    changing = toy_case("one", toy_call("SELECT a 1", rows=0), toy_call("UPDATE a 1"), toy_call("SELECT a 1", rows=1))
    other = toy_case("two", toy_call("UPDATE a 1"))
    assert not apart(of(changing), of(other), Bindings(), lambda _: False)


def test_a_case_waits_for_one_that_makes_what_it_holds() -> None:
    maker, user = toy_case("maker", body={"id": R1}), toy_case("user", toy_call(f"SELECT a '{R1}'"))
    bindings = Bindings()
    assert needs(of(user), of(maker), bindings)
    assert not needs(of(toy_case("other", body={"id": R2})), of(maker), bindings)
    assert bindings.meet(R1, L1, WHEN)
    assert not needs(of(user), of(maker), bindings)


def test_a_case_waits_for_one_that_it_links_to() -> None:
    link = Linked(
        place=("target",), pieces=("/orders/", Link(text="maker.response.body.id", case="maker", place=("body", "id")))
    )
    user = replace(toy_case("user"), links=(link,))
    assert needs(of(user), of(toy_case("maker", body={"id": 17})), Bindings())
    assert not needs(of(user), of(toy_case("other", body={"id": 17})), Bindings())


@pytest.mark.parametrize(
    "case",
    [
        replace(toy_case("it"), messages=(Message(direction="send", kind="text", value="hi"),)),
        toy_case("it", toy_call("message news")),
        toy_case("it", toy_call("POP job")),
        toy_case("it", toy_call("SELECT a 1", ambiguous=("other",))),
        replace(toy_case("it"), response=replace(toy_case("it").response, unfinished=True)),
    ],
)
def test_what_runs_alone(case: Case) -> None:
    assert of(case).alone
    assert not of(toy_case("it", toy_call("SELECT a 1"))).alone


def test_raw_bytes_run_alone() -> None:
    case = toy_case("it", toy_call("SELECT a 1"))
    calls = [Recorded(case="it", call=call, ask=toy_ask(call)) for call in case.calls]
    assert profile(case, entries_of(calls, WHEN, None), {"main": codec("raw")}).alone


# What is bound on top of what others bind.


def test_an_overlay_holds_until_what_it_read_is_otherwise() -> None:
    base = Bindings()
    one, other, third = Overlay(base), Overlay(base), Overlay(base)
    assert one.meet(R1, L1, WHEN)
    assert other.stand({"self": f"/orders/{R1}"}) == {"self": f"/orders/{R1}"}
    assert third.meet(R2, L2, WHEN)
    assert other.holds()
    one.commit()
    assert base.stand(R1) == L1
    assert not other.holds()
    assert third.holds()
    third.commit()
    assert base.pairs == {R1: L1, R2: L2}


@pytest.mark.parametrize("taken", [(R1, L2), (R2, L1)])
def test_an_overlay_does_not_hold_where_another_bound_either_side(taken: tuple[str, str]) -> None:
    base = Bindings()
    one, other = Overlay(base), Overlay(base)
    assert one.meet(*taken, WHEN)
    assert other.meet(R1, L1, WHEN)
    one.commit()
    assert not other.holds()


@pytest.mark.parametrize("value", [R1, L1, f"see {R1}!"])
def test_an_overlay_does_not_hold_where_what_it_bound_came_from_outside(value: str) -> None:
    base = Bindings()
    one, other = Overlay(base), Overlay(base)
    assert other.meet(R1, L1, WHEN)
    one.learn(value)
    assert other.holds()
    one.commit()
    assert not other.holds()
    assert not Overlay(base).meet(R1, L1, WHEN)


def test_an_overlay_sees_what_was_bound_before_it_and_takes_back_only_its_own() -> None:
    base = Bindings()
    assert base.meet(R1, L1, WHEN)
    one = Overlay(base)
    mark = one.mark()
    assert one.meet(R2, L2, WHEN)
    assert one.stand([R1, R2]) == [L1, L2]
    assert one.recorded(L2) == R2
    one.undo(mark)
    assert one.stand([R1, R2]) == [L1, R2]
    assert one.holds()


def test_what_an_overlay_only_looks_at_decides_nothing() -> None:
    base = Bindings()
    one, other = Overlay(base), Overlay(base)
    with other.aside():
        other.text(R1)
    assert one.meet(R1, L1, WHEN)
    one.commit()
    assert other.holds()
