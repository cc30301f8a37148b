"""A case whose transaction was never ended, and the next on the same connection: a pool took it back as it was."""

from __future__ import annotations

from typing import Any

import pytest

from normalizers.base import When
from replayer.book import Book
from wiretape.case import Call
from wiretape.protocols.base import Miss

WHEN = When(recorded=1795000000.0, live=1795000000.0)


@pytest.fixture
def book(toy: Any, codecs: Any) -> Any:
    first = toy.case("first", toy.call("BEGIN"), toy.call("SELECT a 1"), toy.call("INSERT a 1"), toy.call("COMMIT"))
    then = toy.case("then", toy.call("SELECT b 1"))
    book = Book(toy.suite(first, then), codecs)
    lane = book.begin(first, WHEN)
    answers = book.answers(1)
    for text in ("BEGIN", "SELECT a 1"):
        answers.take(toy.ask(text))
    assert isinstance(answers.take(toy.ask("INSERT other 1")), Miss)
    book.close(lane)
    return book, lane, book.begin(then, WHEN)


def asked(lane: Any) -> list[str]:
    return [seen.ask.operation for seen in lane.outcome.seen]


def test_what_only_the_next_case_wants_is_the_next_case_s(toy: Any, book: Any) -> None:
    book, first, then = book
    assert isinstance(book.answers(1).take(toy.ask("SELECT b 1")), Call)
    assert asked(then) == ["SELECT b 1"]
    assert asked(first) == ["BEGIN", "SELECT a 1", "INSERT other 1"]


def test_a_transaction_that_begins_anew_is_the_next_case_s(toy: Any, book: Any) -> None:
    book, first, then = book
    for text in ("BEGIN", "SELECT c 1"):
        book.answers(1).take(toy.ask(text))
    assert asked(then) == ["BEGIN", "SELECT c 1"]
    assert asked(first) == ["BEGIN", "SELECT a 1", "INSERT other 1"]


def test_what_the_case_that_is_over_still_wants_is_its_own(toy: Any, book: Any) -> None:
    book, first, then = book
    for text in ("INSERT a 1", "COMMIT"):
        book.answers(1).take(toy.ask(text))
    assert asked(then) == []
    assert asked(first)[-2:] == ["INSERT a 1", "COMMIT"]
