"""Short ids that are linked to: known by their place, excusing nothing elsewhere."""

from __future__ import annotations

import json
from typing import Any

import pytest

from replayer.bindings import Bindings
from replayer.linked import Linked
from replayer.received import Received
from wiretape import links
from wiretape.case import Body, Call, Case, Headers, Request, Response
from wiretape.case import Linked as Text
from wiretape.tree import Path

JSON = (("content-type", "application/json"),)


def case(name: str, request: str, answer: Any, *, told: Headers = (), says: Any = None, link: links.Link | None = None,
         served: Any = None) -> Case:  # fmt: skip
    method, target = request.split(" ")
    calls = (Call(target="m", operation="q", fields={"rows": [[served]]}),) if served is not None else ()
    body = Body(kind="json", value=says) if says is not None else Body()
    return Case(
        name=name,
        request=Request(method=method, target=target, body=body),
        response=Response(status=200, headers=(*JSON, *told), body=Body(kind="json", value=answer)),
        links=(Text(place=("target",), pieces=("/orders/", link)),) if link else (),
        calls=calls,
    )


def received(answer: Any, told: Headers = ()) -> Received:
    return Received(status=200, headers=(*JSON, *told), body=json.dumps(answer).encode())


ID = links.link_to("make", ("body", "id"))


def run(
    recorded: Any, live: Any, *, told: tuple[Headers, Headers] = ((), ()), link: links.Link = ID, **more: Any
) -> tuple[Linked, Case, Case]:
    """A thing was made, recorded and now; a later case links to it."""
    make = case("make", "POST /orders", recorded, told=told[0], **more)
    take = case("take", "GET /orders/17", {}, link=link)
    linked = Linked([make, take], Bindings())
    linked.answered(make, received(live, told[1]))
    return linked, make, take


@pytest.mark.parametrize(
    ("name", "path", "recorded", "live", "met"),
    [
        ("make", "response.body.id", 17, 3, True),
        ("make", "response.body.qty", 17, 3, False),
        ("make", "response.body.user.id", 17, 3, False),
        ("make", "response.headers.location", "/orders/17", "/orders/3", True),
        ("make", "response.body.self", "http://x/orders/17?y=1", "http://x/orders/3?y=1", True),
        ("make", "response.body.self", "/users/17", "/users/3", False),
        ("make", "response.body.self", "/orders/170", "/orders/30", False),
        ("take", "response.body.id", 17, 3, True),
        ("take", "response.body.id", "17", "3", True),
        ("take", "response.body.id", 17, "3", False),
        ("take", "response.body.id", 17, 4, False),
        ("take", "response.body.id", 18, 3, False),
        ("take", "response.body.items[].id", 17, 3, True),
        ("take", "response.body.lines.id", 17, 3, False),
        ("take", "response.body.order_id", 17, 3, True),
        ("take", "response.body.orderId", 17, 3, True),
        ("take", "response.body.user_id", 17, 3, False),
        ("other", "response.body.order_id", 17, 3, True),
        ("other", "response.body.id", 17, 3, False),
        ("deeper", "response.body.id", 17, 3, False),
    ],
)
def test_where_an_id_is_known(name: str, path: str, recorded: Any, live: Any, met: bool) -> None:
    linked, make, take = run({"id": 17}, {"id": 3})
    cases = {
        "make": make,
        "take": take,
        "other": case("other", "GET /users/17", {}),
        "deeper": case("deeper", "GET /orders/17/lines", {}),
    }
    steps = tuple(0 if step == "[]" else step for step in path.replace("[]", ".[]").split("."))
    assert linked.places.meet(cases[name], steps, recorded, live) is met


@pytest.mark.parametrize(
    ("recorded", "live", "more"),
    [
        ({"id": 17}, {"id": 3}, {"served": 17}),
        ({"id": 17}, {"id": 3}, {"says": {"id": 17}}),
        ({"id": 17}, {"id": "3"}, {}),
        ({"id": 17}, {"id": None}, {}),
        ({"id": 17}, {"id": [3]}, {}),
        ({"id": 17}, {}, {}),
        ({"id": True}, {"id": False}, {}),
        ({"id": "A-17"}, {"id": "B-17"}, {}),
        ({"id": "A-17"}, {"id": "A17"}, {}),
        ({"id": "alice"}, {"id": "bob"}, {}),
        ({"id": 17}, {"id": 3}, {"told": ((("location", "/orders/17"),), (("location", "/orders/17"),))}),
        ({"id": 17}, {"id": 3}, {"told": ((("location", "/orders/17"),), (("location", "/orders/4"),))}),
    ],
    ids=[
        *("from the database", "from the request", "of another type", "null", "a list", "gone", "no number", "another word"),
        *("written otherwise", "no counter", "a Location of the old", "a Location of another"),
    ],
)
def test_an_id_that_is_not_the_services_own_or_does_not_agree_with_itself(recorded: Any, live: Any, more: Any) -> None:
    linked, make, _ = run(recorded, live, **more)
    path: Path = ("response", "body", "id")
    assert not linked.places.meet(make, path, recorded["id"], live.get("id"))


def test_two_things_are_never_one() -> None:
    makes = [case(f"make{number}", "POST /orders", {"id": number}) for number in (1, 2, 3)]
    takes = [
        case(f"take{number}", "GET /orders/1", {}, link=links.link_to(f"make{number}", ("body", "id"))) for number in (1, 2, 3)
    ]
    linked = Linked([*makes, *takes], Bindings())
    for make, live in zip(makes, (2, 2, 3), strict=True):
        linked.answered(make, received({"id": live}))
    path: Path = ("response", "body", "id")
    assert linked.places.meet(makes[0], path, 1, 2)
    assert not linked.places.meet(makes[1], path, 1, 3)
    assert not linked.places.meet(makes[2], path, 2, 3)


def test_what_is_sent() -> None:
    linked, make, take = run({"id": 17}, {"id": 3})
    assert linked.request(take).target == "/orders/3"
    assert linked.missing(take) == ()
    assert linked.request(make) == make.request


@pytest.mark.parametrize(
    ("answer", "why"), [({}, "was answered nothing at response.body.id"), (None, "was not answered in this run")]
)
def test_what_was_not_answered_is_sent_as_recorded_and_said(answer: Any, why: str) -> None:
    make, take = case("make", "POST /orders", {"id": 17}), case("take", "GET /orders/17", {}, link=ID)
    linked = Linked([make, take], Bindings())
    if answer is not None:
        linked.answered(make, received(answer))
    assert linked.request(take).target == "/orders/17"
    assert linked.missing(take) == (f"${{make.response.body.id}} is what was recorded: make {why}",)


def test_a_linked_token_that_a_rule_lets_differ_stands_for_the_recorded_one_everywhere() -> None:
    link = links.link_to("make", ("body", "token"))
    make, take = case("make", "POST /orders", {"token": "tok-recorded"}), case("take", "GET /orders/17", {}, link=link)
    bindings = Bindings()
    linked = Linked([make, take], bindings)
    linked.answered(make, received({"token": "tok-another-1"}))
    linked.bind(make)
    assert linked.request(take).target == "/orders/tok-another-1"
    assert bindings.stand("session:tok-recorded") == "session:tok-another-1"


def test_a_secret_is_sent_but_not_shown() -> None:
    link = links.link_to("make", ("body", "token"))
    stored = [case("make", "POST /orders", {"token": "${secret:t}"}), case("take", "GET /orders/${secret:t}", {}, link=link)]
    plain = [case("make", "POST /orders", {"token": "recorded"}), case("take", "GET /orders/recorded", {}, link=link)]
    linked = Linked(plain, Bindings())
    linked.answered(plain[0], received({"token": "live"}))
    assert linked.request(plain[1]).target == "/orders/live"
    assert linked.shown(stored[1], stored).target == "/orders/${secret:t}"
