"""What requests and calls say, and the ids that tell at once."""

from __future__ import annotations

from recorder.attribute import Outbound, Window, attribute
from recorder.evidence import Said, Told, said, told
from recorder.routes import Routes
from wiretape.protocols.base import Ask, Interaction
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


def test_a_trace_id_tells_at_once() -> None:
    parent = f"00-{TRACE}-00f067aa0ba902b7-01"
    routes = Routes([("POST", "/a")])
    requests = [said(exchange("/a"), routes), said(exchange("/a", (("Traceparent", parent),)), routes)]
    call = told(
        Ask(target="payments", operation="GET /x", shape="GET /x"),
        {"headers": {"traceparent": f"00-{TRACE}-1111111111111111-01"}, "response": {"status": 200}},
    )

    class Evidence:
        def request(self, window: int) -> Said:
            return requests[window]

        def call(self, outbound: Outbound) -> Told:
            return call

    outbound = Outbound(
        target="payments", connection=1, interaction=Interaction(operation="GET /x", fields={}, started=2.0, ended=2.1)
    )
    result = attribute([Window(started=1, ended=3), Window(started=1, ended=3)], [outbound], Evidence())
    assert [[(one.how, one.others) for one in calls] for calls in result.windows] == [[], [("trace", ())]]
