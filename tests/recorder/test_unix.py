"""Unix sockets on either side of a listener."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.capture import Kind
from wiretape.config import Address
from wiretape.errors import TargetError


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose name leaves room: a socket's path has 107 bytes."""
    return tmp_path_factory.mktemp("u")


@pytest.fixture
def server(short: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(short / "real"))
        made.listen()
        made.settimeout(10)
        yield made


def dial(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(10)
    made.connect(str(path))
    return made


def test_from_socket_to_socket(recorded, front, server: socket.socket, short: Path) -> None:
    ours = short / "ours"
    listener = front(9, "cache", listen=Address(path=str(ours)), upstream=Address(path=str(short / "real")))
    with recorded(listener) as recorder:
        for _ in range(2):
            with dial(ours) as sock:
                there, _ = server.accept()
                sock.sendall(b"question")
                assert there.recv(100) == b"question"
                there.sendall(b"answer")
                there.close()
                assert sock.recv(100) == b"answer"
                assert sock.recv(100) == b""
    assert not ours.exists()
    assert [record.data for record in recorder.records() if record.kind == Kind.SERVER] == [b"answer", b"answer"]


def test_from_port_to_socket(recorded, front, server: socket.socket, short: Path) -> None:
    with (
        recorded(front(9, "cache", upstream=Address(path=str(short / "real")))) as recorder,
        socket.create_connection(("127.0.0.1", recorder.port()), 10) as sock,
    ):
        there, _ = server.accept()
        there.sendall(b"greeting")
        assert sock.recv(100) == b"greeting"
        there.close()


def test_a_socket_that_is_not_there(recorder, front, short: Path) -> None:
    running = recorder(front(9, "cache", upstream=Address(path=str(short / "none"))))
    with socket.create_connection(("127.0.0.1", running.port()), 10) as sock:
        assert sock.recv(1) == b""
    assert running.said == [
        f"target cache: cannot reach the upstream unix:{short}/none: no such file or directory; is it running there?"
    ]


def test_a_socket_that_is_taken_stays(recorder, front, server: socket.socket, short: Path) -> None:
    with pytest.raises(TargetError, match="something listens there; give another path"):
        recorder(front(1, "cache", listen=Address(path=str(short / "real"))))
    assert (short / "real").is_socket()


def test_a_socket_nobody_listens_on_any_more_is_replaced(recorder, front, short: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(short / "dead"))
    recorder(front(1, "cache", listen=Address(path=str(short / "dead"))))
    dial(short / "dead").close()


def test_a_file_is_never_replaced(recorder, front, short: Path) -> None:
    (short / "file").write_text("precious")
    with pytest.raises(TargetError, match="a file is there that is no socket"):
        recorder(front(1, "cache", listen=Address(path=str(short / "file"))))
    assert (short / "file").read_text() == "precious"
