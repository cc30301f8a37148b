"""Values without a server: what garbage does, what errors say, what a case may hold. psycopg's adapters are the oracle."""

from __future__ import annotations

import datetime as dt
import decimal
import time
import uuid
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import Format

from wiretape.errors import EncodeError
from wiretape.protocols.postgres.types import Catalog, parse_type, type_name, type_size
from wiretape.protocols.postgres.values import Style, from_tree, record_binary, record_tree, to_binary, to_text, to_tree
from wiretape.tree import Number, Tree, kind

FACTS: Mapping[str, Tree] = {
    "mood": {"oid": 16402, "kind": "enum", "array": 16401},
    "point2": {"oid": 16410, "kind": "composite", "array": 16409, "fields": {"x": "int4", "y": "numeric(8,2)", "m": "mood[]"}},
    "email": {"oid": 16420, "kind": "domain", "base": "text"},
    "count": {"oid": 16421, "kind": "domain", "base": "int4"},
    "floatrange": {"oid": 16430, "kind": "range", "subtype": "float8", "multirange": 16428},
    "hstore": {"oid": 16440, "kind": "base", "array": 16445},
    "geometry": {"oid": 16450},
}
CATALOG = Catalog.of(FACTS)
OIDS = [oid for oid in range(17000) if CATALOG.by_oid(oid)]
LAWS = settings(max_examples=1500, deadline=None)


def oid_of(name: str) -> int:
    return parse_type(CATALOG, name)[0]


def attempt(oid: int, text: str) -> bytes | EncodeError:
    try:
        return to_binary(CATALOG, oid, text)
    except EncodeError as error:
        return error


# Garbage


@LAWS
@given(st.sampled_from(OIDS), st.binary(max_size=40))
def test_bytes_that_are_not_a_value_have_no_text(oid: int, data: bytes) -> None:
    text = to_text(CATALOG, oid, data)
    if text is not None and oid not in (2249, 2287):
        assert to_text(CATALOG, oid, to_binary(CATALOG, oid, text)) == text


@LAWS
@given(st.sampled_from(OIDS), st.text('{}[]()<>",\\:=.-+0123456789eEtfNULa /%é\x00', max_size=20) | st.text(max_size=8))
def test_text_that_is_not_a_value_is_an_error_that_says_so(oid: int, text: str) -> None:
    data = attempt(oid, text)
    if isinstance(data, EncodeError):
        assert data.path == ""
        assert "expected" in data.reason or "not known" in data.reason
    else:
        assert to_text(CATALOG, oid, data) is not None


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("bool", b"\x02"), ("bool", b""), ("int4", b"\0" * 3), ("int4", b"\0" * 5), ("text", b"\xff"), ("text", b"a\0b"),
        ("numeric", b"\0\1\0\0\0\0\0\0\x27\x10"), ("numeric", b"\0\1\0\0\0\0\0\0"), ("numeric", b"\0\0\0\0\x12\x34\0\0"),
        ("date", (2**31 - 2).to_bytes(4)), ("time", (86_400_000_001).to_bytes(8)), ("timestamp", (2**63 - 2).to_bytes(8)),
        ("timestamp", (9223371331200000000).to_bytes(8)),
        ("int4[]", b"\0\0\0\1\0\0\0\0\0\0\0\x17\x7f\xff\xff\xff\0\0\0\1"), ("int4[]", b"\0\0\0\7\0\0\0\0\0\0\0\x17"),
        ("int4[]", b"\0\0\0\0\0\0\0\0\0\0\0\x19"), ("int4[]", b"\0\0\0\0\0\0\0\0\0\0\0\x17\0"), ("int4range", b"\x20"),
        ("int4range", b"\x1a"),
        ("int4range", b""),
        ("varbit", b"\0\0\0\1\xff"), ("jsonb", b"\2{}"), ("inet", b"\2\x21\0\4\1\2\3\4"), ("inet", b"\2\x20\1\4\1\2\3\4"),
        ("point2", b"\0\0\0\1\0\0\0\x17\xff\xff\xff\xff"), ("record", b"\x7f\xff\xff\xff"),
        ("path", b"\2\0\0\0\1" + b"\0" * 16),
        ("void", b"x"), ("regclass", b"\0\0\4\xeb"), ("geometry", b"\1\1\0\0\0"), ("oid:99999", b"x"),
        ("hstore", b"\0\0\0\1\xff\xff\xff\xff"),
    ],
)  # fmt: skip
def test_what_no_server_sends_is_not_read(name: str, data: bytes) -> None:
    assert to_text(CATALOG, oid_of(name), data) is None


def test_rows_within_rows_end_somewhere() -> None:
    data = b"\0\0\0\0"
    for _ in range(2000):
        data = b"\0\0\0\1" + (2249).to_bytes(4) + len(data).to_bytes(4) + data
    assert to_text(CATALOG, 2249, data) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("text[]", "{" + "a," * 20000 + "b}"), ("text[]", '{"' + '\\"' * 20000 + '"}'), ("text[]", "{" + " " * 40000 + "}"),
        ("text[]", "{a" + " \\" * 20000 + "b}"), ("point2", '("' + '""' * 20000 + '",,)'),
        ("int4multirange", "{" + "[1,2)," * 10000 + "[3,4)}"),
        ("int4multirange", "{[" + '"' * 40001 + "}"), ("numeric", "1" * 60000), ("numeric", "1e60000"),
        ("interval", "1 day " * 8000),
        ("interval", "1" * 40000), ("bytea", "\\000" * 10000), ("polygon", "(" + "(1,2)," * 5000 + "(1,2))"),
        ("polygon", "((" + " " * 40000 + "1,2)"),
        ("hstore", '"a"=>"b",' * 8000), ("float8", "1" * 40000), ("timestamp", "1" * 40000), ("varbit", "10" * 20000),
        ("text[]", "{" * 40000),
    ],
)  # fmt: skip
def test_time_grows_with_length_only(name: str, text: str) -> None:
    started = time.process_time()
    data = attempt(oid_of(name), text)
    if isinstance(data, EncodeError):
        assert len(str(data)) < 400
    else:
        assert to_text(CATALOG, oid_of(name), data) is not None
    assert time.process_time() - started < 3


# What errors say


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("int4", "abc", "'abc' is not an int4: expected a whole number from -2147483648 to 2147483647"),
        ("int2", "40000", "'40000' is not an int2: expected a whole number from -32768 to 32767"),
        ("timestamptz", "yesterday", "'yesterday' is not a timestamptz: expected a timestamp with its offset such as"),
        ("date", "2026-02-30", "'2026-02-30' is not a date: expected a date such as 2026-11-20"),
        ("int4[]", "{1,x}", "'{1,x}' is not an int4[]: expected an array such as {a,b} whose items are each an int4"),
        ("int4range", "1-5", "'1-5' is not an int4range: expected a range such as [1,5)"),
        ("point2", "(1,2)", "'(1,2)' is not a point2: expected a row (x,y,m)"),
        ("count", "many", "'many' is not a count: expected a whole number"),
        ("hstore", "a", "'a' is not a hstore: expected pairs"),
        (
            "geometry",
            "0101",
            "the binary form of geometry is not known (not one of the types converted); have the client ask for text",
        ),
        (
            "oid:99999",
            "x",
            "the binary form of oid:99999 is not known (no such type in the catalog); have the client ask for text",
        ),
        ("text", "a\0", "'a\\x00' is not a text: expected text without zero bytes"),
        ("int4", "9" * 100, "'999999999999999999999999999999999999999999999999999999999...' is not an int4"),
    ],
)
def test_an_error_says_what_was_expected(name: str, text: str, reason: str) -> None:
    with pytest.raises(EncodeError) as raised:
        to_binary(CATALOG, oid_of(name), text)
    assert raised.value.reason.startswith(reason)


@pytest.mark.parametrize(
    ("facts", "path"),
    [
        ({"mood": 1}, "types.mood"),
        ({"mood": {"kind": "enum"}}, "types.mood.oid"),
        ({"mood": {"oid": "16402"}}, "types.mood.oid"),
        ({"mood": {"oid": True}}, "types.mood.oid"),
        ({"mood": {"oid": 1, "kind": "enumm"}}, "types.mood.kind"),
        ({"mood": {"oid": 1, "kind": "enum", "array": -1}}, "types.mood.array"),
        ({"p": {"oid": 1, "kind": "composite"}}, "types.p.fields"),
        ({"p": {"oid": 1, "kind": "composite", "fields": {"x": "integr"}}}, "types.p.fields.x"),
        ({"d": {"oid": 1, "kind": "domain"}}, "types.d.base"),
        ({"r": {"oid": 1, "kind": "range", "subtype": 3}}, "types.r.subtype"),
    ],
)
def test_facts_that_describe_no_type_are_an_error_at_their_place(facts: Mapping[str, Tree], path: str) -> None:
    with pytest.raises(EncodeError) as raised:
        Catalog.of(facts)
    assert raised.value.path == path


def test_types_may_be_made_of_each_other_in_any_order() -> None:
    catalog = Catalog.of(
        {
            "a": {"oid": 20001, "kind": "composite", "fields": {"b": "b[]"}},
            "b": {"oid": 20002, "kind": "domain", "base": "int4", "array": 20003},
        }
    )
    assert to_text(catalog, 20001, to_binary(catalog, 20001, '("{1,NULL}")')) == '("{1,NULL}")'


def test_a_domain_of_itself_ends() -> None:
    catalog = Catalog.of(
        {"a": {"oid": 20001, "kind": "domain", "base": "b"}, "b": {"oid": 20002, "kind": "domain", "base": "a"}}
    )
    assert to_text(catalog, 20001, b"x") is None
    assert to_tree(catalog, 20001, "x") == "x"
    with pytest.raises(EncodeError):
        to_binary(catalog, 20001, "x")


# Names of types


@pytest.mark.parametrize(
    ("oid", "modifier", "name"),
    [
        (23, -1, "int4"), (1007, -1, "int4[]"), (1700, 655366, "numeric(10,2)"), (1700, 198658, "numeric(3,-2)"),
        (1043, 24, "varchar(20)"),
        (1015, 24, "varchar(20)[]"), (1184, 3, "timestamptz(3)"), (1186, (0x7FFF << 16) | 2, "interval(2)"),
        (1186, 67174399, "interval(67174399)"),
        (18, -1, '"char"'), (1560, 5, "bit(5)"), (16402, -1, "mood"), (16401, -1, "mood[]"), (16428, -1, "floatmultirange"),
        (99999, -1, "oid:99999"), (99999, 7, "oid:99999(7)"), (16450, 3, "geometry(3)"), (2287, -1, "record[]"),
        (1002, -1, '"char"[]'),
    ],
)  # fmt: skip
def test_a_type_s_name_is_read_back(oid: int, modifier: int, name: str) -> None:
    assert type_name(CATALOG, oid, modifier) == name
    assert parse_type(CATALOG, name) == (oid, modifier)


@pytest.mark.parametrize("oid", OIDS)
def test_every_type_s_name_is_read_back(oid: int) -> None:
    assert parse_type(CATALOG, type_name(CATALOG, oid, -1)) == (oid, -1)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("integer", "int4"), ("INT", "int4"), ("bigint", "int8"), ("character varying(20)", "varchar(20)"),
        ("Timestamp With Time Zone", "timestamptz"),
        ("timestamp (3) with time zone", "timestamptz(3)"), ("double  precision", "float8"), ("decimal(5)", "numeric(5,0)"),
        ("boolean[]", "bool[]"),
        ("time without time zone", "time"), ("int4[3]", "int4[]"), ("int4[][]", "int4[]"), ("bit varying(9)", "varbit(9)"),
        ("TEXT", "text"),
    ],
)  # fmt: skip
def test_sql_s_own_names_are_understood(written: str, name: str) -> None:
    assert parse_type(CATALOG, written) == parse_type(CATALOG, name)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("integr", "'integr' is not a known type; did you mean integer?"),
        ("varchr(20)", "'varchr(20)' is not a known type; did you mean varchar?"),
        ("zzz", "'zzz' is not a known type"),
        ("numeric(a)", "(a) in 'numeric(a)' is not a type modifier; write numbers, as in numeric(10,2)"),
        ("geometry[]", "'geometry[]': there is no array type of that"),
        ("", "'' is not a type name"),
        ("int4(", "'int4(' is not a type name"),
    ],
)
def test_a_name_that_is_no_type_is_corrected(written: str, reason: str) -> None:
    with pytest.raises(ValueError) as raised:
        parse_type(CATALOG, written)
    assert str(raised.value) == reason


def test_a_custom_type_cannot_hide_a_built_in_one() -> None:
    catalog = Catalog.of({"point": {"oid": 20001, "kind": "composite", "fields": {"x": "int4"}}})
    assert type_name(catalog, 20001, -1) == "oid:20001"
    assert parse_type(catalog, "point") == (600, -1)
    assert to_text(catalog, 20001, to_binary(catalog, 20001, "(1)")) == "(1)"


def test_sizes_are_those_of_row_descriptions() -> None:
    assert [type_size(oid) for oid in (16, 23, 25, 2950, 1700, 1007, 16402, 705)] == [1, 4, -1, 16, -1, -1, -1, -2]


# What stands in a case


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("int4", "17", 17), ("int8", "-9223372036854775808", -(2**63)), ("oid", "4294967295", 4294967295), ("count", "5", 5),
        ("numeric", "12.50", Number("12.50")), ("numeric", "12", 12), ("numeric", "-0.00", Number("-0.00")),
        ("numeric", "NaN", "NaN"),
        ("numeric", "1" * 30, int("1" * 30)), ("numeric", "1" * 2000, "1" * 2000), ("float8", "1e+22", Number("1e+22")),
        ("float8", "-0", "-0"),
        ("float8", "1.5e-07", Number("1.5e-07")), ("float8", "Infinity", "Infinity"), ("float4", "0.1", Number("0.1")),
        ("bool", "t", "t"),
        ("text", "17", "17"), ("money", "$1.00", "$1.00"), ("int4[]", "{1}", "{1}"), ("json", "1", "1"),
        ("numeric", "1." + "0" * 400, Number("1." + "0" * 400)),
    ],
)  # fmt: skip
def test_a_case_shows_numbers_as_numbers_and_the_rest_as_text(name: str, text: str, expected: Tree) -> None:
    value = to_tree(CATALOG, oid_of(name), text)
    assert (kind(value), str(value)) == (kind(expected), str(expected))
    assert from_tree(CATALOG, oid_of(name), value) == text


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("bool", True, "t"), ("bool", False, "f"), ("text", True, "true"), ("text", 17, "17"), ("text", Number("1.50"), "1.50"),
        ("json", False, "false"), ("int4", None, None), ("float8", 1e22, "1e+22"), ("float4", 0.1, "0.1"),
        ("float8", float("inf"), "Infinity"),
        ("numeric", 10**30, "1" + "0" * 30), ("uuid", "x", "x"), ("bytea", b"\x00\xff", "\\x00ff"), ("int4", b"\0\0\0\7", "7"),
        ("json", {"b": [1, Number("1.10"), None, True], "a": "é\n"}, '{"b":[1,1.10,null,true],"a":"é\\n"}'), ("json", [], "[]"),
        ("jsonb", {"bb": 1, "c": [1, 2], "a": {}}, '{"a": {}, "c": [1, 2], "bb": 1}'),
        ("int4[]", [1, None, 3], "{1,NULL,3}"), ("text[]", ["a b", "", "NULL", None, 'q"'], '{"a b","","NULL",NULL,"q\\""}'),
        ("int4[]", [[1, 2], [3, 4]], "{{1,2},{3,4}}"), ("bool[]", [True, False], "{t,f}"),
        ("box[]", ["(1,1),(0,0)", "(2,2),(0,0)"], "{(1,1),(0,0);(2,2),(0,0)}"),
        ("json[]", [{"a": 1}, [1, 2]], '{"{\\"a\\":1}","[1,2]"}'), ("int4[]", [], "{}"), ("count", 5, "5"),
        ("mood[]", ["sad", None], "{sad,NULL}"),
    ],
)  # fmt: skip
def test_what_a_person_may_write(name: str, value: Tree, expected: str | None) -> None:
    assert from_tree(CATALOG, oid_of(name), value) == expected


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("int4", [1], "an int4 cannot be an array; write its text form in quotes"),
        ("text", {"a": 1}, "a text cannot be an object; write its text form in quotes"),
        ("text[]", {"a": 1}, "a text[] cannot be an object; write its text form in quotes"),
        ("int4", b"\0", "these bytes are not the binary form of an int4"),
        ("json", [b"x"], "b'x' is not JSON"),
        ("json", [float("nan")], "nan is not JSON"),
    ],
)
def test_what_cannot_be_a_value_is_an_error(name: str, value: Tree, reason: str) -> None:
    with pytest.raises(EncodeError) as raised:
        from_tree(CATALOG, oid_of(name), value)
    assert (raised.value.path, raised.value.reason) == ("", reason)


# Time zones


def test_a_zone_not_known_here_counts_as_utc() -> None:
    data = to_binary(CATALOG, 1184, "2026-07-01 10:00:00+00")
    assert to_text(CATALOG, 1184, data, Style(timezone="Moon/Crater")) == "2026-07-01 10:00:00+00"
    assert to_text(CATALOG, 1184, data, Style(timezone="../etc/passwd")) == "2026-07-01 10:00:00+00"
    assert to_text(CATALOG, 1184, data, Style(timezone="Europe/Berlin")) == "2026-07-01 12:00:00+02"


def test_a_range_of_timestamps_is_in_the_session_s_zone_too() -> None:
    style = Style(timezone="Asia/Kathmandu")
    text = '["2026-07-01 10:00:00+05:45","2026-07-01 11:00:00+05:45")'
    assert to_text(CATALOG, 3910, to_binary(CATALOG, 3910, text, style), style) == text


# psycopg reads the same value from our text as from the binary it made itself

PYTHON: Mapping[str, st.SearchStrategy[object]] = {
    "int8": st.integers(-(2**63), 2**63 - 1),
    "float8": st.floats(allow_nan=False),
    "numeric": st.decimals(allow_nan=False, allow_infinity=False, places=6) | st.decimals(-(10**9), 10**9),
    "bool": st.booleans(),
    "bytea": st.binary(max_size=20),
    "uuid": st.uuids(),
    "date": st.dates(),
    "time": st.times(),
    "timestamp": st.datetimes(),
    "timestamptz": st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 12, 31), timezones=st.just(dt.UTC)),
    "interval": st.timedeltas(dt.timedelta(-(10**6)), dt.timedelta(10**6)),
    "inet": st.ip_addresses(),
    "text": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
    "int8[]": st.lists(st.integers(2**31, 2**63 - 1) | st.none(), min_size=1, max_size=4).filter(
        lambda items: items[0] is not None
    ),
}


@pytest.mark.parametrize("name", PYTHON)
def test_psycopg_reads_from_our_text_what_it_wrote_in_binary(name: str) -> None:
    oid, transformer = oid_of(name), Transformer()

    @settings(max_examples=150, deadline=None)
    @given(PYTHON[name])
    def law(value: object) -> None:
        data = bytes(transformer.get_dumper(value, PyFormat.BINARY).dump(value) or b"")
        if name == "int8":
            assert isinstance(value, int)
            data = value.to_bytes(8, "big", signed=True)
        text = to_text(CATALOG, oid, data)
        assert text is not None
        assert to_binary(CATALOG, oid, text) == data
        assert transformer.get_loader(oid, Format.TEXT).load(text.encode()) == value

    law()


def test_psycopg_s_oracle_is_not_trivial() -> None:
    """The adapters really parse: a wrong text is told."""
    transformer = Transformer()
    assert transformer.get_loader(1700, Format.TEXT).load(b"1.50") == decimal.Decimal("1.50")
    assert transformer.get_loader(2950, Format.TEXT).load(str(uuid.UUID(int=1)).encode()) != uuid.UUID(int=2)


def test_a_row_of_no_declared_type_says_its_types() -> None:
    catalog = Catalog.of({})
    data = bytes.fromhex("00000003 00000017 00000004 00000005 00000019 00000003 612c62 00000019 ffffffff".replace(" ", ""))
    tree = record_tree(catalog, data, Style())
    assert tree == [["int4", 5], ["text", "a,b"], ["text", None]]
    assert record_binary(catalog, tree, Style()) == data
    assert from_tree(catalog, 2249, tree) == '(5,"a,b",)'
    assert record_tree(catalog, data + b"x", Style()) == data + b"x"
    with pytest.raises(EncodeError, match="expected a list of fields"):
        record_binary(catalog, [[1, 2, 3]], Style())
