"""One-step falsifications of what the service asks, each put to the book as a build that has changed would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from normalizers.base import When
from replayer import calls
from replayer.audit.mutations import Mutation, changed
from replayer.book import Book
from replayer.noise import Rules
from wiretape.case import Case, Suite
from wiretape.protocols.base import Ask, Codec
from wiretape.tree import spell

_UNASKED = ("housekeeping", "push")


def of_calls(asks: Sequence[Ask]) -> Iterator[tuple[Mutation, list[Ask]]]:
    """Every mutation of a sequence of asks, with the asks it makes."""
    for at, ask in enumerate(asks):
        if ask.role in _UNASKED:
            continue
        place = spell(("calls", at))
        before, after = list(asks[:at]), list(asks[at + 1 :])
        yield Mutation(path=place, what=f"is no longer made: {ask.operation}"), [*before, *after]
        if ask.role != "query":
            continue
        yield Mutation(path=place, what=f"is made three times more: {ask.operation}"), [*before, *[ask] * 4, *after]
        other = replace(ask, shape=f"{ask.shape} wiretape", operation=f"{ask.operation} wiretape")
        yield Mutation(path=place, what=f"becomes another: {ask.operation}"), [*before, other, *after]
        for number, value in enumerate(ask.values):
            if isinstance(value, dict | list):
                continue
            values = (*ask.values[:number], changed(value), *ask.values[number + 1 :])
            asked = replace(ask, values=values)
            yield Mutation(path=place, what=f"value {number + 1} is changed: {ask.operation}"), [*before, asked, *after]


def noticed(suite: Suite, case: Case, codecs: Mapping[str, Codec], asks: Sequence[Ask], when: When, rules: Rules) -> bool:
    """Whether a build that asks this is told from the recorded one."""
    book = Book(replace(suite, cases=(case,)), codecs, when=when)
    book.begin(case, when, rules)
    answers = book.answers()
    for ask in asks:
        if ask.role not in _UNASKED:
            answers.take(ask)
    for entry in book.due():
        book.push(entry, lambda _: True, 0)
    outcome = book.end()
    return bool(outcome.misses or calls.compare(outcome))
