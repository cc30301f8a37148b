"""What can be wrong from outside gives one line and the right exit code: never a traceback, a hang or a silent pass."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}
TRIVIAL = ROOT / "benchmarks/trivial.py"
CASE = """\
wiretape: 1
name: get-root-200
request: {method: GET, path: /}
response:
  status: 200
  headers: {content-type: application/json}
  body: {id: 17, sku: LAMP-01, name: Desk lamp, price: "39.90", tags: [desk, led], available: 50}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder, and the ports a run there may use."""

    folder: Path
    service: int
    front: int
    database: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.service}"

    @property
    def build(self) -> list[str]:
        return [sys.executable, str(TRIVIAL), str(self.service)]

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def run(self, *words: str) -> tuple[int, str]:
        """Exit code, and what was said on stderr by wiretape (`wiretape: …`)."""
        env = {**ENV, "WIRETAPE_SERVICE_READY_TIMEOUT": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "wiretape", *words], cwd=self.folder, env=env, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert "Traceback" not in done.stderr + done.stdout, done.stderr
        return done.returncode, "\n".join(line for line in done.stderr.splitlines() if line.startswith("wiretape: "))

    def replay(self, build: Sequence[str] | None = None) -> tuple[int, str]:
        return self.run("replay", "--service", self.url, "--", *(build or self.build))


@pytest.fixture
def place(tmp_path: Path, free_port: Callable[[], int]) -> Place:
    return Place(folder=tmp_path, service=free_port(), front=free_port(), database=free_port())


@pytest.fixture
def suite(place: Place) -> Place:
    place.write("suite/suite.yaml", "wiretape: 1\n")
    place.write("suite/get-root-200.yaml", CASE)
    return place


def one_line(said: str) -> str:
    assert said.count("\n") == 0, said
    return said


def test_a_good_suite_passes(suite: Place) -> None:
    assert suite.replay()[0] == 0


@pytest.mark.parametrize(
    ("text", "place_of_it"),
    [
        ("wiretape: 1\nname: [get-root-200\nrequest: {method: GET, path: /}\n", "get-root-200.yaml:"),
        (CASE.replace("status: 200", "statsu: 200"), "get-root-200.yaml:5:"),
        (CASE.replace("wiretape: 1", "wiretape: 7"), "get-root-200.yaml"),
        ("", "get-root-200.yaml"),
    ],
    ids=["broken YAML", "unknown key", "wrong version", "empty file"],
)
def test_a_case_that_cannot_be_read(suite: Place, text: str, place_of_it: str) -> None:
    suite.write("suite/get-root-200.yaml", text)
    code, said = suite.replay()
    assert code == 2
    assert place_of_it in one_line(said)


def test_an_unknown_key_gets_a_suggestion(suite: Place) -> None:
    suite.write("suite/get-root-200.yaml", CASE.replace("status: 200", "statsu: 200"))
    assert "status" in one_line(suite.replay()[1]).split("statsu", 1)[1]


def test_an_unknown_key_of_the_configuration(suite: Place) -> None:
    suite.write("wiretape.yaml", f"wiretape: 1\nservice: {{ur: '{suite.url}'}}\n")
    code, said = suite.run("replay")
    assert code == 2
    assert "wiretape.yaml:2:" in one_line(said)
    assert "url" in said


def test_a_missing_suite(place: Place) -> None:
    code, said = place.replay()
    assert code == 2
    assert "suite" in one_line(said)


def test_an_empty_suite(place: Place) -> None:
    place.write("suite/suite.yaml", "wiretape: 1\n")
    code, said = place.replay()
    assert code == 2
    assert "wiretape record" in one_line(said)


def test_a_command_that_does_not_exist(suite: Place) -> None:
    code, said = suite.replay(["no-such-command"])
    assert code == 3
    assert "no-such-command" in one_line(said)


def test_a_service_that_exits(suite: Place) -> None:
    code, said = suite.replay([sys.executable, "-c", "raise SystemExit(7)"])
    assert code == 3
    assert "7" in one_line(said)


def test_a_service_that_never_becomes_ready(suite: Place) -> None:
    began = time.monotonic()
    code, said = suite.replay([sys.executable, "-c", "import time; time.sleep(60)"])
    assert code == 3
    assert str(suite.service) in one_line(said)
    assert time.monotonic() - began < 20


def test_a_service_that_dies_at_a_request(suite: Place) -> None:
    text = """
import socket
server = socket.create_server(("127.0.0.1", %d))
while not server.accept()[0].recv(9):
    pass
"""
    code, _ = suite.replay([sys.executable, "-c", text % suite.service])
    assert code == 3


def test_the_port_of_a_mock_is_taken(suite: Place) -> None:
    with socket.create_server(("127.0.0.1", suite.database)):
        code, said = suite.run(
            "replay", "--service", suite.url, "--dep", f"main=postgres://@{suite.database}", "--", *suite.build
        )
    assert code == 3
    assert str(suite.database) in one_line(said)


def test_the_port_of_the_recorder_is_taken(place: Place) -> None:
    with socket.create_server(("127.0.0.1", place.front)):
        code, said = place.run("record", "--service", f"{place.url}@{place.front}", "--", *place.build)
    assert code == 3
    assert str(place.front) in one_line(said.splitlines()[-1])


def test_a_url_elsewhere_needs_a_word(suite: Place) -> None:
    code, said = suite.run("replay", "--service", suite.url, "--url", "http://192.0.2.1:80")
    assert code == 2
    assert "--allow-remote" in one_line(said)


@contextlib.contextmanager
def recording(place: Place, *words: str) -> Iterator[subprocess.Popen[str]]:
    """`wiretape record` in front of a service that someone else runs, once it listens."""
    command = [sys.executable, "-m", "wiretape", "record", "--service", f"{place.url}@{place.front}", *words]
    with subprocess.Popen(
        command,
        cwd=place.folder,
        env=ENV,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            listening(process, place.front)
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def listening(process: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert process.poll() is None, process.stdout and process.stdout.read()
        time.sleep(0.02)
    pytest.fail(f"nothing listens on {port}")


@contextlib.contextmanager
def trivial(place: Place) -> Iterator[None]:
    with subprocess.Popen([*place.build], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            listening(process, place.service)
            yield
        finally:
            process.kill()


def get(port: int, path: str = "/") -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def stopped(process: subprocess.Popen[str]) -> tuple[int, str]:
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=60)[0]
    assert "Traceback" not in output, output
    return process.returncode, output


def test_the_upstream_is_down_while_recording(place: Place) -> None:
    with recording(place) as process:
        with contextlib.suppress(OSError):
            assert get(place.front) >= 500
        code, output = stopped(process)
    assert code in (0, 3), output
    assert str(place.service) in output


@contextlib.contextmanager
def answering(port: int, answer: bytes) -> Iterator[None]:
    """A server that answers every first chunk with the same bytes and hangs up."""
    with socket.create_server(("127.0.0.1", port)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = server.accept()
                    with client:
                        client.recv(65536)
                        client.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        server.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=10)


GARBAGE = bytes(range(256)) * 4
GIANT = b"D\x40\x00\x00\x00\x00\x01"  # a PostgreSQL message that says it is 1 GiB long


@pytest.mark.parametrize(
    ("asked", "answered"),
    [(GARBAGE, b""), (b"\x00\x00\x00\x08\x04\xd2\x16\x2f", GARBAGE), (b"\x40\x00\x00\x00\x00\x03\x00\x00", b""), (b"", GIANT)],
    ids=["garbage from the client", "garbage from the server", "1 GiB from the client", "1 GiB from the server"],
)
def test_bytes_that_are_not_postgresql_break_no_recording(
    place: Place, free_port: Callable[[], int], asked: bytes, answered: bytes
) -> None:
    startup = b"\x00\x00\x00\x17\x00\x03\x00\x00user\x00app\x00\x00\x00\x00\x00\x00"
    mock = free_port()
    with (
        trivial(place),
        answering(mock, answered),
        recording(place, "--dep", f"main=postgres://127.0.0.1:{mock}@{place.database}") as process,
    ):
        listening(process, place.database)
        with socket.create_connection(("127.0.0.1", place.database), timeout=20) as client:
            client.sendall(asked or startup)
            with contextlib.suppress(ConnectionError):
                while client.recv(65536):
                    pass
        assert get(place.front) == 200
        code, output = stopped(process)
    assert code == 0, output
    assert "1 case" in output


@pytest.mark.parametrize(
    "answer", [GARBAGE, b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort", b""], ids=["garbage", "cut", "nothing"]
)
def test_bytes_that_are_not_http_break_no_recording(place: Place, answer: bytes) -> None:
    with answering(place.service, answer), recording(place) as process:
        with socket.create_connection(("127.0.0.1", place.front), timeout=20) as client:
            client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            seen = b""
            with contextlib.suppress(ConnectionError):
                while chunk := client.recv(65536):
                    seen += chunk
        assert seen == answer
        code, output = stopped(process)
    assert code == 0, output


def test_a_body_over_the_cap_makes_its_case_incomplete(place: Place) -> None:
    with trivial(place), recording(place, "--max-body", "10") as process:
        assert get(place.front, "/big") == 200
        code, output = stopped(process)
    assert code == 0
    assert "incomplete: get-big-200" in output


def test_a_killed_recorder_loses_nothing_that_was_over_half_a_second_before(place: Place) -> None:
    with trivial(place):
        with recording(place) as process:
            for number in range(20):
                assert get(place.front, f"/first/{number}") == 200
            asyncio.run(asyncio.sleep(0.5))  # what the promise is about, not a wait for a condition
            process.kill()
            process.wait(timeout=20)
        with recording(place) as process:
            assert get(place.front, "/second") == 200
            code, output = stopped(process)
    assert code == 0, output
    code, _ = place.run("compile", "--service", f"{place.url}@{place.front}")
    names = {path.stem for path in (place.folder / "suite").glob("get-*.yaml")}
    assert {f"get-first-{number}-200" for number in range(20)} | {"get-second-200"} <= names
