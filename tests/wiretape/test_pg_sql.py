"""SQL shapes, roles and effects. The lexer's oracle is sqlglot's tokenizer for PostgreSQL."""

from __future__ import annotations

import time

import pytest
import sqlglot
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wiretape.protocols.postgres.lexer import pieces
from wiretape.protocols.postgres.literals import string_value
from wiretape.protocols.postgres.sql import Statement, canonical, tidy
from wiretape.protocols.sqltext import filled


def one(sql: str) -> Statement:
    (statement,) = canonical(sql)
    return statement


def shape(sql: str) -> str:
    return one(sql).shape


# What becomes one shape


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT  *\n FROM  Orders", "select * from orders"),
        ('select "Id", o.total from "Orders" o', 'select "Id", o.total from "Orders" o'),
        (
            "insert into orders (sku, qty) values ($1, $2) returning id",
            "insert into orders (sku, qty) values (?, ?) returning id",
        ),
        ("select count(*), max ( x ) from t", "select count (*), max (x) from t"),
        ("select 1, 'a', true, null", "select ?, ?, ?, ?"),
        ("select a from t where b is null and c is not null", "select a from t where b is null and c is not null"),
        ("select a from t where b is true or c is not false", "select a from t where b is true or c is not false"),
        ("update t set a = null where b = false", "update t set a = ? where b = ?"),
        ("create table t (a int not null)", "create table t (a int not null)"),
        ("select a from t where b in (1, 2, 3)", "select a from t where b in (?)"),
        ("select a from t where b in ($1::int4, $2, -3)", "select a from t where b in (?)"),
        ("select a from t where (b) in (1)", "select a from t where (b) in (?)"),
        ("select a from t where b in (1, c)", "select a from t where b in (?, c)"),
        (
            "select a from t where b = any(array[1, 2])",
            "select a from t where b = any (?)",
        ),
        ("values (1, 2), (3, 4)", "values (?, ?), (?, ?)"),
        ("select $1::timestamp with time zone, $2", "select ?, ?"),
        ("select $1::timestamp(3) without time zone", "select ?"),
        ("select $1::numeric(10, 2), '1'::text[], 2::int[3][], 'x'::pg_catalog.text", "select ?, ?, ?, ?"),
        ("select '1'::text::int4, $1::\"My Type\", $2::character varying(20)", "select ?, ?, ?"),
        ("select '1 2'::interval day to second, $1::double precision", "select ?, ?"),
        ("select cast($1 as int), a::int, (1)::text", "select cast (? as int), a :: int, (?) :: text"),
        ("select date '2020-01-01', timestamp with time zone '2020-01-01', interval '1 day'", "select ?, ?, ?"),
        ("select interval(3) '1', numeric(10,2) '5', double precision '2.5'", "select ?, ?, ?"),
        ("select interval '1' day", "select ? day"),
        ("select date from t where date > now()", "select date from t where date > now ()"),
        ("select -5, a - 5, a -5, (-5), f(-1), b[-1], 3-2, $1-2", "select ?, a - ?, a - ?, (?), f (?), b [?], ? - ?, ? - ?"),
        ("select a where b =-1 and c<-1 and d between -1 and -2", "select a where b = ? and c < ? and d between ? and ?"),
        ("select 1 limit -1", "select ? limit ?"),
        ("select a->>'x', a ? 'k', b ?| $1, c @> '{}'", "select a ->> ?, a ? ?, b ?| ?, c @> ?"),
        ("select a/**/b", "select a b"),
        ("select 'a'\n'b', 'c'", "select ?, ?"),
        ("/* x /* y */ z */ select 1 -- tail", "select ?"),
        ("select 1 /*traceparent='00-abc-01'*/", "select ?"),
        ("select e'\\'', U&'\\0041', x'1F', b'01', n'q', $$ $1 ; $$", "select ?, ?, ?, ?, ?, ?"),
        ("select 1e5, .5, 5., 1_000, 0x1F, 1.5e-3", "select ?, ?, ?, ?, ?, ?"),
        ('select u&"d\\0061t"', 'select u&"d\\0061t"'),
        ('SAVEPOINT "s139872_x1"', "savepoint name_1"),
        ("release savepoint sa_savepoint_12", "release savepoint name_1"),
        ("ROLLBACK TO SAVEPOINT _pg3_2", "rollback to savepoint name_1"),
        ("savepoint before_charge", "savepoint before_charge"),
        ('DECLARE "srv_1" CURSOR FOR SELECT id FROM t1', "declare name_1 cursor for select id from t1"),
        ('FETCH FORWARD 10 FROM "srv_1"', "fetch forward ? from name_1"),
        ("DEALLOCATE _pg3_0", "deallocate name_1"),
        ("PREPARE stmt_12 AS SELECT $1", "prepare name_1 as select ?"),
        ("select x1 from t2", "select x1 from t2"),
        ("", ""),
        (" ; ;", ""),
        ("-- nothing", ""),
    ],
)
def test_a_statement_s_shape(sql: str, expected: str) -> None:
    assert shape(sql) == expected


def test_statements_are_split_at_top_level_semicolons() -> None:
    sql = 'select \';\'; ; DECLARE "c9" CURSOR FOR SELECT 1; FETCH 5 FROM c8; CLOSE "c9"'
    assert [statement.shape for statement in canonical(sql)] == [
        "select ?", "declare name_1 cursor for select ?", "fetch ? from name_2", "close name_1",
    ]  # fmt: skip


def test_a_function_s_body_is_not_split() -> None:
    sql = "create function f() returns int begin atomic select case when a then 1 end; select 2; end; select 3"
    assert [statement.verb for statement in canonical(sql)] == ["CREATE", "SELECT"]
    assert [statement.verb for statement in canonical("create rule r as on insert to t do (select 1; select 2); commit")] == [
        "CREATE", "COMMIT",
    ]  # fmt: skip


# Values


def test_values_are_literals_and_parameters_in_order_of_appearance() -> None:
    statement = one("select $2, 'a', $1::int, -5, null, true from t where x in (1, $2) and y = E'\\n' limit $3")
    assert filled(statement.literals, ["p", None]) == (None, "a", "p", "-5", None, "t", "1", None, "\n", None)


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ("'it''s'", "it's"), ("''", ""), ("''''", "'"), ("E'a\\nb\\t\\\\''\\''", "a\nb\t\\''"),
        ("E'\\x41\\101\\u0041\\U0001F600'", "AAA😀"),
        ("e'\\xc3\\xa9'", "é"), ("E'\\q'", "q"), ("U&'d\\0061t\\+000061\\\\'", "data\\"), ("$$a'b$$", "a'b"), ("$t$ $$ $t$",
        " $$ "),
        ("b'0101'", "0101"), ("x'1F'", "00011111"), ("n'q'", "q"), ("'open", "open"), ("E'open\\", "open"), ("$$open", "open"),
        ("1_000", "1000"), ("0x1F", "31"), ("0o17", "15"), ("0b101", "5"), ("1e3", "1000"), (".5", "0.5"), ("5.", "5"),
        ("1.50", "1.50"),
        ("1.5e-3", "0.0015"), ("007", "7"), ("1e99999", "1e99999"), ("date '2026-01-02'", "2026-01-02"), ("'a' 'b'", "ab"),
        ("'\\x00ff'::bytea", "\\x00ff"),
    ],
)  # fmt: skip
def test_a_literal_s_value(literal: str, expected: str) -> None:
    statement = one("select " + literal)
    assert filled(statement.literals, ()) == (expected,)


# Roles, effects, verbs


@pytest.mark.parametrize(
    ("sql", "role"),
    [
        ("BEGIN", "begin"), ("begin transaction isolation level serializable", "begin"), ("START TRANSACTION READ ONLY",
        "begin"),
        ("COMMIT", "end"), ("commit and chain", "end"), ("END", "end"), ("ROLLBACK", "end"), ("abort", "end"),
        ("rollback work", "end"), ("PREPARE TRANSACTION 'x'", "end"), ("commit prepared 'x'", "query"),
        ("SAVEPOINT a", "control"), ("RELEASE a", "control"), ("ROLLBACK TO a", "control"), ("rollback work to savepoint a",
        "control"),
        ("SET TIME ZONE 'UTC'", "housekeeping"), ("show transaction isolation level", "housekeeping"), ("RESET ALL",
        "housekeeping"),
        ("DISCARD ALL", "housekeeping"), ("DEALLOCATE ALL", "housekeeping"), ("CLOSE ALL", "housekeeping"), ("close c",
        "query"),
        ("UNLISTEN *", "housekeeping"), ("", "housekeeping"), ("SELECT 1", "housekeeping"), ("select 2", "query"),
        ("select $1", "query"), ("select 'x'", "query"), ("select pg_catalog.version()", "housekeeping"),
        ("select current_schema()", "housekeeping"), ("select version() from t", "query"),
        ("SELECT set_config('TimeZone', 'UTC', false)", "housekeeping"), ("select my_version()", "query"),
        ("SELECT current_setting('jit') AS cur, set_config('jit', 'off', false) AS new", "housekeeping"),
        ("SELECT pg_advisory_unlock_all()", "housekeeping"), ("select now()", "query"),
        ("SELECT t.oid, typarray FROM pg_type t JOIN pg_namespace ns ON typnamespace = ns.oid WHERE typname = 'hstore'",
        "housekeeping"),
        ("insert into pg_type_log select 1 from pg_type", "query"), ("select a from my_pg_type", "query"),
        ("INSERT INTO t VALUES (1)", "query"), ("FETCH 1 FROM c", "query"), ("LISTEN jobs", "housekeeping"),
        ("NOTIFY jobs", "query"),
    ],
)  # fmt: skip
def test_a_statement_s_role(sql: str, role: str) -> None:
    assert one(sql).role == role


def test_the_drivers_own_questions_about_types_are_housekeeping() -> None:
    introspection = pytest.importorskip("asyncpg.introspection")
    assert one(introspection.INTRO_LOOKUP_TYPES).role == "housekeeping"
    assert one("SELECT typname AS name, oid FROM pg_type t WHERE t.oid = to_regtype($1) ORDER BY t.oid").role == "housekeeping"


WRITES = (
    "NOTIFY jobs, 'x'", "select pg_notify('a', 'b')",
    "INSERT INTO t VALUES (1)", "update t set a = 1", "DELETE FROM t", "MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE",
    "TRUNCATE t", "COPY t FROM STDIN", 'copy "my t" (a, "b c") from stdin', "copy a.b from stdin", "CREATE TABLE t (a int)",
    "alter table t add b int", "DROP TABLE t", "CALL p(1)", "DO $$ begin end $$", "COMMIT", "end", "prepare transaction 'x'",
    "with x as (insert into t values (1) returning *) select * from x", "with x as (select 1) update t set a = 1",
    "with x as (select 1) delete from t", "with d as (delete from t returning *), e as (select 1) select * from d",
    "select * into t2 from t", "select f(1) into t2", "explain analyze delete from t",
    "explain (analyze) insert into t select 1", "refresh materialized view v", "grant all on t to x",
)  # fmt: skip
READS = (
    "SELECT 1", "select a from t for update", "select nextval('s')", "COPY t TO STDOUT",
    "copy (select a from t) to stdout", "with x as (select a from t for update) select 1", "ROLLBACK", "BEGIN", "SAVEPOINT a",
    "explain delete from t", "explain analyze select 1", "values (1)", "table t", "fetch 1 from c",
    "with x as (select 1) select 'insert into t'",
    "select 'a into b'", "show all", "set a = 1", "with x as (select update from t) select 1", "",
)  # fmt: skip


@pytest.mark.parametrize("sql", WRITES)
def test_what_writes(sql: str) -> None:
    assert one(sql).writes


@pytest.mark.parametrize("sql", READS)
def test_what_does_not_write(sql: str) -> None:
    assert not one(sql).writes


@pytest.mark.parametrize(
    ("sql", "verb"),
    [
        ("select 1", "SELECT"), ("(select 1) union (select 2)", "SELECT"), ("WITH x AS (SELECT 1) INSERT INTO t SELECT 1",
        "INSERT"),
        ("with recursive a (b) as (insert into t values (1)), c as (select 1) select 1", "SELECT"), ("values (1)", "VALUES"),
        ("with x as (select 1) table x", "TABLE"), ("", ""), ("1", ""), ("explain select 1", "EXPLAIN"), ("with", "WITH"),
    ],
)  # fmt: skip
def test_a_statement_s_verb(sql: str, verb: str) -> None:
    assert one(sql).verb == verb


# What a person reads


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("  SELECT 1 ; ;\n", "SELECT 1"),
        ("SELECT a /*traceparent='00-abc-01'*/", "SELECT a"),
        ("/* c */ SELECT a -- b\n  FROM t", "SELECT a\n  FROM t"),
        ("SELECT a\n  -- about b\n  , b", "SELECT a\n  , b"),
        ("select a/* x */from t", "select a from t"),
        ("select '-- no' || \"/* no */\" || $$ -- no $$", "select '-- no' || \"/* no */\" || $$ -- no $$"),
        ("select a /* x /* y */ */ , b", "select a , b"),
        ('SAVEPOINT "s139872_x1"', "SAVEPOINT name_1"),
        ("select 1; select 2;", "select 1; select 2"),
        ("SELECT   a,\n\n\tb", "SELECT   a,\n\n\tb"),
        ('CLOSE "c1"; CLOSE c2; CLOSE "c1"', "CLOSE name_1; CLOSE name_2; CLOSE name_1"),
        ("-- nothing", ""),
        (";", ""),
    ],
)
def test_what_a_case_shows_of_a_statement(sql: str, expected: str) -> None:
    assert tidy(sql) == expected


# The oracle

ODD = (
    "select 'it''s'", "select ''", "select ''''", "select 'a\nb'", "select 'a' 'b'", "select E'a\\'b'", "select e'\\\\'",
    "select E'a''b\\n'", "select 'a\\'", "select U&'\\0041'", "select $$x$y$$", "select $t$ $$ $t$", "select $t$$t$",
    "select $_9$a$_9$", "select $$'$$, '$$'", "select x'1f', X'1F'", "select b'01', B''", "select n'q'", 'select "A""b"',
    'select "a b"."c.d"', 'select "/* */", "--"', "select '/* */', '--'", "select 1 -- it's", "select 1 --",
    "select 1 -- a\n, 2",
    "select 1 /* it's */", "select 1 /* /* */ */", "select /* a /* b */ c */ 1", "select /**/1", "select /***/1",
    "select /* * / */ 1",
    "select /*/ */1", "select 1/* x */+/* y */2", "select a--b\n-c", "/* lead */ select 1", "-- lead\nselect 1",
    "select a.b.c, t.*",
    "select $1, $2::int, $10", "select a from t where b=$1and c=2", "select a<-5, b>-5, c=-5", "select a->'b'->>'c'",
    "select a#>>'{b}'",
    "select a @> b, a <@ b, a && b, a || b", "select a ? 'b'", "select a ?| b, a ?& b", "select a !~ 'x', a ~* 'y'",
    "select a::text::int",
    "select a::timestamp with time zone", "select a[1], a[1:2]", "select array[1,2], array['a']", "select 5-3, 5 - -3",
    "select 1.5, 1e5, 1.5e-3",
    "select 1.5E+10", "select a%2, a^2, |/4", "select a<>b, a!=b, a<=b, a>=b", "select x.y::z", "select :a",
    "select é, 日本 from ü",
    "select _a, a$b, a1", "select case when a then 'b' else \"c\" end", "insert into t values ('a''b', E'c\\'d', $$e$$)",
    "select interval '1 day', date '2020-01-01'", "select a from t where b in ('x','y')",
    "select 'multi\n-- no comment\n' -- comment\n, 2",
    "select \"un'quoted\", 'un\"quoted'", "select a/b, a*b, a/ *b", "select a from t; select b from u",
    "copy t from stdin with (format csv)",
    "select count(*) filter (where a) over w", "update t set a = a + 1 where b = 'c' returning *", "select $a$--$a$, $b$/*$b$",
    "select 'a'::varchar(10), 'b'::\"char\"", "select xmin, ctid, tableoid::regclass", "select (a).b, (a).*",
    "select '😀', \"😀\" -- 😀",
)  # fmt: skip

STRINGS = {
    "STRING",
    "BYTE_STRING",
    "UNICODE_STRING",
    "HEREDOC_STRING",
    "HEX_STRING",
    "BIT_STRING",
    "NATIONAL_STRING",
    "RAW_STRING",
}


@pytest.mark.parametrize("sql", ODD)
def test_literals_identifiers_and_comments_are_where_sqlglot_sees_them(sql: str) -> None:
    expected = sqlglot.tokenize(sql, read="postgres")
    found, at = [], 0
    for kind, text in pieces(sql):
        found.append((kind, at, at + len(text), text))
        at += len(text)
    assert at == len(sql)
    code = {place for token in expected for place in range(token.start, token.end + 1) if not sql[place].isspace()}
    assert {p for kind, start, end, _ in found if kind != "space" for p in range(start, end) if not sql[p].isspace()} == code
    strings = [(token.start, token.end + 1) for token in expected if token.token_type.name in STRINGS]
    assert [(start, end) for kind, start, end, _ in found if kind == "string"] == strings
    quoted = [(token.start, token.text) for token in expected if sql[token.start] == '"']
    assert [(start, text[1:-1].replace('""', '"')) for kind, start, _, text in found if kind == "name"] == quoted
    decoded = [
        token.text
        for token in expected
        if token.token_type.name in ("STRING", "HEREDOC_STRING", "BYTE_STRING", "NATIONAL_STRING")
    ]
    mine = [string_value(text) for kind, _, _, text in found if kind == "string" and text[0] not in "xXbBuU"]
    assert mine == decoded


def test_the_corpus_is_large_enough() -> None:
    assert len(set(ODD)) >= 60


# Laws

PIECES = st.sampled_from(
    ("select", "SELECT", "insert into", "is", "not", "null", "true", "in", "(", ")", ",", ";", ".", "::", ":", "text", "date",
    "interval",
     "timestamp", "with", "time", "zone", "double", "precision", "day", "numeric(1,2)", "[", "]", "[]", "-", "+", "--", "/*",
     "*/", "*",
     "=", "?", "$", "$1", "$2", "$a$", "$$", "'a'", "''", "'", "E'", "e'\\''", "U&'", "\\", '"', '"a b"', '"a""b"', "1", ".5",
     "1e5", "0x1F",
     "x1", "savepoint", "rollback to", "fetch", "close", "declare", "begin atomic", "case", "end", "create", "prepare", "as",
     "é", "~",
     "|", "&", "@", "#", "!", "<", ">", "%", "^", "`", "{", "}", " ", "\n", "\t", "\u00a0", "\x00", "_", "u", "b", "x", "n")
)  # fmt: skip
SOUP = st.lists(PIECES | st.sampled_from(" \n"), max_size=25).map("".join) | st.lists(PIECES, max_size=15).map(" ".join)
ANYTHING = SOUP | st.text(max_size=40)
LAWS = settings(max_examples=600, deadline=None)


@LAWS
@given(ANYTHING)
@example("select .5.5 -1::a.b.c 'x'")
@example("select: ::")
@example("fetch x1; close x2; fetch x1")
def test_a_shape_is_its_own_shape(sql: str) -> None:
    for statement in canonical(sql):
        assert [again.shape for again in canonical(statement.shape)] == [statement.shape]


@LAWS
@given(ANYTHING)
def test_every_place_of_a_shape_has_a_value(sql: str) -> None:
    for statement in canonical(sql):
        assert len(filled(statement.literals, ())) == len(statement.literals)
        assert statement.verb == statement.verb.upper()
        if "?" not in sql and '"' not in sql and " in (" not in statement.shape:
            assert statement.shape.count("?") == len(statement.literals)


@LAWS
@given(ANYTHING)
@example("(;")
@example(";; select 1")
@example("savepoint\"1'")
@example('release savepoint"s1"')
def test_what_a_person_reads_means_the_same(sql: str) -> None:
    assert canonical(tidy(sql)) == canonical(sql)
    assert tidy(tidy(sql)) == tidy(sql)


WORDS = st.sampled_from(
    ("SELECT", "a", '"B"', "FROM", "t", "WHERE", "x", "=", "$1", "'It''s'", "IN", "(", ")", ",", "1", "IS", "NULL", "AND",
    "->>", "E'\\n'",
     "::", "numeric", "ORDER", "BY", "DATE", "<=", "-", "TRUE", "$$ A $$", "SAVEPOINT", "s1")
)  # fmt: skip
GAPS = st.sampled_from((" ", "\n", "\t  ", " /* A */ ", "/**/ ", " -- It's\n", "\r\n", " /* /* nested */ ' */ "))


@LAWS
@given(st.lists(st.tuples(WORDS, GAPS), max_size=20), st.booleans())
def test_layout_comments_and_the_case_of_words_do_not_matter(parts: list[tuple[str, str]], upper: bool) -> None:
    plain = " ".join(word for word, _ in parts)
    other = "".join(
        (word if word[0] in "\"'E$" and len(word) > 2 else word.upper() if upper else word.lower()) + gap for word, gap in parts
    )
    assert canonical(other) == canonical(plain)


@pytest.mark.parametrize(
    "unit",
    ["'", "''", "E'\\", "$a$", "$a", "/*", "/* */", "/*/", "--", "-", "+-", "=-", "*", "a", "a.", "date.", "date(",
    "interval day to ", "1",
     "1.", "0x", ".", "(", ")", "((", "(?,", "in (1, 2) ", "in (1,", '"', '""', " ", ";", "::", "1::text::", "$1::a.",
     "null ", "'a' ", "begin atomic;",
     "create case ", "with ", "select into ", "copy \"\"", "U&'", "@-", "?", "~", "\\", "x1 ", "1_", "select version(),",
     "1e9 ", "1e999 "],
)  # fmt: skip
def test_time_grows_with_length_only(unit: str) -> None:
    sql = unit * (30_000 // len(unit))
    started = time.process_time()
    canonical(sql)
    tidy(sql)
    canonical("create " + sql)
    canonical("with " + sql)
    assert time.process_time() - started < 3
