"""What requests and calls say, and the ids that tell at once."""

from __future__ import annotations

from recorder.evidence import said, told
from recorder.routes import Routes
from wiretape.protocols.base import Ask
from wiretape.protocols.http import Exchange

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def exchange(target: str, headers: tuple[tuple[str, str], ...] = (), body: bytes = b"", answer: bytes = b"") -> Exchange:
    json_type = (("content-type", "application/json"),)
    return Exchange(
        method="POST",
        target=target,
        request_headers=(*json_type, *headers),
        request_body=body,
        request_trailers=(),
        status=201,
        reason="",
        response_headers=(*json_type, ("location", "/orders/5001")),
        response_body=answer,
        response_trailers=(),
        interim=(),
        started=1.0,
        ended=2.0,
        incomplete="",
    )


def test_a_request_is_read_by_places() -> None:
    one = exchange(
        "/users/7/orders?full=yes&full=no", body=b'{"lines": [{"sku": "A1"}, {"sku": "B2"}]}', answer=b'{"id": 5001}'
    )
    found = said(one, Routes([("POST", one.target)]))
    assert found.route == "POST /users/{}/orders 201"
    assert {place: sorted(texts) for place, texts in found.asked.items()} == {
        "path.1": ["users"],
        "path.2": ["7"],
        "path.3": ["orders"],
        "query.full": ["no", "yes"],
        "body.lines[].sku": ["A1", "B2"],
    }
    assert sorted(found.answered["headers.location"]) == ["/orders/5001", "5001", "orders"]
    assert found.answered["body.id"] == {"5001"}


def test_a_call_is_read_by_columns() -> None:
    ask = Ask(target="main", operation="SELECT", shape="select ?", values=("7", "%x%"))
    found = told(ask, {"params": [7, "%x%"], "rows": [[1, "a"], [2, "a"]], "tag": "SELECT 2"})
    assert (found.shape, found.given) == ("main select ?", ("7", "x"))
    assert found.found == {"rows.0": {"1", "2"}, "rows.1": {"a"}, "tag": {"SELECT 2"}}


def test_a_request_carries_its_own_ids_and_the_one_it_was_given() -> None:
    routes = Routes([("POST", "/a")])
    headers = (("Traceparent", f"00-{TRACE}-00f067aa0ba902b7-01"), ("X-Request-Id", "0123456789abcdef-x"))
    given = "00000000000040008000000000000001"
    assert said(exchange("/a", headers), routes).traces == {TRACE, "0123456789abcdef-x"}
    one = said(exchange("/a", headers[1:]), routes, given)
    assert one.traces == {"0123456789abcdef-x", given}
    assert "00000000-0000-4000-8000-000000000001" in one.asked["trace"]  # a service may write it down
    assert said(exchange("/a"), routes).traces == frozenset()
