"""The whole way for interfaces beyond JSON: through the recorder, compiled into a suite, replayed by the runner, accepted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from recorder.compile import Summary, compile_captures
from recorder.wire import Listener
from replayer.accept import accept
from replayer.events import CaseFinished, Event
from replayer.lastrun import read
from replayer.plan import Plan
from replayer.report.text import details
from replayer.runner import run
from tests.live.servers import orders_grpc
from tests.live.servers.shop import serve
from tests.live.test_inbound_kinds import ask, chat
from tests.recorder.conftest import recording
from wiretape.config import Address, Config, Service
from wiretape.lint import lint
from wiretape.protobuf.sources import load
from wiretape.store import load_suite, rewrite


def config(home: Path, port: int, *protos: Path) -> Config:
    service = Service(url=f"http://127.0.0.1:{port}", protos=protos)
    return Config(file=None, suite=home / "suite", home=home, service=service, targets={})


def record(home: Path, port: int, *sessions: Callable[[int], None], protos: tuple[Path, ...] = ()) -> Summary:
    here = {"listen": Address(host="127.0.0.1", port=0), "upstream": Address(host="127.0.0.1", port=port)}
    with recording(home, Listener(target="", protocol="http", **here)) as recorder:  # type: ignore[arg-type]
        for session in sessions:
            session(recorder.port())
    return compile_captures(config(home, port, *protos))


def replay(home: Path, port: int, *protos: Path) -> dict[str, CaseFinished]:
    events: list[Event] = []
    setup = config(home, port, *protos)
    assert setup.service is not None
    asyncio.run(run(Plan(config=setup, service=setup.service, environ={}, limit=10), events.append))
    return {event.case.name: event for event in events if isinstance(event, CaseFinished)}


def verdicts(found: dict[str, CaseFinished]) -> dict[str, str]:
    return {name: " | ".join(line for _, line in details(event)) for name, event in found.items() if event.verdict != "passed"}


def test_every_kind_of_http(tmp_path: Path) -> None:
    with serve() as shop:
        url = "http://127.0.0.1:{}"
        summary = record(
            tmp_path, shop.port, lambda port: ask(url.format(port), False), lambda port: ask(url.format(port), True), chat
        )
        assert summary.incomplete == []
        assert len(summary.written) == 21
        assert verdicts(replay(tmp_path, shop.port)) == {}
    assert lint(tmp_path / "suite", ["timestamp"]) == []
    with serve("chat") as changed:
        found = replay(tmp_path, changed.port)
        assert list(verdicts(found)) == ["get-chat-101"]
        assert [change.path for change in found["get-chat-101"].changes] == ["messages[3].receive.total"]
        (accepted,) = accept(read(tmp_path), {})
        assert accepted.places == ("messages[3].receive.total",)
        assert verdicts(replay(tmp_path, changed.port)) == {}


def test_a_page_that_is_accepted(tmp_path: Path) -> None:
    with serve() as shop:
        record(tmp_path, shop.port, lambda port: ask(f"http://127.0.0.1:{port}", False))
    with serve("page") as changed:
        assert list(verdicts(replay(tmp_path, changed.port))) == ["get-page-200"]
        list(accept(read(tmp_path), {}))
        assert verdicts(replay(tmp_path, changed.port)) == {}


def test_grpc_by_the_names_of_its_proto(tmp_path: Path) -> None:
    proto = orders_grpc.PROTO
    with orders_grpc.serve() as port:
        summary = record(tmp_path, port, orders_grpc.session, protos=(proto,))
        assert summary.incomplete == []
        assert verdicts(replay(tmp_path, port, proto)) == {}
        path = tmp_path / "suite" / "post-shop-v1-orders-get-200.yaml"
        text = path.read_text()
        assert "body: [{id: 7}]" in text or "- {id: 7}" in text
        assert "customer: Jos\u00e9" in text
        assert "state: OPEN" in text
        assert "made: 20" in text.replace('"', "")
        assert lint(tmp_path / "suite", ["timestamp"], {}, load([proto])) == []
        assert "names need `protos`" in str(lint(tmp_path / "suite", ["timestamp"])[0])
        path.write_text(text.replace("{id: 7}", "{id: 8}"))
        (edited,) = verdicts(replay(tmp_path, port, proto)).items()
        assert "response.body[0].id" in edited[1]
        path.write_text(text)
    with orders_grpc.serve(wrong=True) as port:
        found = replay(tmp_path, port, proto)
        assert [change.path for change in found["post-shop-v1-orders-get-200"].changes] == ["response.body[0].lines[1].qty"]
        list(accept(read(tmp_path), {}, load([proto])))
        assert verdicts(replay(tmp_path, port, proto)) == {}
        assert "qty: 7" in path.read_text()


def test_grpc_without_its_proto(tmp_path: Path) -> None:
    with orders_grpc.serve() as port:
        record(tmp_path, port, orders_grpc.session)
        found = replay(tmp_path, port)
    # Nobody can know that the second field of a message is the nanoseconds of a time; the case must say it.
    assert {change.path for event in found.values() for change in event.changes} <= {"response.body[0].7.2"}
    with orders_grpc.serve(wrong=True) as port:
        found = replay(tmp_path, port)
    assert "response.body[0].4[1].2" in [change.path for change in found["post-shop-v1-orders-get-200"].changes]


def test_a_suite_is_written_back_as_it_was(tmp_path: Path) -> None:
    with serve() as shop:
        record(tmp_path, shop.port, lambda port: ask(f"http://127.0.0.1:{port}", False), chat)
    for case in load_suite(tmp_path / "suite").cases:
        assert case.path is not None
        before = case.path.read_bytes()
        rewrite(case.path, case)
        assert case.path.read_bytes() == before
