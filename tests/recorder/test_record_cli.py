"""`wiretape record` and `wiretape compile` as a person runs them: real service, real PostgreSQL, real signals."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wiretape.case import Case
from wiretape.store import load_suite

ROOT = Path(__file__).parent.parent.parent
SERVICE = """
import http.server, json, os, signal, sys, psycopg
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with psycopg.connect(os.environ["DSN"], connect_timeout=10) as database:
            row = database.execute("select %s::int4 * 2", (int(self.path.rpartition("/")[2]),)).fetchone()
        data = json.dumps({"double": row[0]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_): pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
DRIVE = """
import os, sys, urllib.request
for number in map(int, sys.argv[1:]):
    urllib.request.urlopen(f"{os.environ['WIRETAPE_URL']}/double/{number}", timeout=20).read()
"""


class Project:
    """A folder with a service, a client and a configuration."""

    def __init__(self, folder: Path, free_port: Callable[[], int], database: int) -> None:
        self.folder = folder
        self.service, self.front, self.main = free_port(), free_port(), free_port()
        (folder / "service.py").write_text(SERVICE)
        (folder / "drive.py").write_text(DRIVE)
        (folder / "wiretape.yaml").write_text(
            "wiretape: 1\n"
            f"service: {{url: 'http://127.0.0.1:{self.service}', listen: '127.0.0.1:{self.front}', ready_timeout: 20}}\n"
            "targets:\n"
            f"  main: {{protocol: postgres, listen: '127.0.0.1:{self.main}', upstream: '127.0.0.1:{database}'}}\n"
        )

    @property
    def environ(self) -> dict[str, str]:
        dsn = f"postgresql://app:secret@127.0.0.1:{self.main}/app"
        return {**os.environ, "PYTHONPATH": str(ROOT), "DSN": dsn, "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore"}

    def start(self, *arguments: str, **more: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "wiretape", *arguments]
        return subprocess.Popen(
            command, cwd=self.folder, env=self.environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def drive(self, *numbers: int) -> str:
        return f"{sys.executable} drive.py {' '.join(map(str, numbers))}"

    @property
    def command(self) -> list[str]:
        return ["--", sys.executable, "service.py", str(self.service)]

    def cases(self) -> list[Case]:
        return list(load_suite(self.folder / "suite").cases)

    def double(self, number: int, port: int | None = None) -> object:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.front, timeout=20)
        connection.request("GET", f"/double/{number}")
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer


@pytest.fixture
def project(tmp_path: Path, free_port: Callable[[], int], postgres) -> Project:
    return Project(tmp_path, free_port, postgres.port)


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(1500):
        if condition():
            return
        threading.Event().wait(0.02)
    raise AssertionError("it did not happen")


def one_line(err: str) -> str:
    """The last line of the terminal: the error; and there is no traceback."""
    assert "Traceback" not in err
    return err.strip().splitlines()[-1]


def test_drive(project: Project) -> None:
    code, out, err = project.run("record", "--drive", project.drive(3, 4), *project.command)
    assert (code, out) == (0, f"2 cases written to {project.folder / 'suite'} (6 calls, 0 session calls)\n"), err
    assert f"send requests to http://127.0.0.1:{project.front}" in err
    first, second = project.cases()
    assert (first.name, second.name) == ("get-double-3-200", "get-double-4-200")
    assert [call.operation for call in first.calls] == ["BEGIN", "select $1::int4 * 2", "COMMIT"]
    assert first.calls[1].fields["rows"] == [[6]]
    assert first.response.body.value == {"double": 6}
    assert first.attributed == "in-flight"
    assert not listening(project.service)
    assert list((project.folder / ".wiretape" / "captures").iterdir()) == []


def test_serialize_and_keep(project: Project) -> None:
    drive = " & ".join(project.drive(number) for number in range(4)) + " & wait"
    code, out, err = project.run("record", "--serialize", "--keep-capture", "--drive", drive, *project.command)
    assert code == 0, err
    assert "capture kept: " in out
    cases = project.cases()
    assert {case.attributed for case in cases} == {"serialize"}
    assert all(len(case.calls) == 3 for case in cases)
    code, out, err = project.run("compile", "--exclude", "/double/1", "--exclude", "/double/2")
    assert code == 0, err
    assert "left out by filters: 2 requests" in out
    assert len(project.cases()) == 6


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_compiles_and_leaves_nothing_behind(project: Project, number: signal.Signals) -> None:
    with project.start("record", *project.command) as process:
        wait_for(lambda: listening(project.front) and listening(project.service))
        assert project.double(21) == {"double": 42}
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert out.startswith("1 case written to")
    assert not listening(project.service)
    assert not listening(project.front)


@contextmanager
def service(project: Project) -> Iterator[None]:
    """The service as on staging: not ours."""
    with subprocess.Popen([sys.executable, "service.py", str(project.service)], cwd=project.folder, env=project.environ) as own:
        wait_for(lambda: listening(project.service))
        yield
        own.terminate()


def test_killed_mid_traffic(project: Project) -> None:
    """Everything finished half a second before the kill is there after a restart and a compile."""
    finished: dict[int, float] = {}
    stop = threading.Event()
    failed = 0

    def traffic() -> None:
        nonlocal failed
        number = 0
        while not stop.is_set():
            number += 1
            try:
                project.double(number)
                finished[number] = time.monotonic()
            except (OSError, http.client.HTTPException, json.JSONDecodeError, AttributeError):
                failed += 1
                stop.wait(0.02)

    with service(project):
        recorder = project.start("record")
        wait_for(lambda: listening(project.front))
        client = threading.Thread(target=traffic)
        client.start()
        wait_for(lambda: sum(at < time.monotonic() - 0.5 for at in list(finished.values())) > 50)
        killed = time.monotonic()
        recorder.kill()
        recorder.communicate()
        with project.start("record") as again:
            wait_for(lambda: listening(project.front))
            restarted = time.monotonic()
            wait_for(lambda: sum(at > restarted for at in list(finished.values())) > 50)
            stop.set()
            client.join()
            again.send_signal(signal.SIGINT)
            _, err = again.communicate(timeout=60)
        assert again.returncode == 0, err
    assert failed
    cases = {case.request.target: case for case in project.cases()}
    expected = [number for number, at in finished.items() if at < killed - 0.5 or at > restarted]
    assert len(expected) > 100
    for number in expected:
        case = cases[f"/double/{number}"]
        assert case.response.body.value == {"double": number * 2}
        assert not case.incomplete
        assert [call.operation for call in case.calls] == ["BEGIN", "select $1::int4 * 2", "COMMIT"]
        assert case.calls[1].fields["rows"] == [[number * 2]]


def test_compile_after_a_kill(project: Project) -> None:
    with service(project):
        recorder = project.start("record")
        wait_for(lambda: listening(project.front))
        for number in range(5):
            project.double(number)
        threading.Event().wait(0.5)
        recorder.kill()
        recorder.communicate()
    code, out, err = project.run("compile")
    assert code == 0, err
    assert out.startswith("5 cases written to")


def test_what_is_written_beside_the_suite_is_private(project: Project) -> None:
    project.run("record", "--drive", "true", "--keep-capture")
    home = project.folder / ".wiretape"
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / ".gitignore").read_text() == "*\n"


def test_a_folder_that_cannot_be_written_to(project: Project) -> None:
    (project.folder / ".wiretape").write_text("in the way")
    code, _, err = project.run("record", "--drive", "true")
    assert code == 2
    assert "cannot write to" in err
    assert "Traceback" not in err


def test_the_port_is_taken(project: Project) -> None:
    with socket.create_server(("127.0.0.1", project.main)):
        code, _, err = project.run("record", *project.command)
    assert code == 3
    assert one_line(err) == (
        f"wiretape: cannot listen on 127.0.0.1:{project.main} for target main: the port is taken; "
        "stop what listens there, or give another listen address"
    )
    assert list((project.folder / ".wiretape" / "captures").iterdir()) == []


def test_the_service_exits(project: Project) -> None:
    code, _, err = project.run("record", "--", sys.executable, "-c", "print('no table'); raise SystemExit(7)")
    assert code == 3
    assert "the service exited with code 7 before it was ready" in one_line(err)
    assert one_line(err).endswith("| no table")


def test_the_service_never_becomes_ready(project: Project) -> None:
    file = project.folder / "wiretape.yaml"
    file.write_text(file.read_text().replace("ready_timeout: 20", "ready_timeout: 0.3, ready: /up"))
    code, _, err = project.run("record", "--", sys.executable, "-c", "import time; time.sleep(60)")
    assert code == 3
    assert "the service was not ready after 0.3 s" in one_line(err)


def test_the_service_ends_while_recorded(project: Project) -> None:
    drive = f"{project.drive(1)}; kill $(cat pid); sleep 20"
    script = "import os; open('pid', 'w').write(str(os.getpid())); exec(open('service.py').read())"
    code, out, err = project.run("record", "--drive", drive, "--", sys.executable, "-c", script, str(project.service))
    assert code == 3
    assert "the service ended with exit code" in one_line(err)
    assert out.startswith("1 case written to")


def test_something_is_in_the_services_place(project: Project) -> None:
    with socket.create_server(("127.0.0.1", project.service)):
        code, _, err = project.run("record", *project.command)
    assert code == 3
    assert f"something already listens at http://127.0.0.1:{project.service}" in one_line(err)


def test_the_drive_command_fails(project: Project) -> None:
    code, out, err = project.run("record", "--drive", f"{project.drive(1)}; exit 9", *project.command)
    assert code == 3
    assert one_line(err).startswith("wiretape: the drive command exited with code 9: ")
    assert out.startswith("1 case written to")


def test_the_drive_command_goes_elsewhere(project: Project) -> None:
    code, out, err = project.run("record", "--drive", "true", *project.command)
    assert (code, out) == (3, "")
    assert f"the drive command sent no request to http://127.0.0.1:{project.front}" in one_line(err)


def test_the_database_is_down(project: Project, free_port: Callable[[], int]) -> None:
    file = project.folder / "wiretape.yaml"
    lines = file.read_text().splitlines()
    down = free_port()
    lines[-1] = f"  main: {{protocol: postgres, listen: '127.0.0.1:{project.main}', upstream: '127.0.0.1:{down}'}}"
    file.write_text("\n".join(lines))
    code, _, err = project.run("record", "--drive", f"{project.drive(1)} 2>/dev/null; true", *project.command)
    assert err.count(f"target main: cannot reach the upstream 127.0.0.1:{down}") == 1
    assert code == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("service: {url: 'http://127.0.0.1:1'}", "no address to listen on for the service"),
        ("targets: {}", "no service to record"),
        (
            "service: {url: 'http://127.0.0.1:1', listen: '2'}\ntargets: {main: {protocol: postgres, listen: '3'}}",
            "target main has no upstream to record",
        ),
    ],
)
def test_configuration_that_cannot_be_recorded(project: Project, line: str, message: str) -> None:
    (project.folder / "wiretape.yaml").write_text(f"wiretape: 1\n{line}\n")
    code, _, err = project.run("record")
    assert code == 2
    assert message in one_line(err)


def test_nothing_to_compile(project: Project) -> None:
    code, _, err = project.run("compile")
    assert code == 2
    assert "nothing to compile" in one_line(err)
