"""Bodies beyond JSON are compared in the way of their kind, and a difference is named at its place."""

from __future__ import annotations

from typing import Any

import pytest

from normalizers.base import When
from normalizers.pipeline import NORMALIZERS
from replayer.bindings import Bindings
from replayer.diff import Comparison, compare, live_tree, recorded_tree
from replayer.noise import Rules
from replayer.received import Received
from wiretape import body as bodies
from wiretape.case import Headers, Message, Noise, Response
from wiretape.tree import Selector

WHEN = When(recorded=1795168800.0, live=1795255200.0)
HTML: Headers = (("content-type", "text/html; charset=utf-8"),)
XML: Headers = (("content-type", "application/xml"),)
SSE: Headers = (("content-type", "text/event-stream"),)
GRPC: Headers = (("content-type", "application/grpc"),)
PNG: Headers = (("content-type", "image/png"),)
PARTS: Headers = (("content-type", "multipart/mixed; boundary=b"),)
LINES: Headers = (("content-type", "application/x-ndjson"),)


def by(*noise: tuple[str, str]) -> Comparison:
    rules = [Noise(selector=Selector.parse(selector), kind=kind) for selector, kind in noise]
    return Comparison(bindings=Bindings(), rules=Rules(rules, NORMALIZERS), when=WHEN)


def differences(headers: Headers, recorded: bytes, live: bytes, *noise: tuple[str, str], unfinished: bool = False) -> list[Any]:
    was = Response(status=200, headers=headers, body=bodies.read(recorded, headers), unfinished=unfinished)
    changes = compare(was, Received(status=200, headers=headers, body=live), by(*noise))
    return [(each.path, each.kind, each.recorded, each.live) for each in changes]


PAGE = """<!DOCTYPE html><html><head><title>Orders</title></head><body>
<form><input name=csrf type="hidden" value="%s"></form>
<table class="a b"><tr><th>item<th>price</tr><tr><td>Lamp</td><td>%s</td></tr><tr><td>Chair<td>10</table>
<p>Made at %s</p></body></html>"""


def page(price: str = "39.80", token: str = "9f8a7c6b5d4e3f2a1b0c9d8e7f6a5b4c", at: str = "2026-11-20T10:00:00Z") -> bytes:
    return (PAGE % (token, price, at)).encode()


def test_html_is_compared_by_structure() -> None:
    other = page().replace(b'name=csrf type="hidden"', b"type='hidden'   name='csrf'").replace(b"<tr><td>", b"\n  <tr>\n <td>")
    assert differences(HTML, page(), other.replace(b"Lamp</td>", b"La&#109;p ")) == []
    assert differences(HTML, page(), page(price="41.00")) == [
        ("response.body.html.body.table.tr[1].td[1]", "changed", "39.80", "41.00")
    ]


def test_tokens_and_moments_in_a_page_are_judged_where_they_stand() -> None:
    fresh = page(token="0a1b2c3d4e5f60718293a4b5c6d7e8f9", at="2026-11-21T10:00:00Z")
    assert differences(HTML, page(), fresh) == []
    assert differences(HTML, page(), page(at="never")) == [
        ("response.body.html.body.p", "changed", "Made at 2026-11-20T10:00:00Z", "Made at never")
    ]


def test_a_row_that_goes_or_comes_is_one_difference() -> None:
    rows = b"".join(b"<tr><td>row %d</td></tr>" % n for n in range(20))
    whole = b"<table>" + rows + b"</table>"
    less = whole.replace(b"<tr><td>row 7</td></tr>", b"")
    assert differences(HTML, whole, less) == [("response.body.table.tr[7]", "removed", "<tr><td>row 7</td></tr>", None)]
    assert differences(HTML, less, whole) == [("response.body.table.tr[7]", "added", None, "<tr><td>row 7</td></tr>")]


def test_attributes_and_the_order_of_elements_count() -> None:
    was = b'<p>a</p><h2>b</h2><a href="/x" class="k  l">c</a>'
    assert differences(HTML, was, b"<p>a</p><h2>b</h2><a class='k l' href='/y'>c</a>") == [
        ("response.body.a.@href", "changed", "/x", "/y")
    ]
    moved = differences(HTML, was, b'<h2>b</h2><p>a</p><a href="/x" class="k l">c</a>')
    assert sorted(each[1] for each in moved) == ["added", "removed"]


def test_noise_names_places_of_a_page() -> None:
    was, now = page(price="39.80"), page(price="41.00")
    assert differences(HTML, was, now, ("response.body.html.body.table.tr[].td[1]", "string")) == []
    assert differences(HTML, was, now, ("response.body.**.td[]", "any")) == []
    assert differences(HTML, was, now, ("response.body", "any")) == []
    tree = recorded_tree(Response(status=200, headers=HTML, body=bodies.read(was, HTML)))
    assert [value for _, value in Selector.parse("body.html.body.table.tr[1].td[1]").find(tree)] == ["39.80"]


def test_a_page_that_becomes_something_else() -> None:
    was = Response(status=200, headers=HTML, body=bodies.read(b"<p>a</p>", HTML))
    now = Received(status=200, headers=(("content-type", "application/json"),), body=b'{"a":1}')
    paths = [(each.path, each.kind, each.recorded, each.live) for each in compare(was, now, by())]
    assert paths == [
        ("response.headers.content-type", "changed", "text/html; charset=utf-8", "application/json"),
        ("response.body", "retyped", "<p>a</p>", {"a": 1}),
    ]


def test_xml_is_compared_by_structure() -> None:
    was = b'<?xml version="1.0"?><o:list xmlns:o="urn:o"><o:item id="1" n="a">x</o:item><o:item id="2">y</o:item></o:list>'
    assert differences(XML, was, was.replace(b'id="1" n="a"', b"n='a' id='1'").replace(b"><o:i", b">\n <o:i")) == []
    changed = differences(XML, was, was.replace(b">y<", b">z<"))
    assert changed == [("response.body.o:list.o:item[1]", "changed", "y", "z")]
    assert differences(XML, was, was.replace(b' id="2"', b"")) == [("response.body.o:list.o:item[1].@id", "removed", "2", None)]


def test_entities_are_not_expanded() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>'
    assert isinstance(bodies.meaning(bomb, XML), str)


STREAM = b'event: tick\ndata: {"price": 1, "n": 1}\n\n: ping\n\ndata: {"price": 2, "n": 2}\n\ndata: [DONE]\n\n'


def test_events_are_compared_one_by_one() -> None:
    assert differences(SSE, STREAM, STREAM.replace(b": ping\n\n", b"").replace(b'{"price": 1, ', b'{"price":1,')) == []
    assert differences(SSE, STREAM, STREAM.replace(b'"price": 2', b'"price": 3')) == [
        ("response.body[2].data.price", "changed", 2, 3)
    ]
    assert differences(SSE, STREAM, STREAM + b"data: more\n\n") == [("response.body[4]", "added", None, {"data": "more"})]
    assert differences(SSE, STREAM, STREAM.replace(b"data: [DONE]\n\n", b"")) == [
        ("response.body[3]", "removed", {"data": "[DONE]"}, None)
    ]


def test_a_stream_that_the_client_left_may_go_on() -> None:
    assert differences(SSE, STREAM, STREAM + b"data: more\n\n", unfinished=True) == []
    assert differences(SSE, STREAM, b"data: x\n\n" * 5, unfinished=True) != []


def grpc(*messages: bytes) -> bytes:
    return b"".join(b"\0" + len(message).to_bytes(4, "big") + message for message in messages)


def test_grpc_messages_are_compared_by_fields() -> None:
    was = grpc(b"\x0a\x04Lamp\x10\x07", b"\x0a\x05Chair\x10\x08")
    assert differences(GRPC, was, was) == []
    assert differences(GRPC, was, grpc(b"\x0a\x04Lamp\x10\x07", b"\x0a\x05Chair\x10\x09")) == [
        ("response.body[1].2", "changed", 8, 9)
    ]
    assert differences(GRPC, grpc(b"\x0a\x01a"), grpc(b"\x0a\x01a\x0a\x01b")) == [("response.body[0].1[1]", "added", None, "b")]


def test_grpc_statuses_have_names() -> None:
    ok = Response(status=200, headers=GRPC, body=bodies.read(grpc(b""), GRPC), trailers=(("grpc-status", "0"),))
    failed = Received(status=200, headers=(*GRPC, ("grpc-status", "5"), ("grpc-message", "no such order")))
    found = {each.path: (each.kind, each.reason) for each in compare(ok, failed, by())}
    assert found["response.trailers.grpc-status"] == ("changed", "OK became NOT_FOUND")
    assert found["response.trailers.grpc-message"] == ("added", "")
    assert found["response.body"] == ("removed", "")
    assert not any(path.startswith("response.headers") for path in found)


def test_bytes_say_what_they_are_and_where_they_part() -> None:
    was, now = b"\x89PNG\r\n\x1a\n" + bytes(100), b"\x89PNG\r\n\x1a\n" + bytes(50) + b"\1" + bytes(60)
    response = Response(status=200, headers=PNG, body=bodies.read(was, PNG))
    (change,) = compare(response, Received(status=200, headers=PNG, body=now), by())
    assert change.reason.startswith("PNG image; 108 bytes (sha256 ")
    assert change.reason.endswith("first differs at byte 58")
    (change,) = compare(response, Received(status=200, headers=PNG, body=b"%PDF-1.7\0"), by())
    assert change.reason.startswith("PNG image became PDF document; ")


def test_parts_and_lines_are_compared_inside() -> None:
    was = b"--b\r\nContent-Type: application/json\r\n\r\n%b\r\n--b--\r\n"
    assert differences(PARTS, was % b'{"a":1}', was % b'{"a":2}') == [("response.body[0].value.a", "changed", 1, 2)]
    assert differences(LINES, b'{"a":1}\n{"a":2}\n', b'{"a": 1}\n{"a":3}\n') == [("response.body[1].a", "changed", 2, 3)]


def message(direction: Any, value: Any) -> Message:
    kind: Any = "json" if isinstance(value, dict | list) else "binary" if isinstance(value, bytes) else "text"
    return Message(direction=direction, kind=kind, value=value)


CONVERSATION = (
    message("receive", "hello"),
    message("send", {"buy": 1}),
    message("receive", {"total": 3, "note": "a"}),
    message("receive", b"\0\1"),
    Message(direction="receive", kind="close", value={"code": 1000}),
)


@pytest.mark.parametrize(
    ("at", "live", "expected"),
    [
        (1, {"total": 4, "note": "a"}, [("messages[2].receive.total", "changed", 3, 4)]),
        (0, "hallo", [("messages[0].receive", "changed", "hello", "hallo")]),
        (2, None, [("messages[3]", "removed", {"receive": b"\0\1"}, None)]),
    ],
)
def test_messages_are_compared_one_by_one(at: int, live: Any, expected: list[Any]) -> None:
    received = [one for one in CONVERSATION if one.direction == "receive"]
    received[at : at + 1] = [] if live is None else [message("receive", live)]
    response = Response(status=101)
    now = Received(status=101, messages=tuple(received))
    assert [(each.path, each.kind, each.recorded, each.live) for each in compare(response, now, by(), CONVERSATION)] == expected


def test_a_close_with_another_code_is_a_difference() -> None:
    received = [one for one in CONVERSATION if one.direction == "receive"]
    received[-1] = Message(direction="receive", kind="close", value={"code": 1011, "reason": "oops"})
    changes = compare(Response(status=101), Received(status=101, messages=tuple(received)), by(), CONVERSATION)
    assert [(each.path, each.recorded, each.live) for each in changes] == [
        ("messages[4].receive.close", 1000, 1011),
        ("messages[4].receive.reason", None, "oops"),
    ]


def test_the_live_tree_is_read_like_the_recorded_one() -> None:
    was = Response(status=200, headers=GRPC, body=bodies.read(grpc(b"\x12\x03\xff\xfe\xfd"), GRPC))
    live = Received(status=200, headers=GRPC, body=grpc(b"\x12\x02ok"))
    assert live_tree(live, was)["body"] == [{"2": b"ok"}]
