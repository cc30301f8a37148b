"""Listeners: taken ports, upstreams that are down, what is said at the terminal, and how often."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from recorder.capture import Kind
from wiretape.config import Address
from wiretape.errors import ConfigError, TargetError


def test_port_taken(recorder, front) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        listener = front(1, "main", listen=Address(host="127.0.0.1", port=port))
        with pytest.raises(
            TargetError, match=rf"cannot listen on 127.0.0.1:{port} for target main: the port is taken; stop what"
        ):
            recorder(listener)


def test_address_of_another_machine(recorder, front) -> None:
    with pytest.raises(TargetError, match="this machine has no such address"):
        recorder(front(1, listen=Address(host="192.0.2.1", port=1)))


def test_upstream_that_is_ourselves(recorder, front, free_port) -> None:
    port = free_port()
    with pytest.raises(TargetError, match=r"its upstream .* is where wiretape itself listens for the service"):
        recorder(front(1, listen=Address(host="127.0.0.1", port=port)), front(port, "main"))


def test_certificate_that_is_none(recorder, front, tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nothing")
    with pytest.raises(ConfigError, match=r"target main: cannot use the certificate .*x\.pem"):
        recorder(front(1, "main", protocol="postgres", certificate=tmp_path / "x.pem"))


def test_http_upstream_down_is_502_and_said_once(recorded, front, free_port) -> None:
    port = free_port()
    with recorded(front(port)) as recorder:
        for _ in range(2):
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(f"http://127.0.0.1:{recorder.port()}/x", data=b"x" * 200_000, timeout=10)
            assert caught.value.code == 502
            text = caught.value.read().decode()
            assert f"cannot reach the upstream 127.0.0.1:{port}: connection refused" in text
            assert text.count("\n") == 1
    assert len(recorder.said) == 1
    assert recorder.said[0] == (
        f"the service: cannot reach the upstream 127.0.0.1:{port}: connection refused; is it running there?"
    )
    assert not [record for record in recorder.records() if record.kind in (Kind.CLIENT, Kind.SERVER)]


@pytest.mark.parametrize("protocol", ["raw", "postgres"])
def test_database_upstream_down_closes_and_is_said_once(recorder, front, free_port, protocol: str) -> None:
    running = recorder(front(free_port(), "main", protocol=protocol))
    for _ in range(2):
        with socket.create_connection(("127.0.0.1", running.port()), 10) as sock:
            try:
                sock.sendall(b"\0\0\0\x08\0\0\0\0")
                assert sock.recv(10) == b""
            except ConnectionError:
                pass
    assert len(running.said) == 1
    assert running.said[0].startswith("target main: cannot reach the upstream")


def test_upstream_that_comes_up_later_is_used(recorder, front, free_port, serve) -> None:
    port = free_port()
    running = recorder(front(port, "main"))
    with socket.create_connection(("127.0.0.1", running.port()), 10) as sock:
        assert sock.recv(10) == b""
    with (
        socket.create_server(("127.0.0.1", port)) as server,
        socket.create_connection(("127.0.0.1", running.port()), 10) as sock,
    ):
        there, _ = server.accept()
        there.sendall(b"hello")
        assert sock.recv(10) == b"hello"
        there.close()


def test_a_server_that_speaks_first(recorder, front, serve) -> None:
    port, _ = serve(lambda sock: sock.sendall(b"greeting"))
    with socket.create_connection(("127.0.0.1", recorder(front(port, "main")).port()), 10) as sock:
        assert sock.recv(100) == b"greeting"


def test_stopping_hangs_up(recorded, front, serve) -> None:
    closed = threading.Event()

    def server(sock: socket.socket) -> None:
        sock.sendall(b"x")
        sock.recv(1)
        closed.set()

    port, _ = serve(server)
    with recorded(front(port, "main")) as recorder:
        sock = socket.create_connection(("127.0.0.1", recorder.port()), 10)
        assert sock.recv(1) == b"x"
    assert sock.recv(1) == b""
    assert closed.wait(10)
    sock.close()
