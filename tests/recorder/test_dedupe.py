"""Routes inferred from what was seen, and one case of each kind."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from recorder.dedupe import dedupe
from recorder.routes import Routes
from wiretape.case import Body, Call, Case, Request, Response
from wiretape.protocols.base import Ask

CODECS: Any = {
    "main": SimpleNamespace(ask=lambda call: Ask(target="main", operation=call.operation, shape=call.operation.split(" #")[0]))
}


def case(name: str, target: str, body: Any = None, *calls: str, status: int = 200, method: str = "GET") -> Case:
    return Case(
        name=name,
        request=Request(method=method, target=target),
        response=Response(status=status, body=Body() if body is None else Body(kind="json", value=body)),
        calls=tuple(Call(target="main", operation=call) for call in calls),
    )


def test_what_looks_generated_is_open() -> None:
    routes = Routes([("GET", "/orders/17"), ("GET", "/orders/17/lines?x=1"), ("GET", "/orders")])
    assert routes.of("GET", "/orders/99?y=2") == "GET /orders/{}"
    assert routes.of("GET", "/orders/99/lines") == "GET /orders/{}/lines"
    assert routes.of("GET", "/orders") == "GET /orders"
    assert routes.of("GET", "/orders/7b0e4d2a-1111-4222-8333-944455566677") == "GET /orders/{}"


def test_many_words_in_one_place_are_values() -> None:
    users = [f"user{chr(97 + n)}" for n in range(12)]
    routes = Routes([*(("GET", f"/users/{one}") for one in users), ("GET", "/users/me/posts"), ("POST", "/users")])
    assert routes.of("GET", "/users/usera") == "GET /users/{}"
    assert routes.of("GET", "/users/never-seen") == "GET /users/{}"
    assert routes.of("GET", "/users/me/posts") == "GET /users/me/posts"


def test_few_words_are_names_of_things() -> None:
    routes = Routes([("GET", f"/{one}") for one in ("users", "orders", "health", "items")])
    assert {routes.of("GET", f"/{one}") for one in ("users", "health")} == {"GET /users", "GET /health"}


def test_methods_are_never_values() -> None:
    methods = ["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "QUERY", "LINK"]
    assert Routes([(one, "/a") for one in methods]).of("LINK", "/a") == "LINK /a"


def test_one_case_of_each_kind_is_kept() -> None:
    cases = [
        case("a", "/orders/1", {"id": 1, "lines": [{"sku": "x"}]}, "SELECT #1"),
        case("b", "/orders/2", {"id": 2, "lines": [{"sku": "y"}, {"sku": "z"}]}, "SELECT #2", "SELECT #3"),
        case("c", "/orders/3", {"id": 3, "lines": []}, "SELECT #2"),
        case("d", "/orders/4", {"error": "none"}, "SELECT #2", status=404),
        case("e", "/orders/5", {"id": 5, "lines": [{"sku": "y"}]}, "SELECT #2", "UPDATE #2"),
        case("f", "/orders/6?full=1", {"id": 5, "lines": [{"sku": "y"}]}, "SELECT #2"),
    ]
    found = dedupe(cases, CODECS)
    assert [one.name for one in found.kept] == ["a", "c", "d", "e", "f"]
    assert (found.dropped, found.routes, found.shapes) == ({"a": 1}, 1, 5)


def test_a_whole_and_certain_case_is_the_better_one() -> None:
    first = case("a", "/x", {"id": 1}, "SELECT #1")
    unsure = replace(first, calls=tuple(replace(call, ambiguous=("b",)) for call in first.calls))
    cases = [replace(first, incomplete="cut"), replace(unsure, name="b"), replace(first, name="c")]
    assert [one.name for one in dedupe(cases, CODECS).kept] == ["c"]
