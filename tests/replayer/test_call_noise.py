"""Noise in calls: values of a kind, values that change places, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from normalizers.base import When
from normalizers.pipeline import NORMALIZERS
from replayer.book import Book
from replayer.calls import compare
from replayer.noise import Rules
from tests.replayer.conftest import TOY, toy_ask, toy_call, toy_case
from wiretape.case import Noise, Suite
from wiretape.protocols.base import Miss
from wiretape.tree import Selector

WHEN = When(recorded=1e9, live=1e9)


def ask(recorded: Any, live: str, *noise: tuple[str, str], learning: bool = False) -> tuple[bool, list[str]]:
    """Whether the call was answered, and what was found."""
    case = toy_case("one", recorded)
    from pathlib import Path

    book = Book(Suite(root=Path("suite"), cases=(case,)), {"main": TOY}, when=WHEN, learning=learning)
    rules = [Noise(selector=Selector.parse(selector), kind=kind) for selector, kind in noise]
    book.begin(case, WHEN, Rules(rules, NORMALIZERS))
    answer = book.answers().take(toy_ask(toy_call(live)))
    return not isinstance(answer, Miss), [finding.kind for finding in compare(book.end())]


IN = toy_call("get 'a' 'b' 'c' 5", params=["a", "b", "c", 5])
SWAPPED = "get 'c' 'a' 'b' 5"


@pytest.mark.parametrize(
    ("live", "noise", "answered"),
    [
        (SWAPPED, (), False),
        (SWAPPED, (("calls[0].params", "unordered"),), True),
        (SWAPPED, (("calls[0].params[]", "unordered"),), True),
        (SWAPPED, tuple((f"calls[0].params[{at}]", "unordered") for at in range(3)), True),
        (SWAPPED, tuple((f"calls[0].params[{at}]", "unordered") for at in range(2)), False),
        (SWAPPED, (("calls[0].values", "unordered"),), True),
        ("get '5' 'a' 'b' 'c'", (("calls[0].params", "unordered"),), True),
        ("get 5 'a' 'b' 'c'", tuple((f"calls[0].params[{at}]", "unordered") for at in range(3)), False),
        ("get 'c' 'a' 'x' 5", (("calls[0].params", "unordered"),), False),
        ("get 'a' 'b' 'b' 5", (("calls[0].params", "unordered"),), False),
        ("get 'a' 'b' 'c' 7", (("calls[0].params[3]", "counter"),), True),
        ("get 'a' 'b' 'c' 7", (("calls[0].params[3]", "within 2"),), True),
        ("get 'a' 'b' 'c' 8", (("calls[0].params[3]", "within 2"),), False),
        ("get 'a' 'b' 'x' 5", (("calls[0].params[3]", "counter"),), False),
        ("get 'a' 'b' 'x' 5", (("calls[0].values[2]", "like {1 lower}"),), True),
        ("get 'a' 'x' 'c' 5", (("calls[0].values[2]", "like {1 lower}"),), False),
        ("get 'a' 'b' 'x' 5", (("calls[1].values[2]", "any"),), False),
    ],
)
def test_what_may_differ(live: str, noise: tuple[tuple[str, str], ...], answered: bool) -> None:
    assert ask(IN, live, *noise) == (answered, [] if answered else ["changed"])


def test_as_recorded_passes_whatever_the_rules() -> None:
    for kind in ("unordered", "counter", "like x", "within 0.1", "optional", "uuid"):
        assert ask(IN, IN.operation, ("calls[0].params[]", kind), ("calls[0].values", kind)) == (True, [])


def test_a_list_written_as_text() -> None:
    recorded = toy_call("get '{a,b,c}'", params=["{a,b,c}"])
    assert ask(recorded, "get '{c,a,b}'", ("calls[0].params[0]", "unordered")) == (True, [])
    assert ask(recorded, "get '{c,a}'", ("calls[0].params[0]", "unordered")) == (False, ["changed"])


def test_learning_answers_a_call_whose_values_differ_and_finds_it_all_the_same() -> None:
    assert ask(IN, "get 'x' 'y' 'z' 5", learning=True) == (True, ["changed"])
    assert ask(IN, "put 'x'", learning=True)[0] is False
