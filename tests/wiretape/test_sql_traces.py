"""Comments in SQL that carry a trace: found where they are comments, left out of what is compared and kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wiretape.protocols.mysql import asks as mysql
from wiretape.protocols.postgres import asks as postgres
from wiretape.protocols.postgres.sql import tidy

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
MARK = f"/*route='%2Fa',traceparent='{PARENT}'*/"
BARE = "SELECT a FROM b WHERE c = 1"
DIALECTS = pytest.mark.parametrize("plan", [postgres.plan, mysql.plan], ids=["postgres", "mysql"])
type Planner = Callable[[str], Any]


def numbered(number: int) -> str:
    return f"/*traceparent='00-{number:032x}-00f067aa0ba902b7-01'*/"


@DIALECTS
@pytest.mark.parametrize(
    "sql",
    [
        f"{BARE} {MARK}",
        f"{BARE}{MARK}",
        f"{MARK} {BARE}",
        f"{MARK}\n{BARE}",
        f"{BARE} {MARK};",
        f"{BARE}; {MARK}",
        f"{BARE} -- traceparent={PARENT}",
        f"-- traceparent={PARENT}\n{BARE}",
        f"SELECT a FROM b {MARK} WHERE c = 1",
        f"SELECT/*plain*/a FROM b WHERE c = 1 {MARK}",
        f"{BARE} /* request_id:{TRACE} */ {MARK}",
    ],
)
def test_a_comment_carries_the_trace_and_changes_nothing_else(plan: Planner, sql: str) -> None:
    found, bare = plan(sql), plan(BARE)
    assert found.traces == (TRACE,)
    assert (found.shape, found.role, found.writes) == (bare.shape, bare.role, bare.writes)
    assert "traceparent" not in found.sql


@DIALECTS
@pytest.mark.parametrize(
    "sql",
    [
        BARE,
        f"SELECT '{MARK.replace(chr(39), '')}'",
        f"SELECT '-- traceparent={PARENT}'",
        f"SELECT 1 /* traceparent */ -- {TRACE}",
        "SELECT /*+ MAX_EXECUTION_TIME(1000) */ 1 /*traceparent='lost'*/",
        "/*application:Shop,controller:traceparent*/ SELECT 1",
    ],
)
def test_what_is_no_trace_is_left_alone(plan: Planner, sql: str) -> None:
    assert plan(sql).traces == ()
    assert plan(sql).sql == sql


def test_what_each_dialect_calls_a_comment() -> None:
    assert mysql.plan(f"{BARE} # traceparent={PARENT}").traces == (TRACE,)
    assert mysql.plan(f"SELECT /*!40001 SQL_NO_CACHE */ 1 {MARK}").sql == "SELECT /*!40001 SQL_NO_CACHE */ 1"
    assert postgres.plan(f"{BARE} /* /* nested */ traceparent={PARENT} */").traces == (TRACE,)
    assert postgres.plan(f"SELECT $x$ {MARK} $x$").traces == ()


@DIALECTS
def test_several_statements_may_each_carry_it(plan: Planner) -> None:
    found = plan(f"BEGIN {numbered(1)}; {BARE} {numbered(1)}; UPDATE b SET c = 2 {numbered(2)}")
    assert found.traces == (f"{1:032x}", f"{2:032x}")
    assert [statement.verb for statement in found.statements] == ["BEGIN", "SELECT", "UPDATE"]


@DIALECTS
def test_nothing_is_kept_of_a_text_but_what_comes_again(plan: Planner) -> None:
    first = plan(f"{BARE} {numbered(1)}").plain
    assert all(plan(f"{BARE} {numbered(number)}").plain is first for number in range(2, 50))
    assert plan(BARE) is first


def test_an_ask_says_whose_it_is_and_is_compared_without() -> None:
    one, other = (postgres.make("main", postgres.plan(f"SELECT $1 {numbered(number)}"), ["x"]) for number in (1, 2))
    assert (one.trace, other.trace) == (f"{1:032x}", f"{2:032x}")
    assert one == other
    same = [mysql.make("main", mysql.plan(f"SELECT ? {numbered(number)}"), ["x"]) for number in (1, 2)]
    assert [ask.trace for ask in same] == [f"{1:032x}", f"{2:032x}"]
    assert same[0] == same[1]


def test_a_case_shows_the_statement_without() -> None:
    assert tidy(f"{BARE} {MARK};") == BARE
    assert mysql.operation_of(f"{MARK} {BARE}") == BARE
