"""A web server that goes by a name is called by it, whatever the client calls us."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from recorder.capture import Kind
from recorder.hosts import goes_by_name
from tests.recorder.tlsservers import Authority, dial, over_tls, to_the_end
from wiretape.config import Address

NAME = "api.wiretape.test"


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is this machine's."""
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *more, **most: real("127.0.0.1" if host == NAME else host, *more, **most)
    )


def headers(sock: socket.socket) -> None:
    """Answers with the request it got."""
    data = sock.recv(65536)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data))


@pytest.mark.parametrize("secure", [False, True])
def test_host_and_sni(secure: bool, recorded, front, serve, tmp_path: Path, named) -> None:
    other = Authority(tmp_path / "other", NAME)
    port, _ = serve(over_tls(other.serving("h2", "http/1.1"), headers) if secure else headers)
    upstream = Address(host=NAME, port=port)
    listener = front(port, "api", protocol="http", upstream=upstream, upstream_tls=secure, verify=secure, ca=other.certificate)
    with recorded(listener) as recorder:
        sock = (
            dial(recorder.port(), alpn=("h2", "http/1.1"))
            if secure
            else socket.create_connection(("127.0.0.1", recorder.port()))
        )
        with sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert f"Host: {NAME}:{port}\r\n".encode() in to_the_end(sock)
    assert recorder.said == []
    sent = b"".join(record.data for record in recorder.records() if record.kind == Kind.CLIENT)
    assert sent == f"GET / HTTP/1.1\r\nHost: {NAME}:{port}\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("host", "target", "protocol", "named"),
    [
        ("api.example.com", "api", "http", True),
        ("api.example.com", "", "http", False),
        ("api.example.com", "main", "postgres", False),
        ("10.0.0.1", "api", "http", False),
        ("::1", "api", "http", False),
        ("localhost", "api", "http", False),
    ],
)
def test_who_goes_by_a_name(host: str, target: str, protocol: str, named: bool, front) -> None:
    assert goes_by_name(front(1, target, protocol=protocol, upstream=Address(host=host, port=443))) is named
