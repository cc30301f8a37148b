"""What each codec says an ask is about: its verb, what it touches, where its values stand in a case."""

from __future__ import annotations

import pytest

from wiretape.case import Call
from wiretape.protocols import CODECS, codec
from wiretape.protocols.base import About
from wiretape.tree import Tree


def about(protocol: str, operation: str, **fields: Tree) -> About:
    of = codec(protocol)
    return of.about(of.ask(Call(target="main", operation=operation, fields=fields)))


@pytest.mark.parametrize("protocol", ["postgres", "mysql"])
@pytest.mark.parametrize(
    ("sql", "verb", "tables"),
    [
        ("SELECT a.id FROM sessions s JOIN accounts a ON a.id = s.account_id", "SELECT", ("sessions", "accounts")),
        ("SELECT 1 FROM products p, Stock AS s, app.z WHERE p.id = 1 FOR UPDATE", "SELECT", ("products", "stock", "app.z")),
        ("SELECT extract(year FROM at) FROM t WHERE x IN (SELECT y FROM u)", "SELECT", ("t", "u")),
        ("SELECT trim(both ' ' from name) FROM t", "SELECT", ("t",)),
        ("WITH x AS (SELECT * FROM a) INSERT INTO b (c) SELECT * FROM x", "INSERT", ("a", "b")),
        ("UPDATE stock SET quantity = 1 WHERE sku = 'a'", "UPDATE", ("stock",)),
        ("DELETE FROM stock WHERE sku = 'a'", "DELETE", ("stock",)),
        ("INSERT INTO audit (a) VALUES (1)", "INSERT", ("audit",)),
        ("SELECT now()", "SELECT", ()),
        ("SELECT 1 FROM", "SELECT", ()),
        ("", "", ()),
    ],
)
def test_sql(protocol: str, sql: str, verb: str, tables: tuple[str, ...]) -> None:
    found = about(protocol, sql)
    assert (found.verb, found.touches, found.noun) == (verb, tables, "table")


def test_what_only_postgres_says() -> None:
    assert about("postgres", 'SELECT 1 FROM ONLY "Orders" o JOIN LATERAL f(o.id) g ON true').touches == ("Orders",)
    assert about("postgres", "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2").touches == ("t",)
    assert about("postgres", "TRUNCATE a, b").touches == ("a", "b")
    assert about("postgres", "CREATE TABLE IF NOT EXISTS z (a int)").touches == ("z",)
    assert about("postgres", "SELECT 1; DELETE FROM b").touches == ("b",)


def test_what_only_mysql_says() -> None:
    sql = "INSERT IGNORE INTO `a`.`b` (x) VALUES (?) ON DUPLICATE KEY UPDATE x = 1"
    assert about("mysql", sql, params=[1]) == About(verb="INSERT", touches=("a.b",), noun="table", places=("params[0]", ""))


def test_places_of_parameters() -> None:
    found = about("postgres", "SELECT a FROM t WHERE b = $2 AND c = 'x' AND d = $1", params=[1, 2])
    assert found.places == ("params[1]", "", "params[0]")
    assert about("postgres", "COPY t FROM STDIN", copy_in=[[1, "a"]]).places == ("copy_in[0][0]", "copy_in[0][1]")
    assert about("postgres", "NOTIFY bell", payload="ding").places == ("payload",)


def test_redis() -> None:
    assert about("redis", "SET order:17:lines", args=["x", "EX", "60"]) == About(
        verb="SET", touches=("order:*:lines",), noun="keys", places=("", "", "")
    )
    assert about("redis", "MGET user:1 user:2 flags").touches == ("user:*", "flags")


def test_mongo() -> None:
    assert about("mongo", "find shop.users", query={"filter": {"age": {"$gt": 1}}}) == About(
        verb="find", touches=("shop.users",), noun="collection", places=("query.filter.age.$gt",)
    )
    assert about("mongo", "insert shop.users", documents=[{"a": 1}]).places == ("documents[0].a",)


def test_http() -> None:
    found = about("http", "POST /charges/17?dry=1", headers={"x-kind": "a"}, body={"amount": 1})
    assert found == About(verb="POST", touches=("/charges/*",), noun="path", places=("", "", "body.amount", "headers.x-kind"))
    query = "query Get($id: ID) { user(id: $id) { name } }"
    assert about("http", "POST /graphql", body={"query": query, "variables": {"id": 7}}).places == ("body.variables.id",)


def test_bytes_are_about_nothing() -> None:
    assert about("raw", "hello").touches == ()


def test_every_codec_has_a_place_for_every_value() -> None:
    calls = {"postgres": "SELECT 1", "mysql": "SELECT 1", "redis": "GET a", "mongo": "find a.b", "http": "GET /a/1", "raw": "a"}
    assert calls.keys() == CODECS.keys()
    for name, operation in calls.items():
        of = codec(name)
        ask = of.ask(Call(target="main", operation=operation))
        assert len(of.about(ask).places) == len(ask.values), name
