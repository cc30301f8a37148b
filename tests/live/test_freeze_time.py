"""--freeze-time: services of every kind answer as on the day of their recording; what cannot be frozen is said."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.live.frozen import MOMENTS, PROGRAMS, ROOT, Frozen, shown
from wiretape.faketime import find

PYTHON = (sys.executable, str(PROGRAMS / "python_threads.py"))
UVICORN = (sys.executable, "-m", "uvicorn", "--app-dir", str(PROGRAMS), "--port", "$PORT", "asgi:app", "--loop")
GUNICORN = (sys.executable, "-m", "gunicorn", "--chdir", str(PROGRAMS), "-b", "127.0.0.1:$PORT", "wsgi:app")
SERVICES = {
    "python": (*PYTHON, "$PORT"),
    "uvicorn on uvloop": (*UVICORN, "uvloop"),
    "uvicorn on asyncio": (*UVICORN, "asyncio"),
    "gunicorn": (*GUNICORN, "--workers", "2", "--threads", "2"),
    "node": ("node", str(PROGRAMS / "node.js"), "$PORT"),
    "java": ("java", str(PROGRAMS / "Java.java"), "$PORT"),
    "ruby": ("ruby", str(PROGRAMS / "ruby.rb"), "$PORT"),
    "php": ("php", "-d", "default_charset=", "-S", "127.0.0.1:$PORT", str(PROGRAMS / "php.php")),
    "a shell": ("sh", "-c", f"cd / && exec {sys.executable} {PROGRAMS / 'python_threads.py'} $PORT"),
}  # fmt: skip


@pytest.fixture
def frozen(tmp_path: Path, free_port: Callable[[], int]) -> Frozen:
    return Frozen(folder=tmp_path, port=free_port())


def words(command: Sequence[str], port: int) -> list[str]:
    return [word.replace("$PORT", str(port)) if "exec" not in word else word for word in command]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_sees_the_time_of_each_case_and_waits_as_long_as_ever(frozen: Frozen, name: str) -> None:
    frozen.moments()
    if name == "php":  # its own server sends the request's back
        (frozen.folder / "suite/suite.yaml").write_text("wiretape: 1\nnoise:\n- response.headers.Host: any\n")
    code, said = frozen.replay(*words(SERVICES[name], frozen.port))
    assert f"{len(MOMENTS) + 1} passed, 0 failed, 0 broken" in said
    assert "warning" not in said
    assert code == 0


def test_nothing_is_left_behind_that_would_keep_another_process_of_that_number_from_starting(frozen: Frozen) -> None:
    frozen.moments()
    code, _ = frozen.replay("sh", "-c", f"echo $$ >pid; exec {' '.join(PYTHON)} {frozen.port}")
    assert code == 0
    process = (frozen.folder / "pid").read_text().strip()
    assert not list(Path("/dev/shm").glob(f"*faketime*_{process}"))


def test_without_the_option_the_same_suite_fails(frozen: Frozen) -> None:
    frozen.moments()
    code, said = frozen.replay(*PYTHON, str(frozen.port), options=())
    assert "1 passed, 4 failed" in said  # the pause
    assert code == 1


@pytest.mark.parametrize("shift", ["+1 day", "-400 days", "+10 years"])
def test_under_another_faketime_ours_holds(frozen: Frozen, shift: str) -> None:
    frozen.moments()
    code, said = Frozen(folder=frozen.folder, port=frozen.port, prefix=("faketime", shift)).replay(*PYTHON, str(frozen.port))
    assert "5 passed" in said
    assert code == 0


def test_the_time_zone_of_the_service_is_its_own_affair(frozen: Frozen) -> None:
    frozen.moments()
    code, said = Frozen(folder=frozen.folder, port=frozen.port, env={"TZ": "Pacific/Auckland"}).replay(
        *PYTHON, str(frozen.port)
    )
    assert "5 passed" in said
    assert code == 0


def test_it_can_be_configured_and_told_otherwise(frozen: Frozen) -> None:
    frozen.moments()
    (frozen.folder / "wiretape.yaml").write_text(f"wiretape: 1\nservice: {{url: {frozen.url}, freeze_time: true}}\n")
    assert "5 passed" in frozen.replay(*PYTHON, str(frozen.port), options=())[1]
    assert "4 failed" in frozen.replay(*PYTHON, str(frozen.port), options=("--no-freeze-time",))[1]
    told = Frozen(folder=frozen.folder, port=frozen.port, env={"WIRETAPE_SERVICE_FREEZE_TIME": "no"})
    assert "4 failed" in told.replay(*PYTHON, str(frozen.port), options=())[1]


# What cannot be frozen.


def built(folder: Path, *, cgo: bool) -> str:
    program = folder / "service"
    env = {**os.environ, "CGO_ENABLED": str(int(cgo)), "GOFLAGS": "-mod=mod", "GO111MODULE": "off"}
    subprocess.run(["go", "build", "-o", str(program), str(PROGRAMS / "go.go")], env=env, check=True, timeout=120)
    return str(program)


@pytest.mark.parametrize("cgo", [True, False])
def test_a_go_program_cannot_be_frozen(frozen: Frozen, cgo: bool) -> None:
    frozen.moments()
    code, said = frozen.replay("sh", "-c", f"{built(frozen.folder, cgo=cgo)} {frozen.port} & wait")
    assert "wiretape: the time of service (pid " in said
    assert "is a Go program: it asks the kernel for the time, past every library; leave out --freeze-time" in said
    assert "passed" not in said
    assert code == 3


def test_a_static_program_cannot_be_frozen(frozen: Frozen) -> None:
    frozen.moments()
    source = frozen.folder / "service.c"
    source.write_text(
        "#include <netinet/in.h>\n#include <stdlib.h>\n#include <sys/socket.h>\n#include <unistd.h>\n"
        "int main(int count, char **words) {\n"
        "  struct sockaddr_in at = {AF_INET, htons(atoi(words[1])), {htonl(INADDR_LOOPBACK)}};\n"
        "  int s = socket(AF_INET, SOCK_STREAM, 0);\n"
        "  if (bind(s, (struct sockaddr *)&at, sizeof at) || listen(s, 5)) return 1;\n"
        "  for (;;) close(accept(s, 0, 0));\n}\n"
    )
    subprocess.run(["gcc", "-static", "-o", "service", "service.c"], cwd=frozen.folder, check=True, timeout=120)
    code, said = frozen.replay("./service", str(frozen.port))
    assert "is linked statically: no library can be put into it; leave out --freeze-time" in said
    assert code == 3


def test_an_environment_that_was_emptied_is_noticed(frozen: Frozen) -> None:
    frozen.moments()
    code, said = frozen.replay("env", "-i", *PYTHON, str(frozen.port))
    assert "did not load libfaketime: its environment was emptied on the way" in said
    assert code == 3


def test_an_answer_with_the_real_date_ends_the_run(frozen: Frozen) -> None:
    frozen.moments()
    code, said = frozen.replay(*PYTHON, str(frozen.port), "real")
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    assert (
        "the service's time is not frozen: now-2019-12-31 was recorded at 2019-12-31 23:59:30 UTC, and its answer is dated "
        f"{today}" in said
    )
    assert "passed" not in said
    assert code == 3


def test_what_cannot_be_checked_is_said(frozen: Frozen) -> None:
    frozen.moments()
    shell = f"setsid {' '.join(PYTHON)} {frozen.port} undated & echo $! >pid; wait"
    try:
        code, said = frozen.replay("sh", "-c", shell)
    finally:
        os.kill(int((frozen.folder / "pid").read_text()), signal.SIGKILL)
    assert "warning: whether the service's time is frozen could not be checked" in said
    assert "5 passed" in said
    assert code == 0


def test_a_service_that_already_runs_cannot_be_frozen(frozen: Frozen) -> None:
    frozen.moments()
    code, said = frozen.replay(options=("--freeze-time", "--url", frozen.url))
    assert "the time of a service that already runs" in said
    assert "give the command that starts it after --, or --no-freeze-time" in said
    assert code == 2


def test_a_case_without_a_time_runs_at_the_time_before_and_says_so(frozen: Frozen) -> None:
    frozen.case("a", "2024-02-29T12:00:00Z", shown("2024-02-29T12:00"))
    frozen.case("b", "", shown("2024-02-29T12:00"))
    code, said = frozen.replay(*PYTHON, str(frozen.port))
    assert "warning: it does not say when it was recorded; it ran at the time before" in said
    assert code == 0


def test_a_suite_without_any_time_cannot_be_frozen(frozen: Frozen) -> None:
    frozen.case("b", "", shown("2024-02-29T12:00"))
    code, said = frozen.replay(*PYTHON, str(frozen.port))
    assert "no case says when it was recorded; give at least one a `recorded:`" in said
    assert code == 2


@pytest.mark.parametrize(
    ("library", "reason", "wanted"),
    [
        ("nowhere.so", "service.faketime: there is no file", 2),
        ("empty.so", "empty.so does not change the time a program sees", 3),
    ],
)
def test_a_library_that_is_none_is_said(frozen: Frozen, library: str, reason: str, wanted: int) -> None:
    frozen.moments()
    (frozen.folder / "empty.so").touch()
    told = Frozen(folder=frozen.folder, port=frozen.port, env={"WIRETAPE_SERVICE_FAKETIME": library})
    code, said = told.replay(*PYTHON, str(frozen.port))
    assert reason in said
    assert code == wanted


def test_a_library_may_be_named(frozen: Frozen) -> None:
    frozen.moments()
    copy = shutil.copy(find(), frozen.folder / "libfaketime-of-ours.so")
    told = Frozen(folder=frozen.folder, port=frozen.port, env={"WIRETAPE_SERVICE_FAKETIME": str(copy)})
    assert told.replay(*PYTHON, str(frozen.port))[0] == 0


CLIENT = """
import ssl, sys, urllib.request
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            body = urllib.request.urlopen(sys.argv[2] + "/v1").read()
        except Exception as error:
            body = repr(error).encode()
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_the_certificates_of_mocks_are_valid_at_the_frozen_time(frozen: Frozen) -> None:
    (frozen.folder / "app.py").write_text(CLIENT)
    more = "calls:\n- web: GET /v1\n  response: {status: 200, headers: {content-type: text/plain}, body: 'behind TLS'}\n"
    for moment in MOMENTS:
        frozen.case(f"asked-{moment[:10]}", moment, "behind TLS", more=more)
    command = (sys.executable, "app.py", str(frozen.port), "https://localhost:${web.port}")
    code, said = frozen.replay(*command, options=("--freeze-time", "--dep", "web=https://localhost"))
    assert "4 passed" in said
    assert code == 0


def test_the_doctor_looks_for_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wiretape", "doctor"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    good = subprocess.run(command, cwd=tmp_path, env=env, text=True, capture_output=True, check=False, timeout=60).stdout
    assert f"ok    freezing the time: {find()} works" in good
    (tmp_path / "none.so").touch()
    env["WIRETAPE_SERVICE_URL"], env["WIRETAPE_SERVICE_FAKETIME"] = "http://127.0.0.1:1", "none.so"
    bad = subprocess.run(command, cwd=tmp_path, env=env, text=True, capture_output=True, check=False, timeout=60).stdout
    assert "warn  freezing the time: " in bad
    assert "none.so does not change the time a program sees" in bad
