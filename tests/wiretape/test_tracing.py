"""Ids that are passed on with a request, in every spelling that is about."""

from __future__ import annotations

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiretape import tracing
from wiretape.case import Request

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
UUID = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"


@pytest.mark.parametrize(
    ("value", "trace"),
    [
        (PARENT, TRACE),
        (f" {PARENT}\t", TRACE),
        (PARENT[:-1] + "0", TRACE),
        (f"cc-{PARENT[3:]}", TRACE),
        (f"cc-{PARENT[3:]}-what-the-future-will-be-like", TRACE),
        (f"{PARENT}-more", ""),  # version 00 has four fields
        (f"cc-{PARENT[3:]}.more", ""),
        (f"ff-{PARENT[3:]}", ""),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", ""),
        (f"00-{TRACE}-{'0' * 16}-01", ""),
        (PARENT.upper(), ""),
        (PARENT[:-3], ""),
        (f"0-{PARENT[3:]}", ""),
        (f"{PARENT}\n{PARENT}", ""),
        ("", ""),
    ],
)
def test_a_traceparent_is_read_as_the_recommendation_says(value: str, trace: str) -> None:
    assert tracing.parent_trace(value) == trace


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_an_id_of_ours_is_valid_in_both_spellings_and_keeps_its_randomness(random: bytes, other: bytes) -> None:
    made = tracing.trace_id(random)
    assert tracing.parent_trace(tracing.traceparent(made)) == made
    assert uuid.UUID(tracing.request_id(made)).version == 4
    assert str(uuid.UUID(made)) == tracing.request_id(made)
    assert tracing.in_pairs([("X-Request-ID", tracing.request_id(made))]) == (made,)
    free = ~(0xF000 << 64) & ~(0xC000 << 48)  # all but the six bits that a UUID of version 4 fixes
    differ = (int.from_bytes(random) ^ int.from_bytes(other)) & free
    assert (made == tracing.trace_id(other)) == (not differ)


@pytest.mark.parametrize(
    ("name", "value", "trace"),
    [
        ("Traceparent", PARENT, TRACE),
        ("b3", f"{TRACE}-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90", TRACE),
        ("b3", "a3ce929d0e0e4736-e457b5a2e4d86bd1", "a3ce929d0e0e4736"),
        ("b3", "0", ""),  # not sampled, and no id
        ("X-B3-TraceId", TRACE.upper(), TRACE),
        ("X-B3-TraceId", "0" * 16, ""),
        ("uber-trace-id", f"{TRACE}:00f067aa0ba902b7:0:1", TRACE),
        ("uber-trace-id", "3ce929d0e0e4736:f067aa0ba902b7:0:1", "03ce929d0e0e4736"),
        ("uber-trace-id", "0:0:0:0", ""),
        ("sentry-trace", f"{TRACE}-00f067aa0ba902b7-1", TRACE),
        ("X-Cloud-Trace-Context", f"{TRACE}/12345;o=1", TRACE),
        ("X-Amzn-Trace-Id", "Self=1-67891234-12456789abcdef0123456789;Root=1-67891233-abcdef012345678912345678;Sampled=1",
         "6789123412456789abcdef0123456789"),
        ("X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678", "67891233abcdef012345678912345678"),
        ("X-Request-Id", UUID, TRACE),
        ("X-Request-Id", "7", ""),
        ("X-Request-Id", "a-name-of-a-thing", ""),  # nothing of it is drawn
        ("X-Correlation-ID", "9f86d081-884c-7d659a2f-EAA0", "9f86d081-884c-7d659a2f-eaa0"),
        ("X-Session-Id", UUID, ""),
        ("traceparent", "00-nonsense", ""),
    ],
)  # fmt: skip
def test_an_id_is_read_from_headers(name: str, value: str, trace: str) -> None:
    assert tracing.in_pairs([("accept", "*/*"), (name, value)]) == ((trace,) if trace else ())


def test_what_names_a_trace_comes_before_what_names_a_request() -> None:
    found = tracing.in_pairs(
        [("x-request-id", "0123456789abcdef0"), ("b3", f"{TRACE}-e457b5a2e4d86bd1"), ("traceparent", PARENT)]
    )
    assert found == (TRACE, "0123456789abcdef0")


@pytest.mark.parametrize(
    ("comment", "traces"),
    [
        (f"/*route='%2Forders%2F%3Cid%3E',traceparent='{PARENT}',tracestate='congo%3Dt61rcWkgMzE'*/", (TRACE,)),
        (f"/* controller='o\\'clock', traceparent = '{PARENT}' */", (TRACE,)),
        (f"/*application:Shop,controller:orders,action:show,request_id:{UUID}*/", (TRACE,)),
        (f"/*application='Shop',request_id='{UUID}'*/", (TRACE,)),
        (f"/*dddbs='shop',dde='prod',traceparent='{PARENT}'*/", (TRACE,)),
        (f"-- traceparent={PARENT}", (TRACE,)),
        (f"-- request_id: {UUID}", (TRACE,)),
        (f"/* {PARENT} */", (TRACE,)),
        (f"/*uber-trace-id='{TRACE}%3A00f067aa0ba902b7%3A0%3A1'*/", (TRACE,)),
        ("/*application:Shop,controller:orders*/", ()),
        ("/* request_id: 7 */", ()),
        ("/*+ IndexScan(orders) */", ()),
        ("/* the traceparent is lost here */", ()),
        ("/**/", ()),
        ("--", ()),
    ],
)
def test_an_id_is_read_from_a_comment(comment: str, traces: tuple[str, ...]) -> None:
    assert tracing.in_comment(comment) == traces


@given(st.text())
def test_any_comment_is_read(text: str) -> None:
    tracing.in_comment(text)
    tracing.in_pairs([(text, text), ("traceparent", text), ("x-request-id", text)])


def test_a_request_goes_out_under_another_trace() -> None:
    bare = Request(method="GET", target="/", headers=(("accept", "*/*"),))
    told = Request(method="GET", target="/", headers=(("TraceParent", PARENT), ("X-Request-Id", "mine")))
    trace = tracing.trace_id(bytes(range(16)))
    assert tracing.traced(bare, trace) == bare
    added = tracing.traced(bare, trace, added=True).headers
    assert added == (
        ("accept", "*/*"),
        ("traceparent", tracing.traceparent(trace)),
        ("x-request-id", tracing.request_id(trace)),
    )
    assert tracing.in_pairs(added) == (trace,)
    for once in (False, True):  # its own request id may mean something to the service
        assert tracing.traced(told, trace, added=once).headers == (
            ("TraceParent", tracing.traceparent(trace)),
            ("X-Request-Id", "mine"),
        )


def test_an_id_is_spelled_in_hexadecimal() -> None:
    assert re.fullmatch("[0-9a-f]{32}", tracing.trace_id(bytes(16)))
