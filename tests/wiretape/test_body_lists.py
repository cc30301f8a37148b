"""Bodies that are lists: parts, events, JSON lines, gRPC messages. Exact both ways, and as a person reads them."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiretape import body
from wiretape.case import Body, Headers
from wiretape.errors import EncodeError
from wiretape.tree import Tree

PARTS: Headers = (("Content-Type", "multipart/form-data; boundary=X-y"),)
MIXED: Headers = (("Content-Type", 'multipart/mixed; boundary="a b"'),)
EVENTS: Headers = (("content-type", "text/event-stream; charset=utf-8"),)
LINES: Headers = (("content-type", "application/x-ndjson"),)
GRPC: Headers = (("content-type", "application/grpc"),)


def check_exact(data: bytes, headers: Headers) -> Body:
    read = body.read(data, headers)
    assert body.write(read, headers) == data
    return read


def part(head: str, content: bytes = b"v") -> bytes:
    return b"--X-y\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


END = b"--X-y--\r\n"


def test_a_form_of_parts_as_a_person_reads_it() -> None:
    data = (
        part('Content-Disposition: form-data; name="title"', "gr\u00fc\u00df".encode())
        + part('Content-Disposition: form-data; name="meta"\r\nContent-Type: application/json', b'{"a": 1.50}')
        + part(
            'Content-Disposition: form-data; name="pic"; filename="p.png"\r\nContent-Type: image/png', b"\x89PNG\r\n\x1a\n\0"
        )
        + END
    )
    read = check_exact(data, PARTS)
    assert (read.kind, read.style) == ("multipart", "")
    assert read.value == [
        {"name": "title", "value": "gr\u00fc\u00df"},
        {"name": "meta", "type": "application/json", "value": {"a": 1.5}, "style": "spaced"},
        {"name": "pic", "filename": "p.png", "type": "image/png", "value": b"\x89PNG\r\n\x1a\n\0"},
    ]
    assert body.meaning(data, PARTS) == {
        "title": "gr\u00fc\u00df",
        "meta": {"type": "application/json", "value": {"a": 1.5}},
        "pic": {"filename": "p.png", "type": "image/png", "value": b"\x89PNG\r\n\x1a\n\0"},
    }


@pytest.mark.parametrize(
    ("data", "style", "first"),
    [
        (part('Content-Type: text/plain\r\nContent-Disposition: form-data; name="a"') + END, "type-first", "name"),
        (part('content-disposition: form-data; name="a"') + END, "lower", "name"),
        (part('Content-Disposition: form-data; name="a"') + END[:-2], "open", "name"),
        (part('Content-Disposition: form-data; name="a"\r\nX-Odd: 1') + END, "", "headers"),
        (part("Content-Disposition: form-data; name=a") + END, "", "headers"),
        (part('Content-Disposition: form-data; name="a"\r\nContent-Type: application/json', b'{"a":  1}') + END, "", "name"),
    ],
)
def test_the_ways_clients_write_parts(data: bytes, style: str, first: str) -> None:
    read = check_exact(data, PARTS)
    assert (read.kind, read.style) == ("multipart", style)
    assert isinstance(read.value, list)
    assert first in read.value[0]  # type: ignore[operator]


@pytest.mark.parametrize("data", [b"preamble\r\n" + END, b"--X-y\nno: crlf\n\n--X-y--", part("no colon") + END, b"--X-y", b"x"])
def test_what_is_not_plainly_parts_stays_text(data: bytes) -> None:
    assert check_exact(data, PARTS).kind == "text"


def test_parts_of_other_kinds_have_no_names() -> None:
    data = b"--a b\r\nContent-Type: application/json\r\n\r\n[1]\r\n--a b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--a b--\r\n"
    assert check_exact(data, MIXED).value == [{"type": "application/json", "value": [1]}, {"type": "text/plain", "value": "hi"}]


def test_an_edited_part_is_written() -> None:
    edited = Body(
        kind="multipart", value=[{"name": "n", "value": 5}, {"name": "m", "type": "application/json", "value": {"a": 1}}]
    )
    assert body.meaning(body.write(edited, PARTS), PARTS) == {"n": "5", "m": {"type": "application/json", "value": {"a": 1}}}


@pytest.mark.parametrize(
    ("value", "headers", "message"),
    [
        ("x", PARTS, "a multipart body is a list of parts"),
        ([{"nam": "x"}], PARTS, "a part has no 'nam'"),
        ([{"name": "x", "value": {"a": 1}}], PARTS, "needs `type: application/json`"),
        ([], (("content-type", "multipart/form-data"),), "must name its boundary"),
    ],
)
def test_parts_that_cannot_be_sent(value: Tree, headers: Headers, message: str) -> None:
    with pytest.raises(EncodeError, match=message):
        body.write(Body(kind="multipart", value=value), headers)


STREAM = b"".join(
    [
        b'event: tick\ndata: {"n": 1}\nid: 7\n\n',
        b": ping\n\ndata: [DONE]\n\n",
        b"retry: 3000\ndata: line 1\ndata: line 2\n\n\n",
        b'data: {"x": "\\u00e9"}\n\n',
    ]
)


def test_an_event_stream_as_a_person_reads_it() -> None:
    read = check_exact(STREAM, EVENTS)
    assert read.kind == "events"
    assert read.value == [
        {"event": "tick", "data": {"n": 1}, "id": "7"},
        {"comment": "ping"},
        {"data": "[DONE]"},
        {"retry": 3000, "data": "line 1\nline 2"},
        {},
        {"data": {"x": "\u00e9"}},
    ]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"data:1\r\n\r\ndata:2\r\n\r\n", "events"),
        (b"data: a\r\rdata: b\r\r", "events"),
        (b"data: a\n\ndata: cut off\n", "events"),
        (b"data: a\n\ndata: cut", "text"),
        (b"data: a\n\nunknown: x\n\n", "text"),
        (b"data\n\n", "text"),
        (b"data: a\ndata:b\n\n", "text"),
        (b"data: a\nid: 1\ndata: b\n\n", "text"),
        (b"\n", "events"),
    ],
)
def test_event_streams_are_exact(data: bytes, kind: str) -> None:
    assert check_exact(data, EVENTS).kind == kind


@given(
    st.lists(
        st.fixed_dictionaries(
            {}, optional={"event": st.text("ab \u00e9", max_size=5), "data": st.text('{"a":1} \n'), "id": st.text("1x")}
        )
    )
)
def test_any_events_are_read_back(events: list[dict[str, Tree]]) -> None:
    data = body.write(Body(kind="events", value=[*events]), EVENTS)
    check_exact(data, EVENTS)


@given(st.text(alphabet='data:event id\n\r {}"1', max_size=60))
def test_any_stream_is_exact(text: str) -> None:
    check_exact(text.encode(), EVENTS)


def test_meaning_of_events_sees_trees() -> None:
    assert body.meaning(b'data: {"n" :  1}\r\n\r\ndata: x\n\n', EVENTS) == [{"data": {"n": 1}}, {"data": "x"}]


@pytest.mark.parametrize(
    ("data", "kind", "style"),
    [
        (b'{"a":1}\n{"a":2.50}\n', "lines", ""),
        (b'{"a": 1}\r\n[]', "lines", "lines=crlf cut spaced"),
        (b'"x"\nnull\n', "lines", ""),
        (b'{"a":1}\n{"a": 2}\n', "text", ""),
        (b'{"a":1}\n\n{"a":2}\n', "text", ""),
        (b"oops\n", "text", ""),
    ],
)
def test_json_lines(data: bytes, kind: str, style: str) -> None:
    read = check_exact(data, LINES)
    assert (read.kind, read.style) == (kind, style)


@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text(), max_size=3), min_size=1), st.booleans())
def test_any_json_lines_are_exact(values: list[object], ascii_only: bool) -> None:
    data = "".join(json.dumps(value, ensure_ascii=ascii_only) + "\n" for value in values)
    assert check_exact(data.encode("utf-8", "surrogatepass"), LINES).kind in ("lines", "text", "binary")


def frame(data: bytes, flag: int = 0) -> bytes:
    return bytes([flag]) + len(data).to_bytes(4, "big") + data


def test_grpc_messages_by_numbers() -> None:
    data = frame(b"\x0a\x05lampe\x10\x07") + frame(b"")
    read = check_exact(data, GRPC)
    assert (read.kind, read.value) == ("grpc", [{"1": "lampe", "2": 7}, {}])


def test_compressed_grpc_messages() -> None:
    headers = (*GRPC, ("grpc-encoding", "gzip"))
    data = frame(gzip.compress(b"\x0a\x05lampe" * 1, 6, mtime=0), 1)
    read = check_exact(data, headers)
    assert read.value == [{"1": "lampe"}]
    assert read.style.startswith("compressed")
    mixed = check_exact(data + frame(b"\x10\x07"), headers)
    assert (mixed.value, bool(mixed.raw)) == ([{"1": "lampe"}, {"2": 7}], True)


def test_grpc_web_has_its_trailers_in_the_body() -> None:
    headers = (("content-type", "application/grpc-web+proto"),)
    data = frame(b"\x10\x07") + frame(b"grpc-status:0\r\ngrpc-message:\r\n", 0x80)
    assert check_exact(data, headers).value == [{"2": 7}, {"trailers": {"grpc-status": "0", "grpc-message": ""}}]


@given(st.binary(max_size=40), st.sampled_from([PARTS, MIXED, EVENTS, LINES, GRPC]))
def test_any_bytes_are_exact(data: bytes, headers: Headers) -> None:
    check_exact(data, headers)
    check_exact(frame(data), headers)
    body.meaning(data, headers)


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (b"data: x\n" * 200_000, EVENTS),
        (b"data: x\n\n" * 100_000, EVENTS),
        (b":\n" * 200_000, EVENTS),
        (b"--X-y\r\n" * 100_000, PARTS),
        (b"--X-y\r\n\r\n\r\n" * 100_000 + END, PARTS),
        (b"\n" * 300_000, LINES),
        (frame(b"\x0a" * 200_000), GRPC),
        (frame(b"") * 100_000, GRPC),
        (frame(b"\x0b" * 200_000), GRPC),
    ],
    ids=range(9),
)
def test_nothing_takes_for_ever(data: bytes, headers: Headers) -> None:
    check_exact(data, headers)
    body.meaning(data, headers)
