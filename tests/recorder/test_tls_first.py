"""TLS whose ClientHello comes first, on both sides: read between two, verified where it should be, clean where it fails."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from recorder.capture import Kind, Record
from tests.recorder.tlsservers import AUTHORITY, Authority, dial, over_tls, to_the_end
from wiretape.errors import ConfigError


@pytest.fixture
def other(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "other")


def echo(sock: ssl.SSLSocket) -> object:
    while data := sock.recv(65536):
        sock.sendall(data)
    return None


def agreement(sock: ssl.SSLSocket) -> None:
    """Say what was agreed on here."""
    sock.recv(1)
    sock.sendall(repr(sock.selected_alpn_protocol()).encode())


def passed(records: list[Record], kind: Kind) -> bytes:
    return b"".join(record.data for record in records if record.kind == kind)


def test_both_sides(recorded, front, serve, other: Authority, tmp_path: Path) -> None:
    port, _ = serve(over_tls(other.serving(), echo))
    with recorded(front(port, "cache")) as recorder, dial(recorder.port(), tmp_path / "ca" / AUTHORITY) as sock:
        sock.sendall(b"PING\r\n")
        assert sock.recv(100) == b"PING\r\n"
    records = recorder.records()
    assert passed(records, Kind.CLIENT) == passed(records, Kind.SERVER) == b"PING\r\n"
    assert passed(records, Kind.MARK) == b"tlshost localhost"
    assert recorder.said == []


def test_plain_client_of_a_tls_upstream(recorded, front, serve, other: Authority) -> None:
    port, _ = serve(over_tls(other.serving(), echo))
    with (
        recorded(front(port, "cache", upstream_tls=True)) as recorder,
        socket.create_connection(("127.0.0.1", recorder.port()), 10) as sock,
    ):
        sock.sendall(b"PING\r\n")
        assert sock.recv(100) == b"PING\r\n"
    assert passed(recorder.records(), Kind.SERVER) == b"PING\r\n"


def test_tls_in_front_of_a_plain_service(recorded, front, serve, tmp_path: Path) -> None:
    port, _ = serve(lambda sock: sock.sendall(b"HTTP/1.1 204 OK\r\n\r\n") if sock.recv(1000) else None)
    with (
        recorded(front(port, upstream_tls=False)) as recorder,
        dial(recorder.port(), tmp_path / "ca" / AUTHORITY, alpn=("h2", "http/1.1")) as sock,
    ):
        assert sock.selected_alpn_protocol() == "http/1.1"
        sock.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert to_the_end(sock) == b"HTTP/1.1 204 OK\r\n\r\n"
    assert passed(recorder.records(), Kind.CLIENT).startswith(b"GET /")


@pytest.mark.parametrize(
    ("server", "client", "agreed"),
    [
        (("h2", "http/1.1"), ("h2", "http/1.1"), "h2"),
        (("http/1.1",), ("h2", "http/1.1"), "http/1.1"),
        ((), ("h2", "http/1.1"), None),
        (("h2",), (), None),
    ],
)
def test_alpn_is_the_upstreams(server, client, agreed, recorder, front, serve, other: Authority) -> None:
    port, _ = serve(over_tls(other.serving(*server), agreement))
    running = recorder(front(port, "api", protocol="http"))
    with dial(running.port(), alpn=client) as sock:
        assert sock.selected_alpn_protocol() == agreed
        sock.sendall(b"x")
        assert to_the_end(sock) == repr(agreed).encode()


def test_untrusted_upstream_is_a_502_and_said_once(recorded, front, serve, other: Authority) -> None:
    port, results = serve(over_tls(other.serving(), echo))
    with recorded(front(port, "api", protocol="http", upstream_tls=True, verify=True)) as recorder:
        for _ in range(2):
            with dial(recorder.port(), alpn=("http/1.1",)) as sock:
                sock.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                answer = to_the_end(sock)
            assert answer.startswith(b"HTTP/1.1 502 ")
            assert b"its certificate is not trusted" in answer
    assert recorder.said == [
        f"target api: no TLS with the upstream 127.0.0.1:{port}: its certificate is not trusted (self-signed certificate in "
        "certificate chain); give the authority that signed it as `ca`, or `verify: false`"
    ]
    assert passed(recorder.records(), Kind.CLIENT) == b""
    assert results == ["SSLEOFError", "SSLEOFError"]


def test_untrusted_upstream_closes_where_it_is_not_http(recorder, front, serve, other: Authority) -> None:
    port, _ = serve(over_tls(other.serving(), echo))
    running = recorder(front(port, "cache", verify=True))
    with dial(running.port()) as sock:
        assert to_the_end(sock) == b""
    assert "give the authority that signed it as `ca`" in running.said[0]


@pytest.mark.parametrize(("names", "works"), [(("127.0.0.1",), True), (("elsewhere.example",), False)])
def test_ca_and_name_are_verified(names, works: bool, recorder, front, serve, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "other", *names)
    port, _ = serve(over_tls(authority.serving(), echo))
    running = recorder(front(port, "api", protocol="http", verify=True, ca=authority.certificate))
    with dial(running.port()) as sock:
        sock.sendall(b"x")
        assert sock.recv(8) == (b"x" if works else b"HTTP/1.1")
    assert running.said == [] if works else "IP address mismatch" in running.said[0]


def test_upstream_that_speaks_no_tls(recorder, front, serve) -> None:
    def refuse(sock) -> None:
        sock.recv(1000)
        sock.sendall(b"-ERR not RESP\r\n")

    port, _ = serve(refuse)
    running = recorder(front(port, "cache"))
    with dial(running.port()) as sock:
        assert to_the_end(sock) == b""
    assert running.said == [
        f"target cache: no TLS with the upstream 127.0.0.1:{port}: it does not speak TLS there; let the client use plain text, "
        "or give the address where it does"
    ]


def test_passthrough_is_not_read(recorded, front, serve, other: Authority) -> None:
    port, _ = serve(over_tls(other.serving(), echo))
    with (
        recorded(front(port, "cache", tls="passthrough")) as recorder,
        dial(recorder.port(), other.certificate) as sock,
    ):
        sock.sendall(b"secret")
        assert sock.recv(100) == b"secret"
    assert passed(recorder.records(), Kind.CLIENT) == b""
    assert recorder.said == ["target cache: a client uses TLS, which is passed on unread and not recorded (tls: passthrough)"]


def test_refuse_hangs_up(recorder, front, serve, other: Authority) -> None:
    port, _ = serve(over_tls(other.serving(), echo))
    running = recorder(front(port, "cache", tls="refuse"))
    with pytest.raises(OSError):
        dial(running.port())


def test_own_certificate_and_alpn(recorder, front, serve, other: Authority) -> None:
    port, _ = serve(over_tls(other.serving("h2"), echo))
    running = recorder(front(port, "api", protocol="http", certificate=other.leaf))
    with dial(running.port(), other.certificate, alpn=("h2", "http/1.1")) as sock:
        assert sock.selected_alpn_protocol() == "h2"


def test_a_ca_that_is_none(recorder, front, tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nothing")
    with pytest.raises(ConfigError, match=r"target api: cannot use the ca .*x\.pem"):
        recorder(front(1, "api", verify=True, ca=tmp_path / "x.pem"))


def test_large_both_ways(recorded: Callable[..., object], front, serve, other: Authority) -> None:
    blob = bytes(range(256)) * 8192
    port, _ = serve(over_tls(other.serving(), echo))
    with recorded(front(port, "cache")) as recorder, dial(recorder.port()) as sock:
        sender = threading.Thread(target=sock.sendall, args=(blob,))
        sender.start()
        got = bytearray()
        while len(got) < len(blob):
            got += sock.recv(65536)
        sender.join()
    assert bytes(got) == blob
    assert passed(recorder.records(), Kind.SERVER) == blob
