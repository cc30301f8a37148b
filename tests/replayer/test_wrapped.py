"""JSON in base64: compared by what it says, and live values stand in it, too."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from normalizers.base import When
from replayer import wrapped
from replayer.bindings import Bindings

NOW = When(recorded=0.0, live=0.0)
ONE, OTHER = "7b0e0000-0000-4000-8000-000000000001", "9c1f0000-0000-4000-8000-00000000abcd"


def wrap(tree: Any, *, url: bool = False, bare: bool = False) -> str:
    made = (base64.urlsafe_b64encode if url else base64.b64encode)(json.dumps(tree).encode()).decode()
    return made.rstrip("=") if bare else made


@pytest.mark.parametrize("tree", [{"id": 1}, [[2, 3], {}, None], [{"a": 1}], ["first"], [True, "ÿ"]])
@pytest.mark.parametrize("how", [{}, {"url": True}, {"bare": True}], ids=["plain", "url", "bare"])
def test_json_is_unwrapped(tree: Any, how: dict[str, bool]) -> None:
    text = wrap([tree, "padding to be long enough"], **how)
    assert json.loads(wrapped.unwrapped(text) or "") == [tree, "padding to be long enough"]


@pytest.mark.parametrize("text", ["", "eyJ", "Wolfgang", "eyJub3QganNvbg==", "hello", "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.abc"])
def test_other_text_is_left_alone(text: str) -> None:
    assert wrapped.unwrapped(text) is None
    assert wrapped.within(text, str.upper) == text


def test_wrapped_values_are_compared_by_what_they_say() -> None:
    bindings = Bindings()
    assert bindings.meet(wrap([[ONE, 3], {}]), wrap([[OTHER, 3], {}]), NOW)
    assert not bindings.meet(wrap([[ONE, 3], {}]), wrap([[OTHER, 4], {}]), NOW)


def test_live_values_stand_within_wrapped_ones() -> None:
    bindings = Bindings()
    assert bindings.meet(ONE, OTHER, NOW)
    message = json.dumps({"body": wrap([[ONE], {}]), "id": ONE})
    assert bindings.stand(message) == json.dumps({"body": wrap([[OTHER], {}]), "id": OTHER})
