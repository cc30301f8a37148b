"""What requests took from earlier responses is found, and nothing that only looks like it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizers.origins import implied
from recorder.dedupe import dedupe
from recorder.links import discover, names_of
from wiretape import links
from wiretape.case import EMPTY, Body, Call, Case, Headers, Link, Request, Response
from wiretape.links import written

JSON = (("content-type", "application/json"),)
TOKEN, OTHER = "9f8d7c6b5a4e3f2d1c0b9a8f7e6d5c4b", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
UUID = "7b0e4d2a-1111-4222-8333-944455566677"
CURSOR = base64.b64encode(json.dumps({"after": UUID, "x": "?>?>"}).encode()).decode()


def case(
    number: int,
    request: str,
    says: Any = None,
    *,
    headers: Headers = (),
    status: int = 200,
    answer: Any = None,
    told: Headers = (),
    kind: str = "",
    calls: tuple[Call, ...] = (),
) -> Case:
    method, target = request.split(" ")
    body = EMPTY if says is None else says if isinstance(says, Body) else Body(kind="json", value=says)
    replied = EMPTY if answer is None else Body(kind="text" if kind else "json", value=answer)
    typed = (("content-type", kind),) if kind else JSON
    return Case(
        name=f"c{number}",
        recorded=f"2026-11-20T10:00:{number:02}Z",
        request=Request(method=method, target=target, headers=headers, body=body),
        response=Response(status=status, headers=(*typed, *told), body=replied),
        calls=calls,
    )


def found(*cases: Case, ended: Mapping[str, float] | None = None) -> list[Request]:
    """The requests as they are written."""
    told = discover(cases, ended or dict.fromkeys((one.name for one in cases), 0.0))
    again = links.resolve([replace(one, request=written(one.request, one.links), links=()) for one in told])
    assert again.broken == ()
    assert [one.request for one in again.cases] == [one.request for one in cases]
    return [written(one.request, one.links) for one in told]


LOGIN = case(0, "POST /login", {"user": "alice"}, answer={"token": TOKEN, "user": "alice"},
             told=(("set-cookie", f"sid={OTHER}; Path=/"), ("set-cookie", "theme=dark")))  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "link"),
    [
        ("authorization", f"Bearer {TOKEN}", "Bearer ${c0.response.body.token}"),
        ("cookie", f"theme=dark; sid={OTHER}; lang=en", "theme=dark; sid=${c0.response.cookies.sid}; lang=en"),
        ("x-session", OTHER, "${c0.response.cookies.sid}"),
        ("x-both", f"{TOKEN}.{OTHER}", "${c0.response.body.token}.${c0.response.cookies.sid}"),
        ("x-longer", f"{TOKEN}0{OTHER}", f"{TOKEN}0{OTHER}"),
        ("x-two", f"{TOKEN} {OTHER}", "${c0.response.body.token} ${c0.response.cookies.sid}"),
        ("x-user", "alice", "alice"),
        ("x-request-id", TOKEN, TOKEN),
    ],
)
def test_in_headers(name: str, value: str, link: str) -> None:
    assert found(LOGIN, case(1, "GET /me", headers=((name, value),)))[1].headers == ((name, link),)


@pytest.mark.parametrize(
    ("target", "link"),
    [
        (f"/s/{TOKEN}/x", "/s/${c0.response.body.token}/x"),
        (f"/s?a=1&t={TOKEN}&b=2", "/s?a=1&t=${c0.response.body.token}&b=2"),
        (f"/s?next={quote(CURSOR, safe='')}", "/s?next=${c0.response.body.cursor}"),
        (f"/s?next={CURSOR}", "/s?next=${raw:c0.response.body.cursor}"),
        (f"/s?next={quote(CURSOR, safe='').lower()}", f"/s?next={quote(CURSOR, safe='').lower()}"),
    ],
)
def test_in_paths(target: str, link: str) -> None:
    first = case(0, "POST /login", {}, answer={"token": TOKEN, "cursor": CURSOR})
    assert found(first, case(1, f"GET {target}"))[1].target == link


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (Body(kind="json", value={"a": [TOKEN], "b": f"x {TOKEN}", "c": 1}), {"a": ["${T}"], "b": "x ${T}", "c": 1}),
        (Body(kind="form", value=[["csrf", TOKEN], ["x", "y"]]), [["csrf", "${T}"], ["x", "y"]]),
        (Body(kind="multipart", value=[{"name": "csrf", "value": TOKEN}]), [{"name": "csrf", "value": "${T}"}]),
        (Body(kind="text", value=f"<t>{TOKEN}</t>"), "<t>${T}</t>"),
    ],
)
def test_in_bodies(body: Body, value: Any) -> None:
    expected = json.loads(json.dumps(value).replace("${T}", "${c0.response.body.token}"))
    assert found(LOGIN, case(1, "POST /x", body))[1].body.value == expected


@pytest.mark.parametrize(
    ("page", "link"),
    [
        (f'<form><input type="hidden" name="csrf" value="{TOKEN}"></form>', "${c0.response.fields.csrf}"),
        (f'<head><meta name="csrf-token" content="{TOKEN}"></head><p>x</p>', "${c0.response.meta.csrf-token}"),
    ],
)
def test_in_pages(page: str, link: str) -> None:
    first = case(0, "GET /form", answer=page, kind="text/html")
    sent = case(1, "POST /form", Body(kind="form", value=[["csrf", TOKEN]]), headers=(("x-csrf", TOKEN),))
    request = found(first, sent)[1]
    assert request.body.value == [["csrf", link]]
    assert request.headers == (("x-csrf", link),)


def made(path: str, answer: Any = None, *, says: Any = None, told: Headers = (), status: int = 201, served: Any = None) -> Case:
    calls = () if served is None else (Call(target="m", operation="q", fields={"rows": [[served]]}),)
    return case(0, f"POST {path}", says or {"sku": "LAMP"}, status=status, answer=answer, told=told, calls=calls)


@pytest.mark.parametrize(
    ("maker", "target", "link"),
    [
        (made("/orders", {"id": 17}), "/orders/17", "/orders/${c0.response.body.id}"),
        (made("/orders", {"id": 17}), "/orders/17/lines?x=17", "/orders/${c0.response.body.id}/lines?x=17"),
        (made("/orders", {"id": "A-17"}), "/orders/A-17", "/orders/${c0.response.body.id}"),
        (made("/orders", {"order": {"id": 17}}), "/orders/17", "/orders/${c0.response.body.order.id}"),
        (made("/orders", {"orderId": 17, "qty": 2}), "/orders/17", "/orders/${c0.response.body.orderId}"),
        (made("/orders", told=(("location", "/orders/17"),)), "/orders/17", "/orders/${c0.response.headers.location.path[1]}"),
        (made("/a/3/orders", {"id": 17}), "/a/3/orders/17", "/a/3/orders/${c0.response.body.id}"),
        (made("/orders", {"id": 17}, served=17),
         "/orders/17", "/orders/${c0.response.body.id}"),
        (made("/orders", {"id": 17}), "/items?order_id=17&n=17", "/items?order_id=${c0.response.body.id}&n=17"),
        # What only looks like it:
        (made("/orders", {"id": 17}), "/users/17", "/users/17"),
        (made("/orders", {"id": 17}), "/orders/170", "/orders/170"),
        (made("/orders", {"id": 17}), "/orders?page=17", "/orders?page=17"),
        (made("/orders", {"id": 17}, status=409), "/orders/17", "/orders/17"),
        (made("/orders", {"id": 17}, says={"id": 17}), "/orders/17", "/orders/17"),
        (made("/orders", {"total": 17}), "/orders/17", "/orders/17"),
        (made("/orders", {"a": {"b": {"id": 17}}}), "/orders/17", "/orders/17"),
    ],
)  # fmt: skip
def test_short_ids_by_their_place(maker: Case, target: str, link: str) -> None:
    assert found(maker, case(1, f"GET {target}"))[1].target == link


def test_short_ids_in_bodies_by_their_name() -> None:
    says = {"order_id": 17, "qty": 17, "ref": {"orderId": 17}, "text": "17", "order-id": "17"}
    sent = found(made("/orders", {"id": 17}), case(1, "POST /pay", says))[1]
    id_ = "${c0.response.body.id}"
    assert sent.body.value == {"order_id": id_, "qty": 17, "ref": {"orderId": id_}, "text": "17", "order-id": "17"}


def test_the_latest_of_that_name_is_linked_to() -> None:
    first, second = (
        made("/orders", {"id": 17}),
        replace(made("/orders", {"id": 17}), name="c1", recorded="2026-11-20T10:00:01Z"),
    )
    assert found(first, second, case(2, "GET /orders/17"))[2].target == "/orders/${c1.response.body.id}"


def test_a_value_is_linked_to_where_it_was_said_first() -> None:
    again = case(1, "GET /me", answer={"session": {"token": TOKEN}})
    sent = found(LOGIN, again, case(2, "GET /x", headers=(("x", TOKEN),)))[2]
    assert sent.headers == (("x", "${c0.response.body.token}"),)


@pytest.mark.parametrize(
    "first",
    [
        case(0, "POST /things", {"key": TOKEN}, answer={"key": TOKEN}),
        case(0, f"PUT /things/{TOKEN}", {}, answer={"id": TOKEN}),
        case(0, "GET /things", headers=(("x-api-key", TOKEN),), answer={"you": TOKEN}),
        case(0, "GET /things", answer=[{"id": TOKEN}], calls=(Call(target="m", operation="q", fields={"rows": [[TOKEN]]}),)),
        replace(case(0, "POST /login", {}, answer={"token": TOKEN}), incomplete="cut off"),
    ],
    ids=["said by the client", "in the client's path", "the client's key", "the database's", "of a case that is not replayed"],
)
def test_what_is_not_the_services_own_is_left_as_it_is(first: Case) -> None:
    sent = case(1, f"GET /x?t={TOKEN}", headers=(("x", TOKEN),))
    assert found(first, sent)[1] == sent.request


def test_what_had_not_come_yet_was_not_taken_from_there() -> None:
    sent = case(1, "GET /x", headers=(("x", TOKEN),))
    at_ten = 1_795_168_800.0  # 2026-11-20T10:00:00Z
    assert found(LOGIN, sent, ended={"c0": at_ten + 5, "c1": at_ten + 9})[1] == sent.request
    assert found(LOGIN, sent, ended={"c0": at_ten + 0.5, "c1": at_ten + 9})[1] != sent.request


@pytest.mark.parametrize(("expires", "linked"), [(1795168860, True), (1795168805, False)], ids=["valid", "expired by then"])
def test_a_redirect_that_is_followed_and_a_signed_url(expires: int, linked: bool) -> None:
    away = case(0, "GET /go", status=302, told=(("location", f"https://files.example/f/{UUID}?expires={expires}&sig={TOKEN}"),))
    sent = case(9, f"GET /f/{UUID}?expires={expires}&sig={TOKEN}")
    place = "c0.response.headers.location"
    links_ = f"/f/${{{place}.path[1]}}?expires=${{{place}.query.expires}}&sig=${{{place}.query.sig}}"
    assert found(away, sent)[1].target == (links_ if linked else sent.request.target)


def test_what_the_client_chose_beside_a_cursor_stays_its_own() -> None:
    first = case(0, "GET /items?limit=2", answer={"next": f"/items?limit=2&cursor={TOKEN}"})
    sent = found(first, case(1, f"GET /items?limit=2&cursor={TOKEN}"))[1]
    assert sent.target == "/items?limit=2&cursor=${c0.response.body.next.query.cursor}"


def test_keys_that_are_values_are_not_named() -> None:
    first = case(0, "POST /login", {}, answer={"tokens": {OTHER: TOKEN}})
    sent = case(1, "GET /x", headers=(("x", TOKEN),))
    assert found(first, sent)[1] == sent.request


def test_dedupe_keeps_what_is_linked_to() -> None:
    logins = [
        replace(LOGIN, name=f"login{n}", recorded=f"2026-11-20T10:00:0{n}Z",
                response=replace(LOGIN.response, headers=JSON, body=Body(kind="json", value={"token": TOKEN[n:] + "0" * n})))
        for n in range(4)
    ]  # fmt: skip
    sent = case(9, "GET /x", headers=(("x", TOKEN[2:] + "00"),))
    told = discover([*logins, sent], dict.fromkeys(("login0", "login1", "login2", "login3", "c9"), 0.0))
    kept = dedupe(told, {})
    assert [one.name for one in kept.kept] == ["login0", "login2", "c9"]
    assert kept.dropped == {"login0": 2}


def test_secrets_are_named_after_where_they_were_made() -> None:
    told = discover([LOGIN, case(1, "GET /x", headers=(("x", TOKEN), ("cookie", f"sid={OTHER}")))], {"c0": 0.0, "c1": 0.0})
    assert names_of(told) == {TOKEN: "c0-token", OTHER: "c0-cookie-sid"}


def test_what_a_case_needs_without_saying_so() -> None:
    cases = [
        LOGIN,
        case(1, "GET /a"),
        case(2, "GET /b", headers=(("authorization", f"Bearer {TOKEN}"), ("cookie", f"sid={OTHER}"))),
    ]
    assert implied(cases) == {"c2": ("c0",)}


values = st.sampled_from([TOKEN, OTHER, UUID, CURSOR, "17", "a b", "${x}", "$", "x&y=z", ""])


@given(st.lists(st.tuples(values, values, values, values), min_size=2, max_size=6), st.booleans())
def test_reading_links_back_gives_the_recorded_requests(rows: list[tuple[str, str, str, str]], encoded: bool) -> None:
    cases = [
        case(
            number,
            f"POST /a/{quote(one, safe='' if encoded else '/+=&')}?q={quote(two, safe='')}",
            {"v": one, "w": [two + three], "order_id": 17},
            headers=(("x", f"{three} {four}"), ("cookie", f"a={one}; b={two}")),
            answer={"id": three, "deep": {"x": four}},
        )
        for number, (one, two, three, four) in enumerate(rows)
    ]
    told = discover(cases, {one.name: 0.0 for one in cases})
    assert [replace(one, links=()) for one in told] == cases
    recorded = links.Recorded(cases)
    for one in told:
        assert links.fill(one.request, one.links, recorded.value) == one.request
        assert all(isinstance(piece, str | Link) for linked in one.links for piece in linked.pieces)
