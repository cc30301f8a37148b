"""SQL in MySQL's dialect: shapes, values, roles, and what a person reads of it."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wiretape.case import Call
from wiretape.protocols.mysql.asks import ask, plan
from wiretape.protocols.mysql.lexer import pieces, tokens
from wiretape.protocols.mysql.sql import canonical, tidy


def shape(sql: str) -> str:
    return plan(sql).shape


def literals(sql: str) -> tuple[object, ...]:
    return tuple(slot for statement in canonical(sql) for slot in statement.literals)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT  a,b FROM `T` -- why\nWHERE a = 1;", "select a, b from `T` where a = ?"),
        ("SELECT a # why\nFROM t", "select a from t"),
        ("SELECT a /* why */ FROM t /*+ MAX(1) */", "select a from t"),
        ("SELECT 1--1", "select ? - ?"),
        ("/*!40101 SET NAMES utf8 */", "set names utf8"),
        ("SELECT /*! STRAIGHT_JOIN */ a", "select straight_join a"),
        ("SELECT * FROM t WHERE id IN (1, 2,3) AND x IN ('a')", "select * from t where id in (?) and x in (?)"),
        ("SELECT * FROM t WHERE id IN (?, ?, ?)", "select * from t where id in (?)"),
        ("SELECT @x := 1, @@sql_mode, @'odd name'", "select @x := ?, @@sql_mode, @'odd name'"),
        ("SELECT doc->>'$.a', a <=> NULL, b IS NOT NULL FROM t", "select doc ->> ?, a <=> ?, b is not null from t"),
        ("INSERT INTO t VALUES (_binary 'x', _utf8mb4'y', N'z', DATE '2024-01-01')", "insert into t values (?, ?, ?, ?)"),
        ("INSERT INTO t VALUES (_binary ?)", "insert into t values (?)"),
        ("SELECT 1 FROM 2fast", "select ? from 2fast"),
        ("SELECT a FROM t; SELECT b", "select a from t; select b"),
        ("SELECT 'a;b'", "select ?"),
        ("CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END", "create procedure p () begin select ? ; select ? ; end"),
        ("", ""),
        ("-- nothing", ""),
    ],
)
def test_shape(sql: str, expected: str) -> None:
    assert shape(sql) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 'it''s', 'a\\'b', \"c\"\"d\", 'x' 'y', 'tab\\t', '100\\%'", ("it's", "a'b", 'c"d', "xy", "tab\t", "100\\%")),
        ("SELECT 1, 1.50, .5, 1e3, -2, - 3, 007", ("1", "1.5", "0.5", "1000", "-2", "-3", "7")),
        ("SELECT x'4142', X'FF', 0x4142, b'01000001', 0b1", ("AB", b"\xff", "AB", "A", b"\x01")),
        ("SELECT _binary'\udcff\\0', _binary'text'", (b"\xff\0", "text")),
        ("SELECT NULL, TRUE, false", (None, "1", "0")),
        ("SELECT '2024-01-02T03:04:05.120000', '2024-01-02 03:04:05.000'", ("2024-01-02 03:04:05.12", "2024-01-02 03:04:05")),
        ("SELECT 'not closed", ("not closed",)),
        ("SELECT 'ends in \\", ("ends in \\",)),
        ("SELECT ?, a, ?", (1, 2)),
    ],
)
def test_values(sql: str, expected: tuple[object, ...]) -> None:
    assert literals(sql) == expected


@pytest.mark.parametrize(
    ("sql", "role", "writes"),
    [
        ("BEGIN", "begin", False),
        ("START TRANSACTION READ ONLY", "begin", False),
        ("COMMIT AND CHAIN", "end", True),
        ("ROLLBACK", "end", False),
        ("ROLLBACK TO SAVEPOINT a", "control", False),
        ("SAVEPOINT a", "control", False),
        ("RELEASE SAVEPOINT a", "control", False),
        ("SET NAMES utf8mb4 COLLATE utf8mb4_bin", "housekeeping", False),
        ("SET autocommit=0", "housekeeping", False),
        ("SET @@session.sql_mode = 'x', NAMES utf8", "housekeeping", False),
        ("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "housekeeping", False),
        ("SET @mine = 5", "query", False),
        ("SET GLOBAL max_connections = 5", "query", True),
        ("SET @@global.max_connections = 5", "query", True),
        ("SET PASSWORD = 'x'", "query", True),
        ("SELECT 1", "housekeeping", False),
        ("SELECT 2", "query", False),
        ("/* ping */ SELECT 1", "housekeeping", False),
        ("SELECT @@version_comment LIMIT 1", "housekeeping", False),
        ("SELECT @@a, @@session.b AS x, VERSION(), DATABASE() `y`", "housekeeping", False),
        ("SELECT @mine", "query", False),
        ("SELECT @@a FROM t", "query", False),
        ("SELECT LAST_INSERT_ID()", "query", False),
        ("SHOW VARIABLES LIKE 'x'", "housekeeping", False),
        ("SHOW SESSION VARIABLES", "housekeeping", False),
        ("SHOW WARNINGS", "housekeeping", False),
        ("SHOW TABLES", "query", False),
        ("USE app", "housekeeping", False),
        ("KILL QUERY 7", "housekeeping", False),
        ("INSERT INTO t VALUES (1)", "query", True),
        ("REPLACE INTO t VALUES (1)", "query", True),
        ("WITH x AS (SELECT 1) DELETE FROM t", "query", True),
        ("SELECT * FROM t FOR UPDATE", "query", False),
        ("SELECT * INTO OUTFILE '/tmp/x' FROM t", "query", True),
        ("LOAD DATA LOCAL INFILE 'x' INTO TABLE t", "query", True),
        ("EXPLAIN SELECT 1", "query", False),
        ("CALL p(1)", "query", True),
        ("", "housekeeping", False),
    ],
)
def test_role(sql: str, role: str, writes: bool) -> None:
    asked = plan(sql)
    assert (asked.role, asked.writes) == (role, writes)


def test_text_and_parameters_are_one_ask() -> None:
    def made(sql: str, *params: object) -> tuple[str, tuple[object, ...]]:
        found = ask(Call(target="main", operation=sql, fields={"params": list(params)}))  # type: ignore[arg-type]
        return found.shape, found.values

    one = made("INSERT INTO t (a, b, c, d, e) VALUES (1, 2.50, 'x', NULL, x'ff')")
    assert made("INSERT INTO t (a, b, c, d, e) VALUES (?, ?, ?, ?, ?)", 1, 2.5, "x", None, b"\xff") == one
    assert made("insert into t (a,b,c,d,e) values (1.0, ?, ?, null, ?)", 2.5, b"x", b"\xff") == one


def test_another_database_is_another_ask() -> None:
    here = ask(Call(target="main", operation="SELECT a FROM t"))
    there = ask(Call(target="main", operation="SELECT a FROM t", fields={"database": "other"}))
    assert here.shape != there.shape


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("  SELECT 1 ;; ", "SELECT 1"),
        ("/* c */ SELECT a, -- b\n  b", "SELECT a,\n  b"),
        ("SELECT /* a */ b", "SELECT b"),
        ("/*!40101 SET NAMES utf8 */;", "/*!40101 SET NAMES utf8 */"),
        ("SAVEPOINT `s139801_x12`", "SAVEPOINT name_1"),
        ("INSERT INTO t VALUES (_binary'\udcff\\0a', 'x')", "INSERT INTO t VALUES (x'ff0061', 'x')"),
        ("SELECT 'a\x00b'", "SELECT x'610062'"),
        ("SELECT 0.'\udcff'", "SELECT 0. x'ff'"),
        ("SELECT 'a\nb ☃'", "SELECT 'a\nb ☃'"),
        ("", ""),
    ],
)
def test_tidy(sql: str, expected: str) -> None:
    assert tidy(sql) == expected


@settings(max_examples=3000)
@given(st.text(alphabet="abc'\"`\\;-#/*!?@=()., \n019xXbB_\udcff☃", max_size=60))
def test_any_text_is_read_and_tidying_changes_nothing_asked(sql: str) -> None:
    assert "".join(text for _, text in pieces(sql)) == sql
    assume(not re.search(r"--[#/;]", sql))  # two minus signs that only what is left out keeps from being a comment
    assert plan(tidy(sql)).shape == plan(sql).shape
    assert literals(tidy(sql)) == literals(sql)


@pytest.mark.parametrize(
    "sql", ["'" * 200_000, "/*" * 100_000, "(" * 200_000, "a" * 500_000, "`" * 99_999, "\\" * 100_000, "@" * 99_999]
)
def test_long_odd_texts_take_linear_time(sql: str) -> None:
    began = time.perf_counter()
    tokens(sql)
    tidy(sql)
    canonical(sql)
    assert time.perf_counter() - began < 5
