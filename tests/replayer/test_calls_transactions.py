"""Transactions that begin or end elsewhere are one finding, about the calls whose fate they change."""

from __future__ import annotations

from typing import Any

import pytest

from normalizers.base import When
from replayer.book import Book
from replayer.calls import compare

WHEN = When(recorded=1795000000.0, live=1795000000.0)
ONE = ["begin", "INSERT a 1", "commit"]


@pytest.fixture
def findings(toy: Any, codecs: Any) -> Any:
    """What is found, all of kind `transaction`: the call, how many, whether they write, what is said."""

    def run(recorded: list[Any], asked: list[str]) -> Any:
        case = toy.case("here", *(call if not isinstance(call, str) else toy.call(call) for call in recorded))
        book = Book(toy.suite(case), codecs)
        book.begin(case, WHEN)
        desks = {name: book.answers(number) for name, number in (("1", 1), ("2", 2))}
        for operation in asked:
            name, _, text = operation.rpartition(":")
            desks[name or "1"].take(toy.ask(text))
        found = compare(book.end())
        assert {each.kind for each in found} <= {"transaction"}, found
        return [(each.place, each.operation, each.count, each.writes, each.details) for each in found]

    return run


@pytest.mark.parametrize(
    ("recorded", "asked", "said"),
    [
        (ONE, ["INSERT a 1"], "ran inside BEGIN…COMMIT, now outside"),
        (ONE, ["INSERT a 1", "begin", "commit"], "ran inside BEGIN…COMMIT, now outside"),
        (ONE, ["begin", "commit", "INSERT a 1"], "ran inside BEGIN…COMMIT, now outside"),
        (ONE, ["begin", "INSERT a 1", "rollback"], "its transaction ended with COMMIT, now with ROLLBACK"),
        (ONE, ["begin", "INSERT a 1"], "COMMIT came after it, and no longer does: the transaction is left open"),
        (["begin", "INSERT a 1"], ONE, "its transaction was left open, now it ends with COMMIT"),
        (ONE, ["INSERT a 1", "commit"], "BEGIN came before it, now no BEGIN does"),
        (["begin serializable", *ONE[1:]], ONE, "ran inside BEGIN SERIALIZABLE, now inside BEGIN"),
        (["INSERT a 1"], ONE, "ran outside of a transaction, now inside BEGIN…COMMIT"),
        (["INSERT a 1", "commit"], ["commit", "INSERT a 1"], "ran before COMMIT, now it does not"),
        (["INSERT a 1", "commit"], ["INSERT a 1"], "ran before COMMIT, now it does not"),
    ],
)
def test_a_write(findings: Any, recorded: list[str], asked: list[str], said: str) -> None:
    assert [each[1:] for each in findings(recorded, asked)] == [("INSERT a 1", 1, True, (said,))]


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        (["INSERT a 1"], "calls[1]"),
        (["INSERT a 1", "commit"], "calls[0]"),
        (["begin", "INSERT a 1", "rollback"], "calls[2]"),
        (["begin", "INSERT a 1"], "calls[2]"),
    ],
)
def test_it_stands_where_the_change_is(findings: Any, asked: list[str], place: str) -> None:
    assert [each[0] for each in findings(ONE, asked)] == [place]


def test_one_that_moves_behind_the_commit_is_the_only_one_told(findings: Any) -> None:
    recorded = ["begin", "UPDATE a 1", "INSERT b 1", "commit"]
    assert findings(recorded, ["begin", "UPDATE a 1", "commit", "INSERT b 1"]) == [
        ("calls[2]", "INSERT b 1", 1, True, ("ran inside BEGIN…COMMIT, now outside",))
    ]


def test_all_that_share_a_fate_are_told_together(findings: Any) -> None:
    recorded = ["begin", "SELECT z", "UPDATE a 1", "INSERT b 1", "commit"]
    assert findings(recorded, ["SELECT z", "UPDATE a 1", "INSERT b 1"]) == [
        ("calls[2]", "UPDATE a 1", 2, True, ("ran inside BEGIN…COMMIT, now outside", "and so with it: INSERT b 1"))
    ]


def test_split_and_joined(findings: Any) -> None:
    both = ["begin", "UPDATE a 1", "UPDATE a 2", "INSERT b 1", "commit"]
    apart = ["begin", "UPDATE a 1", "UPDATE a 2", "commit", "begin", "INSERT b 1", "commit"]
    assert findings(both, apart) == [
        ("calls[3]", "INSERT b 1", 1, True, ("ran in one transaction with UPDATE a 1, now in another",))
    ]
    assert findings(apart, both) == [
        ("calls[5]", "INSERT b 1", 1, True, ("ran in a transaction of its own, now in that of UPDATE a 1",))
    ]


def test_reads_may_move_within_one_and_out_of_one(findings: Any) -> None:
    recorded = ["SELECT y", "begin", "SELECT z", "INSERT a 1", "commit", "SELECT x"]
    assert findings(recorded, ["SELECT z", "begin", "INSERT a 1", "SELECT y", "SELECT x", "commit"]) == []


def test_a_transaction_around_reads_that_is_gone_is_no_write(findings: Any) -> None:
    recorded = ["begin", "SELECT z", "SELECT y", "commit"]
    said = ("ran inside BEGIN…COMMIT, now outside", "and so with it: SELECT y")
    assert findings(recorded, ["SELECT z", "SELECT y"]) == [("calls[1]", "SELECT z", 2, False, said)]
    assert findings(["SELECT z"], ["begin", "SELECT z", "commit"]) == [
        ("calls[0]", "SELECT z", 1, False, ("ran outside of a transaction, now inside BEGIN…COMMIT",))
    ]


def test_where_its_only_write_is_lost_the_end_of_a_transaction_says_no_more(toy: Any, codecs: Any) -> None:
    case = toy.case("here", *map(toy.call, ["begin", "SELECT z", "INSERT a 1", "commit"]))
    book = Book(toy.suite(case), codecs)
    book.begin(case, WHEN)
    answers = book.answers()
    for operation in ("begin", "SELECT z", "rollback"):
        answers.take(toy.ask(operation))
    assert [(each.kind, each.operation) for each in compare(book.end())] == [("missing", "INSERT a 1")]


def test_connections_have_transactions_of_their_own(findings: Any) -> None:
    recorded = ["begin", "INSERT a 1", "commit", "SELECT z", "INSERT b 1"]
    side_by_side = ["1:begin", "2:SELECT z", "1:INSERT a 1", "2:INSERT b 1", "1:commit"]
    assert findings(recorded, side_by_side) == []


def test_what_a_driver_begins_unasked_is_known_on_one_connection_only(findings: Any) -> None:
    recorded = ["INSERT a 1", "INSERT b 1", "commit"]
    assert findings(recorded, ["2:INSERT a 1", "1:INSERT b 1", "1:commit"]) == []
    assert [each[0] for each in findings(recorded, ["2:INSERT a 1", "1:INSERT b 1"])] == ["calls[0]"]
