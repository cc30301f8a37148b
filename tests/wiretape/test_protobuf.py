"""Protocol Buffers without generated code: exact both ways by guess and by name, against Google's own library."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from wiretape.errors import ConfigError
from wiretape.protobuf import guess, moments
from wiretape.protobuf.registry import Registry
from wiretape.protobuf.schema import MessageType
from wiretape.protobuf.sources import load
from wiretape.protobuf.wire import Type, field, fields, varint
from wiretape.tree import Tree

PROTO = Path(__file__).parent / "shop.proto"


@pytest.fixture(scope="session")
def registry() -> Registry:
    return load([PROTO])


@pytest.fixture(scope="session")
def order(registry: Registry) -> MessageType:
    return registry.outputs["/shop.v1.Orders/Get"]


@pytest.fixture(scope="session")
def google(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The same type as Google's library makes it."""
    from wiretape.protobuf import sources

    files = descriptor_pb2.FileDescriptorSet.FromString(sources._compiled([(PROTO, PROTO.parent)]))
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)  # type: ignore[no-untyped-call]
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.v1.Order"))  # type: ignore[no-untyped-call]


WHOLE: dict[str, Tree] = {
    "id": -7,
    "customer": "Jos\u00e9",
    "state": "LOST",
    "lines": [{"sku": "A1", "qty": 2, "price": 19.9}, {}],
    "marks": [1, -1, 300],
    "stock": {"a": 1, "b": -2},
    "made": "2026-11-20T10:00:00.123Z",
    "seal": b"\xff\x00",
    "balance": -5,
    "weight": 1.1,
    "paid": True,
    "stamp": 2**63 + 1,
    "shift": -3,
    "parent": {"id": 1, "lines": [{"sku": "x"}]},
    "tags": ["p", ""],
    "by_row": {"-3": {"qty": 1}},
    "states": ["OPEN", 7, "LOST"],
    "loose": [-1, 2],
}


def test_names_of_every_kind_of_field_agree_with_googles_library(order: MessageType, google: Any) -> None:
    data = order.write(WHOLE)
    assert order.read(data) == WHOLE
    theirs = google.FromString(data)
    assert (theirs.id, theirs.customer, theirs.state, theirs.balance, theirs.stamp, theirs.shift) == (
        -7,
        "Jos\u00e9",
        -1,
        -5,
        2**63 + 1,
        -3,
    )
    assert (list(theirs.marks), dict(theirs.stock), list(theirs.loose)) == ([1, -1, 300], {"a": 1, "b": -2}, [-1, 2])
    assert theirs.made.ToJsonString() == "2026-11-20T10:00:00.123Z"
    assert theirs.by_row[-3].qty == 1
    assert theirs.weight == pytest.approx(1.1)
    assert order.read(theirs.SerializeToString(deterministic=True)) is not None


@given(st.data())
def test_what_googles_library_writes_is_read_and_given_back(order: MessageType, google: Any, data: st.DataObject) -> None:
    made = google(
        id=data.draw(st.integers(-(2**63), 2**63 - 1)),
        customer=data.draw(st.text(max_size=5)),
        marks=data.draw(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4)),
        stock=data.draw(st.dictionaries(st.text(max_size=3), st.integers(-5, 5), max_size=3)),
        weight=data.draw(st.floats(width=32, allow_nan=False)),
        seal=data.draw(st.binary(max_size=5)),
        lines=[{"price": price} for price in data.draw(st.lists(st.floats(allow_nan=False), max_size=2))],
    )
    wire = made.SerializeToString()
    tree = order.read(wire)
    assert tree is not None
    assert order.write(tree) == wire
    guessed = guess.read(wire)
    assert guessed is None or guess.write(guessed) == wire


def test_fields_that_the_type_does_not_know_are_kept(order: MessageType) -> None:
    data = order.write({"id": 1}) + field(99, Type.LEN, b"later") + field(98, Type.VARINT, 5)
    tree = order.read(data)
    assert tree == {"id": 1, "99": "later", "98": 5}
    assert order.write({"id": 2, "99": "later"}) == b"\x08\x02" + field(99, Type.LEN, b"later")


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"idd": 1}, "has no field 'idd'"),
        ({"id": "x"}, "id is int64, not 'x'"),
        ({"id": True}, "id is int64, not True"),
        ({"state": "SHUT"}, "state has no value 'SHUT'; known: STATE_UNKNOWN, OPEN, LOST"),
        ({"lines": [{"qty": -1}]}, "qty is uint32: -1 does not fit"),
        ({"made": "yesterday"}, "is no time such as"),
        ({"stock": [1]}, "stock is a map"),
        ([], "is a mapping of its fields"),
    ],
)
def test_edited_fields_that_cannot_be_written(order: MessageType, tree: Tree, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        order.write(tree)


def test_methods_have_their_types(registry: Registry) -> None:
    assert {path: (registry.inputs[path].name, registry.outputs[path].name) for path in registry.inputs} == {
        "/shop.v1.Orders/Get": ("shop.v1.Ask", "shop.v1.Order"),
        "/shop.v1.Orders/Watch": ("shop.v1.Ask", "shop.v1.Order"),
    }


def test_sources_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="there is no file"):
        load([tmp_path / "none.proto"])
    bad = tmp_path / "bad.proto"
    bad.write_text("nonsense")
    with pytest.raises(ConfigError, match=r"bad\.proto:1:1"):
        load([bad])
    lump = tmp_path / "set.binpb"
    lump.write_bytes(b"\xff\xff")
    with pytest.raises(ConfigError, match=r"protos: set\.binpb: "):
        load([lump])
    monkeypatch.setattr("wiretape.protobuf.sources.find_spec", lambda _: None)
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(ConfigError, match="pip install grpcio-tools"):
        load([PROTO])


def test_a_descriptor_set_without_its_imports_says_so(tmp_path: Path) -> None:
    from wiretape.protobuf import sources

    whole = descriptor_pb2.FileDescriptorSet.FromString(sources._compiled([(PROTO, PROTO.parent)]))
    alone = descriptor_pb2.FileDescriptorSet(file=[file for file in whole.file if file.name == "shop.proto"])
    (tmp_path / "shop.binpb").write_bytes(alone.SerializeToString())
    with pytest.raises(
        ConfigError, match=r"google.protobuf.Timestamp, which is not there; make the set with protoc --include_imports"
    ):
        load([tmp_path / "shop.binpb"])


@pytest.mark.parametrize(
    ("tree", "wire"),
    [
        ({"1": "lamp", "2": 7}, "0a046c616d701007"),
        ({"1": {"1": 1}}, "0a020801"),
        ({"1": [{"1": 1}, {"1": 2}]}, "0a0208010a020802"),
        ({"3": -1}, "18ffffffffffffffffff01"),
        ({"1-double": 12.5}, "090000000000002940"),
        ({"1-float": 1.1}, "0dcdcc8c3f"),
        ({"1-fixed64": -1}, "09ffffffffffffffff"),
        ({"4-packed": [3, 270, 1]}, "2204038e0201"),
        ({"1-group": {"2": 3}}, "0b10030c"),
        ({"1": b"\xff\xfe\xfd"}, "0a03fffefd"),
        ({"1": ""}, "0a00"),
        ({}, ""),
    ],
)
def test_guesses(tree: Tree, wire: str) -> None:
    data = bytes.fromhex(wire)
    assert guess.read(data) == tree
    assert guess.write(tree) == data


def test_text_is_preferred_to_a_message_that_could_be_one() -> None:
    text = b"Zurich is a city with 21 letters"
    assert guess.read(field(1, Type.LEN, text)) == {"1": text.decode()}
    nested = field(1, Type.LEN, field(1, Type.LEN, b"0123456789"))  # begins with a line end, as no text does
    assert guess.read(nested) == {"1": {"1": "0123456789"}}


def test_a_message_of_the_same_type_settles_the_guess() -> None:
    assert guess.read(field(1, Type.LEN, b"plain"), {"1": b"\xff"}) == {"1": b"plain"}
    assert guess.read(field(1, Type.LEN, b"\x08\x01"), {"1": [{"1": 5}]}) == {"1": [{"1": 1}]}
    assert guess.read(field(4, Type.LEN, b"AB"), {"4-packed": [1]}) == {"4-packed": [65, 66]}
    small = field(1, Type.FIXED64, 5)
    assert guess.read(small) == {"1-fixed64": 5}
    assert guess.read(small, {"1-double": 1.5}) == {"1-double": struct.unpack("<d", (5).to_bytes(8, "little"))[0]}


@pytest.mark.parametrize(
    "data", [b"\x08", b"\x0a\x05ab", b"\x00", b"\x07", b"\x0c", b"\x0b\x14", b"\x08\x80\x00", b"\xff" * 20]
)
def test_what_is_no_message(data: bytes) -> None:
    assert guess.read(data) is None


def test_fields_out_of_order_are_read_only_where_that_is_exact() -> None:
    assert guess.read(field(2, Type.VARINT, 1) + field(1, Type.VARINT, 2)) == {"2": 1, "1": 2}
    mixed = field(1, Type.VARINT, 1) + field(2, Type.VARINT, 2) + field(1, Type.VARINT, 3)
    assert guess.read(mixed) is None


@given(st.binary(max_size=60))
def test_any_bytes_are_given_back_or_are_no_message(data: bytes) -> None:
    tree = guess.read(data)
    assert tree is None or guess.write(tree) == data


def test_deep_nesting_ends() -> None:
    data = b""
    for _ in range(500):
        data = field(1, Type.LEN, data)
    assert guess.read(data) is None or guess.write(guess.read(data)) == data
    with pytest.raises(ValueError, match="nested too deeply"):
        list(fields(varint(1 << 3 | Type.GROUP) * 500))


@given(st.integers(-62_135_596_800, 253_402_300_799), st.integers(0, 999_999_999))
def test_moments(seconds: int, nanos: int) -> None:
    data = (field(1, Type.VARINT, seconds) if seconds else b"") + (field(2, Type.VARINT, nanos) if nanos else b"")
    text = moments.read(data)
    assert text is not None
    assert moments.write(text) == data


def test_numbers_that_are_no_numbers(order: MessageType) -> None:
    tree = order.read(order.write({"weight": math.inf, "lines": [{"price": math.nan}]}))
    assert tree is not None
    assert str(tree["lines"]) == "[{'price': nan}]"
    assert tree["weight"] == math.inf
