"""A value that compares in one spelling and is written in another is bound by both."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from normalizers.base import When
from replayer.bindings import Bindings
from wiretape.protocols.postgres.meaning import canonical
from wiretape.tree import Tree

WHEN = When(recorded=0.0, live=0.0)
UUID = 2950
RECORDED, LIVE, OTHER = (
    "8b05af56-7b41-4093-8d17-4db95ffd731e",
    "f9ed7bb5-23f1-4680-a14a-bb0c1311e5cd",
    "1014f7c9-c302-41b8-8c6b-f20f7e84eed1",
)


type Form = Callable[[str], Tree]


def plain(text: str) -> Tree:
    """As Django writes it: a literal without hyphens, cast to uuid."""
    return canonical(UUID, text.replace("-", ""))


def test_the_same_uuid_in_a_second_statement_is_met_again() -> None:
    bindings = Bindings()
    assert bindings.meet(plain(RECORDED), plain(LIVE), WHEN)
    assert bindings.meet(plain(RECORDED), plain(LIVE), WHEN)


@pytest.mark.parametrize("form", [plain, str, lambda text: text.replace("-", "")])
def test_another_one_is_not_whatever_its_form(form: Form) -> None:
    bindings = Bindings()
    assert bindings.meet(plain(RECORDED), plain(LIVE), WHEN)
    assert bindings.meet(form(RECORDED), form(LIVE), WHEN)
    assert not bindings.meet(form(RECORDED), form(OTHER), WHEN)


@pytest.mark.parametrize(("recorded", "live"), [(plain, str), (str, plain)])
def test_a_build_that_writes_it_otherwise_means_the_same(recorded: Form, live: Form) -> None:
    bindings = Bindings()
    assert bindings.meet(recorded(RECORDED), live(LIVE), WHEN)
    assert bindings.meet(recorded(RECORDED), live(LIVE), WHEN)
    assert bindings.meet(RECORDED, LIVE, WHEN)
    assert not bindings.meet(RECORDED, OTHER, WHEN)


def test_nothing_is_bound_where_one_form_came_from_outside() -> None:
    bindings = Bindings()
    bindings.learn([RECORDED.replace("-", "")])
    assert not bindings.meet(plain(RECORDED), plain(LIVE), WHEN)
    assert len(bindings) == 0
