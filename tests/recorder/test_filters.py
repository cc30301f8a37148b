"""Filters, samples and names."""

from __future__ import annotations

import pytest

from recorder.filters import Choice, Filter
from recorder.naming import Names, graphql_operation, slug
from wiretape.errors import ConfigError
from wiretape.tree import Tree


@pytest.mark.parametrize(
    ("text", "method", "target", "status", "matches"),
    [
        ("GET /api/*", "GET", "/api/a/b?x=1", 200, True),
        ("GET /api/*", "POST", "/api/a", 200, False),
        ("GET /api/*", "GET", "/apis", 200, False),
        ("/health", "GET", "/health?full=1", 200, True),
        ("/health", "GET", "/healthy", 200, False),
        ("/a?x=*", "GET", "/a?x=5", 200, True),
        ("/a?x=*", "GET", "/a", 200, False),
        ("5xx", "GET", "/", 503, True),
        ("5XX", "GET", "/", 404, False),
        ("404", "GET", "/", 404, True),
        ("POST /orders 201", "POST", "/orders", 201, True),
        ("POST /orders 201", "POST", "/orders", 400, False),
        ("*.css", "GET", "/a/b.css", 200, True),
        ("/a.b", "GET", "/axb", 200, False),
    ],
)
def test_filter(text: str, method: str, target: str, status: int, matches: bool) -> None:
    assert Filter.parse(text).matches(method, target, status) is matches


@pytest.mark.parametrize("text", ["", "get /x", "GET POST", "/a /b", "9xx", "600", "/a 20"])
def test_filter_that_is_none(text: str) -> None:
    with pytest.raises(ConfigError, match="write a method, a path and a status, each optional"):
        Filter.parse(text)


def test_choice() -> None:
    choice = Choice.parse(["/api/*", "/login"], ["POST", "5xx"], 1.0)
    assert choice.wants("GET", "/api/x", 200)
    assert not choice.wants("GET", "/other", 200)
    assert not choice.wants("POST", "/login", 200)
    assert not choice.wants("GET", "/api/x", 500)
    assert Choice.parse([], ["5xx"], 1.0).wants("GET", "/any", 200)


def test_sample() -> None:
    identities = [str(number) for number in range(4000)]
    drawn = [one for one in identities if Choice.parse([], [], 0.25).draws(one)]
    assert 800 < len(drawn) < 1200
    assert drawn == [one for one in identities if Choice.parse([], [], 0.25).draws(one)]
    assert not any(Choice.parse([], [], 0.0).draws(one) for one in identities)
    assert all(Choice.parse([], [], 1.0).draws(one) for one in identities)
    with pytest.raises(ConfigError, match=r"sample 2 is no share"):
        Choice.parse([], [], 2.0)


@pytest.mark.parametrize(
    ("method", "target", "status", "name"),
    [
        ("POST", "/orders", 201, "post-orders-201"),
        ("GET", "/orders/17?full=1", 200, "get-orders-17-200"),
        ("GET", "/", 200, "get-root-200"),
        ("GET", "/u/0191d9c4-1111-7abc-9def-0123456789ab/x", 200, "get-u-id-x-200"),
        ("DELETE", "/Ünï/../%20", 204, "delete-n-20-204"),
        ("GET", "/" + "ab/" * 50, 200, "get-" + "ab-" * 18 + "ab-200"),
    ],
)
def test_slug(method: str, target: str, status: int, name: str) -> None:
    assert slug(method, target, status) == name


@pytest.mark.parametrize(
    ("body", "operation"),
    [
        ({"operationName": "GetOrders", "query": "query GetOrders { a } query Other { b }"}, "GetOrders"),
        ({"query": "mutation AddOrder($a: Int) { add(a: $a) { id } }"}, "AddOrder"),
        ({"query": "# which\n  subscription Ticks { tick }", "variables": None}, "Ticks"),
        ({"query": "{ orders { id } }"}, ""),
        ({"query": 5}, ""),
        ([{"query": "query A { a }"}], ""),
        (None, ""),
    ],
)
def test_graphql_is_named_by_its_operation(body: Tree, operation: str) -> None:
    assert graphql_operation(body) == operation
    named = slug("POST", "/graphql", 200, operation)
    assert named == (f"post-graphql-{operation.lower()}-200" if operation else "post-graphql-200")


def test_names_are_free() -> None:
    names = Names(["a", "a-3"])
    assert [names.free("a"), names.free("a"), names.free("b"), names.free("b")] == ["a-2", "a-4", "b", "b-2"]
