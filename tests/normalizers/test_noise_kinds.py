"""What a noise rule may ask for: each kind by what it takes and what it does not, and by how its name is read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizers.base import takes
from normalizers.forms import ALPHABETS
from normalizers.pipeline import NORMALIZERS
from normalizers.presence import may_go
from wiretape.noisekinds import FORMED, PLAIN, named_place, schema, unknown_kind
from wiretape.tree import Number, Selector


@pytest.mark.parametrize(
    ("kind", "recorded", "live", "taken"),
    [
        ("within 0.01", 0.5, 0.51, True),
        ("within 0.01", 0.5, 0.5101, False),
        ("within 0.1", Number("0.3"), Number("0.2"), True),
        ("within 5%", 200, 210, True),
        ("within 5%", 200, 211, False),
        ("within 5%", -200, -210, True),
        ("within 10", 200, 205.5, False),
        ("within 10", 200.5, 205, True),
        ("within 1", "39.90", "40.50", True),
        ("within 1", "39.90", 40.5, False),
        ("within 1", 1, True, False),
        ("within 1", 1, None, False),
        ("within 1e-3", 1.0, 1.0005, True),
        ("counter", 5, 12, True),
        ("counter", 5, 0, True),
        ("counter", 5, -1, False),
        ("counter", 5, 5.5, False),
        ("counter", 5, "6", False),
        ("counter", "5", "6", True),
        ("counter", 5, False, False),
        ("unordered", [1, 2, 2], [2, 1, 2], True),
        ("unordered", [1, 2, 2], [2, 1, 1], False),
        ("unordered", [1, 2], [2, 1, 1], False),
        ("unordered", [1, 2], ["2", 1], False),
        ("unordered", "GET, POST", "POST, GET", True),
        ("unordered", "GET, POST", "PUT, GET", False),
        ("unordered", "GET, POST", "POST; GET", False),
        ("unordered", "{a,b}", "{b,a}", True),
        ("like ORD-{6 hex}", "ORD-12ab34", "ORD-00ff00", True),
        ("like ORD-{6 hex}", "ORD-12ab34", "ORD-00FF00", False),
        ("like ORD-{6 hex}", "ORD-12ab34", "ORD-00ff0", False),
        ("like ORD-{6 hex}", "ORD-12ab34", "ord-00ff00", False),
        ("like a.{1-3 digits}", "a.1", "a.123", True),
        ("like a.{1-3 digits}", "a.1", "a.1234", False),
        ("like a.{1-3 digits}", "a.1", "ab1", False),
        ("like plain", "plain", "plain", True),
        ("timestamp %d/%m/%Y", "01/02/2026", "31/12/2030", True),
        ("timestamp %d/%m/%Y", "01/02/2026", "31/13/2030", False),
        ("timestamp %d/%m/%Y", "01/02/2026", 7, False),
        ("optional", "a", "a", True),
        ("optional", "a", "b", False),
        ("optional integer", "a", 5, True),
        ("optional integer", 1, "b", False),
        ("optional within 1", 1, 2, True),
        ("timestamp", "x", "2026-11-20T10:00:00Z", True),
        ("any", 1, None, True),
    ],
)
def test_what_a_kind_takes(kind: str, recorded: Any, live: Any, taken: bool) -> None:
    assert takes(NORMALIZERS[kind], recorded, live) is taken


@pytest.mark.parametrize(
    "name",
    ["within", "within x", "within -1", "within 1 %", "unordered by", "unordered by ", "like", "like ", "like {3 runes}",
     "like {5-3 hex}", "timestamp hh:mm", "timestamp %!", "optional nothing", "optional optional", "optional ", "", "Any"],
)  # fmt: skip
def test_what_is_no_kind(name: str) -> None:
    assert name not in NORMALIZERS


def test_a_kind_that_cannot_be_read_is_told_from_one_there_is_not() -> None:
    assert unknown_kind("within x", NORMALIZERS) == (
        "noise kind 'within x' cannot be read; write it as `within 0.01` or `within 5%`"
    )
    assert unknown_kind("unorderd", NORMALIZERS).startswith("unknown noise kind 'unorderd'; did you mean unordered?")
    assert unknown_kind("zzz", NORMALIZERS).endswith(
        "or within N, unordered by KEY, like FORM, timestamp FORMAT, optional KIND"
    )


def test_only_optional_and_any_let_a_value_be_gone() -> None:
    assert {name for name, kind in NORMALIZERS.items() if may_go(kind)} == {"optional", "any"}
    assert may_go(NORMALIZERS["optional uuid"])
    assert not may_go(NORMALIZERS["within 1"])


def test_the_table_for_editors_names_the_kinds_there_are() -> None:
    assert PLAIN.keys() == NORMALIZERS.keys()
    assert len(schema()["anyOf"]) == len(PLAIN) + len(FORMED)  # type: ignore[call-overload, index, arg-type]


def test_a_value_of_what_is_asked_is_no_part_of_the_file() -> None:
    assert named_place(Selector.parse("calls[2].values[1]")).steps == ("calls", 2)
    assert named_place(Selector.parse("calls[2].params[1]")).steps == ("calls", 2, "params", 1)


@given(
    st.lists(st.integers() | st.text(max_size=3), max_size=6).flatmap(
        lambda items: st.tuples(st.just(items), st.permutations(items))
    )
)
def test_every_permutation_is_unordered(pair: tuple[list[Any], list[Any]]) -> None:
    assert takes(NORMALIZERS["unordered"], pair[0], pair[1])
    assert not takes(NORMALIZERS["unordered"], pair[0], [*pair[1], None])


@given(st.text(max_size=30))
def test_no_name_stumbles(name: str) -> None:
    for prefix in ("", "like ", "within ", "timestamp ", "optional ", "unordered by ", "timestamp %"):
        if prefix + name in NORMALIZERS:
            assert NORMALIZERS[prefix + name].name == prefix + name


def test_alphabets_come_from_the_narrowest_to_the_widest() -> None:
    kinds = {name: NORMALIZERS[f"like {{1 {name}}}"] for name in ALPHABETS}
    sizes = {name: sum(takes(kind, "", chr(code)) for code in range(128)) for name, kind in kinds.items()}
    told = "digits 10 hex 16 HEX 16 lower 26 upper 26 base36 36 BASE36 36 letters 52 alnum 62 base64 67"
    assert " ".join(f"{name} {size}" for name, size in sizes.items()) == told
