"""The traces that calls over HTTP and to MongoDB carry: they say whose a call is, and are no part of it."""

from __future__ import annotations

from wiretape.case import Call
from wiretape.protocols.base import Side
from wiretape.protocols.http import asks as http
from wiretape.protocols.http.outbound import CallTap
from wiretape.protocols.mongo import asks as mongo
from wiretape.protocols.mongo.commands import Command, told
from wiretape.tree import Tree

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def command(**body: Tree) -> Command:
    return Command(name="find", database="shop", body=body, fields=told("find", body))


def test_a_command_says_its_trace_in_its_comment() -> None:
    plain = command(find="users", filter={"a": 1})
    for one in (
        command(find="users", filter={"a": 1}, comment=f"traceparent='{PARENT}'"),
        command(find="users", filter={"a": 1}, comment=PARENT),
        command(find="users", filter={"a": 1}, comment={"traceparent": PARENT, "route": "/a"}),
        command(find="users", filter={"a": 1, "$comment": f"/*traceparent='{PARENT}'*/"}),
    ):
        assert one.traces == (TRACE,)
        assert one.fields == plain.fields
        assert mongo.live("main", one).trace == TRACE
        assert mongo.live("main", one) == mongo.live("main", plain)
    assert command(find="users", filter={"$comment": PARENT}).fields == command(find="users").fields


def test_another_comment_stays() -> None:
    one = command(find="users", comment="nightly report")
    assert one.traces == ()
    assert one.fields == {"query": {"comment": "nightly report"}}


def test_a_request_says_its_trace_in_its_headers() -> None:
    tap = CallTap()
    head = f"GET /a HTTP/1.1\r\nhost: x\r\ntraceparent: {PARENT}\r\nx-request-id: 0123456789abcdef0\r\nbaggage: a=b\r\n\r\n"
    list(tap.feed(Side.CLIENT, head.encode(), 0.0))
    (one,) = tap.feed(Side.SERVER, b"HTTP/1.1 204 No Content\r\n\r\n", 1.0)
    assert one.traces == (TRACE, "0123456789abcdef0")
    assert "headers" not in one.fields
    live = http.make("main", http.asked("GET", "/a", (("traceparent", PARENT), ("b3", "1")), b""))
    assert live.trace == TRACE
    assert live == http.ask(Call(target="main", operation="GET /a"))
