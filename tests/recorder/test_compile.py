"""Captures become cases: attributed, filtered, named, secrets out; what is not whole says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from recorder import capture, taps
from recorder.capture import CaptureWriter, Kind, Opening
from recorder.compile import Summary, compile_captures
from wiretape.config import Config, Recording
from wiretape.errors import ConfigError, DecodeError, StoreError
from wiretape.protocols.base import Ask, Interaction, Side
from wiretape.secrets import load_secrets
from wiretape.store import load_suite
from wiretape.tree import Tree


class LineTap:
    """A toy protocol: a line asked, a line answered. `!` is no protocol, `?` is a bug, `T1 x` runs in transaction 1."""

    def __init__(self) -> None:
        self._asked: tuple[str, float] | None = None

    def feed(self, side: Side, data: bytes, at: float) -> Iterator[Interaction]:
        text = data.decode()
        if text == "!":
            raise DecodeError("no such thing", 0)
        if text == "?":
            raise ZeroDivisionError("a bug")
        if side is Side.CLIENT:
            self._asked = (text, at)
        elif self._asked:
            (asked, started), self._asked = self._asked, None
            yield self._interaction(asked, started, at, answer=text)

    def close(self, at: float) -> Iterator[Interaction]:
        if self._asked:
            yield self._interaction(*self._asked, at, incomplete="no answer came")

    def _interaction(self, asked: str, started: float, ended: float, answer: str = "", incomplete: str = "") -> Interaction:
        word, _, rest = asked.partition(" ")
        inside = int(word[1:]) if word.startswith("T") and word[1:].isdecimal() else None
        return Interaction(
            operation=rest if inside else asked,
            fields={"answer": answer},
            started=started,
            ended=ended,
            transaction=inside,
            role="housekeeping" if asked == "ping" else "query",
            incomplete=incomplete,
        )

    @property
    def facts(self) -> Mapping[str, Tree]:
        return {"version": 1}


@pytest.fixture(autouse=True)
def toy_codec(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = SimpleNamespace(
        name="toy",
        tap=LineTap,
        merge_facts=lambda old, new: {**old, **new},
        ask=lambda call: Ask(target=call.target, operation=call.operation, shape=call.operation),
    )

    def find(name: str) -> object:
        return {"toy": codec}[name]

    monkeypatch.setattr(taps, "codec", find)


class Script:
    """Writes a capture by hand; times are given."""

    def __init__(self, home: Path) -> None:
        self.writer = CaptureWriter(capture.fresh(home), print)
        self._count = 0

    def open(self, target: str = "", *, protocol: str = "toy", serialized: bool = False) -> int:
        self._count += 1
        opening = Opening(target=target, protocol=protocol if target else "http", serialized=serialized)
        self.writer.note(self._count, Kind.OPEN, 0.5, opening.encode())
        return self._count

    def request(self, at: float, method: str = "GET", path: str = "/x", body: str = "", connection: int | None = None) -> int:
        """A request on a connection of its own."""
        connection = connection or self.open()
        text = f"{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        self.writer.record(connection, Kind.CLIENT, at, text.encode())
        return connection

    def respond(self, connection: int, at: float, status: int = 200, body: str = "", size: int | None = None) -> None:
        text = f"HTTP/1.1 {status} OK\r\nContent-Length: {len(body) if size is None else size}\r\n\r\n{body}"
        self.writer.record(connection, Kind.SERVER, at, text.encode())

    def exchange(self, started: float, ended: float, method: str = "GET", path: str = "/x", status: int = 200) -> None:
        self.respond(self.request(started, method, path), ended, status)

    def call(self, connection: int, at: float, text: str, answer: str = "yes") -> None:
        self.writer.record(connection, Kind.CLIENT, at, text.encode())
        self.writer.record(connection, Kind.SERVER, at + 0.01, answer.encode())

    def close(self, *connections: int, at: float = 99.0) -> None:
        for connection in connections:
            self.writer.note(connection, Kind.CLOSE, at, b"")
        self.writer.close()


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path / "home")


def config(tmp_path: Path, **record: object) -> Config:
    return Config(
        file=None,
        suite=tmp_path / "suite",
        home=tmp_path / "home",
        service=None,
        targets={},
        record=replace(Recording(), **record),  # type: ignore[arg-type]
    )


def run(tmp_path: Path, *, keep: bool = False, **record: object) -> Summary:
    return compile_captures(config(tmp_path, **record), keep=keep)


def operations(tmp_path: Path) -> dict[str, list[tuple[str, str, tuple[str, ...]]]]:
    suite = load_suite(tmp_path / "suite")
    return {case.name: [(call.operation, call.attributed, call.ambiguous) for call in case.calls] for case in suite.cases}


def test_cases_calls_session_and_deletion(script: Script, tmp_path: Path) -> None:
    main = script.open("main")
    script.call(main, 1.0, "migrate")
    script.call(main, 1.1, "migrate")
    script.exchange(2.0, 3.0, "POST", "/orders", 201)
    script.call(main, 2.5, "insert")
    script.exchange(4.0, 5.0, "GET", "/orders/7")
    script.call(main, 4.5, "ping")
    script.exchange(6.0, 7.0, "GET", "/orders/7")
    script.close(main)
    summary = run(tmp_path)
    assert [path.name for path in summary.written] == [
        "post-orders-201.yaml",
        "get-orders-7-200.yaml",
        "get-orders-7-200-2.yaml",
    ]
    assert (summary.calls, summary.session, summary.requests, summary.filtered) == (1, 2, 3, 0)
    assert operations(tmp_path) == {
        "post-orders-201": [("insert", "", ())],
        "get-orders-7-200": [],
        "get-orders-7-200-2": [],
    }
    suite = load_suite(tmp_path / "suite")
    assert [call.operation for call in suite.session] == ["migrate", "ping"]
    assert suite.facts == {"main": {"version": 1}}
    assert suite.cases[0].attributed == "in-flight"
    assert suite.cases[0].recorded.startswith("1970-01-01T00:00:02")
    assert capture.captures(tmp_path / "home") == []


def test_kept_captures_compile_again_beside_the_first(script: Script, tmp_path: Path) -> None:
    script.exchange(1.0, 2.0)
    script.close()
    assert run(tmp_path, keep=True).kept == [script.writer.path]
    assert [path.name for path in run(tmp_path).written] == ["get-x-200-2.yaml"]


def test_ambiguous_calls_name_the_others(script: Script, tmp_path: Path) -> None:
    main = script.open("main")
    first, second, third = script.request(1.0, path="/a"), script.request(1.1, path="/b"), script.request(1.2, path="/health")
    script.call(main, 1.5, "select")
    for number, connection in enumerate((first, second, third)):
        script.respond(connection, 2.0 + number)
    script.call(main, 3.5, "later")
    script.close(main)
    summary = run(tmp_path, exclude=("/health",))
    assert operations(tmp_path) == {
        "get-a-200": [("select", "", ("get-b-200", "GET /health (left out)"))],
        "get-b-200": [("select", "", ("get-a-200", "GET /health (left out)"))],
    }
    assert summary.ambiguous == ["get-a-200", "get-b-200"]
    assert {case.attributed for case in load_suite(tmp_path / "suite").cases} == {"ambiguous"}
    assert (summary.requests, summary.filtered) == (3, 1)


def test_transaction_after_the_response(script: Script, tmp_path: Path) -> None:
    main = script.open("main")
    script.exchange(1.0, 2.0)
    script.call(main, 1.5, "T1 insert")
    script.call(main, 2.5, "T1 commit")
    script.close(main)
    run(tmp_path)
    assert operations(tmp_path) == {"get-x-200": [("insert", "", ()), ("commit", "transaction", ())]}


def test_serialized(script: Script, tmp_path: Path) -> None:
    main, web = script.open("main"), script.open(serialized=True)
    script.request(1.0, connection=web)
    script.call(main, 1.5, "select")
    script.respond(web, 2.0)
    script.close(main, web)
    run(tmp_path)
    assert [case.attributed for case in load_suite(tmp_path / "suite").cases] == ["serialize"]


def test_pipelined_requests_have_their_turns(script: Script, tmp_path: Path) -> None:
    main, web = script.open("main"), script.open()
    script.request(1.0, path="/a", connection=web)
    script.request(1.01, path="/b", connection=web)
    script.call(main, 1.5, "of a")
    script.respond(web, 2.0)
    script.call(main, 2.5, "of b")
    script.respond(web, 3.0)
    script.close(main, web)
    run(tmp_path)
    assert operations(tmp_path) == {"get-a-200": [("of a", "", ())], "get-b-200": [("of b", "", ())]}


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        ("!", "main: cannot read what the client sent: no such thing at byte 0"),
        ("?", "main: internal error reading it: ZeroDivisionError: a bug"),
    ],
)
def test_a_tap_that_raises_costs_its_connection_only(script: Script, tmp_path: Path, poison: str, reason: str) -> None:
    bad, good = script.open("main"), script.open("main")
    script.exchange(1.0, 2.0, path="/before")
    script.call(bad, 1.5, "fine")
    script.exchange(3.0, 4.0, path="/hit")
    script.call(bad, 3.5, poison)
    script.exchange(5.0, 6.0, path="/untouched")
    script.call(good, 5.5, "fine")
    script.exchange(7.0, 8.0, path="/later")
    script.call(bad, 7.5, "lost")
    script.close(bad, good)
    summary = run(tmp_path)
    assert summary.incomplete == [("get-hit-200", reason), ("get-later-200", reason)]
    assert {case.name: case.incomplete for case in load_suite(tmp_path / "suite").cases} == {
        "get-before-200": "",
        "get-hit-200": reason,
        "get-untouched-200": "",
        "get-later-200": reason,
    }
    assert summary.notes == [f"target {reason}; what followed on that connection is lost"]


@pytest.mark.parametrize("kind", [Kind.GAP, Kind.UNREADABLE])
def test_what_was_not_recorded_may_touch_every_case_until_the_connection_ends(
    script: Script, tmp_path: Path, kind: Kind
) -> None:
    main = script.open("main")
    script.exchange(1.0, 2.0, path="/before")
    script.writer.note(main, kind, 2.5, b"why")
    script.exchange(3.0, 4.0, path="/during")
    script.writer.note(main, Kind.CLOSE, 5.0, b"")
    script.exchange(6.0, 7.0, path="/after")
    script.close()
    assert run(tmp_path).incomplete == [("get-during-200", "main: why")]


def test_an_unknown_protocol_is_a_loss_too(script: Script, tmp_path: Path) -> None:
    main = script.open("main", protocol="martian")
    script.exchange(1.0, 2.0)
    script.call(main, 1.5, "x")
    script.close(main)
    assert "there is no codec martian" in run(tmp_path).incomplete[0][1]


def test_incomplete_interactions_mark_the_case(script: Script, tmp_path: Path) -> None:
    main = script.open("main")
    script.exchange(1.0, 2.0)
    script.writer.record(main, Kind.CLIENT, 1.5, b"select")
    script.close(main)
    assert run(tmp_path).incomplete == [("get-x-200", "main: no answer came")]


def test_body_over_the_limit_and_cut_response(script: Script, tmp_path: Path) -> None:
    big = script.request(1.0, "PUT", "/big", body="x" * 100)
    script.respond(big, 2.0)
    cut = script.request(3.0, path="/cut")
    script.respond(cut, 3.5, body="abc", size=10)
    script.close(cut, at=4.0)
    assert run(tmp_path, max_body=50).incomplete == [
        ("put-big-200", "request body of 100 bytes is over the limit of 50 (--max-body)"),
        ("get-cut-200", "the connection ended within the response"),
    ]


def test_unanswered_requests_are_no_cases_but_own_their_calls(script: Script, tmp_path: Path) -> None:
    main = script.open("main")
    script.request(1.0)
    script.call(main, 1.5, "select")
    script.exchange(1.2, 2.0, path="/y")
    script.close(main)
    summary = run(tmp_path)
    assert summary.unanswered == 1
    assert operations(tmp_path) == {"get-y-200": [("select", "", ("GET /x (left out)",))]}


def test_what_a_service_does_for_a_client_that_left_is_not_given_to_the_next_for_certain(
    script: Script, tmp_path: Path
) -> None:
    main = script.open("main")
    left = script.request(1.0, path="/left")
    script.writer.note(left, Kind.CLOSE, 1.1, b"")
    script.exchange(1.2, 3.0, path="/next")
    script.call(main, 1.5, "insert")
    script.call(main, 2.5, "select")
    script.close(main)
    run(tmp_path)
    assert operations(tmp_path) == {
        "get-next-200": [("insert", "", ("GET /left (left out)",)), ("select", "in-flight", ())],
    }


def test_the_services_own_garbage_is_said(script: Script, tmp_path: Path) -> None:
    web = script.open()
    script.writer.record(web, Kind.CLIENT, 1.0, b"\x00\x01 not HTTP\r\n\r\n")
    script.close(web)
    summary = run(tmp_path)
    assert summary.written == []
    assert summary.notes[0].startswith("the service: cannot read what the client sent:")


def test_secrets_are_moved_before_anything_is_written(script: Script, tmp_path: Path) -> None:
    web = script.open()
    script.writer.record(
        web, Kind.CLIENT, 1.0, b"GET /me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer abcdefghijklmnop\r\nX: ${y}\r\n\r\n"
    )
    script.respond(web, 2.0)
    script.close(web)
    summary = run(tmp_path)
    assert len(summary.secrets) == 1
    texts = [path.read_text() for path in (tmp_path / "suite").rglob("*.yaml")]
    assert not any("abcdefghijklmnop" in text for text in texts)
    assert "$${y}" in texts[0]
    assert load_secrets(tmp_path / "home", {}) == {summary.secrets[0]: "abcdefghijklmnop"}


def test_sample_is_the_same_every_time(script: Script, tmp_path: Path) -> None:
    for number in range(60):
        script.exchange(1.0 + number, 1.5 + number, path=f"/{number}")
    script.close()
    first = {path.name for path in run(tmp_path, keep=True, sample=0.5).written}
    again = compile_captures(replace(config(tmp_path, sample=0.5), suite=tmp_path / "other"))
    assert first == {path.name for path in again.written}
    assert 15 < len(first) < 45


def test_nothing_to_compile(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"nothing to compile: no captures in .*; record with wiretape record first"):
        run(tmp_path)


def test_a_filter_that_is_none_leaves_the_capture(script: Script, tmp_path: Path) -> None:
    script.exchange(1.0, 2.0)
    script.close()
    with pytest.raises(ConfigError):
        run(tmp_path, include=("nonsense here",))
    assert capture.captures(tmp_path / "home") == [script.writer.path]


def test_a_capture_being_written_is_left_alone(script: Script, tmp_path: Path) -> None:
    done = Script(tmp_path / "home")
    done.exchange(1.0, 2.0)
    done.close()
    summary = run(tmp_path)
    assert len(summary.written) == 1
    assert summary.notes == [f"{script.writer.path.name} is still being recorded and was left alone"]
    script.close()
    assert capture.captures(tmp_path / "home") == [script.writer.path]


def test_a_damaged_capture_gives_what_it_can_and_is_put_aside(script: Script, tmp_path: Path) -> None:
    script.exchange(1.0, 2.0)
    script.close()
    bad = capture.fresh(tmp_path / "home")
    bad.write_bytes(b"this is no database" * 100)
    summary = run(tmp_path)
    assert len(summary.written) == 1
    assert "is damaged" in summary.notes[0]
    assert summary.kept == [bad.with_suffix(".damaged")]
    assert capture.captures(tmp_path / "home") == []


def test_dedupe_keeps_one_case_of_each_kind_and_says_what_went(script: Script, tmp_path: Path) -> None:
    for number in range(4):
        script.exchange(1 + number, 1.5 + number, path=f"/orders/{number}")
    script.exchange(6, 6.5, path="/orders/9", status=404)
    script.close(at=9)
    summary = run(tmp_path, dedupe=True)
    assert sorted(path.stem for path in summary.written) == ["get-orders-0-200", "get-orders-9-404"]
    assert summary.deduped == 3
    assert summary.notes == [
        "dropped 3 like get-orders-0-200",
        "covered as before: 1 routes, 2 kinds of request, response and calls",
    ]
