"""The kernel's redirection: IPv4 and IPv6, only the group's processes, nothing left behind."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from recorder.redirect import Redirection
from wiretape import ebpf
from wiretape.errors import TargetError

pytestmark = pytest.mark.skipif(bool(ebpf.missing()), reason="; ".join(ebpf.missing()))

CLIENT = """
import socket, sys
with socket.create_connection((sys.argv[1], 4242), 5) as sock:
    print(sock.recv(10).decode())
"""


@pytest.fixture
def group() -> Path:
    found = ebpf.control_groups()
    assert found is not None
    return found / "wiretape-test"


def connect(group: Path, host: str) -> subprocess.Popen[str]:
    join = f'echo $$ > {group}/cgroup.procs && exec "$@"'
    return subprocess.Popen(["sh", "-c", join, "sh", sys.executable, "-c", CLIENT, host], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("host", "seen", "ours"),
    [("10.9.8.7", "10.9.8.7", "127.0.0.1"), ("2001:db8::7", "2001:db8::7", "::1"), ("::1", "::1", "::1")],
)
def test_where_it_meant_to_go(group: Path, host: str, seen: str, ours: str) -> None:
    family = socket.AF_INET6 if ":" in ours else socket.AF_INET
    with socket.create_server((ours, 0), family=family) as server, Redirection(group) as it:
        it.start(server.getsockname()[1], (socket.AF_INET, socket.AF_INET6))
        with connect(group, host) as client:
            sock, peer = server.accept()
            assert it.original(peer[:2], sock.getsockname()[:2]) == (seen, 4242)
            sock.sendall(b"hello")
            sock.close()
            assert client.communicate()[0] == "hello\n"
    assert not group.exists()


def test_others_are_left_alone(group: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as ours,
        socket.create_server(("127.0.0.1", 0)) as theirs,
        Redirection(group) as it,
    ):
        it.start(ours.getsockname()[1], (socket.AF_INET,))
        with socket.create_connection(theirs.getsockname()) as client:
            sock, peer = theirs.accept()
            assert it.original(peer, theirs.getsockname()) is None
            sock.close()
            assert client.recv(1) == b""


def test_what_the_kernel_refuses_is_one_line(tmp_path: Path) -> None:
    with Redirection(tmp_path / "no-group") as it, pytest.raises(TargetError, match="the kernel refuses the eBPF program"):
        it.start(1, (socket.AF_INET,))
    with pytest.raises(TargetError, match="the kernel refuses a control group"), Redirection(tmp_path / "a" / "b"):
        pass
