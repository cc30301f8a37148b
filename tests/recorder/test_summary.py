"""What compiling says of how sure it is which request made which call, and how evidence is written."""

from __future__ import annotations

from pathlib import Path

from recorder.summary import Summary, report
from wiretape.case import Call, Case, Request, Response
from wiretape.secrets import protect
from wiretape.tree import Tree

ASKED = Request(method="GET", target="/a")
AGAIN = "wiretape record --again -- python app.py"


def case(name: str, attributed: str, *calls: Call, incomplete: str = "") -> Case:
    response = Response(status=200)
    return Case(name=name, request=ASKED, response=response, calls=calls, attributed=attributed, incomplete=incomplete)


def call(attributed: str = "", ambiguous: tuple[str, ...] = (), fields: dict[str, Tree] | None = None) -> Call:
    return Call(
        target="main",
        operation="SELECT 1",
        fields={} if fields is None else fields,
        attributed=attributed,
        ambiguous=ambiguous,
    )


def lines(*cases: Case) -> list[str]:
    summary = Summary(suite=Path("suite"), written=[Path("x")] * len(cases), requests=len(cases))
    summary.count(cases)
    return list(report(summary, AGAIN))


def test_all_certain_needs_no_line() -> None:
    assert lines(case("a", "in-flight", call(), call("transaction"))) == ["1 case written to suite (2 calls, 0 session calls)"]


def test_calls_are_counted_by_how_sure_they_are_and_ambiguous_cases_named() -> None:
    shared: dict[str, Tree] = {}
    found = lines(
        case("a", "ambiguous", call(ambiguous=("b",), fields=shared), call("values (request path 7)"), call("in-flight")),
        case("b", "ambiguous", call(ambiguous=("a",), fields=shared), call("signature")),
        case("c", "values", call(), call("trace")),
    )
    assert found == [
        "3 cases written to suite (7 calls, 0 session calls)",
        "  which request made which call: 2 calls certain, 2 concluded from values, 1 concluded because no other request may "
        "have made them, 1 ambiguous in 2 cases",
        f"  ambiguous: a, b; to record just these again, one at a time: {AGAIN}",
    ]


def test_concluded_only() -> None:
    assert lines(case("a", "values", call()))[1:] == [
        "  which request made which call: 0 calls certain, 1 concluded from values"
    ]


def test_a_secret_among_the_evidence_is_named_however_short() -> None:
    one = call("values (request body.pin 1234, response body.id 12345)")
    secrets = {"pin": "1234", "token": "0123456789abcdef"}
    assert protect(one, secrets).attributed == "values (request body.pin ${secret:pin}, response body.id 12345)"
    assert (
        protect(call("values (request path 0123456789abcdef)"), secrets).attributed == "values (request path ${secret:token})"
    )
