"""Values of every type: their text form, their binary form, what stands in a case; and the names of types."""

from __future__ import annotations

import datetime as dt
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiretape.errors import DecodeError, EncodeError
from wiretape.protocols.mysql.charsets import UTF8MB4, of_collation, of_name
from wiretape.protocols.mysql.constants import Flag, Kind
from wiretape.protocols.mysql.literals import comparable
from wiretape.protocols.mysql.moments import canonical
from wiretape.protocols.mysql.numbers import float_text, spelled
from wiretape.protocols.mysql.packets import Column
from wiretape.protocols.mysql.types import parse_type, type_name
from wiretape.protocols.mysql.values import read_binary, read_parameter, read_tree, write_binary, write_text_form
from wiretape.protocols.wire import Cursor
from wiretape.tree import Number, Tree, same

LATIN1 = of_collation(8)

# type, text form, what stands in a case, binary form
VALUES: list[tuple[str, bytes, Tree, bytes]] = [
    ("tinyint", b"-128", -128, b"\x80"),
    ("tinyint unsigned", b"255", 255, b"\xff"),
    ("tinyint(1)", b"1", 1, b"\x01"),
    ("smallint", b"-2", -2, b"\xfe\xff"),
    ("mediumint", b"-8388608", -8388608, b"\x00\x00\x80\xff"),
    ("mediumint unsigned", b"16777215", 16777215, b"\xff\xff\xff\x00"),
    ("int", b"2147483647", 2147483647, b"\xff\xff\xff\x7f"),
    ("int(8) unsigned zerofill", b"00000005", 5, b"\x05\x00\x00\x00"),
    ("bigint", b"-9223372036854775808", -(2**63), b"\0\0\0\0\0\0\0\x80"),
    ("bigint unsigned", b"18446744073709551615", 2**64 - 1, b"\xff" * 8),
    ("year", b"2024", 2024, b"\xe8\x07"),
    ("year", b"0000", 0, b"\0\0"),
    ("float", b"1.5", Number("1.5"), struct.pack("<f", 1.5)),
    ("float", b"3.14159", Number("3.14159"), struct.pack("<f", 3.14159)),
    ("double", b"1e100", Number("1e100"), struct.pack("<d", 1e100)),
    ("double", b"-0.25", Number("-0.25"), struct.pack("<d", -0.25)),
    ("double", b"3", 3, struct.pack("<d", 3)),
    ("double(10,3)", b"1.500", Number("1.500"), struct.pack("<d", 1.5)),
    ("decimal(10,2)", b"12.50", Number("12.50"), b"\x0512.50"),
    ("decimal(10,0)", b"-7", -7, b"\x02-7"),
    ("date", b"2024-02-29", "2024-02-29", b"\x04\xe8\x07\x02\x1d"),
    ("date", b"0000-00-00", "0000-00-00", b"\x00"),
    ("datetime", b"2024-02-29 00:00:00", "2024-02-29 00:00:00", b"\x04\xe8\x07\x02\x1d"),
    ("datetime", b"2024-02-29 01:02:03", "2024-02-29 01:02:03", b"\x07\xe8\x07\x02\x1d\x01\x02\x03"),
    ("datetime(6)", b"2024-02-29 01:02:03.000004", "2024-02-29 01:02:03.000004", b"\x0b\xe8\x07\x02\x1d\x01\x02\x03\x04\0\0\0"),
    ("datetime(3)", b"2024-02-29 01:02:03.500", "2024-02-29 01:02:03.500", b"\x0b\xe8\x07\x02\x1d\x01\x02\x03\x20\xa1\x07\0"),
    ("datetime(3)", b"0000-00-00 00:00:00.000", "0000-00-00 00:00:00.000", b"\x00"),
    ("timestamp", b"2024-02-29 01:02:03", "2024-02-29 01:02:03", b"\x07\xe8\x07\x02\x1d\x01\x02\x03"),
    ("time", b"00:00:00", "00:00:00", b"\x00"),
    ("time", b"-12:34:56", "-12:34:56", b"\x08\x01\0\0\0\0\x0c\x22\x38"),
    ("time", b"838:59:59", "838:59:59", b"\x08\x00\x22\0\0\0\x16\x3b\x3b"),
    ("time(3)", b"01:02:03.450", "01:02:03.450", b"\x0c\x00\0\0\0\0\x01\x02\x03\xd0\xdd\x06\0"),
    ("varchar(80)", "Zoë ☃".encode(), "Zoë ☃", b"\x08" + "Zoë ☃".encode()),
    ("char(4)", b"", "", b"\x00"),
    ("text", b"a\nb\tc", "a\nb\tc", b"\x05a\nb\tc"),
    ("varchar(4)", b"\xff\xfe", b"\xff\xfe", b"\x02\xff\xfe"),
    ("varbinary(4)", b"text", "text", b"\x04text"),
    ("blob", b"\x89PNG", b"\x89PNG", b"\x04\x89PNG"),
    ("blob", b"a\0b", b"a\0b", b"\x03a\0b"),
    ("bit(9)", b"\x01\x01", 257, b"\x02\x01\x01"),
    ("bit(1)", b"\x00", 0, b"\x01\x00"),
    ("enum", b"ok", "ok", b"\x02ok"),
    ("set", b"a,c", "a,c", b"\x03a,c"),
    ("json", b'{"a": 1}', '{"a": 1}', b'\x08{"a": 1}'),
    ("point", b"\0\0\0\0\x01\x01", b"\0\0\0\0\x01\x01", b"\x06\0\0\0\0\x01\x01"),
    ("uuid", b"7b0e", "7b0e", b"\x047b0e"),
]


@pytest.mark.parametrize(("name", "text", "tree", "binary"), VALUES, ids=[f"{name} {text!r}" for name, text, _, _ in VALUES])
def test_every_form_gives_every_other(name: str, text: bytes, tree: Tree, binary: bytes) -> None:
    type_ = parse_type(name)
    assert same(read_tree(type_, text, UTF8MB4), tree)
    assert write_text_form(type_, tree, UTF8MB4) == text
    assert write_binary(type_, text) == binary
    cursor = Cursor(binary)
    read = read_binary(cursor, type_.kind, type_.flags, type_.decimals)
    assert cursor.left == 0
    assert write_text_form(type_, read_tree(type_, read, UTF8MB4), UTF8MB4) == text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("int", True, b"1"),
        ("int", "7", b"7"),
        ("double", 1.5, b"1.5"),
        ("decimal(10,2)", 3, b"3"),
        ("varchar(10)", 5, b"5"),
        ("varchar(10)", True, b"true"),
        ("varchar(10)", Number("1.50"), b"1.50"),
        ("json", {"a": [1, None, True, Number("2.50")]}, b'{"a": [1, null, true, 2.50]}'),
        ("bit(3)", b"\x05", b"\x05"),
        ("blob", 5, b"5"),
        ("int", None, None),
    ],
)
def test_what_a_person_may_write_instead(name: str, value: Tree, text: bytes | None) -> None:
    assert write_text_form(parse_type(name), value, UTF8MB4) == text


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("tinyint", 128, "128 is not tinyint: write a whole number that fits"),
        ("int unsigned", -1, "-1 is not int unsigned: write a whole number that fits"),
        ("int", "x", "x is not int: write a whole number that fits"),
        ("mediumint", 8388608, "8388608 is not mediumint: write a whole number that fits"),
        ("double", "x", "x is not double: write a number that fits"),
        ("float", 1e300, "1e+300 is not float: write a number that fits"),
        ("decimal(4,1)", "x", "'x' is not decimal(4,1): write digits, as in 12.50"),
        ("date", "29.02.2024", "'29.02.2024' is not date: write it as 2024-12-31"),
        ("datetime", "2024-13-01 00:00:00", "'2024-13-01 00:00:00' is not datetime: write it as 2024-12-31 23:59:59"),
        ("time", "soon", "'soon' is not time: write it as 23:59:59.123"),
        ("bit(1)", 256, "256 does not fit into bit(1): write the bits as a whole number"),
        ("varchar(5)", [1], "varchar(5) cannot be array; write its text in quotes"),
        ("json", {"a": float("inf")}, "inf is not JSON"),
        ("int", [1], "array is not int: write a number"),
    ],
)
def test_what_does_not_fit_is_said(name: str, value: Tree, reason: str) -> None:
    with pytest.raises(EncodeError) as caught:
        write_text_form(parse_type(name), value, UTF8MB4)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "name", sorted({name for name, _, _, _ in VALUES} | {"tinytext", "mediumblob", "longtext", "geometry", "null"})
)
@pytest.mark.parametrize("charset", [UTF8MB4, LATIN1, of_collation(33)], ids=lambda one: one.name)
@pytest.mark.parametrize("words", ["", " not null primary key auto_increment"])
def test_a_types_name_survives_the_wire(name: str, charset, words: str) -> None:
    column = parse_type(name + words).column(b"c", charset)
    assert type_name(column, charset) == name + words
    again = Column.decode(column.encode(1 << 35), 1 << 35)
    assert again == column


@pytest.mark.parametrize(
    ("name", "kind", "flags"),
    [
        ("INTEGER  UNSIGNED", Kind.LONG, Flag.UNSIGNED),
        ("bool", Kind.TINY, 0),
        ("numeric(5,2)", Kind.NEWDECIMAL, 0),
        ("double precision", Kind.DOUBLE, 0),
        ("varchar", Kind.VAR_STRING, 0),
        ("int not null unique", Kind.LONG, Flag.NOT_NULL | Flag.UNIQUE_KEY),
    ],
)
def test_names_a_person_may_write(name: str, kind: Kind, flags: int) -> None:
    found = parse_type(name)
    assert (found.kind, found.flags) == (kind, flags)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("strin", "'strin' is not a known type; did you mean string?"),
        ("int nullable", "'nullable' in the type 'int nullable' is not understood"),
        ("", "'' is not a known type"),
        ("varchar(99999999999)", "nothing is that long"),
    ],
)
def test_unknown_types_are_said(name: str, reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_type(name)
    assert reason in str(caught.value)


def column(kind: Kind, **more: int) -> Column:
    return Column(name=b"c", kind=kind, **{"collation": 63, "length": 11, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "name"),
    [
        (column(Kind.LONGLONG, length=21, flags=Flag.NOT_NULL), "bigint not null"),
        (column(Kind.BLOB, collation=45, length=16777216), "mediumtext"),
        (column(Kind.LONG_BLOB, collation=45, length=67108864), "longtext"),
        (column(Kind.VAR_STRING, collation=45, length=7), "varchar(2)"),
        (column(Kind.JSON, length=4294967295), "json"),
        (column(Kind.ENUM, collation=45), "enum"),
        (column(Kind.DATETIME, decimals=31), "datetime"),
        (column(Kind.NEWDECIMAL, length=0), "decimal(1,0)"),
        (column(Kind.BIT, length=0), "bit(1)"),
    ],
)
def test_names_of_what_servers_send(told: Column, name: str) -> None:
    assert type_name(told, UTF8MB4) == name
    parse_type(name)


@given(st.integers(0, 255), st.integers(0, 65535), st.integers(0, 2**32 - 1), st.integers(0, 65535), st.integers(0, 255))
def test_any_column_has_a_name_that_can_be_read(kind: int, collation: int, length: int, flags: int, decimals: int) -> None:
    told = Column(name=b"c", kind=kind, collation=collation, length=length, flags=flags, decimals=decimals)
    parse_type(type_name(told, of_collation(collation)))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_survive(value: float) -> None:
    text = float_text(struct.pack("<d", value), 31)
    assert float(text) == value
    assert struct.unpack("<d", write_binary(parse_type("double"), text.encode()))[0] == value


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floats_survive(value: float) -> None:
    text = float_text(struct.pack("<f", value), 31)
    assert write_binary(parse_type("float"), text.encode()) == struct.pack("<f", value)


@given(st.datetimes())
def test_datetimes_survive(value: dt.datetime) -> None:
    type_ = parse_type("datetime(6)")
    text = value.strftime("%Y-%m-%d %H:%M:%S.%f").rjust(26, "0").encode()
    assert read_binary(Cursor(write_binary(type_, text)), type_.kind, type_.flags, 6) == text


@given(st.timedeltas(dt.timedelta(days=-34), dt.timedelta(days=34)))
def test_times_survive(value: dt.timedelta) -> None:
    type_ = parse_type("time(6)")
    whole, micros = divmod(abs(value) // dt.timedelta(microseconds=1), 1_000_000)
    sign = "-" if value < dt.timedelta(0) else ""
    text = f"{sign}{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{micros:06}".encode()
    assert read_binary(Cursor(write_binary(type_, text)), type_.kind, type_.flags, 6) == text


@given(st.binary(max_size=20), st.sampled_from([*Kind, 200]), st.booleans())
def test_any_bytes_are_a_value_or_an_error(data: bytes, kind: int, unsigned: bool) -> None:
    try:
        read_parameter(Cursor(data), kind, unsigned=unsigned, charset=UTF8MB4)
    except DecodeError:
        return


def test_one_spelling_for_equal_numbers() -> None:
    assert [spelled(text) for text in ("1", "1.0", "1.50", "1e3", "-0.0", "007", "x", "nan", "1e99999999")] == [
        "1", "1", "1.5", "1000", "0", "7", "x", "nan", "1e99999999",
    ]  # fmt: skip
    assert [comparable(value) for value in (1, 1.0, True, b"\xff", b"a", None, "x", Number("2.50"))] == [
        "1", "1", "1", b"\xff", "a", None, "x", "2.5",
    ]  # fmt: skip


def test_one_form_for_equal_moments() -> None:
    assert canonical("2024-01-02T03:04:05.100") == "2024-01-02 03:04:05.1"
    assert canonical("2024-01-02 03:04:05.000000") == "2024-01-02 03:04:05"
    assert canonical("2024-01-02") == "2024-01-02"


def test_character_sets() -> None:
    latin1 = of_name("latin1")
    assert latin1 is not None
    assert latin1.encode("Zoë") == b"Zo\xeb"
    assert latin1.encode("☃") == b"?"
    assert of_collation(255) is UTF8MB4
    assert of_collation(2304 + 64).name == "utf8mb4"
    assert of_collation(83).name == "utf8mb3"
    assert of_name("nothing") is None
