"""Whole replays of hand-written suites against a tiny service."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from replayer.app import chosen
from replayer.client import Client
from replayer.events import CaseFinished, Event, SuiteFinished, SuiteStarted
from replayer.plan import Plan
from replayer.runner import run
from wiretape.config import load_config
from wiretape.errors import CaseFormatError, ConfigError, StoreError, TargetError

SERVICE = Path(__file__).with_name("service.py")
HELLO = """\
wiretape: 1
name: hello
recorded: "2026-11-20T10:00:00Z"
request: {method: GET, path: /}
response:
  status: 200
  headers: {content-type: application/json}
  body: {greeting: hello, n: 1}
"""
LAMP = """\
wiretape: 1
name: lamp
request: {method: GET, path: /lamp}
response: {status: 200, headers: {content-type: application/json}, body: {id: 7, name: Lamp}}
calls:
- main: SELECT id, name FROM goods WHERE id = $1
  params: [7]
  columns: {id: int4, name: text}
  rows:
  - [7, Lamp]
"""
ORDER = """\
wiretape: 1
name: order
recorded: "2026-11-20T10:00:00Z"
request: {method: POST, path: /orders, headers: {content-type: application/json}, body: {}}
response:
  status: 201
  headers: {content-type: application/json}
  body: {id: 7b0e4d2a-1111-4222-8333-944455566677, self: /orders/7b0e4d2a-1111-4222-8333-944455566677}
calls:
- main: INSERT INTO orders (id) VALUES ($1) RETURNING id
  params: [7b0e4d2a-1111-4222-8333-944455566677]
  columns: {id: text}
  rows:
  - [7b0e4d2a-1111-4222-8333-944455566677]
"""
SHOW_ORDER = """\
wiretape: 1
name: order-show
recorded: "2026-11-20T10:00:01Z"
request: {method: GET, path: /orders/7b0e4d2a-1111-4222-8333-944455566677}
response:
  status: 200
  headers: {content-type: application/json}
  body: {path: /orders/7b0e4d2a-1111-4222-8333-944455566677}
"""
LATE = """\
wiretape: 1
name: late
request: {method: GET, path: /late}
response: {status: 200, headers: {content-type: application/json}, body: {ok: true}}
calls:
- main: INSERT INTO late (id) VALUES ($1) RETURNING id
  params: [1]
  columns: {id: int4}
  rows: [[1]]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    folder: Path
    port: int
    database: int

    def write(self, **cases: str) -> Project:
        (self.folder / "suite").mkdir(exist_ok=True)
        for name, text in cases.items():
            (self.folder / f"suite/{name.replace('_', '-')}.yaml").write_text(text)
        return self

    def plan(
        self,
        behaviour: str = "",
        *,
        command: tuple[str, ...] | None = None,
        environ: Mapping[str, str] = os.environ,
        **more: Any,
    ) -> Plan:
        deps = [f"main=postgres://127.0.0.1:1@{self.database}"]
        service = f"http://127.0.0.1:{self.port}"
        config = load_config(
            file=None, environ={}, cwd=self.folder, service=service, deps=deps, suite=self.folder / "suite", record={}
        )
        words = (sys.executable, str(SERVICE), str(self.port), behaviour) if command is None else command
        os.environ["DATABASE_URL"] = f"postgresql://app:any@127.0.0.1:{self.database}/app?sslmode=disable"
        return Plan(
            config=config,
            service=chosen(config.service, "", words, allow_remote=False),
            environ=environ,
            **{"grace": 1.0, **more},
        )

    def replay(self, behaviour: str = "", **more: Any) -> tuple[dict[str, CaseFinished], SuiteFinished]:
        events: list[Event] = []
        closing = asyncio.run(run(self.plan(behaviour, **more), events.append))
        assert isinstance(events[0], SuiteStarted)
        assert events[-1] is closing
        cases = {event.case.name: event for event in events if isinstance(event, CaseFinished)}
        assert events[0].total == len(cases)
        assert not self.answers()
        return cases, closing

    def answers(self) -> bool:
        """Whether anything listens where the service does."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def project(tmp_path: Path, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("DATABASE_URL", "")
    return Project(folder=tmp_path, port=free_port(), database=free_port())


def places(case: CaseFinished) -> list[str]:
    return [change.path for change in case.changes] + [finding.kind for finding in case.calls]


def test_the_same_build_passes(project: Project) -> None:
    cases, closing = project.write(hello=HELLO, lamp=LAMP, late=LATE, order=ORDER, order_show=SHOW_ORDER).replay()
    assert {name: (case.verdict, places(case)) for name, case in cases.items()} == dict.fromkeys(cases, ("passed", []))
    assert (closing.passed, closing.failed, closing.broken, closing.skipped, closing.stray) == (5, 0, 0, 0, ())


def test_a_changed_type_is_a_regression(project: Project) -> None:
    cases, closing = project.write(hello=HELLO).replay("retyped")
    (change,) = cases["hello"].changes
    assert (change.path, change.kind, change.recorded, change.live) == ("response.body.n", "retyped", 1, "1")
    assert closing.failed == 1
    assert cases["hello"].rerun == "wiretape replay --case hello"
    assert cases["hello"].curl == f"curl -i --path-as-is http://127.0.0.1:{project.port}/"


@pytest.mark.parametrize(
    ("behaviour", "kinds", "differences"),
    [
        ("n+1", ["n+1"], ()),
        ("other-value", ["changed"], ("value 1 (id): recorded '7', live '8'",)),
        ("other-shape", ["statement"], ("WHERE id → WHERE price",)),
    ],
)
def test_changed_calls_are_regressions(
    project: Project, behaviour: str, kinds: list[str], differences: tuple[str, ...]
) -> None:
    cases, _ = project.write(lamp=LAMP).replay(behaviour)
    lamp = cases["lamp"]
    assert [finding.kind for finding in lamp.calls] == kinds
    assert [miss.differences for miss in lamp.misses] == ([differences] if differences else [])


def test_a_late_call_is_waited_for_but_not_forever(project: Project) -> None:
    cases, _ = project.write(late=LATE).replay(grace=0.0)
    assert [finding.kind for finding in cases["late"].calls] == ["missing"]


def test_selected_cases_only_and_a_hint_where_none(project: Project) -> None:
    project.write(hello=HELLO, lamp=LAMP)
    assert list(project.replay(cases=("he*",))[0]) == ["hello"]
    with pytest.raises(ConfigError, match="no case is called helo; there are hello"):
        asyncio.run(run(project.plan(cases=("helo",)), lambda _: None))


def test_an_incomplete_case_is_skipped_and_said(project: Project) -> None:
    text = HELLO.replace("request:", "incomplete: the connection ended within the response\nrequest:")
    cases, closing = project.write(hello=text).replay()
    assert cases["hello"].verdict == "skipped"
    assert "the connection ended within the response" in cases["hello"].reason
    assert (closing.passed, closing.skipped) == (0, 1)


def test_a_service_that_dies_breaks_this_case_and_the_rest(project: Project) -> None:
    die = HELLO.replace("name: hello", "name: die").replace("path: /", "path: /die").replace("10:00:00", "09:00:00")
    cases, closing = project.write(die=die, hello=HELLO).replay()
    assert [case.verdict for case in cases.values()] == ["broken", "broken"]
    for case in cases.values():
        assert "exited with code 7" in case.reason
        assert "about to die" in case.reason
    assert closing.broken == 2


def test_no_answer_in_time_is_broken(project: Project) -> None:
    hang = HELLO.replace("name: hello", "name: hang").replace("path: /", "path: /hang")
    cases, _ = project.write(hang=hang).replay(limit=0.2)
    assert (cases["hang"].verdict, "within 0.2 s" in cases["hang"].reason) == ("broken", True)


def test_secrets_are_used_and_never_shown(project: Project) -> None:
    text = HELLO.replace("body: {greeting: hello", 'body: {greeting: "${secret:word}"')
    environ = {"WIRETAPE_SECRET_WORD": "hello"}
    assert project.write(hello=text).replay(environ=environ)[1].passed == 1
    cases, _ = project.replay(environ={"WIRETAPE_SECRET_WORD": "another secret"})
    assert cases["hello"].changes[0].recorded == "${secret:word}"
    with pytest.raises(ConfigError, match="WIRETAPE_SECRET_WORD"):
        project.replay(environ={})


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ((sys.executable, "-c", "raise SystemExit(3)"), "exited with code 3"),
        (("no-such-command",), "cannot start the service"),
    ],
)
def test_a_build_that_does_not_start(project: Project, command: tuple[str, ...], said: str) -> None:
    project.write(hello=HELLO)
    with pytest.raises(TargetError, match=said):
        asyncio.run(run(project.plan(command=command), lambda _: None))


def test_what_listens_already_is_not_mistaken_for_the_build(project: Project) -> None:
    project.write(hello=HELLO)
    with socket.create_server(("127.0.0.1", project.port)), pytest.raises(TargetError, match="something already listens"):
        asyncio.run(run(project.plan(), lambda _: None))


def test_a_mock_whose_port_is_taken(project: Project) -> None:
    project.write(hello=HELLO)
    with socket.create_server(("127.0.0.1", project.database)), pytest.raises(TargetError, match=r"target main: .* is taken"):
        asyncio.run(run(project.plan(), lambda _: None))
    assert not project.answers()


def test_a_call_to_an_unknown_target(project: Project) -> None:
    project.write(lamp=LAMP.replace("- main:", "- cache:"))
    with pytest.raises(ConfigError, match=r"lamp\.yaml calls target cache, which is not configured"):
        project.replay()


@pytest.mark.parametrize(
    ("was", "edited", "said"),
    [
        ("- [7, Lamp]", "- [seven, Lamp]", r"lamp\.yaml:6: main call cannot be served: rows\[0\]\[0\]: .*seven.* int4"),
        ("- [7, Lamp]", "- [7, Lamp, 3]", r"lamp\.yaml:6: main call cannot be served: rows\[0\]"),
        ("  rows:", "  row:", r"lamp\.yaml:6: main call cannot be served: row: .*rows"),
    ],
)
def test_a_call_edited_into_something_no_mock_can_serve(project: Project, was: str, edited: str, said: str) -> None:
    project.write(lamp=LAMP.replace(was, edited))
    with pytest.raises(CaseFormatError, match=said):
        project.replay()


def test_an_unknown_kind_of_noise(project: Project) -> None:
    project.write(hello=HELLO + "noise:\n- response.body.n: nonsense\n")
    with pytest.raises(CaseFormatError, match=r"hello.yaml:10:.*unknown noise kind 'nonsense'"):
        project.replay()


def test_no_suite(project: Project) -> None:
    with pytest.raises(StoreError, match="wiretape record"):
        project.replay()


def test_noise_that_matches_nothing_is_a_warning(project: Project) -> None:
    cases, _ = project.write(hello=HELLO + "noise:\n- response.body.nope: any\n").replay()
    assert cases["hello"].verdict == "passed"
    assert "response.body.nope matches nothing" in cases["hello"].warnings[0]


def cli(project: Project, *words: str, behaviour: str = "", env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    command = [
        sys.executable, "-m", "wiretape", *words, "--service", f"http://127.0.0.1:{project.port}",
        "--dep", f"main=postgres://@{project.database}", "--suite", "suite",
    ]  # fmt: skip
    if words[0] == "replay":
        command += ["--", sys.executable, str(SERVICE), str(project.port), behaviour]
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        command,
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": root, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    output, errors = process.communicate(timeout=60)
    assert "Traceback" not in output + errors
    return process.returncode, output, errors


def test_reports_and_exit_codes(project: Project) -> None:
    project.write(hello=HELLO)
    code, output, _ = finished(cli(project, "replay", "--report", "json"))
    assert code == 0
    case, suite = map(json.loads, output.splitlines())
    assert (case["event"], case["case"], case["verdict"], case["changes"], case["calls"], case["misses"]) == (
        "case", "hello", "passed", [], [], [],
    )  # fmt: skip
    assert {key: suite[key] for key in ("event", "passed", "failed", "broken", "skipped")} == {
        "event": "suite", "passed": 1, "failed": 0, "broken": 0, "skipped": 0,
    }  # fmt: skip
    code, output, _ = finished(cli(project, "replay", "--report", "junit:out/junit.xml", behaviour="retyped"))
    assert code == 1
    assert 'recorded  1  integer\n    live      "1"  string' in output
    assert "0 passed, 1 failed, 0 broken, 0 skipped" in output
    assert 'failures="1"' in (project.folder / "out/junit.xml").read_text()


@pytest.mark.parametrize(
    ("report", "said"),
    [("json:/proc/nowhere/x", "cannot write"), ("pdf", "there is no report 'pdf'")],
)
def test_a_report_that_cannot_be_written_is_an_error_before_the_run(project: Project, report: str, said: str) -> None:
    code, _, errors = finished(cli(project.write(hello=HELLO), "replay", "--report", report))
    assert (code, said in errors) == (2, True)


def test_all_skipped_is_no_success(project: Project) -> None:
    text = HELLO.replace("request:", "incomplete: cut\nrequest:")
    assert finished(cli(project.write(hello=text), "replay"))[0] == 3


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_whole_process_group(project: Project, number: int, code: int) -> None:
    hang = HELLO.replace("name: hello", "name: hang").replace("path: /", "path: /hang")
    project.write(hang=hang)
    file = project.folder / "pids"
    process = cli(project, "replay", behaviour="child", env={"CHILD_FILE": str(file)})

    async def hanging() -> None:
        while not (file.exists() and file.read_text() and project.answers()):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(hanging(), 20))
    pids = [int(pid) for pid in file.read_text().split()]
    process.send_signal(number)
    assert finished(process)[0] == code
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_accept_takes_the_live_response_and_keeps_comments(project: Project) -> None:
    text = HELLO.replace("n: 1}", "n: 1} # the count").replace("wiretape: 1\n", "wiretape: 1 # ours\n")
    project.write(hello=text)
    assert finished(cli(project, "replay", behaviour="retyped"))[0] == 1
    code, output, _ = finished(cli(project, "accept"))
    assert (code, "hello.yaml: response.body.n" in output) == (0, True)
    assert (project.folder / "suite/hello.yaml").read_text() == text.replace("n: 1}", 'n: "1"}')
    assert finished(cli(project, "replay", behaviour="retyped"))[0] == 0
    code, output, _ = finished(cli(project, "accept"))
    assert (code, "nothing to accept" in output) == (0, True)


def test_serve_answers_until_it_is_stopped(project: Project) -> None:
    import psycopg

    process = cli(project.write(lamp=LAMP), "serve")
    assert process.stderr is not None
    assert "main (postgres) listens on" in process.stderr.readline()
    url = f"postgresql://app:any@127.0.0.1:{project.database}/app?sslmode=disable"
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(2):
            assert connection.execute("SELECT id, name FROM goods WHERE id = %s", (7,)).fetchall() == [(7, "Lamp")]
        with pytest.raises(psycopg.Error, match="no recorded call on main answers"):
            connection.execute("SELECT id, name FROM goods WHERE id = %s", (9,))
    process.send_signal(signal.SIGINT)
    code, _, errors = finished(process)
    assert code == 0
    assert "recorded '7', live '9'" in errors


def test_url_of_a_running_service(project: Project) -> None:
    project.write(hello=HELLO)
    with subprocess.Popen([sys.executable, str(SERVICE), str(project.port)]) as service:
        config = project.plan().config
        plan = Plan(config=config, service=chosen(None, f"http://127.0.0.1:{project.port}", (), allow_remote=False), environ={})
        closing = asyncio.run(run(plan, lambda _: None))
        assert closing.passed == 1
        assert service.poll() is None
        service.terminate()


@pytest.mark.parametrize("url", ["http://192.0.2.1", "http://example.test:80"])
def test_remote_services_need_a_word(url: str) -> None:
    with pytest.raises(ConfigError, match="--allow-remote"):
        chosen(None, url, (), allow_remote=False)
    assert chosen(None, url, (), allow_remote=True).url == url


def test_a_request_unheard_on_a_kept_connection_is_sent_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from replayer.client import NoAnswer

    sent, send = [], Client.send

    async def flaky(self: Client, request: Any, *more: Any) -> Any:
        sent.append(request)
        if len(sent) == 1:
            raise NoAnswer("closed", unheard=True)
        return await send(self, request, *more)

    monkeypatch.setattr(Client, "send", flaky)
    assert project.write(hello=HELLO).replay()[1].passed == 1
    assert len(sent) == 2


def test_what_is_not_bad_enough_is_shown_and_passes(project: Project) -> None:
    project.write(hello=HELLO, lamp=LAMP)
    env = {"DATABASE_URL": f"postgresql://app:any@127.0.0.1:{project.database}/app?sslmode=disable"}

    def replayed(level: str, name: str, behaviour: str) -> tuple[int, str]:
        words = ("replay", "--fail-on", level, "--case", name)
        code, output, _ = finished(cli(project, *words, behaviour=behaviour, env=env))
        return code, output

    code, output = replayed("high", "lamp", "n+1")
    assert code == 0, output
    assert output.splitlines()[0].startswith("PASSED lamp")
    assert "N+1 on main ×2: SELECT id, name FROM goods WHERE id = $1  (medium)" in output
    assert replayed("medium", "lamp", "n+1")[0] == 1
    assert replayed("high", "hello", "retyped")[0] == 1


def test_a_suite_may_compare_writes_only(project: Project) -> None:
    project.write(lamp=LAMP, suite="wiretape: 1\ncalls: writes\n")
    cases, _ = project.replay("n+1")
    assert (cases["lamp"].verdict, cases["lamp"].calls) == ("passed", ())
