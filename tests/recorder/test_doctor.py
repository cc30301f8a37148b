"""`wiretape doctor`: each thing that can be wrong is found and said with what to do."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from recorder.doctor import Finding, cannot_listen, holder, run
from tests.recorder.tlsservers import Authority, over_tls
from wiretape.ca import ensure_ca
from wiretape.config import Address, load_config


@pytest.fixture
def answering(serve) -> Callable[[bytes], int]:
    """A server that answers whatever it is asked with these bytes; its port."""

    def start(answer: bytes, *, greets: bool = False) -> int:
        def handle(sock: socket.socket) -> None:
            if greets or sock.recv(1000):
                sock.sendall(answer)
                sock.recv(1000)

        port: int = serve(handle)[0]
        return port

    return start


def diagnose(folder: Path, *deps: str, service: str | None = None) -> list[Finding]:
    return run(load_config(file=None, environ={}, cwd=folder, service=service, deps=deps))


def of(findings: list[Finding], check: str) -> list[str]:
    return [f"{one.status} {one.message}" for one in findings if one.check == check]


def test_a_target_that_is_down(tmp_path: Path, free_port) -> None:
    port = free_port()
    assert of(diagnose(tmp_path, f"main=postgres://127.0.0.1:{port}"), "target main") == [
        f"fail 127.0.0.1:{port} cannot be reached: connection refused"
    ]


def test_a_real_database(tmp_path: Path, postgres) -> None:
    for scheme, said in (("postgres", "it answers as postgres"), ("auto", "it speaks postgres")):
        assert of(diagnose(tmp_path, f"main={scheme}://127.0.0.1:{postgres.port}"), "target main") == [
            f"ok 127.0.0.1:{postgres.port} can be reached", f"ok {said}"
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("scheme", "answer", "greets", "status", "said"),
    [
        ("redis", b"+PONG\r\n", False, "ok", "it answers as redis"),
        ("redis", b"-NOAUTH Authentication required.\r\n", False, "ok", "it answers as redis"),
        ("http", b"HTTP/1.1 405 No\r\n\r\n", False, "ok", "it answers as http"),
        ("redis", b"HTTP/1.1 400 Bad Request\r\n\r\n", False, "fail", "it speaks http, redis is configured"),
        ("redis", b"hello", False, "warn", "what it speaks cannot be told (redis is configured)"),
        ("tcp", b"220 mail\r\n", True, "warn", "what it speaks cannot be told (raw is configured)"),
    ],
)
def test_what_it_really_speaks(scheme, answer, greets, status, said, answering, tmp_path: Path) -> None:
    port = answering(answer, greets=greets)
    assert of(diagnose(tmp_path, f"main={scheme}://127.0.0.1:{port}"), "target main")[-1] == f"{status} {said}"


@pytest.mark.parametrize("trusted", [True, False])
def test_tls_of_a_target(trusted: bool, serve, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")

    def handle(sock) -> None:
        if sock.recv(1000):
            sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    port, _ = serve(over_tls(other.serving(), handle))
    ca = f", ca: {other.certificate}" if trusted else ""
    (tmp_path / "wiretape.yaml").write_text(
        f"wiretape: 1\ntargets: {{api: {{protocol: https, upstream: '127.0.0.1:{port}'{ca}}}}}\n"
    )
    found = of(diagnose(tmp_path), "target api")
    assert found[0] == f"ok 127.0.0.1:{port} can be reached"
    assert any(line.startswith("ok its certificate: for localhost, 127.0.0.1, until 20") for line in found)
    if trusted:
        assert found[-1] == "ok it answers as http"
    else:
        assert any(line.startswith("fail no TLS with it: its certificate is not trusted (self-signed") for line in found)


def test_tls_where_there_is_none(answering, tmp_path: Path) -> None:
    found = of(diagnose(tmp_path, f"cache=rediss://127.0.0.1:{answering(b'-ERR')}"), "target cache")
    assert found[-1].startswith("fail no TLS with it: ")


def test_a_port_that_is_taken_and_by_whom(tmp_path: Path, free_port) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (line,) = of(diagnose(tmp_path, f"main=tcp://127.0.0.1:{free_port()}@{port}"), "listen")
        assert line.startswith(f"fail 127.0.0.1:{port} for target main is taken by ")
        assert str(holder(port)).endswith(")")
    assert cannot_listen(Address(host="127.0.0.1", port=free_port())) == ""
    assert cannot_listen(Address(host="192.0.2.1", port=1)) == "(cannot assign requested address)"


def test_a_socket_that_is_taken(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("u") / "s"
    assert cannot_listen(Address(path=str(path))) == ""
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(str(path))
        taken.listen()
        assert cannot_listen(Address(path=str(path))) == "by another program"


def test_a_key_that_others_can_read(tmp_path: Path) -> None:
    key = ensure_ca(tmp_path / ".wiretape") / "mitmproxy-ca.pem"
    key.chmod(0o644)
    found = [one for one in diagnose(tmp_path) if one.check == "authority"]
    assert (found[0].status, found[0].message) == ("fail", "others can read its key (mode 644)")
    assert found[0].advice == f"chmod 600 {key}"


def test_the_service(tmp_path: Path, answering, free_port) -> None:
    port = free_port()
    assert of(diagnose(tmp_path, service=f"http://127.0.0.1:{port}"), "service") == [
        f"warn http://127.0.0.1:{port} is not ready"
    ]
    port = answering(b"", greets=True)
    assert of(diagnose(tmp_path, service=f"http://127.0.0.1:{port}"), "service") == [f"ok http://127.0.0.1:{port} answers"]


def test_as_a_command(tmp_path: Path, free_port) -> None:
    command = [sys.executable, "-m", "wiretape", "doctor", "--dep", f"main=postgres://127.0.0.1:{free_port()}", "--json"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    findings = json.loads(done.stdout)
    assert {"disk", "clock", "authority", "target main"} <= {one["check"] for one in findings}
    assert [one["status"] for one in findings if one["check"] == "target main"] == ["fail"]
