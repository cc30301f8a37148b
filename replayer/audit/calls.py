"""One-step falsifications of what the service asks, each put to the book as a build that has changed would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from normalizers.base import When
from replayer import calls
from replayer.audit.mutations import Mutation, changed
from replayer.book import Book
from replayer.noise import Rules
from replayer.severity import Severity, counted, fails
from wiretape.case import Case, Strictness, Suite
from wiretape.protocols.base import Ask, Codec
from wiretape.tree import spell

type Mutated = tuple[Mutation, list[Ask]]

_UNASKED: Final = ("housekeeping", "push")


def of_calls(asks: Sequence[Ask]) -> Iterator[Mutated]:
    """Every mutation of a sequence of asks, with the asks it makes."""
    for at, ask in enumerate(asks):
        if ask.role in _UNASKED:
            continue
        before, after = list(asks[:at]), list(asks[at + 1 :])
        yield _at(at, "is no longer made", ask), [*before, *after]
        if ask.role != "query":
            continue
        yield _at(at, "is made twice (a retry)", ask), [*before, ask, ask, *after]
        yield _at(at, "is made three times more", ask), [*before, *[ask] * 4, *after]
        other = replace(ask, shape=f"{ask.shape} wiretape", operation=f"{ask.operation} wiretape")
        yield _at(at, "becomes another", ask), [*before, other, *after]
        for number, value in enumerate(ask.values):
            if isinstance(value, dict | list):
                continue
            values = (*ask.values[:number], changed(value), *ask.values[number + 1 :])
            yield _at(at, f"value {number + 1} is changed", ask), [*before, replace(ask, values=values), *after]
    yield from _of_order(asks)
    yield from _of_transactions(asks)


def _at(at: int, what: str, ask: Ask) -> Mutation:
    return Mutation(path=spell(("calls", at)), what=f"{what}: {ask.operation}")


def _of_order(asks: Sequence[Ask]) -> Iterator[Mutated]:
    """Two writes that follow each other change places, where they are not the same write twice."""
    writes = [at for at, ask in enumerate(asks) if ask.writes and ask.role == "query"]
    for one, other in pairwise(writes):
        first, second = asks[one], asks[other]
        between = asks[one + 1 : other]
        same = (first.shape, repr(first.values)) == (second.shape, repr(second.values))
        if first.target == second.target and not same and not any(ask.role in ("begin", "end") for ask in between):
            mutated = list(asks)
            mutated[one], mutated[other] = second, first
            yield _at(other, "is made first", second), mutated


def _of_transactions(asks: Sequence[Ask]) -> Iterator[Mutated]:
    """A transaction that holds something is left out (its calls stay), ends before its last call, or is given up at its end."""
    begun: dict[str, int] = {}
    for at, ask in enumerate(asks):
        if ask.role == "begin":
            begun[ask.target] = at
        elif ask.role == "end" and ask.target in begun:
            start = begun.pop(ask.target)
            inside = [number for number in range(start + 1, at) if _counts(asks[number], ask.target)]
            if not inside:
                continue
            yield _at(start, "is left out with its end", asks[start]), [*asks[:start], *asks[start + 1 : at], *asks[at + 1 :]]
            last = inside[-1]
            if asks[last].writes and len(inside) > 1:
                yield (
                    _at(last, "comes after the end of its transaction", asks[last]),
                    [*asks[:last], *asks[last + 1 : at + 1], asks[last], *asks[at + 1 :]],
                )


def _counts(ask: Ask, target: str) -> bool:
    return ask.target == target and ask.role == "query"


class Watch:
    """Puts mutated asks to the book, as a replay of the suite would. `known` as `replayer.calls.compare` takes it."""

    def __init__(self, suite: Suite, codecs: Mapping[str, Codec], known: calls.Known) -> None:
        self._suite, self._codecs, self._known = suite, codecs, known

    def notices(
        self, case: Case, asks: Sequence[Ask], when: When, rules: Rules, strictness: Strictness, fail_on: Severity
    ) -> bool:
        """Whether a build that asks this is told from the recorded one."""
        book = Book(replace(self._suite, cases=(case,)), self._codecs, when=when)
        book.begin(case, when, rules)
        answers = book.answers()
        for ask in asks:
            if ask.role not in _UNASKED:
                answers.take(ask)
        for entry in book.due():
            book.push(entry, lambda _: True, 0)
        outcome = book.end()
        findings = counted(calls.compare(outcome, self._known, book.bindings.alike(when)), strictness)
        return fails((), findings, outcome.misses, fail_on)
