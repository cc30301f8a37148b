"""HTTP as a dependency: what a call holds, and which requests ask the same."""

from __future__ import annotations

import json

import pytest

from wiretape.case import Call
from wiretape.protocols.base import Ask, Interaction, Side
from wiretape.protocols.http import CODEC
from wiretape.tree import Tree

C, S = Side.CLIENT, Side.SERVER
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: now\r\nContent-Type: text/plain\r\n\r\nhi"


def read(*talk: tuple[Side, bytes]) -> list[Interaction]:
    tap = CODEC.tap()
    found = [each for side, data in talk for each in tap.feed(side, data, 1.0)]
    return found + list(tap.close(1.0))


def request(head: str, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"{head} HTTP/1.1", "Host: h", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def call(head: str, body: bytes = b"", **headers: str) -> Call:
    (one,) = read((C, request(head, body, **headers)), (S, OK[:-2] if head.startswith("HEAD") else OK))
    assert not one.incomplete
    return Call(target="api", operation=one.operation, fields=one.fields)


def ask(head: str, body: bytes = b"", **headers: str) -> Ask:
    return CODEC.ask(call(head, body, **headers))


def meaning(one: Ask) -> tuple[str, tuple[Tree, ...]]:
    return one.shape, one.values


JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = b'--%b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--%b--\r\n'


def test_a_call_says_what_a_person_cares_for() -> None:
    headers = {"Content_Type": JSON, "X_Tenant": "t", "User_Agent": "lib/1", "Accept": "*/*"}
    answer = b"HTTP/1.1 201 Created\r\nDate: now\r\nX-A: 1\r\nX-A: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"2\r\n[]\r\n0\r\nX-Sum: 1\r\n\r\n"
    (one,) = read((C, request("POST /charges?x=1", b'{"b": 1.50, "a": null}', **headers)), (S, answer + body))
    assert one.operation == "POST /charges?x=1"
    assert one.role == "query"
    assert one.fields == {
        "headers": {"content-type": JSON, "x-tenant": "t"},
        "body": {"b": 1.5, "a": None},
        "response": {
            "status": 201,
            "headers": {"X-A": ["1", "2"], "Transfer-Encoding": "chunked"},
            "body": [],
            "trailers": {"X-Sum": "1"},
        },
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("GET /a?x=1&y=2",), ("GET /a?y=2&x=1",)),
        (("GET /a?q=a+b",), ("GET /a?q=a%20b",)),
        (("GET /a%41",), ("GET /aA",)),
        (("POST /a", b'{"x": 1, "y": [2]}'), ("POST /a", b'{"y":[2],"x":1}')),
        (("POST /a", b"x=1&y=a+b"), ("POST /a", b"y=a%20b&x=1")),
    ],
)
def test_what_differs_only_in_how_it_is_written_asks_the_same(one: tuple[str, bytes], other: tuple[str, bytes]) -> None:
    kind = FORM if len(one) > 1 and one[1][:1] == b"x" else JSON
    assert meaning(ask(*one, Content_Type=kind)) == meaning(ask(*other, Content_Type=kind))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Content_Type": "application/json"}, {"content_type": "Application/JSON; charset=UTF-8"}),
        ({"Accept": "*/*"}, {}),
        ({"Accept": "application/json, text/plain, */*"}, {}),
        ({"User_Agent": "a", "traceparent": "00-1", "X_Stripe_Client_User_Agent": "{}"}, {"Connection": "close"}),
        ({"Accept_Encoding": "gzip"}, {"Accept_Encoding": "br"}),
    ],
)
def test_headers_of_the_library_say_nothing(one: dict[str, str], other: dict[str, str]) -> None:
    assert meaning(ask("POST /a", b"{}", **one)) == meaning(ask("POST /a", b"{}", **other))


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("Bearer token-1", "Bearer token-1"),
        ("Basic YTpi", "Basic YTpi"),
        ("AWS4-HMAC-SHA256 Credential=A/20260101/eu/s3/aws4_request, SignedHeaders=host, Signature=0a", "AWS4-HMAC-SHA256"),
        ('Digest username="a", nonce="b", response="c"', "Digest"),
    ],
)
def test_credentials_that_sign_each_request_anew_are_not_compared(value: str, kept: str) -> None:
    assert ask("GET /a", Authorization=value, X_Amz_Date="20260101T000000Z").values == (kept,)


def test_what_signs_a_url_is_not_compared() -> None:
    assert ask("GET /a?X-Amz-Date=1&X-Amz-Signature=2&X-Amz-Expires=3").labels == ("query.X-Amz-Expires",)


def test_the_boundary_of_a_multipart_body_does_not_matter() -> None:
    asks = [
        ask("POST /a", MULTIPART % (mark, mark), Content_Type=f"multipart/form-data; boundary={mark.decode()}")
        for mark in (b"one", b"----another")
    ]
    assert meaning(asks[0]) == meaning(asks[1])
    assert asks[0].labels == ("body.a", "headers.content-type")


def test_the_coding_of_a_body_does_not_matter() -> None:
    import gzip

    packed = ask("POST /a", gzip.compress(b'{"x":1}'), Content_Type=JSON, Content_Encoding="gzip")
    assert meaning(packed) == meaning(ask("POST /a", b'{"x":1}', Content_Type=JSON))


@pytest.mark.parametrize(
    ("one", "other", "label", "values"),
    [
        ("GET /orders/17", "GET /orders/18", "path[1]", ("17", "18")),
        ("GET /a?page=1", "GET /a?page=2", "query.page", ("1", "2")),
    ],
)
def test_values_that_differ_have_a_name(one: str, other: str, label: str, values: tuple[str, str]) -> None:
    asks = ask(one), ask(other)
    assert asks[0].shape == asks[1].shape
    assert [(each.labels, each.values) for each in asks] == [((label,), (value,)) for value in values]


def test_values_in_a_body_have_a_name() -> None:
    one = ask("POST /a", b'{"items": [{"sku": "x"}], "none": {}}', Content_Type=JSON)
    assert one.labels == ("body.items[0].sku", "body.none", "headers.content-type")
    assert one.values == ("x", {}, JSON)
    assert one.shape == "POST /a body.items[0].sku body.none headers.content-type"


@pytest.mark.parametrize(
    "pair", [("GET /v1/a", "GET /v2/a"), ("GET /a", "POST /a"), ("GET /a?x=1", "GET /a?y=1"), ("GET /a", "GET /b")]
)
def test_other_words_are_another_shape(pair: tuple[str, str]) -> None:
    assert ask(pair[0]).shape != ask(pair[1]).shape


def test_a_body_with_very_many_leaves_is_one_value() -> None:
    one = ask("POST /a", json.dumps(list(range(1000))).encode(), Content_Type=JSON)
    assert one.labels == ("body", "headers.content-type")
    assert one.values[0] == list(range(1000))


@pytest.mark.parametrize(
    ("head", "writes"), [("GET /", False), ("HEAD /", False), ("OPTIONS /", False), ("POST /", True), ("DELETE /", True)]
)
def test_what_writes(head: str, writes: bool) -> None:
    assert ask(head).writes is writes


def graphql(query: str, **more: Tree) -> Ask:
    return ask("POST /graphql", json.dumps({"query": query, **more}).encode(), Content_Type=JSON)


def test_graphql_is_known_by_its_operation_however_it_is_laid_out() -> None:
    one = graphql("query Item($id: ID!) { item(id: $id) { name } }", variables={"id": 7})
    other = graphql("query Item ( $id : ID! ) {\n  # the item\n  item(id: $id) {\n    name,\n  }\n}", variables={"id": 8})
    assert one.shape == other.shape
    assert (one.labels[0], one.values[0], other.values[0], one.writes) == ("variables.id", 7, 8, False)
    assert graphql("query Item { item { name } }").shape != graphql("query Item { item { id } }").shape
    assert graphql("mutation M { do }").writes
    assert not graphql("query A { a } mutation B { b }", operationName="A").writes
    assert graphql("query A { a } query B { b }", operationName="A").shape != (
        graphql("query A { a } query B { b }", operationName="B").shape
    )


@pytest.mark.parametrize("query", ["{ not closed", "words", "{" * 5000])
def test_what_only_looks_like_graphql_is_json(query: str) -> None:
    assert graphql(query).labels[0] == "body.query"
    assert graphql(query).writes


def test_a_tunnel_puts_the_host_into_the_url_and_is_no_call_itself() -> None:
    connect = (C, b"CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n")
    found = read(connect, (S, b"HTTP/1.1 200 Connection established\r\n\r\n"), (C, request("GET /a")), (S, OK))
    assert [(one.operation, one.role) for one in found] == [
        ("CONNECT api.test:443", "housekeeping"),
        ("GET https://api.test/a", "query"),
    ]
    asked = CODEC.ask(Call(target="web", operation=found[1].operation, fields=found[1].fields))
    assert asked.shape == "GET https://api.test/a"


def test_a_websocket_is_one_call_with_its_messages() -> None:
    ask_ = request("GET /ws", Upgrade="websocket", Connection="Upgrade", Sec_WebSocket_Key="x", Sec_WebSocket_Version="13")
    switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: y\r\n\r\n"
    hello, bye = b'\x81\x0c{"hello": 1}', b"\x88\x05\x03\xe8bye"
    (one,) = read((C, ask_), (S, switch), (S, hello), (C, b"\x81\x82\0\0\0\0ok"), (S, bye), (C, b"\x88\x80\0\0\0\0"))
    assert one.fields == {
        "response": {"status": 101},
        "messages": [
            {"receive": {"hello": 1}, "style": "spaced"},
            {"send": "ok"},
            {"receive_close": {"code": 1000, "reason": "bye"}},
            {"send_close": {}},
        ],
    }
    assert CODEC.check(Call(target="api", operation=one.operation, fields=one.fields)) == []


RESPONSE: dict[str, Tree] = {"status": 200}


@pytest.mark.parametrize(
    ("operation", "fields", "path", "reason"),
    [
        ("GET /", {"response": RESPONSE, "rows": []}, "rows", "an HTTP call has no such field"),
        ("GET", {"response": RESPONSE}, "", "an HTTP call is a method and a path"),
        ("GET /", {}, "response", "expected a mapping with status"),
        ("GET /", {"response": {"status": "200"}}, "response.status", "a response needs a status"),
        ("GET /", {"response": {"status": 204, "text": "x"}}, "response.text", "a response has no such field"),
        ("GET /", {"response": {"status": 102}}, "response.status", "a 1xx status ends no request"),
        ("GET /", {"response": {**RESPONSE, "headers": {"a": "x\ny"}}}, "response.headers.a", "a header's value is one line"),
        ("GET /", {"response": {**RESPONSE, "headers": {"a b": "x"}}}, "response.headers", "'a b' cannot be the name"),
        ("GET /", {"response": {**RESPONSE, "headers": [["a"]]}}, "response.headers[0]", "an entry of this list must be"),
        ("GET /", {"response": {**RESPONSE, "body": "a", "body_json": 1}}, "response.body_json", "a message has one body"),
        ("GET /", {"response": {**RESPONSE, "body_text": 5}}, "response.body", "a text body must be a string"),
        ("GET /", {"response": {**RESPONSE, "unfinished": "yes"}}, "response.unfinished", "expected true or false"),
        ("GET /", {"response": RESPONSE, "headers": "x"}, "headers", "headers are a mapping"),
        ("GET /", {"response": RESPONSE, "messages": [{"send": "x"}]}, "messages", "only a WebSocket"),
        ("GET /", {"response": {"status": 101}, "messages": [{"say": "x"}]}, "messages[0]", "a message is one of"),
        (
            "GET /",
            {"response": {"status": 101}, "messages": [{"send_close": {"code": 7}}]},
            "messages[0].send_close",
            "a close",
        ),
    ],
)
def test_what_cannot_be_served_is_said_with_its_place(operation: str, fields: dict[str, Tree], path: str, reason: str) -> None:
    (problem,) = CODEC.check(Call(target="api", operation=operation, fields=fields))
    assert problem.path == path
    assert problem.reason.startswith(reason)


def test_facts() -> None:
    tap = CODEC.tap()
    assert tap.facts == {}
    for side, data in ((C, request("GET /")), (S, OK)):
        list(tap.feed(side, data, 1.0))
    assert tap.facts == {"versions": ["1.1"]}
    assert CODEC.merge_facts({"versions": ["2"], "tls": True}, tap.facts) == {"versions": ["1.1", "2"], "tls": True}


@pytest.mark.parametrize(
    ("client", "server", "expected"),
    [
        (b"", b"", None),
        (b"G", b"", None),
        (b"GET / HTTP/1.1\r\n", b"", True),
        (b"PROPFIND /dav HTTP/1.1\r\nHost", b"", True),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"", True),
        (b"PRI * HT", b"", None),
        (b"GET foo\r\n", b"", False),
        (b"*1\r\n$4\r\nPING\r\n", b"", False),
        (b"\x00\x00\x00\x08\x04\xd2\x16\x2f", b"", False),
        (b"", b"\x4a\x00\x00\x00\x0a8.0.36\x00", False),
        (b"", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", None),
        (b"hello there", b"", False),
    ],
)
def test_recognised_by_its_first_bytes(client: bytes, server: bytes, expected: bool | None) -> None:
    assert CODEC.recognises(client, server) is expected
