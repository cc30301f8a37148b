"""BSON documents and the trees that stand for them: exact both ways, and plain about what does not fit."""

from __future__ import annotations

import re
import struct
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import bson
import pytest
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from hypothesis import given
from hypothesis import strategies as st

from wiretape.errors import DecodeError, EncodeError
from wiretape.protocols.mongo.documents import MAX_DEPTH, WRAPPERS, read, write
from wiretape.tree import Tree
from wiretape.yamldump import dump
from wiretape.yamlio import load

ID = ObjectId("6b05804dd8efd8f3bd1c17cd")
READABLE: tuple[tuple[Any, Tree], ...] = (
    ("x", "x"),
    (True, True),
    (None, None),
    (7, 7),
    (Int64(7), {"$numberLong": 7}),
    (-(2**31), -(2**31)),
    (Int64(-(2**31) - 1), -(2**31) - 1),
    (2**40, 2**40),
    (7.0, 7.0),
    (-0.0, -0.0),
    (b"\x00\xff", b"\x00\xff"),
    (Binary(b"\x01", 0x80), {"$binary": {"data": b"\x01", "subType": 128}}),
    (Binary(b"old", 2), {"$binary": {"data": b"old", "subType": 2}}),
    (Binary(UUID(int=1).bytes, 4), {"$uuid": "00000000-0000-0000-0000-000000000001"}),
    (Binary(UUID(int=1).bytes, 3), {"$binary": {"data": UUID(int=1).bytes, "subType": 3}}),
    (Binary(b"short", 4), {"$binary": {"data": b"short", "subType": 4}}),
    (ID, {"$oid": "6b05804dd8efd8f3bd1c17cd"}),
    (datetime(2026, 11, 20, 10, 0, 0, 123000, UTC), {"$date": "2026-11-20T10:00:00.123Z"}),
    (datetime(1, 1, 1, tzinfo=UTC), {"$date": "0001-01-01T00:00:00Z"}),
    (bson.DatetimeMS(2**60), {"$date": 2**60}),
    (bson.DatetimeMS(-(2**60)), {"$date": -(2**60)}),
    (Decimal128("39.80"), {"$numberDecimal": "39.80"}),
    (Decimal128("1E+3"), {"$numberDecimal": "1E+3"}),
    (Decimal128("NaN"), {"$numberDecimal": "NaN"}),
    (Regex("^a.c", "xmi"), {"$regularExpression": {"pattern": "^a.c", "options": "imx"}}),
    (Timestamp(4294967295, 3), {"$timestamp": {"t": 4294967295, "i": 3}}),
    (Code("f()"), {"$code": "f()"}),
    (Code("f()", {"a": ID}), {"$code": "f()", "$scope": {"a": {"$oid": str(ID)}}}),
    (MinKey(), {"$minKey": 1}),
    (MaxKey(), {"$maxKey": 1}),
    (DBRef("users", ID, "shop"), {"$ref": "users", "$id": {"$oid": str(ID)}, "$db": "shop"}),
    ([1, [2, {}], []], [1, [2, {}], []]),
    ({"$gt": 5, "$regex": "^a"}, {"$gt": 5, "$regex": "^a"}),
    ({"$oid": 5, "x": 1}, {"$document": {"$oid": 5, "x": 1}}),
    ({"$document": {"$date": 1}}, {"$document": {"$document": {"$document": {"$date": 1}}}}),
)


@pytest.mark.parametrize(("value", "tree"), READABLE, ids=[str(number) for number in range(len(READABLE))])
def test_a_value_is_readable_and_encodes_to_the_bytes_it_came_from(value: Any, tree: Tree) -> None:
    data = bson.encode({"v": value})
    assert repr(read(data)) == repr({"v": tree})
    assert write(read(data)) == data
    kept = load(dump(read(data)).encode()).value
    assert isinstance(kept, dict)
    assert write(kept) == data


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-(2**31), 2**31 - 1).map(Int64),
    st.floats(allow_nan=False),
    st.text(alphabet=st.characters(codec="utf-8")),
    st.binary(),
    st.binary(min_size=12, max_size=12).map(ObjectId),
    st.integers(-(2**63), 2**63 - 1).map(bson.DatetimeMS),
    st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
    .map(lambda bid: Decimal128(bid))
    .filter(lambda number: Decimal128(str(number)).bid == number.bid),
    st.builds(Timestamp, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
    st.builds(Binary, st.binary(), st.integers(0, 255).filter(lambda kind: kind != 2)),
)
names = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=8) | st.sampled_from(list(WRAPPERS))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=20
)


@given(st.dictionaries(names, values, max_size=5))
def test_every_document_encodes_to_the_bytes_it_came_from(document: dict[str, Any]) -> None:
    data = bson.encode(document)
    assert write(read(data)) == data


@given(st.binary(max_size=60))
def test_no_bytes_are_more_than_unreadable(data: bytes) -> None:
    with suppress(DecodeError):
        read(data)


@pytest.mark.parametrize("kind", [b"\x77a\0", b"\x02a\0\x03\0\0\0\xff\xfe\0", b"\x08a\0\x02", b"\x02a\0\xff\xff\xff\x7f"])
def test_a_document_that_is_none_is_said_to_be(kind: bytes) -> None:
    data = kind + b"\0"
    with pytest.raises(DecodeError, match="a document cannot be read"):
        read(struct.pack("<i", len(data) + 4) + data)


def test_nesting_has_an_end() -> None:
    document: dict[str, Any] = {}
    for _ in range(MAX_DEPTH - 1):
        document = {"a": document}
    assert write(read(bson.encode(document))) == bson.encode(document)
    with pytest.raises(DecodeError, match=f"nested deeper than {MAX_DEPTH} levels"):
        read(bson.encode({"a": {"a": document}}))
    hostile = b"\x05\0\0\0\0"
    for _ in range(20_000):
        hostile = struct.pack("<i", len(hostile) + 8) + b"\x03a\0" + hostile + b"\0"
    with pytest.raises(DecodeError):
        read(hostile)


@pytest.mark.parametrize(
    ("tree", "path", "reason"),
    [
        ({"a": [{"b": {"$oid": "12"}}]}, "a[0].b", "this is no $oid: '12' is not a valid ObjectId"),
        ({"a.b": {"$date": "yesterday"}}, '["a.b"]', "this is no $date: Invalid isoformat string"),
        ({"a": {"$date": "2026-11-20T10:00:00"}}, "a", "the zone is missing; end it with Z"),
        ({"a": {"$date": True}}, "a", "it holds a string such as"),
        ({"a": {"$numberLong": "x"}}, "a", "this is no $numberLong"),
        ({"a": {"$numberLong": 2**63}}, "a", "it does not fit in 64 bits"),
        ({"a": 2**63}, "a", "does not fit in 64 bits; write {$numberDecimal: …}"),
        ({"a": {"$numberDecimal": "much"}}, "a", "this is no $numberDecimal"),
        ({"a": {"$uuid": "7"}}, "a", "this is no $uuid"),
        ({"a": {"$binary": b"x"}}, "a", "it needs data, a bytes"),
        ({"a": {"$binary": {"data": b"x", "subType": 300}}}, "a", "this is no $binary"),
        ({"a": {"$regularExpression": {"pattern": "a", "options": "ig"}}}, "a", "there is no option g"),
        ({"a": {"$timestamp": {"t": 1}}}, "a", "it needs i, a int"),
        ({"a": {"$timestamp": {"t": -1, "i": 1}}}, "a", "this is no $timestamp"),
        ({"a": {"$code": 1}}, "a", "it holds a string"),
        ({"a": {"$oid": str(ID), "b": 1}}, "a", "b has no place here"),
        ({"a": {"$document": 1}}, "a", "it holds a mapping"),
        ({"a\0b": 1}, "", "must not contain the NULL byte"),
        ({"a": "\ud800"}, "", "surrogates not allowed"),
    ],
)
def test_what_does_not_fit_is_said_with_its_place(tree: dict[str, Tree], path: str, reason: str) -> None:
    with pytest.raises(EncodeError, match=re.escape(reason)) as caught:
        write(tree)
    assert caught.value.path == path


def test_a_place_is_told_below_where_the_document_stands() -> None:
    with pytest.raises(EncodeError) as caught:
        write({"a": {"$oid": "x"}}, "found[3]")
    assert caught.value.path == "found[3].a"


def test_hand_written_forms_are_taken() -> None:
    assert write({"a": {"$numberLong": "5"}}) == bson.encode({"a": Int64(5)})
    assert write({"a": {"$numberDecimal": 5}}) == bson.encode({"a": Decimal128("5")})
    zoned = {"$date": "2026-11-20T11:00:00+01:00"}
    assert write({"a": zoned}) == bson.encode({"a": datetime(2026, 11, 20, 10, tzinfo=UTC)})
