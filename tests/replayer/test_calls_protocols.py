"""Findings about calls of real protocols: their words, their place in the case, and each told once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from normalizers.base import When
from replayer.book import Book
from replayer.calls import Known, compare
from replayer.calls.known import all_calls
from replayer.events import CallFinding
from replayer.masking import Mask
from replayer.severity import counted
from wiretape.case import Call, Case, Request, Response, Suite
from wiretape.protocols import codec
from wiretape.tree import Tree

WHEN = When(recorded=0.0, live=0.0)
type Spec = tuple[str, Mapping[str, Tree]]


def call(spec: Spec | str) -> Call:
    operation, fields = (spec, {}) if isinstance(spec, str) else spec
    return Call(target="main", operation=operation, fields=fields)


def case(name: str, calls: Sequence[Spec | str]) -> Case:
    request, response = Request(method="GET", target="/"), Response(status=200)
    return Case(name=name, request=request, response=response, calls=tuple(map(call, calls)))


def found(
    protocol: str, recorded: Sequence[Spec | str], asked: Sequence[Spec | str], others: Sequence[Spec | str] = ()
) -> tuple[CallFinding, ...]:
    """What is found where a service asks this of a case that recorded that; `others` are the calls of another case."""
    of = codec(protocol)
    here = case("here", recorded)
    suite = Suite(root=Path("suite"), cases=(here, case("there", others)))
    book = Book(suite, {"main": of}, when=WHEN)
    book.begin(here, WHEN)
    answers = book.answers()
    for each in asked:
        answers.take(of.ask(call(each)))
    outcome = book.end()
    return compare(outcome, Known({"main": of}, all_calls(suite.session, suite.cases)), book.bindings.alike(WHEN))


def the(findings: tuple[CallFinding, ...]) -> tuple[str, str, tuple[str, ...]]:
    (one,) = findings
    return one.kind, one.place, one.details


ORDERS = "SELECT id FROM orders WHERE tenant_id = $1 AND state = $2 ORDER BY id LIMIT 20"


@pytest.mark.parametrize("protocol", ["postgres", "mysql"])
@pytest.mark.parametrize(
    ("asked", "details"),
    [
        (
            ("SELECT id FROM orders WHERE state = $1 ORDER BY id LIMIT 20", {"params": ["open"]}),
            ("tenant_id = $1 AND is gone",),
        ),
        (
            ("SELECT id FROM orders WHERE tenant_id = $1 AND state = $2 LIMIT 50", {"params": [7, "open"]}),
            ("ORDER BY id is gone", "value 3 (limit): recorded '20', live '50'"),
        ),
        (
            ("SELECT id FROM orders WHERE tenant_id = $1 OR state = $2 ORDER BY id DESC LIMIT 20", {"params": [7, "open"]}),
            ("AND → OR", "DESC is new"),
        ),
    ],
)
def test_a_changed_statement_is_one_finding(protocol: str, asked: Spec, details: tuple[str, ...]) -> None:
    def spelled(spec: Spec) -> Spec:
        sql = spec[0] if protocol == "postgres" else spec[0].replace("$1", "?").replace("$2", "?")
        return sql, spec[1]

    recorded = [spelled((ORDERS, {"params": [7, "open"]})), "SELECT 1 FROM users"]
    kind, place, said = the(found(protocol, recorded, [spelled(asked), "SELECT 1 FROM users"]))
    told = details if protocol == "postgres" else tuple(each.replace("$1", "?") for each in details)
    assert (kind, place, said) == ("statement", "calls[0]", told)


def test_a_value_is_placed_at_its_parameter() -> None:
    live = (ORDERS, {"params": [7, "closed"]})
    assert the(found("postgres", [(ORDERS, {"params": [7, "open"]})], [live])) == (
        "changed",
        "calls[0].params[1]",
        ("value 2 (state): recorded 'open', live 'closed'",),
    )
    limit = ORDERS.replace("20", "50")  # a literal stands in the statement itself
    assert the(found("postgres", [(ORDERS, {"params": [7, "open"]})], [(limit, {"params": [7, "open"]})])) == (
        "changed",
        "calls[0]",
        ("value 3 (limit): recorded '20', live '50'",),
    )


def test_a_loop_in_place_of_one_statement_is_told_with_it() -> None:
    several = ("SELECT name FROM goods WHERE id = ANY($1)", {"params": ["{1,2,3}"]})
    each: list[Spec] = [("SELECT name FROM goods WHERE id = $1", {"params": [number]}) for number in (1, 2, 3)]
    (one,) = found("postgres", ["SELECT id FROM list", several], ["SELECT id FROM list", *each], others=each)
    assert (one.kind, one.count, one.place) == ("n+1", 3, "calls[1]")
    assert one.details == (
        "value 1 (id) is another each time: '1', '2', '3' (3 different)",
        "asked 3 times, never recorded in this case",
        "instead of SELECT name FROM goods WHERE id = ANY($1)",
    )
    assert one.miss is not None


def test_a_table_that_nothing_touched_before() -> None:
    recorded = ["SELECT a FROM t", "INSERT INTO t (a) VALUES (1)"]
    kind, place, said = the(found("postgres", recorded, [*recorded, "INSERT INTO audit_log (a) VALUES (1)"]))
    assert (kind, place) == ("new-table", "calls[1]")
    assert said == ("with values '1'", "touches table audit_log, which no recorded call touches")
    kind, _, said = the(found("postgres", recorded, [*recorded, "DELETE FROM u"], others=["SELECT 1 FROM u"]))
    assert (kind, said) == ("extra", ("touches table u, which nothing recorded in this case touches",))
    kind, _, said = the(found("postgres", recorded, ["SELECT a FROM v", recorded[1]]))
    assert (kind, said) == ("statement", ("FROM t → FROM v", "touches table v, which no recorded call touches"))


@pytest.mark.parametrize(
    ("recorded", "asked", "kind", "details"),
    [
        ("SET k v", "SETEX k 60 v", "statement", ("SET → SETEX",)),
        ("SET k v EX 60", "SET k v", "statement", ("EX is gone (was 60)",)),
        ("SET k v EX 60", "SET k v EX 90", "changed", ("EX: recorded 60, live 90",)),
        ("GET k:1", "GET k:2", "changed", ("key: recorded 'k:1', live 'k:2'",)),
        ("HSET h a 1", "HSET h a 1 b 2", "changed", ("b is new ('2')",)),
    ],
)
def test_redis(recorded: str, asked: str, kind: str, details: tuple[str, ...]) -> None:
    def command(text: str) -> Spec:
        name, key, *args = text.split()
        return f"{name} {key}", {"args": args} if args else {}

    said = the(found("redis", [command(recorded), "GET z"], [command(asked), "GET z"]))
    assert (said[0], said[1]) == (kind, "calls[0]")
    assert set(details) <= set(said[2])


@pytest.mark.parametrize(
    ("recorded", "asked", "kind", "place", "details"),
    [
        (
            ("find shop.users", {"query": {"filter": {"age": {"$gt": 18}}}}),
            ("find shop.users", {"query": {"filter": {"age": {"$gte": 18}}}}),
            "statement",
            "calls[0]",
            ("filter.age.$gt is gone (was 18)", "filter.age.$gte is new (18)"),
        ),
        (
            ("find shop.users", {"query": {"filter": {"age": 18}}}),
            ("find shop.people", {"query": {"filter": {"age": 18}}}),
            "statement",
            "calls[0]",
            ("find shop.users → find shop.people", "touches collection shop.people, which no recorded call touches"),
        ),
        (
            ("insert shop.users", {"documents": [{"name": "a", "age": 1}]}),
            ("insert shop.users", {"documents": [{"name": "b", "age": 1}]}),
            "changed",
            "calls[0].documents[0].name",
            ("documents[0].name: recorded 'a', live 'b'",),
        ),
    ],
)
def test_mongo(recorded: Spec, asked: Spec, kind: str, place: str, details: tuple[str, ...]) -> None:
    assert the(found("mongo", [recorded, "count shop.z"], [asked, "count shop.z"])) == (kind, place, details)


CHARGE: Spec = ("POST /charges", {"body": {"amount": 1, "note": "x"}})


@pytest.mark.parametrize(
    ("asked", "kind", "place", "details"),
    [
        (("POST /v2/charges", CHARGE[1]), "statement", "calls[0]", ("POST /charges → POST /v2/charges",)),
        (("PUT /charges", CHARGE[1]), "statement", "calls[0]", ("POST → PUT",)),
        (("POST /charges", {"body": {"amount": 1}}), "statement", "calls[0].body.note", ("body.note is gone (was 'x')",)),
        (
            ("POST /charges", {"body": {"amount": 2, "note": "x"}}),
            "changed",
            "calls[0].body.amount",
            ("body.amount: recorded 1, live 2",),
        ),
        (
            ("POST /charges?dry=1", {"body": {"amount": 1, "note": "x"}}),
            "statement",
            "calls[0]",
            ("query.dry is new ('1')",),
        ),
    ],
)
def test_http(asked: Spec, kind: str, place: str, details: tuple[str, ...]) -> None:
    said = the(found("http", [CHARGE, "GET /rates"], [asked, "GET /rates"]))
    assert said[:2] == (kind, place)
    assert said[2][: len(details)] == details


def test_a_request_after_a_503_is_a_retry() -> None:
    unavailable: Spec = ("POST /charges", {"body": {"amount": 1}, "response": {"status": 503}})
    kind, _, said = the(found("http", [unavailable], [unavailable] * 3))
    assert (kind, said[-1]) == ("retry", "asked again after the error it got")


def test_what_is_only_named_anew_is_no_difference() -> None:
    ids = ("0b0e4d2a-1111-4222-8333-944455566677", "9c1f5e3b-2222-4333-9444-055566677788")
    sql = "INSERT INTO orders (id, qty) VALUES ($1, $2)"
    assert the(found("postgres", [(sql, {"params": [ids[0], 2]})], [(sql, {"params": [ids[1], 3]})])) == (
        "changed",
        "calls[0].params[1]",
        ("value 2 (qty): recorded '2', live '3'",),
    )


CLASSES: Mapping[str, tuple[list[Any], list[Any]]] = {
    "missing": (["INSERT INTO t VALUES (1)"], []),
    "extra": (["SELECT a FROM t"], ["SELECT a FROM t", "INSERT INTO t VALUES (1)"]),
    "changed": (["INSERT INTO t VALUES (1)"], ["INSERT INTO t VALUES (2)"]),
    "statement": (["UPDATE t SET a = 1 WHERE b = 2"], ["UPDATE t SET a = 1"]),
    "reordered": (["INSERT INTO t VALUES (1)", "DELETE FROM t"], ["DELETE FROM t", "INSERT INTO t VALUES (1)"]),
    "n+1": (["INSERT INTO t VALUES (1)"], [f"INSERT INTO t VALUES ({number})" for number in (1, 2, 3)]),
    "retry": (["INSERT INTO t VALUES (1)"], ["INSERT INTO t VALUES (1)"] * 2),
    "transaction": (["BEGIN", "INSERT INTO t VALUES (1)", "COMMIT"], ["INSERT INTO t VALUES (1)"]),
    "new-table": (["SELECT a FROM t"], ["SELECT a FROM t", "INSERT INTO u VALUES (1)"]),
}
READS: Mapping[str, tuple[list[Any], list[Any]]] = {
    "missing": (["SELECT a FROM t"], []),
    "extra": (["SELECT a FROM t"], ["SELECT a FROM t", "SELECT b FROM t", "SELECT a FROM t"]),
    "changed": (["SELECT a FROM t WHERE b = 1"], ["SELECT a FROM t WHERE b = 2"]),
    "statement": (["SELECT a FROM t WHERE b = 1"], ["SELECT a FROM t"]),
    "n+1": (["SELECT a FROM t"], ["SELECT a FROM t"] * 3),
    "retry": (["SELECT a FROM t"], ["SELECT a FROM t"] * 2),
    "transaction": (["BEGIN", "SELECT a FROM t", "COMMIT"], ["SELECT a FROM t"]),
    "new-table": (["SELECT a FROM t"], ["SELECT a FROM t", "SELECT a FROM u"]),
}


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_of_writes_counts_but_where_calls_are_off(kind: str) -> None:
    findings = found("postgres", *CLASSES[kind])
    assert kind in {each.kind for each in findings}
    assert [len(counted(findings, level)) for level in ("strict", "writes", "off")] == [len(findings), len(findings), 0]


@pytest.mark.parametrize("kind", READS)
def test_every_class_of_reads_counts_where_calls_are_strict(kind: str) -> None:
    findings = found("postgres", *READS[kind])
    assert kind in {each.kind for each in findings}
    assert [len(counted(findings, level)) for level in ("strict", "writes", "off")] == [len(findings), 0, 0]


def test_no_secret_is_cut_before_it_is_named() -> None:
    secret = "eyJhbGciOiJIUzI1NiJ9." + "x" * 600
    sql = "SELECT a FROM t WHERE token = $1 AND id = $2"
    findings = found("postgres", [(sql, {"params": [secret, 1]})], [(sql, {"params": [secret[:-1] + "y", 1]})])
    (one,) = map(Mask({"token": secret}).finding, findings)
    assert one.details[0].startswith("value 1 (token): recorded '${secret:token}', live ")
    findings = found("postgres", [(sql, {"params": [secret, 1]})], [])
    (one,) = map(Mask({"token": secret}).finding, findings)
    assert one.details == ("with values '${secret:token}', '1'",)
