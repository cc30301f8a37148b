"""Responses compared by meaning."""

from __future__ import annotations

import gzip
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from normalizers.base import When
from normalizers.pipeline import NORMALIZERS
from replayer.bindings import Bindings
from replayer.diff import Comparison, compare
from replayer.noise import Rules, unmatched
from replayer.received import Received
from tests.replayer.conftest import toy_case
from wiretape import body as bodies
from wiretape.case import Body, Headers, Noise, Response
from wiretape.tree import Selector, spell, walk

WHEN = When(recorded=1795168800.0, live=1795255200.0)
JSON: Headers = (("Content-Type", "application/json"),)
R1, L1 = "7b0e4d2a-1111-4222-8333-944455566677", "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
R2, L2 = "0c9a8b7c-aaaa-4bbb-8ccc-dddd11112222", "12345678-9abc-4def-8123-456789abcdef"


def by(*noise: tuple[str, str], bindings: Bindings | None = None) -> Comparison:
    rules = [Noise(selector=Selector.parse(selector), kind=kind) for selector, kind in noise]
    return Comparison(bindings=bindings or Bindings(), rules=Rules(rules, NORMALIZERS), when=WHEN)


def differences(recorded: Any, live: Any, *noise: tuple[str, str], bindings: Bindings | None = None) -> list[Any]:
    """Changes between two JSON bodies, as (path, kind, recorded, live)."""
    was = Response(status=200, headers=JSON, body=bodies.read(json.dumps(recorded).encode(), JSON))
    now = Received(status=200, headers=JSON, body=json.dumps(live).encode())
    return [(each.path, each.kind, each.recorded, each.live) for each in compare(was, now, by(*noise, bindings=bindings))]


def headers(recorded: Headers, live: Headers, *noise: tuple[str, str]) -> list[Any]:
    changes = compare(Response(status=200, headers=recorded), Received(status=200, headers=live), by(*noise))
    return [(each.path, each.kind, each.recorded, each.live, each.reason) for each in changes]


def test_status_types_and_places() -> None:
    was, now = Response(status=201, headers=JSON), Received(status=200, headers=JSON)
    assert [(each.path, each.recorded, each.live) for each in compare(was, now, by())] == [("response.status", 201, 200)]
    assert differences({"a": {"b": 1}, "c": 2}, {"a": {"b": "1"}, "e": 3}) == [
        ("response.body.a.b", "retyped", 1, "1"),
        ("response.body.c", "removed", 2, None),
        ("response.body.e", "added", None, 3),
    ]


def test_the_order_of_keys_means_nothing_that_of_items_does() -> None:
    assert differences({"a": 1, "b": 2}, {"b": 2, "a": 1}) == []
    assert differences([1, 2], [2, 1]) != []


def test_an_item_removed_in_the_middle_is_one_removal() -> None:
    items = [{"id": number, "name": f"n{number}"} for number in range(50)]
    assert differences({"items": items}, {"items": items[:10] + items[11:]}) == [
        ("response.body.items[10]", "removed", items[10], None)
    ]
    assert differences(items, [*items[:3], {"id": 99}, *items[3:]]) == [("response.body[3]", "added", None, {"id": 99})]


def test_a_changed_item_beside_a_removed_one_is_found_again() -> None:
    items = [{"id": number, "name": f"n{number}", "ok": True} for number in range(5)]
    changed = {**items[2], "ok": False}
    assert differences(items, [items[0], changed, *items[3:]]) == [
        ("response.body[1]", "removed", items[1], None),
        ("response.body[2].ok", "changed", True, False),
    ]


def test_items_told_apart_by_known_ids_only() -> None:
    bindings = Bindings()
    bindings.learn([R1, R2, L1])
    assert differences([{"id": R1}, {"id": R2}, {"id": L1}], [{"id": R1}, {"id": L1}], bindings=bindings) == [
        ("response.body[1]", "removed", {"id": R2}, None)
    ]


def test_an_item_removed_among_fresh_ids() -> None:
    was = [{"id": R1, "n": 1}, {"n": 2}, {"id": R2, "n": 3}]
    assert differences(was, [{"id": L1, "n": 1}, {"id": L2, "n": 3}]) == [("response.body[1]", "removed", {"n": 2}, None)]


def test_fresh_ids_and_times_agree() -> None:
    was = {"id": R1, "at": "2026-11-20T10:00:00Z", "self": f"/orders/{R1}"}
    assert differences(was, {"id": L1, "at": "2026-11-21T10:00:01Z", "self": f"/orders/{L1}"}) == []
    assert differences(was, {"id": L1, "at": "2026-11-21T10:00:01Z", "self": f"/orders/{L2}"}) != []


def test_an_id_bound_in_the_body_is_known_in_the_location() -> None:
    was = Response(status=201, headers=(*JSON, ("Location", f"/o/{R1}")), body=Body(kind="json", value={"id": R1}))
    now = Received(status=201, headers=(*JSON, ("location", f"/o/{L1}")), body=json.dumps({"id": L1}).encode())
    assert compare(was, now, by()) == ()
    now = Received(status=201, headers=(*JSON, ("location", f"/o/{L2}")), body=json.dumps({"id": L1}).encode())
    assert [each.path for each in compare(was, now, by())] == ["response.headers.Location"]


def test_typed_noise() -> None:
    noise = ("response.body.items[].at", "timestamp")
    was = {"items": [{"at": "2020-01-01T00:00:00Z"}, {"at": "2020-01-01T00:00:00Z"}]}
    assert differences(was, {"items": [{"at": "2026-11-20T10:00:00Z"}, {"at": "2021-01-01 00:00:00+00"}]}, noise) == []
    live = Received(status=200, headers=JSON, body=b'{"items": [{"at": "2020-01-01T00:00:00Z"}, {"at": "soon"}]}')
    (change,) = compare(Response(status=200, headers=JSON, body=Body(kind="json", value=was)), live, by(noise))
    assert (change.path, change.reason) == ("response.body.items[1].at", "no longer a timestamp")


def test_any_accepts_anything_even_its_absence() -> None:
    assert differences({"a": {"b": [1]}, "c": 1}, {"c": 1}, ("response.body.a", "any")) == []
    assert differences({"c": 1}, {"a": [2], "c": 1}, ("response.body.a", "any")) == []
    assert differences({"a": 1, "c": 1}, {"a": 2, "c": 2}, ("response.body.a", "any")) == [("response.body.c", "changed", 1, 2)]


def test_a_noise_rule_names_whole_paths() -> None:
    assert differences({"a": {"b": 1}}, {"a": {"b": 2}}, ("response.body.b", "any")) != []


def test_noise_that_matches_nothing_is_told() -> None:
    noise = (
        Noise(selector=Selector.parse("response.body.nope"), kind="any"),
        Noise(selector=Selector.parse("response.headers.CONTENT-TYPE"), kind="any"),
    )
    case = toy_case("x", noise=noise)
    tree: Any = {"response": {"headers": {"content-type": "x"}, "body": {"a": 1}}}
    assert unmatched(case, [tree]) == (
        "noise response.body.nope matches nothing, neither recorded nor live; correct or remove it",
    )


def test_headers_by_meaning() -> None:
    assert headers((("A-B", "1"), ("Date", "x")), (("a-b", "1"), ("date", "y"), ("Server", "z"))) == []
    assert headers((("Content-Type", "Text/HTML;charset=UTF-8"),), (("content-type", "text/html; charset=utf-8"),)) == []
    assert headers((("Cache-Control", "no-store"),), ()) == [
        ("response.headers.Cache-Control", "removed", "no-store", None, "")
    ]
    assert headers((), (("Vary", "a"), ("Vary", "b"))) == [("response.headers.Vary", "added", None, ["a", "b"], "")]
    assert headers((("X-Limit", "5"),), (("X-Limit", "6"),), ("response.headers.x-limit", "any")) == []


def test_cookies_by_name_and_attribute() -> None:
    was = (("Set-Cookie", "a=1; Path=/; HttpOnly"), ("Set-Cookie", f"s={R1}; Max-Age=60"))
    assert headers(was, (("set-cookie", f"s={L1}; max-age=60"), ("set-cookie", "a=1; httponly; path=/"))) == []
    assert headers(was, (("set-cookie", "a=2; Path=/"), ("set-cookie", f"s={L1}; Max-Age=60"))) == [
        (
            "response.headers.Set-Cookie[0]",
            "changed",
            "a=1; Path=/; HttpOnly",
            "a=2; Path=/",
            "cookie a: value, attribute httponly removed",
        )
    ]
    assert [found[:2] for found in headers(was, (("set-cookie", "a=1; Path=/; HttpOnly"),))] == [
        ("response.headers.Set-Cookie[1]", "removed")
    ]


def test_bodies_of_other_kinds() -> None:
    def changes(recorded: bytes, live: bytes, type_: str, *more: tuple[str, str]) -> list[Any]:
        named: Headers = (("Content-Type", type_), *more)
        was = Response(status=200, headers=named, body=bodies.read(recorded, named))
        return [
            (each.path, each.kind, each.recorded, each.live)
            for each in compare(was, Received(status=200, headers=named, body=live), by())
        ]

    assert changes(b"hello", b"hallo", "text/plain") == [("response.body", "changed", "hello", "hallo")]
    assert changes(b"\x00\x01", b"\x00\x02", "image/png") == [("response.body", "changed", b"\x00\x01", b"\x00\x02")]
    assert changes(b"a=1&b=2", b"b=2&a=3", "application/x-www-form-urlencoded") == [("response.body.a", "changed", "1", "3")]
    assert changes(b"", b"x", "text/plain") == [("response.body", "added", None, "x")]
    assert changes(b"x", b"", "text/plain") == [("response.body", "removed", "x", None)]
    assert changes(b'{"a": 1.0}', b'{"a":1.00}', "application/json") == []
    packed = (gzip.compress(b'{"a": 1}', 9), gzip.compress(b'{"a":1}', 1))
    assert changes(*packed, "application/json", ("Content-Encoding", "gzip")) == []


trees = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", R1, R2, L1, L2, "2026-11-20T10:00:00Z"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=14,
)


@given(trees)
def test_the_same_never_differs(tree: Any) -> None:
    assert differences(tree, tree) == []


@given(trees, trees, st.data())
def test_a_noise_rule_never_adds_changes(recorded: Any, live: Any, data: st.DataObject) -> None:
    paths = sorted({spell(path) for tree in (recorded, live) for path, _ in walk(tree, ("response", "body"))})
    rule = (data.draw(st.sampled_from(paths)), data.draw(st.sampled_from(["any", "uuid", "timestamp"])))
    without = differences(recorded, live)
    assert len(differences(recorded, live, rule)) <= len(without)


@given(trees, trees)
def test_different_trees_are_never_silently_the_same(recorded: Any, live: Any) -> None:
    plain = json.dumps([recorded, live])
    if not any(each in plain for each in (R1, R2, L1, L2, "2026")) and json.dumps(recorded) != json.dumps(live):
        same_but_for_order = json.dumps(recorded, sort_keys=True) == json.dumps(live, sort_keys=True)
        assert same_but_for_order or differences(recorded, live)
