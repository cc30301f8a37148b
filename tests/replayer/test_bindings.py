"""Which live value stands for which recorded one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizers.base import When
from replayer.bindings import Bindings, may_vary
from wiretape.tree import Tree, same

WHEN = When(recorded=1795000000.0, live=1795000000.0)
R1, R2 = "7b0e4d2a-1111-4222-8333-944455566677", "0c9a8b7c-aaaa-4bbb-8ccc-dddd11112222"
L1, L2 = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", "12345678-9abc-4def-8123-456789abcdef"

trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(trees)
def test_a_value_always_means_itself_and_nothing_is_bound(tree: object) -> None:
    bindings = Bindings()
    assert bindings.meet(tree, tree, WHEN)  # type: ignore[arg-type]
    assert len(bindings) == 0


def test_fresh_ids_are_bound_and_then_stand_everywhere() -> None:
    bindings = Bindings()
    assert bindings.meet({"id": R1}, {"id": L1}, WHEN)
    assert bindings.stand([R1, f"/orders/{R1}/lines", {"id": R1, "n": 1}]) == [L1, f"/orders/{L1}/lines", {"id": L1, "n": 1}]
    assert bindings.recorded(L1) == R1
    assert bindings.meet(f"/orders/{R1}", f"/orders/{L1}", WHEN)


def test_nothing_to_replace_gives_the_same_object() -> None:
    bindings = Bindings()
    tree: list[object] = ["a" * 40, {"x": [1]}]
    assert bindings.stand(tree) is tree  # type: ignore[type-var]
    bindings.meet(R1, L1, WHEN)
    assert bindings.stand(tree) is tree  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("recorded", "live"),
    [(R1, L2), (R2, L1)],
    ids=["recorded is bound to another", "live is bound to another"],
)
def test_a_bound_value_stands_for_one_value_only(recorded: str, live: str) -> None:
    bindings = Bindings()
    assert bindings.meet(R1, L1, WHEN)
    assert not bindings.meet(recorded, live, WHEN)


@pytest.mark.parametrize("known", [[R1], {"row": [1, L1]}, f"GET /things/{R1}?x=1", '{"id": "' + L1 + '"}'])
def test_what_came_from_outside_must_come_back_as_it_was(known: object) -> None:
    bindings = Bindings()
    bindings.learn(known)  # type: ignore[arg-type]
    assert not bindings.meet(R1, L1, WHEN)
    assert bindings.meet(R1, R1, WHEN)


def test_all_or_nothing() -> None:
    bindings = Bindings()
    assert not bindings.meet({"id": R1, "n": 1}, {"id": L1, "n": 2}, WHEN)
    assert len(bindings) == 0
    assert bindings.stand(R1) == R1


def test_ids_inside_text_and_json_text() -> None:
    bindings = Bindings()
    assert bindings.meet(f"/orders/{R1}/receipt", f"/orders/{L1}/receipt", WHEN)
    assert bindings.meet(json.dumps({"order": R1, "n": 1}), json.dumps({"n": 1, "order": L1}), WHEN)
    assert not bindings.meet(f"/orders/{R2}/receipt", f"/order/{L2}/receipt", WHEN)
    assert not bindings.meet("5 items", "6 items", WHEN)


def test_salted_hashes() -> None:
    recorded = "scrypt$H8jX77s98xZRczr8T67JhA==$C8+Yd3zMThbDW5SoJ5vG4JUI9kYXl4gG8KwgRPnqMyA="
    for live in (
        "scrypt$hT43ueZESDVEkmPWOOaBgA==$IAUI95oOzjoedVSs4IGDzr4Z+6m4Ic9kb8mJvqsWyjc=",
        "scrypt$hT4/ueZE/DVEkmPWOOaBgA==$IAUI95oOzjoedVSs4IGDzr4Z+6/4Ic9k/8mJvqsWyjc=",
    ):
        bindings = Bindings()
        assert bindings.meet(recorded, live, WHEN)
        assert bindings.stand([recorded]) == [live]
        assert not bindings.meet(recorded.replace("scrypt", "bcrypt"), live, WHEN)


def test_types_matter() -> None:
    assert not Bindings().meet(1, "1", WHEN)
    assert not Bindings().meet(1, True, WHEN)
    assert not Bindings().meet({"a": 1}, {"a": 1, "b": None}, WHEN)


def test_short_bound_values_are_not_replaced_inside_text() -> None:
    bindings = Bindings()
    bindings._bind("abc", "xyz")
    assert bindings.stand(["abc", "abcdef abc"]) == ["xyz", "abcdef abc"]


def test_undo_forgets_what_was_bound_since() -> None:
    bindings = Bindings()
    bindings.meet(R1, L1, WHEN)
    mark = bindings.mark()
    bindings.meet(R2, L2, WHEN)
    bindings.undo(mark)
    assert bindings.stand([R1, R2, f"x {R2}"]) == [L1, R2, f"x {R2}"]
    assert bindings.meet(R2, L2, WHEN)


HASHES = ("$2b$12$" + "a.B/3" * 10 + "xyz", "$2b$12$" + "Z9/.q" * 10 + "abc")
VARYING = (
    R1,
    R2,
    L1,
    L2,
    *HASHES,
    "2026-11-20T10:00:00Z",
    "2026-11-24",
    "1795000000",
    "tpVHZWqs/dkfPbQmcXo+nGg==",
    "SKU-17",
    "a",
)
GLUE = ("", " ", "/", "item_", ":", "é", "{", '{"a": "', '"}', "x" * 600)
texts = st.lists(st.sampled_from((*VARYING, *GLUE)), max_size=5).map("".join)


@given(texts | st.integers() | st.booleans() | st.none(), texts | st.integers() | st.booleans() | st.none(), st.booleans())
def test_what_may_not_vary_means_nothing_but_itself(recorded: Tree, live: Tree, bound: bool) -> None:
    bindings = Bindings()
    if bound:
        assert bindings.meet([R1, HASHES[0]], [L1, HASHES[1]], WHEN)
    if not may_vary(recorded) and bindings.meet(recorded, live, WHEN):
        assert same(recorded, live)


@pytest.mark.parametrize("value", ["", "SKU-17", "Desk lamp", "alice@example.com", "lighting", 7, True, None, b"\x00\x01"])
def test_ordinary_values_may_not_vary(value: Tree) -> None:
    assert not may_vary(value)


@pytest.mark.parametrize(
    "value", [R1, f"/orders/{R1}", "created 2026-11-24", "x" * 70_000, {"a": 1}, [], HASHES[0], 1795000000]
)
def test_values_that_may_vary(value: Tree) -> None:
    assert may_vary(value)


def test_a_word_with_a_uuid_in_it_is_no_token() -> None:
    """What is bound is the UUID, so one that stands for another already does not stand for this one, too."""
    one, other, live = (f"0000000{number}-7b0e-4000-8000-00000000000{number}" for number in (1, 2, 3))
    bindings = Bindings()
    when = When(recorded=0.0, live=0.0)
    assert bindings.meet(f"task-meta-{one}", f"task-meta-{live}", when)
    assert bindings.meet(one, live, when)
    assert not bindings.meet(f"task-meta-{other}", f"task-meta-{live}", when)
