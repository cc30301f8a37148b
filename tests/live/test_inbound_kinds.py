"""Every kind of interface a service may have: recorded off the wire, replayed against the same build and others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosedOK
from websockets.sync.client import connect

from replayer.client import NoAnswer
from tests.live.inbound import exchanges, replay, stored
from tests.live.relay import Relay
from tests.live.servers.shop import PIXELS, serve
from tests.replayer.test_client import answering, exchange
from wiretape.case import Case

GRAPHQL = {
    "operationName": "GetOrder",
    "query": "query GetOrder($id: ID!) { order(id: $id) { id total } }",
    "variables": {"id": 7},
}


def ask(url: str, http2: bool) -> None:
    """A client's session: everything but the WebSocket."""
    with httpx.Client(base_url=url, http1=not http2, http2=http2) as client:
        for path in ("/page", "/feed", "/events", "/lines", "/download", "/notes"):
            assert client.get(path).status_code == 200
        files = {"pic": ("p.png", PIXELS, "image/png"), "note": ("n.txt", b"two\nlines", "text/plain")}
        assert client.post("/upload", data={"title": "gr\u00fc\u00df"}, files=files).json()["multipart"]
        assert client.post("/graphql", json=GRAPHQL).json()["data"]["order"]["total"] == 40
        assert client.post("/order").status_code == 303
        with client.stream("GET", "/events?end=never") as endless:
            text = ""
            for piece in endless.iter_text():
                text += piece
                if '"n": 4' in text:
                    break


def chat(port: int) -> None:
    with connect(f"ws://127.0.0.1:{port}/chat") as socket:
        session = json.loads(socket.recv())["session"]
        socket.send(json.dumps({"session": session, "qty": 5}))
        assert [json.loads(socket.recv()) for _ in range(2)][1] == {"n": 2, "total": 10}
        socket.send(b"\x00\x01\x02")
        assert socket.recv() == b"\x02\x01\x00"
        socket.send(json.dumps({"session": session, "bye": True}))
        with pytest.raises(ConnectionClosedOK):
            socket.recv()


def recorded(port: int, home: Path, *sessions: Callable[[int], None]) -> dict[str, Case]:
    with Relay(port) as relay:
        for session in sessions:
            session(relay.port)
    return {case.name: case for case in stored(exchanges(relay.connections), home)}


@pytest.fixture(params=["http1", "http2"])
def suite(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Case]:
    http2 = request.param == "http2"
    with serve() as shop:
        return recorded(shop.port, tmp_path, lambda port: ask(f"http://127.0.0.1:{port}", http2))


@pytest.fixture
def conversation(tmp_path: Path) -> dict[str, Case]:
    with serve() as shop:
        return recorded(shop.port, tmp_path, chat)


def test_the_same_build_passes(suite: dict[str, Case]) -> None:
    assert {name: case.response.body.kind for name, case in suite.items()} == {
        "get-page-200": "text",
        "get-feed-200": "text",
        "get-events-200": "events",
        "get-lines-200": "lines",
        "get-download-200": "binary",
        "get-notes-200": "text",
        "post-upload-201": "json",
        "post-graphql-getorder-200": "json",
        "post-order-303": "empty",
        "get-events-200-2": "events",
    }
    with serve() as shop:
        for name, one in replay(list(suite.values()), shop.port).items():
            assert one.changes == (), name


def test_a_case_is_what_a_person_reads(suite: dict[str, Case]) -> None:
    upload = suite["post-upload-201"].request.body
    assert upload.kind == "multipart"
    assert upload.value == [
        {"name": "title", "value": "gr\u00fc\u00df"},
        {"name": "pic", "filename": "p.png", "type": "image/png", "value": PIXELS},
        {"name": "note", "filename": "n.txt", "type": "text/plain", "value": "two\nlines"},
    ]
    path = suite["post-upload-201"].path
    assert path is not None
    assert "file: post-upload-201.request.1.bin" in path.read_text()
    events = suite["get-events-200"].response.body.value
    assert isinstance(events, list)
    assert events[2] == {"event": "tick", "id": "0", "data": {"n": 0, "price": 0}}
    assert suite["get-events-200-2"].response.unfinished


@pytest.mark.parametrize(
    ("wrong", "name", "path", "said"),
    [
        ("page", "get-page-200", "response.body.html.body.table.tr[1].td[1]", 'recorded  "39.80"'),
        ("feed", "get-feed-200", "response.body.feed.item[0].price", 'live      "2"'),
        ("events", "get-events-200", "response.body[3].data.price", "live      9"),
        ("events", "get-events-200-2", "response.body[3].data.price", "live      9"),
        ("lines", "get-lines-200", "response.body[2].stock", "live      -1"),
        ("download", "get-download-200", "response.body", "PNG image; "),
        ("upload", "post-upload-201", "response.body.size", "recorded  "),
        ("graphql", "post-graphql-getorder-200", "response.body.data.order.total", "live      41"),
        ("notes", "get-notes-200", "response.body", "+note thirty"),
        ("order", "post-order-303", "response.headers.location", 'live      "/carts/7"'),
    ],
)
def test_a_regression_is_found_at_its_place(suite: dict[str, Case], wrong: str, name: str, path: str, said: str) -> None:
    with serve(wrong) as shop:
        found = replay(list(suite.values()), shop.port)
    assert [change.path for change in found[name].changes] == [path]
    assert said in "\n".join(found[name].lines)
    same = {other for other, one in found.items() if not one.changes}
    assert {other for other in found if not other.startswith(name.removesuffix("-2"))} <= same


def test_over_tls(suite: dict[str, Case], tmp_path: Path) -> None:
    with serve(home=tmp_path / "ca") as shop:
        for name, one in replay(list(suite.values()), shop.port, tls=True).items():
            assert one.changes == (), name


def test_a_conversation_is_held_again(conversation: dict[str, Case]) -> None:
    (case,) = conversation.values()
    # Whether the client's answer to the goodbye is seen before the connection ends, is chance.
    assert [(message.direction, message.kind) for message in case.messages[:8]] == [
        ("receive", "json"),
        ("send", "json"),
        ("receive", "json"),
        ("receive", "json"),
        ("send", "binary"),
        ("receive", "binary"),
        ("send", "json"),
        ("receive", "close"),
    ]
    assert case.path is not None
    assert "- send: {session:" in case.path.read_text()
    with serve() as shop:
        (one,) = replay([case], shop.port).values()
    assert one.changes == ()


def test_a_regression_in_a_conversation(conversation: dict[str, Case]) -> None:
    with serve("chat") as shop:
        (one,) = replay(list(conversation.values()), shop.port).values()
    assert [(change.path, change.recorded, change.live) for change in one.changes] == [("messages[3].receive.total", 10, 15)]
    assert "    live      15" in one.lines


@pytest.mark.parametrize("suite", ["http2"], indirect=True)
def test_a_service_without_http2_is_told(suite: dict[str, Case]) -> None:
    case = suite["get-notes-200"]
    assert case.request.version == "2"
    (error,) = exchange(answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), case.request)
    assert isinstance(error, NoAnswer)
    assert "answers in HTTP/1.1 what was HTTP/2" in str(error)
