"""Values against the server itself: what it sends as text and as binary for one expression convert into each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.pq import ExecStatus, PGresult

from tests.conftest import Postgres
from wiretape.protocols.postgres.types import Catalog, parse_type, type_name, type_size
from wiretape.protocols.postgres.values import Style, from_tree, to_binary, to_text, to_tree
from wiretape.tree import Tree

ROWS = 400
UTC = Style()

CUSTOM_TYPES = """
    create type mood as enum ('sad', 'so so', 'ha"ppy');
    create type point2 as (x int4, y text, z numeric(8,2));
    create type line2 as (a point2, b point2[], m mood);
    create domain email as text check (value like '%@%');
    create type floatrange as range (subtype = float8);
    create extension citext;
    create extension ltree;
    create extension hstore;
"""

FIND_TYPES = """
    select t.oid, t.typname, t.typtype, t.typarray, bt.typname, st.typname, r.rngmultitypid,
        (select array_agg(a.attname || '=' || format_type(a.atttypid, null) order by attnum)
         from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)
    from pg_type t left join pg_type bt on bt.oid = t.typbasetype
        left join pg_range r on r.rngtypid = t.oid left join pg_type st on st.oid = r.rngsubtype
    where t.oid > 16000 and t.typcategory <> 'A' and t.typtype <> 'm'
        and t.typnamespace in (select oid from pg_namespace where nspname = 'public')
"""

KINDS = {"e": "enum", "c": "composite", "d": "domain", "r": "range", "b": "base"}

type Value = tuple[bytes | None, bytes | None]


@dataclass(frozen=True)
class Server:
    connection: psycopg.Connection
    catalog: Catalog

    def both(self, query: str) -> tuple[int, list[Value]]:
        """The type of a query's first column, and its values as the server writes them in text and in binary."""
        with self.connection.transaction():  # in one transaction now() stands still
            self.connection.execute("select setseed(0.42)")
            text = self.run(query, 0)
            self.connection.execute("select setseed(0.42)")
            binary = self.run(query, 1)
        return text.ftype(0), [(text.get_value(row, 0), binary.get_value(row, 0)) for row in range(text.ntuples)]

    def run(self, query: str, result_format: int) -> PGresult:
        return self.checked(self.connection.pgconn.exec_params(query.encode(), None, result_format=result_format))

    def echo(self, oid: int, data: bytes, *, param_format: int, result_format: int) -> bytes:
        """The value the server makes of `data`."""
        result = self.connection.pgconn.exec_params(
            b"select $1", [data], [oid], param_formats=[param_format], result_format=result_format
        )
        value = self.checked(result).get_value(0, 0)
        assert value is not None
        return value

    def checked(self, result: PGresult) -> PGresult:
        assert result.status == ExecStatus.TUPLES_OK, result.error_message.decode()
        return result

    def agree(self, oid: int, text: bytes | None, binary: bytes | None, style: Style = UTC) -> None:
        assert text is not None
        assert binary is not None
        assert to_text(self.catalog, oid, binary, style) == text.decode()
        assert to_binary(self.catalog, oid, text.decode(), style) == binary, text

    def understands(self, oid: int, written: str, style: Style = UTC) -> None:
        """What a person writes means to this code what it means to the server, and so does what the server answers."""
        text = self.echo(oid, written.encode(), param_format=0, result_format=0)
        binary = self.echo(oid, written.encode(), param_format=0, result_format=1)
        self.agree(oid, text, binary, style)
        sent = to_binary(self.catalog, oid, written, style)
        assert self.echo(oid, sent, param_format=1, result_format=0) == text


def custom_types(connection: psycopg.Connection) -> Catalog:
    facts: dict[str, Tree] = {}
    for oid, name, kind, array, base, subtype, multirange, fields in connection.execute(FIND_TYPES).fetchall():
        described: dict[str, Tree] = {"oid": oid, "kind": KINDS[kind], "array": array}
        if base:
            described["base"] = base
        if subtype:
            described |= {"subtype": subtype, "multirange": multirange}
        if fields:
            described["fields"] = dict(field.split("=") for field in fields)
        facts[name] = described
    return Catalog.of(facts)


@pytest.fixture(scope="module")
def server(postgres: Postgres) -> Iterator[Server]:
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute("create database pg_values")
    with psycopg.connect(postgres.url.rpartition("/")[0] + "/pg_values", autocommit=True) as connection:
        connection.execute(CUSTOM_TYPES.encode())
        yield Server(connection=connection, catalog=custom_types(connection))


RANDOM: Mapping[str, str] = {
    "bool": "random() < 0.5",
    "int2": "(random() * 65535 - 32768)::int2",
    "int4": "(random() * 4294967295 - 2147483648)::int4",
    "int8": "((random() - 0.5) * 1.8e19)::int8",
    "oid": "(random() * 4294967295)::int8::oid",
    "float8": "((random() - 0.5) * 10 ^ ((random() * 600 - 300)::int))::float8",
    "float8 whole": "round((random() - 0.5) * 10 ^ ((random() * 40)::int))::float8",
    "float8 binary": "(2 ^ ((random() * 2000 - 1000)::int))::float8",
    "float4": "((random() - 0.5) * 10 ^ ((random() * 70 - 35)::int))::float4",
    "float4 whole": "round((random() - 0.5) * 10 ^ ((random() * 20)::int))::float4",
    "float4 binary": "(2 ^ ((random() * 240 - 120)::int))::float4",
    "numeric": "round(((random() - 0.5) * 10 ^ ((random() * 60 - 30)::int))::numeric, (random() * 40)::int)",
    "numeric group": "round((random() * 10 ^ ((random() * 12 - 8)::int))::numeric, (random() * 12)::int) * 10000",
    "money": "((random() - 0.5) * 10 ^ ((random() * 15)::int))::numeric::money",
    "text": "(array[md5(random()::text), '', 'NULL', E'a\\tb\\n', '\"', E'\\\\', 'ü€𝄞', '{,}', '(x)', ' '])"
    "[1 + (random() * 9)::int]",
    "varchar": "left(md5(random()::text), (random() * 32)::int)::varchar(20)",
    "bpchar": "left(md5(random()::text), (random() * 20)::int)::char(20)",
    '"char"': 'chr(32 + (random() * 94)::int)::"char"',
    "name": "md5(random()::text)::name",
    "bytea": "decode(left(md5(random()::text), 2 * (random() * 16)::int), 'hex')",
    "uuid": "md5(random()::text)::uuid",
    "json": "json_build_object('a', random(), 'b', array[1, null], 'c', md5(random()::text))",
    "jsonb": "jsonb_build_object('a', random(), 'b', array[1, null], 'c', md5(random()::text))",
    "date": "date '4713-01-01 BC' + (random() * 2.2e6)::int",
    "date far": "date '2000-01-01' + (random() * 2e9)::int",
    "time": "time '00:00' + random() * interval '1 day'",
    "timetz": "(time '00:00' + random() * interval '1 day')::timetz at time zone ((g % 31 - 15) * interval '1 hour')",
    "timestamp": "timestamp '4713-01-01 BC' + random() * interval '7000 years'",
    "timestamp far": "timestamp '2000-01-01' + random() * interval '292000 years'",
    "timestamptz": "timestamptz '4713-01-02 BC' + random() * interval '7000 years'",
    "interval": "make_interval((random() * 20 - 10)::int, (random() * 40 - 20)::int, 0, (random() * 6 - 3)::int,"
    " (random() * 100 - 50)::int, 0, case when random() < 0.3 then 0 else random() * 200 - 100 end)",
    "inet": "('10.' || (random() * 255)::int || '.0.' || (random() * 255)::int || '/' || (random() * 32)::int)::inet",
    "inet six": "(array_to_string(array(select to_hex((random() * 3)::int * (random() * 3)::int)"
    " from generate_series(1, 7 + g - g)), ':') || ':' || to_hex((random() * 65535)::int))::inet",
    "cidr": "network(('10.' || (random() * 255)::int || '.0.1/' || (random() * 32)::int)::inet)",
    "macaddr": "left(md5(random()::text), 12)::macaddr",
    "macaddr8": "left(md5(random()::text), 16)::macaddr8",
    "bit": "(random() * 1e9)::int::bit(21)",
    "varbit": "substring((random() * 1e9)::int::bit(32) for (random() * 32)::int)::varbit",
    "pg_lsn": "pg_lsn '0/0' + (random() * 1e18)::numeric",
    "xid8": "((random() * 1e18)::int8)::text::xid8",
    "point": "point(random() * 1e10 - 5e9, random())",
    "lseg": "lseg(point(random(), random()), point(-random(), 1e300))",
    "box": "box(point(random(), random()), point(random(), random()))",
    "path": "pclose(path(polygon(3 + (random() * 5)::int, circle(point(random(), 0), 2))))",
    "path open": "popen(path(polygon(3 + (random() * 5)::int, circle(point(random(), 0), 2))))",
    "polygon": "polygon(3 + (random() * 5)::int, circle(point(random(), 1e-9), 2))",
    "circle": "circle(point(random(), 0), random())",
    "line": "line(point(random(), random()), point(random(), 0))",
    "int4[]": "array(select (random() * 100)::int from generate_series(1, (random() * 6 + g - g)::int))",
    "int8[] two": "array[array[g, null], array[-g, 0]]::int8[]",
    "text[]": "array[md5(random()::text), null, '', 'NULL', 'a,b', E'\"\\\\', ' x', '{}', E'\\n', 'é']",
    "int2[] bounds": "('[' || g || ':' || g + 1 || ']={1,2}')::int2[]",
    "numeric[]": "array[random()::numeric, null, 'NaN', 'Infinity']",
    "box[]": "array[box(point(random(), 1), point(0, 0)), null, box(point(1, 1), point(0, 0))]",
    "bytea[]": "array[decode(md5(random()::text), 'hex'), ''::bytea]",
    "timestamptz[]": "array[now() + random() * interval '1 year', 'infinity', null]",
    "int4range": "int4range((random() * 10)::int, 10 + (random() * 10)::int, (array['[]', '()', '[)', '(]'])[1 + (g % 4)])",
    "numrange": "numrange(case when g % 3 > 0 then -random()::numeric end, case when g % 5 > 0 then random()::numeric end,"
    " '[]')",
    "tstzrange": "tstzrange(now() - random() * interval '1 year', case when g % 2 = 0 then now() end)",
    "daterange[]": "array[daterange(current_date, current_date + g), 'empty', null]",
    "int8multirange": "int8multirange(int8range(g, g + 5), int8range(g + 7, null))",
    "tsmultirange": "tsmultirange(tsrange(now()::timestamp, null), tsrange(null, '2000-01-01'))",
    "record": "row(g, md5(random()::text), null, '', 'a \"b\" \\ c', row(1, array[2, null]), '(,)')",
    "record[]": "array[row(g, 'x y'), row(null, '')]",
    "mood": "(enum_range(null::mood))[1 + g % 3]",
    "mood[]": "array[(enum_range(null::mood))[1 + g % 3], null, 'so so']",
    "point2": "row(g, md5(random()::text), random())::point2",
    "line2": "row(row(g, 'a b', 1)::point2, array[row(1, null, null)::point2, null], 'sad')::line2",
    "email[]": "array[(md5(random()::text) || '@x')::email, null]::email[]",
    "floatrange": "floatrange(-random(), random(), '[]')",
    "floatmultirange": "floatmultirange(floatrange(-random(), random()), floatrange(3, null, '()'))",
    "citext": "md5(random()::text)::citext",
    "hstore": "hstore(array['a ' || g, 'NULL', ''], array[E'\"\\\\', null, md5(random()::text)])",
    "hstore empty": "''::hstore",
    "hstore[]": "array[hstore('a', 'b'), null]",
    "ltree": "('a.b' || g)::ltree",
    "int2vector": "(g || ' 2 -3')::int2vector",
    "oidvector": "(g || ' 2 3')::oidvector",
    "tid": "('(' || g || ',' || g % 300 || ')')::tid",
    "pg_snapshot": "(g || ':' || g + 9 || ':' || g + 3 || ',' || g + 5)::pg_snapshot",
    "jsonpath": "('$.a[*] ? (@ > ' || g || ')')::jsonpath",
    "xml": "xmlelement(name a, g)",
}


@pytest.mark.parametrize("name", RANDOM)
def test_a_random_value_in_text_is_its_binary_and_back(server: Server, name: str) -> None:
    oid, values = server.both(f"select {RANDOM[name]} from generate_series(1, {ROWS}) g")
    assert len(values) == ROWS
    assert type_name(server.catalog, oid, -1) == name.split()[0]
    for text, binary in values:
        assert text is not None
        assert binary is not None
        assert to_text(server.catalog, oid, binary) == text.decode()
        if "record" not in name:
            assert to_binary(server.catalog, oid, text.decode()) == binary, text


WRITTEN: Mapping[str, tuple[str, ...]] = {
    "bool": ("t", "f", "true", "FALSE", "yes", "off", "1", "0"),
    "int2": ("32767", "-32768", "0", " 7 ", "+5", "007"),
    "int8": ("9223372036854775807", "-9223372036854775808"),
    "float8": (
        "0", "-0", "NaN", "Infinity", "-inf", "1e23", "5e-324", "1.7976931348623157e308", "9007199254740993", "5e22", "8.41e21",
        "9.5367431640625e-07", "1e15", "123456789012345", "1234567890123456", "0.0001", "0.00001", "2.2250738585072014e-308",
        "1e22",
        "4.35", "100000000000000008388608", "18446744073709551616", "2251799813685248", "4503599627370495.5",
        "4503599627370496.5",
    ),
    "float4": (
        "0", "-0", "NaN", "-Infinity", "1e-45", "3.4028235e38", "16777217", "8388608", "33554432", "1e6", "999999", "123456.7",
        "1.17549435e-38", "0.0001", "1.00000017881393432617187499", "1.00000017881393432617187500001", "4194304.25",
        "2097151.9",
        "1.1754942e-38", "9.8e-45",
    ),
    "numeric": (
        "0", "-0.00", "NaN", "inf", "-Infinity", "1e10", "1.5e-7", ".5", "5.", "-12345678901234567890.000100", "0.00001",
        "10000",
        "99990000", "0.0001", "1e-20", "100000000.00000001", "00012.50", "1" + "0" * 300, "0." + "0" * 200 + "1", "-0.5e+3",
    ),
    "money": ("$1,234.50", "-$0.05", "12", "92233720368547758.07", "-92233720368547758.07"),
    '"char"': ("a", "", "\\303", "\\"),
    "bytea": ("\\x", "\\xDEADbeef", "abc\\000\\\\d\\377", "plain"),
    "uuid": ("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "{a0eebc999c0b4ef8bb6d6bb9bd380a11}"),
    "date": (
        "infinity", "-infinity", "4713-01-01 BC", "0001-01-01", "0001-12-31 BC", "5874897-12-31", "9999-12-31", "10000-01-01",
        "2000-02-29", "1900-02-28", "0044-03-15 BC", "2026-1-2",
    ),
    "time": ("00:00:00", "24:00:00", "23:59:59.999999", "04:05", "00:00:00.1", "10:00:60"),
    "timetz": ("10:00:00+00", "23:59:59.5-15:59:59", "10:00:00+05:30", "10:00:00-03:30:15", "10:00Z", "10:00"),
    "timestamp": (
        "infinity", "-infinity", "294276-12-31 23:59:59.999999", "4713-01-01 00:00:00 BC", "2000-01-01",
        "2026-11-20T10:00:00.5",
        "1999-12-31 23:59:59.999999", "0001-01-01 00:00:00 BC", "2026-11-20 10:00",
    ),
    "timestamptz": ("infinity", "2026-11-20T10:00:00Z", "2026-11-20 10:00:00+05:30", "2026-11-20 10:00:00.123-0330",
        "2026-11-20"),
    "interval": (
        "0", "1 year -1 mons +3 days -04:05:06", "-1 years -2 mons +3 days", "1 mon 2 days 03:04:05.6", "infinity", "-infinity",
        "-00:00:00.000001", "178956970 years 7 mons", "2562047788:00:54.775807", "1 day 25:00:00", "3 weeks 2 hours",
        "90 minutes",
        "-1 day", "1 mon -1 days", "-1 mon +1 day -00:00:01", "1 hour 30 min 15 sec", "1 years 1 days",
    ),
    "inet": (
        "::", "::1", "::2", "1::", "::ffff:1.2.3.4", "::1.2.3.4", "1:0:0:2::3", "::1:0:0", "64:ff9b::1.2.3.4", "10.1.2.3/8",
        "0.0.0.0/0",
        "2001:db8::1/32", "::ffff:0:0", "1:2:3:4:5:6:7:8", "0:0:1::", "1:0:2:0:3:0:4:0", "fe80::", "::1/0", "1.2.3.4/32",
        "0:1::1",
        "::ffff:ffff:1.2.3.4", "0:0:0:0:0:ffff::",
    ),
    "cidr": ("10.0.0.0/8", "::/0", "2001:db8::/32", "1.2.3.4", "::ffff:1.2.3.0/120"),
    "macaddr": ("08:00:2b:01:02:03", "08-00-2B-01-02-03", "0800.2b01.0203", "08002b010203"),
    "macaddr8": ("08:00:2b:01:02:03:04:05", "08002b0102030405"),
    "bit": ("1", "0"),
    "varbit": ("", "10101010", "101010101"),
    "pg_lsn": ("0/0", "FFFFFFFF/ffffffff", "16/B374D848"),
    "xid": ("0", "4294967295"),
    "text": ("", " ", "a\\b", "NULL"),
    "jsonb": ('{"a": 1.10, "b": [1, null]}', "1", '"x"'),
    "json": ('{"a":1.10,  "b":[1,null]}', "null"),
    "point": ("(1,2)", "( -0 , 1e300 )", "(NaN,Infinity)"),
    "line": ("{1,-2,3}",),
    "lseg": ("[(1,2),(3,4)]",),
    "box": ("(3,4),(1,2)",),
    "path": ("[(1,2)]", "((1,2),(3,4))", "[(1,2),(3,4),(5.5,1e-7)]"),
    "polygon": ("((1,2),(3,4),(5,0))",),
    "circle": ("<(1,2),3>",),
    "int4[]": ("{}", "{1,NULL,3}", "{{1,2},{3,4}}", "[0:1]={1,2}", "[2:2][-1:0]={{1,2}}", "{ 1 , null }", "{{{1}}}", "{{},{}}"),
    "text[]": (
        "{}", '{""}', '{NULL,"NULL",null,nULl}', '{"a\\"b","c\\\\d"}', "{a b, c }", "{a\\ }", "{a\\,b}", "{\\\\ }",
        '{"\n","\t",é}',
        "{\\NULL}", "{\\\\\\ }", "{a\u00a0}", '{"(1,2)"}',
    ),
    "box[]": ("{(3,4),(1,2);(1,1),(0,0)}", "{NULL}"),
    "int4range": ("empty", "[1,5)", "(,5)", "[1,)", "(,)", "[3,3]", "[1,5]", "EMPTY", "(1,3]"),
    "numrange": ('["1.5",2]', "(NaN,)", "[1,Infinity]", "( 1,2)"),
    "tsrange": ('["2026-01-01 00:00:00",infinity]', "[2026-01-01,2026-01-02]", "[,]"),
    "int4multirange": ("{}", "{[1,2),[5,9)}", "{ [1,3) , [7,8) }", "{(,1),[5,)}", "{empty}"),
    "tsmultirange": ('{["2026-01-01 00:00:00","2026-01-02 00:00:00"]}',),
    "mood": ("sad", 'ha"ppy'),
    "point2": ("(1,a,2.50)", "(,,)", '(1,"a ""b"" \\\\ c",)', '(1,"",0)', '( 1,a b,2)', '(1,"a"b"c",1)', '(1,a\\,b,1)'),
    "line2": ('("(1,a,)","{""(1,b,2)"",NULL}",sad)',),
    "email": ("a@b",),
    "floatrange": ("[1,2)", "[NaN,NaN]"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_what_a_person_writes_means_what_it_means_to_the_server(server: Server, name: str) -> None:
    oid, _ = parse_type(server.catalog, name)
    for written in WRITTEN[name]:
        server.understands(oid, written)


# Session settings

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Pacific/Apia",
    "Australia/Lord_Howe",
    "<+02>-02",
    "<-0330>+03:30",
)


@pytest.mark.parametrize("zone", ZONES)
def test_a_timestamptz_reads_as_in_the_session_s_time_zone(server: Server, zone: str) -> None:
    style = Style(timezone=zone)
    server.connection.execute("select set_config('TimeZone', %s, false)", [zone])
    try:
        for span in ("interval '7000 years'", "interval '290000 years'", "interval '6750 years'"):
            oid, values = server.both(
                f"select timestamptz '4713-01-02 BC' + g / {ROWS}.0 * {span} from generate_series(1, {ROWS}) g"
            )
            for text, binary in values:
                server.agree(oid, text, binary, style)
        for day in (
            "2026-03-08",
            "2026-03-29",
            "2026-10-25",
            "2026-11-01",
            "2026-04-05",
            "2026-07-01",
            "1700-01-01",
            "9999-12-31",
        ):
            for half_hour in range(12):
                server.understands(oid, f"{day} {half_hour // 2:02d}:{half_hour % 2 * 30:02d}:00", style)
        server.understands(server.catalog.by_name("tstzrange").oid, "[2026-03-29 01:30,2026-10-25 02:30)", style)  # type: ignore[union-attr]
    finally:
        server.connection.execute("set TimeZone to UTC")


@pytest.mark.parametrize("setting", ["datestyle = 'SQL, DMY'", "datestyle = 'German'", "intervalstyle = 'iso_8601'"])
def test_what_another_style_would_say_is_not_guessed(server: Server, setting: str) -> None:
    name, _, value = setting.partition(" = ")
    style = Style(datestyle=value.strip("'")) if name == "datestyle" else Style(interval=value.strip("'"))
    server.connection.execute(f"set {setting}".encode())
    try:
        for expression in ("date '2026-11-20'", "timestamp '2026-11-20 10:00'", "interval '1 day'", "array[date '2026-11-20']"):
            oid, ((text, binary),) = server.both(f"select {expression}")
            assert text is not None
            assert binary is not None
            assert to_text(server.catalog, oid, binary, style) in (None, text.decode())
    finally:
        server.connection.execute(f"reset {name}".encode())


def test_bytes_in_escape_form(server: Server) -> None:
    server.connection.execute("set bytea_output = escape")
    try:
        oid, values = server.both("select decode(lpad(to_hex(g), 2, '0') || '41', 'hex') from generate_series(0, 255) g")
        for text, binary in values:
            server.agree(oid, text, binary, Style(bytea="escape"))
    finally:
        server.connection.execute("reset bytea_output")


# Hypothesis makes what nobody thinks of

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12) | st.text(
    "{}()[]\",\\ \t\nNULnul'é\u00a0\u2003", max_size=8
)
BOUNDED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@BOUNDED
@given(st.lists(st.none() | TEXT, max_size=5))
def test_any_list_of_texts_is_an_array(server: Server, items: list[Tree]) -> None:
    written = from_tree(server.catalog, 1009, items)
    assert written is not None
    server.understands(1009, written)
    result = server.connection.execute("select array(select unnest from unnest(%s::text[]))", [written]).fetchone()
    assert result is not None
    assert result[0] == items


@BOUNDED
@given(st.none() | TEXT, st.none() | TEXT)
def test_any_text_in_a_row_and_in_an_array_of_rows(server: Server, first: str | None, second: str | None) -> None:
    result = server.connection.pgconn.exec_params(
        b"select row(1, $1, 2)::point2, array[row(1, $1, null), row(2, $2, 0)]::point2[], row($1::text, array[$2::text])",
        [text.encode() if text is not None else None for text in (first, second)],
        result_format=1,
    )
    texts = server.connection.pgconn.exec_params(
        b"select row(1, $1, 2)::point2, array[row(1, $1, null), row(2, $2, 0)]::point2[], row($1::text, array[$2::text])",
        [text.encode() if text is not None else None for text in (first, second)],
    )
    for column in range(3):
        oid, binary, text = result.ftype(column), result.get_value(0, column), texts.get_value(0, column)
        assert binary is not None
        assert text is not None
        assert to_text(server.catalog, oid, binary) == text.decode()
        if column < 2:
            assert to_binary(server.catalog, oid, text.decode()) == binary


@BOUNDED
@given(st.floats(), st.floats(width=32))
def test_any_float_is_spelled_as_the_server_does(server: Server, double: float, single: float) -> None:
    server.understands(701, from_tree(server.catalog, 701, double) or "")
    server.understands(700, from_tree(server.catalog, 700, single) or "")


@BOUNDED
@given(
    st.decimals(allow_nan=True, allow_infinity=True)
    .map(str)
    .filter(lambda text: text == "NaN" or ("N" not in text and len(text) < 60))
)
def test_any_decimal_is_the_server_s(server: Server, written: str) -> None:
    if "E" not in written or abs(int(written.partition("E")[2])) < 300:
        server.understands(1700, written)


@BOUNDED
@given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1))
def test_any_interval(server: Server, months: int, days: int, microseconds: int) -> None:
    data = (
        microseconds.to_bytes(8, "big", signed=True)
        + days.to_bytes(4, "big", signed=True)
        + months.to_bytes(4, "big", signed=True)
    )
    text = server.echo(1186, data, param_format=1, result_format=0)
    server.agree(1186, text, data)


@BOUNDED
@given(st.binary(min_size=16, max_size=16), st.integers(0, 128))
def test_any_ipv6_address(server: Server, address: bytes, bits: int) -> None:
    zeros = bytes(byte & 0x0F if byte & 0x80 else 0 for byte in address)
    for packed in (address, zeros):
        data = bytes((3, bits, 0, 16)) + packed
        server.agree(869, server.echo(869, data, param_format=1, result_format=0), data)


# The catalog


BUILT_IN = """
    select oid, typname, typlen, typarray from pg_type
    where oid < 10000 and typtype in ('b', 'r', 'm') and typcategory <> 'A'
        and typname !~ '^pg_(brin|mcv|ndis|dep|ddl)|^gtsvector'
"""


def test_the_built_in_types_are_the_server_s(server: Server) -> None:
    rows = server.connection.execute(BUILT_IN).fetchall()
    assert len(rows) > 70
    for oid, name, size, array in rows:
        found = server.catalog.by_oid(oid)
        assert found is not None, name
        assert found.name.strip('"') == name
        assert type_size(oid) == size
        if array:
            element = server.catalog.by_oid(array)
            assert element is not None, name
            assert (element.name, element.element) == (found.name + "[]", oid)


@pytest.mark.parametrize(
    "name",
    ["numeric(10,2)", "numeric(3,-2)", "varchar(20)", "bpchar(7)", "timestamptz(3)", "time(0)", "bit(5)", "varbit(9)",
        "interval(2)",
     "interval", "int4[]", "varchar(20)[]", "numeric(10,2)[]", "mood", "mood[]", "point2", "floatrange",
     '"char"', "character varying(3)", "timestamp(3) with time zone", "double precision[]", "char"],
)  # fmt: skip
def test_a_type_s_name_says_its_oid_and_modifier(server: Server, name: str) -> None:
    result = server.run(f"select null::{name}", 0)
    oid, modifier = result.ftype(0), result.fmod(0)
    written = type_name(server.catalog, oid, modifier)
    assert parse_type(server.catalog, written) == (oid, modifier)
    assert parse_type(server.catalog, name) == (oid, modifier)


def test_a_case_s_numbers_are_the_server_s_text(server: Server) -> None:
    for name in ("int4", "float8", "float4", "numeric", "numeric group", "oid", "int8"):
        oid, values = server.both(f"select {RANDOM[name]} from generate_series(1, 50) g")
        for text, _ in values:
            assert text is not None
            value = to_tree(server.catalog, oid, text.decode())
            assert not isinstance(value, str)
            assert from_tree(server.catalog, oid, value) == text.decode()
