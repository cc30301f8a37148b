"""Laws of findings about calls: nothing is found where nothing changed, and one change is one finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from normalizers.base import When
from replayer.book import Book
from replayer.calls import compare
from replayer.events import CallFinding
from tests.replayer.conftest import TOY, toy_ask, toy_call, toy_case
from wiretape.case import Suite

WHEN = When(recorded=0.0, live=0.0)
READS = st.sampled_from(["SELECT a 1", "SELECT a 2", "SELECT b", "SELECT c 7"])
WRITES = st.sampled_from(["INSERT x 1", "INSERT x 2", "UPDATE y 1", "DELETE z 3"])
QUERY = READS | WRITES
TRANSACTION = st.lists(QUERY, min_size=1, max_size=4).flatmap(
    lambda inner: st.sampled_from(["commit", "rollback"]).map(lambda end: ["begin", *inner, end])
)
RECORDED = st.lists(TRANSACTION | QUERY.map(lambda one: [one]), max_size=5).map(
    lambda parts: [each for part in parts for each in part]
)


def found(recorded: list[str], asked: list[str]) -> tuple[CallFinding, ...]:
    case = toy_case("here", *map(toy_call, recorded))
    book = Book(Suite(root=Path("suite"), cases=(case,)), {"main": TOY}, when=WHEN)
    book.begin(case, WHEN)
    answers = book.answers()
    for operation in asked:
        answers.take(toy_ask(toy_call(operation)))
    return compare(book.end())


def is_query(operation: str) -> bool:
    return operation not in ("begin", "commit", "rollback")


@given(RECORDED)
def test_what_was_recorded_is_no_finding(recorded: list[str]) -> None:
    assert found(recorded, recorded) == ()


@given(st.lists(READS, max_size=6).flatmap(lambda reads: st.tuples(st.just(reads), st.permutations(reads))))
def test_the_order_of_reads_is_no_finding(both: tuple[list[str], list[str]]) -> None:
    assert found(*both) == ()


@settings(max_examples=200)
@given(RECORDED, st.data())
def test_a_call_left_out_is_one_finding(recorded: list[str], data: Any) -> None:
    places = [at for at, operation in enumerate(recorded) if is_query(operation)]
    if not places:
        return
    at = data.draw(st.sampled_from(places))
    findings = found(recorded, [*recorded[:at], *recorded[at + 1 :]])
    assert [each.kind for each in findings] == ["missing"]
    assert findings[0].operation == recorded[at]


@settings(max_examples=200)
@given(RECORDED, st.data())
def test_a_new_call_is_one_finding_and_says_its_place(recorded: list[str], data: Any) -> None:
    at = data.draw(st.integers(0, len(recorded)))
    (finding,) = found(recorded, [*recorded[:at], "SELECT new", *recorded[at:]])
    queries = [number for number, operation in enumerate(recorded[:at]) if is_query(operation)]
    assert (finding.kind, finding.operation) == ("extra", "SELECT new")
    assert finding.place == "calls" or int(finding.place[6:-1]) < len(recorded)
    assert bool(queries) or finding.place == "calls"


@settings(max_examples=200)
@given(RECORDED, st.data())
def test_a_transaction_left_out_is_found_and_nothing_else(recorded: list[str], data: Any) -> None:
    begins = [at for at, operation in enumerate(recorded) if operation == "begin"]
    if not begins:
        return
    start = data.draw(st.sampled_from(begins))
    end = next(at for at in range(start, len(recorded)) if recorded[at] in ("commit", "rollback"))
    findings = found(recorded, [*recorded[:start], *recorded[start + 1 : end], *recorded[end + 1 :]])
    assert {each.kind for each in findings} == {"transaction"}
