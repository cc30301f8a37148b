"""Lists whose order says nothing: paired by a key or by meaning, with what differs shown at the right item."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replayer.diff import compare
from replayer.received import Received
from replayer.trees import REARRANGED
from tests.replayer.test_diff import L1, R1, R2, WHEN, by, differences, headers
from wiretape import body as bodies
from wiretape.case import Response

L2 = "bbbbbbbb-1111-4ccc-8ddd-eeeeeeeeeeee"
GOODS = [{"id": at, "name": f"n{at}", "price": at * 10, "tags": ["a", "b"]} for at in range(5)]
BODY = "response.body"


def reasons(recorded: Any, live: Any, *noise: tuple[str, str]) -> list[tuple[str, str]]:
    json_type = (("content-type", "application/json"),)
    was = Response(status=200, headers=json_type, body=bodies.read(json.dumps(recorded).encode(), json_type))
    now = Received(status=200, headers=json_type, body=json.dumps(live).encode())
    return [(each.path, each.reason) for each in compare(was, now, by(*noise))]


def test_another_order_is_one_difference() -> None:
    assert reasons(["a", "b", "c"], ["c", "a", "b"]) == [(BODY, REARRANGED)]
    assert reasons({"items": GOODS}, {"items": GOODS[::-1]}) == [(f"{BODY}.items", REARRANGED)]


def test_an_item_that_changed_in_a_list_of_another_order_is_shown_at_that_item() -> None:
    live = [{**GOODS[3], "price": 31}, GOODS[1], GOODS[0], GOODS[2], GOODS[4]]
    assert differences(GOODS, live) == [(BODY, "changed", GOODS, live), (f"{BODY}[3].price", "changed", 30, 31)]
    assert differences(GOODS, live, (BODY, "unordered by id")) == [(f"{BODY}[3].price", "changed", 30, 31)]
    assert differences(GOODS, live, (BODY, "unordered")) == [(f"{BODY}[3].price", "changed", 30, 31)]
    assert differences(GOODS, live, (BODY, "unordered by id"), (f"{BODY}[].price", "within 1")) == []


def test_items_that_come_and_go_are_told_where_they_stand() -> None:
    live = [GOODS[4], GOODS[2], {"id": 9}, GOODS[0], GOODS[1]]
    assert differences(GOODS, live, (BODY, "unordered by id")) == [
        (f"{BODY}[3]", "removed", GOODS[3], None),
        (f"{BODY}[2]", "added", None, {"id": 9}),
    ]


def test_as_many_times_each() -> None:
    assert differences(["a", "a", "b"], ["b", "a", "a"], (BODY, "unordered")) == []
    assert differences(["a", "a", "b"], ["b", "b", "a"], (BODY, "unordered")) == [(f"{BODY}[1]", "changed", "a", "b")]


def test_unordered_within_unordered() -> None:
    live = [{**item, "tags": ["b", "a"]} for item in GOODS[::-1]]
    rules = ((BODY, "unordered by id"), (f"{BODY}[].tags", "unordered"))
    assert differences(GOODS, live, *rules) == []
    live[0]["tags"] = ["b", "c"]
    assert differences(GOODS, live, *rules) == [(f"{BODY}[4].tags[0]", "changed", "a", "c")]


def test_fresh_ids_are_bound_in_whatever_order_they_come() -> None:
    recorded = [{"id": R1, "name": "one"}, {"id": R2, "name": "two"}]
    live = [{"id": L2, "name": "two"}, {"id": L1, "name": "one"}]
    comparison = by((BODY, "unordered"))
    json_type = (("content-type", "application/json"),)
    was = Response(status=200, headers=json_type, body=bodies.read(json.dumps(recorded).encode(), json_type))
    assert compare(was, Received(status=200, headers=json_type, body=json.dumps(live).encode()), comparison) == ()
    assert comparison.bindings.stand([R1, R2]) == [L1, L2]
    assert WHEN is comparison.when


def test_measures_in_any_order_are_matched_as_many_as_can_be() -> None:
    rules = ((BODY, "unordered"), (f"{BODY}[]", "within 0.1"))
    assert differences([0.5, 0.58], [0.66, 0.42], *rules) == []
    assert differences([0.5, 0.58], [0.42, 0.41], *rules) == [(f"{BODY}[1]", "changed", 0.58, 0.41)]


def test_a_rule_says_what_it_wanted() -> None:
    def told(recorded: Any, live: Any, kind: str) -> str:
        ((_, reason),) = reasons({"a": recorded}, {"a": live}, (f"{BODY}.a", kind))
        return reason

    assert told(1.0, 2.0, "within 0.01") == "not within 0.01 of the recorded one"
    assert told("x-1", "y", "like x-{1 digits}") == "not like x-{1 digits}"
    assert told("1/2", "y", "timestamp %d/%m") == "no longer a timestamp %d/%m"
    assert told(1, -1, "counter") == "no longer a counter"
    assert told("x y", "x z", "unordered") == "not the same items in another order"
    assert told(1, "x", "optional integer") == "not integer"
    assert told(1, 9, "optional within 1") == "not within 1 of the recorded one"


def test_headers_that_list_words() -> None:
    was, now = (("Allow", "GET, POST"), ("Vary", "a"), ("Vary", "b")), (("allow", "POST, GET"), ("vary", "b"), ("vary", "a"))
    assert [each[0] for each in headers(was, now)] == ["response.headers.Allow", "response.headers.Vary"]
    assert headers(was, now, ("response.headers.allow", "unordered"), ("response.headers.vary", "unordered")) == []
    other = (("allow", "POST, PUT"), *now[1:])
    assert len(headers(was, other, ("response.headers.allow", "unordered"), ("response.headers.vary", "unordered"))) == 1


def test_cookies_come_in_any_order() -> None:
    cookies = (("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2"))
    assert headers(cookies, cookies[::-1]) == []
    rule = ("response.headers.set-cookie[]", "like a={1 digits}; Path=/")
    assert headers(cookies, (cookies[1], ("Set-Cookie", "a=5; Path=/")), rule) == []
    assert len(headers(cookies, (cookies[1], ("Set-Cookie", "a=x; Path=/")), rule)) == 1


def test_what_may_be_absent() -> None:
    rule = (f"{BODY}.hint", "optional like two")
    assert differences({"hint": "two"}, {}, rule) == []
    assert differences({}, {"hint": "two"}, rule) == []
    assert differences({}, {"hint": "ten"}, rule) == [(f"{BODY}.hint", "added", None, "ten")]
    assert differences({"hint": "two"}, {}, (f"{BODY}.hint", "optional")) == []
    assert differences({"hint": "two"}, {"hint": "ten"}, (f"{BODY}.hint", "optional")) == [
        (f"{BODY}.hint", "changed", "two", "ten")
    ]


TREES = st.recursive(
    st.integers(0, 3) | st.sampled_from(["a", "b", R1, R2, L1, L2]) | st.floats(0, 1, width=16),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["id", "x"]), inner, max_size=2),
    max_leaves=8,
)
PLACES = st.sampled_from([BODY, f"{BODY}[]", f"{BODY}[].x", f"{BODY}[][]", f"{BODY}.x", f"{BODY}.x[]", f"{BODY}.id"])
KINDS = st.sampled_from(
    ["any", "unordered", "unordered by id", "within 0.1", "counter", "optional", "like a", "uuid", "optional any"]
)
RULES = st.lists(st.tuples(PLACES, KINDS), max_size=3)


@st.composite
def nearly_alike(draw: Any) -> tuple[Any, Any]:
    """Two trees that differ in little: items in another order, values that scatter, fields that are gone."""
    recorded = draw(TREES)

    def other(tree: Any) -> Any:
        if isinstance(tree, list):
            items = [other(item) for item in tree]
            return draw(st.permutations(items)) if draw(st.booleans()) else items
        if isinstance(tree, dict):
            return {key: other(value) for key, value in tree.items() if draw(st.integers(0, 5))}
        if isinstance(tree, float):
            return tree + draw(st.sampled_from([0.0, 0.05]))
        return {R1: L1, R2: L2}.get(tree, tree) if isinstance(tree, str) and draw(st.booleans()) else tree

    return recorded, other(recorded)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(nearly_alike(), RULES, st.tuples(PLACES, KINDS))
def test_a_rule_more_never_makes_a_difference_of_none(pair: Any, rules: Any, more: Any) -> None:
    if not differences(*pair, *rules):
        assert not differences(*pair, *rules, more)
        assert not differences(*pair, more, *rules)


@given(st.lists(TREES, max_size=5).flatmap(lambda items: st.tuples(st.just(items), st.permutations(items))))
def test_any_order_passes_and_one_item_more_does_not(pair: Any) -> None:
    recorded, live = pair
    assert differences(recorded, live, (BODY, "unordered")) == []
    assert differences(recorded, [*live, "more"], (BODY, "unordered")) != []
