"""Recorded against live calls: what is missing, extra, changed, reordered."""

from __future__ import annotations

from typing import Any

import pytest

from normalizers.base import When
from replayer.book import Book
from replayer.calls import compare

WHEN = When(recorded=1795000000.0, live=1795000000.0)


@pytest.fixture
def findings(toy: Any, codecs: Any) -> Any:
    """Findings of a case with these recorded operations when the service asks those; a leading `2:` asks on connection 2."""

    def run(recorded: list[Any], asked: list[str], session: Any = ()) -> Any:
        calls = [call if not isinstance(call, str) else toy.call(call) for call in recorded]
        case = toy.case("here", *calls)
        book = Book(toy.suite(case, session=[toy.call(each) for each in session]), codecs)
        book.begin(case, WHEN)
        desks = {name: book.answers(number) for name, number in (("1", 1), ("2", 2))}
        for operation in asked:
            name, _, text = operation.rpartition(":")
            desks[name or "1"].take(toy.ask(text))
        return [(each.kind, each.operation, each.count, each.details) for each in compare(book.end())]

    return run


def test_the_same_calls_have_no_findings_in_any_order_of_reads(findings: Any) -> None:
    recorded = ["SELECT a", "SELECT b", "begin", "INSERT x 1", "commit"]
    assert findings(recorded, recorded) == []
    assert findings(recorded, ["begin", "SELECT b", "INSERT x 1", "SELECT a", "commit"]) == []


def test_missing(findings: Any) -> None:
    assert findings(["SELECT a 1", "SELECT a 1"], ["SELECT a 1"]) == [
        ("missing", "SELECT a 1", 1, ("with values '1'", "recorded 2 times, asked once now"))
    ]
    assert findings(["INSERT x 1"], []) == [("missing", "INSERT x 1", 1, ("with values '1'",))]


def test_extra_and_n_plus_one(findings: Any) -> None:
    assert findings([], ["SELECT a"]) == [("extra", "SELECT a", 1, ())]
    assert findings(["SELECT a 1"], [f"SELECT a {n}" for n in range(1, 13)]) == [
        (
            "n+1",
            "SELECT a 2",
            11,
            (
                "value 1 is another each time: '1', '2', '3', '4', … (12 different)",
                "asked 12 times, recorded once",
            ),
        )
    ]


def test_the_same_again_and_again_is_an_n_plus_one_too(findings: Any) -> None:
    assert findings(["SELECT a 1"], ["SELECT a 1"] * 3) == [
        ("n+1", "SELECT a 1", 2, ("each time with the same values: '1'", "asked 3 times, recorded once"))
    ]


def test_an_n_plus_one_follows_from_the_rows_it_walks(findings: Any, toy: Any) -> None:
    listing = toy.call("SELECT list", rows=[[1, "x"], [2, "y"], [3, "z"]])
    (found,) = findings([listing, "SELECT a 1"], ["SELECT list", "SELECT a 1", "SELECT a 2", "SELECT a 3"])
    assert (found[0], found[3][-1]) == ("n+1", "these values are in the 3 rows of SELECT list")
    (found,) = findings([listing], ["SELECT list", "SELECT a 1"])
    assert (found[0], found[3][1:]) == ("extra", ("its value is in the 3 rows of SELECT list", "an N+1 begins like this"))


def test_once_more_with_the_same_values_is_a_retry(findings: Any, toy: Any) -> None:
    assert findings(["INSERT x 1"], ["INSERT x 1", "INSERT x 1"]) == [
        (
            "retry",
            "INSERT x 1",
            1,
            (
                "with values '1'",
                "asked 2 times, recorded once",
                "asked again right after itself, with the very same values",
            ),
        )
    ]
    for recorded in (["SELECT a 1", "SELECT b"], ["SELECT b", "SELECT a 1"], ["SELECT b", "SELECT a 1", "SELECT c 7"]):
        at = recorded.index("SELECT a 1")
        (again,) = findings(recorded, [*recorded[:at], "SELECT a 1", *recorded[at:]])
        assert (again[0], again[1]) == ("retry", "SELECT a 1")
    failing = toy.call("SELECT a 1", error={"message": "deadlock"})
    (found,) = findings([failing], ["SELECT a 1"] * 4)
    assert (found[0], found[2], found[3][-1]) == ("retry", 3, "asked again after the error it got")


def test_changed_names_the_value(findings: Any) -> None:
    assert findings(["INSERT x 1 'a'"], ["INSERT x 1 'b'"]) == [
        ("changed", "INSERT x 1 'a'", 1, ("value 2: recorded 'a', live 'b'",))
    ]


def test_other_words_are_one_changed_statement(findings: Any) -> None:
    assert findings(["SELECT a WHERE tenant_id = 1 LIMIT 20", "SELECT b"], ["SELECT a LIMIT 50", "SELECT b"]) == [
        (
            "statement",
            "SELECT a WHERE tenant_id = 1 LIMIT 20",
            1,
            ("WHERE tenant_id = 1 is gone", "value 2 (LIMIT): recorded '20', live '50'"),
        )
    ]


def test_what_has_nothing_in_common_is_missing_and_extra(findings: Any) -> None:
    found = findings(["SELECT a FROM t WHERE x = 1", "SELECT b"], ["DELETE everything", "SELECT b"])
    assert [each[:2] for each in found] == [("extra", "DELETE everything"), ("missing", "SELECT a FROM t WHERE x = 1")]


def test_what_is_not_asked_after_an_error_is_told_with_the_error(findings: Any) -> None:
    recorded = ["begin", "SELECT a", "INSERT b 1", "INSERT c 1", "commit"]
    assert findings(recorded, ["begin", "SELECT a", "INSERT b 2", "rollback"]) == [
        (
            "changed",
            "INSERT b 1",
            1,
            ("value 1: recorded '1', live '2'", "after that error 1 recorded call was not made: INSERT c 1"),
        )
    ]


def test_reordered_writes(findings: Any) -> None:
    assert findings(["INSERT a 1", "INSERT b 1", "INSERT c 1"], ["INSERT b 1", "INSERT c 1", "INSERT a 1"]) == [
        ("reordered", "INSERT a 1", 1, ("recorded before INSERT b 1, now after it",))
    ]


def test_writes_of_transactions_side_by_side_have_no_order(findings: Any) -> None:
    recorded = ["begin", "INSERT a 1", "begin", "INSERT b 1", "commit", "commit"]
    side_by_side = ["1:begin", "2:begin", "2:INSERT b 1", "1:INSERT a 1", "1:commit", "2:commit"]
    assert findings(recorded, side_by_side) == []
    assert [found[0] for found in findings(recorded, ["begin", "begin", "INSERT b 1", "INSERT a 1", "commit", "commit"])] == [
        "reordered"
    ]


def test_driver_chatter_session_calls_and_empty_transactions_do_not_count(findings: Any) -> None:
    assert findings(["set x", "begin", "rollback", "SELECT a"], ["SELECT a"]) == []
    assert findings(["SELECT a"], ["set y", "begin", "rollback", "SELECT a", "begin", "SELECT s", "commit"], ["SELECT s"]) == []


def test_ambiguous_calls_may_or_may_not_come(findings: Any, toy: Any) -> None:
    recorded = [toy.call("SELECT a", ambiguous=("there",))]
    assert findings(recorded, []) == []
    assert findings(recorded, ["SELECT a"]) == []


def test_one_that_may_come_does_not_stand_for_one_that_must(findings: Any, toy: Any) -> None:
    recorded = [toy.call("SELECT a", ambiguous=("there",)), "SELECT b", "SELECT a"]
    assert findings(recorded, ["SELECT a", "SELECT b"]) == []
    assert [found[:2] for found in findings(recorded, ["SELECT b"])] == [("missing", "SELECT a")]


def test_of_equal_calls_the_one_is_missing_whose_place_is_empty(findings: Any) -> None:
    recorded = ["INSERT x 2", "INSERT x 1", "INSERT x 2"]
    details = ("with values '2'", "recorded 3 times, asked 2 times now")
    assert findings(recorded, recorded[1:]) == [("missing", "INSERT x 2", 1, details)]
    assert findings(recorded, recorded[:2]) == [("missing", "INSERT x 2", 1, details)]


def test_a_transaction_around_nothing_does_not_count_for_one_that_held_something(findings: Any) -> None:
    recorded = ["begin", "INSERT x 1", "commit", "begin", "INSERT x 2", "commit"]
    assert findings(recorded, ["begin", "commit", *recorded]) == []
    assert findings(recorded, ["begin", "rollback", *recorded[:3], "begin", "commit", *recorded[3:]]) == []
    assert [found[:2] for found in findings(recorded, ["begin", "commit", "begin", *recorded])] == [("extra", "begin")]


def test_a_transaction_whose_calls_were_left_out_is_still_there(findings: Any) -> None:
    recorded = ["begin", "INSERT x 1", "commit"]
    assert [found[:2] for found in findings(recorded, ["begin", "commit"])] == [("missing", "INSERT x 1")]
