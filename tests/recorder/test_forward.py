"""The forward proxy: hosts become targets, TLS is read, what is not HTTP to a proxy is refused."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from recorder.capture import Kind
from recorder.directory import Directory, Terms, free_name, name_of
from recorder.taps import Seen, watch
from recorder.wire import FORWARD, Listener
from tests.recorder.tlsservers import AUTHORITY, Authority, over_tls, to_the_end
from wiretape.config import Address


@pytest.fixture
def other(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "other")


@pytest.fixture
def forward(front) -> Listener:
    made: Listener = front(9, protocol=FORWARD)
    return made


def web(body: bytes, requests: int = 1) -> Callable[[socket.socket], object]:
    """Answers so many requests with `body`; the result is what it was asked."""

    def handle(sock: socket.socket) -> object:
        asked = []
        for _ in range(requests):
            data = b""
            while b"\r\n\r\n" not in data:
                data += sock.recv(65536)
            asked.append(data.splitlines()[0])
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        assert not sock.recv(1)  # the client's side ends first
        return asked

    return handle


def seen(recorder) -> Seen:
    return watch(recorder.records(), 10_000)


def calls(recorder) -> list[tuple[str, str]]:
    return [(one.target, one.interaction.operation) for one in seen(recorder).outbound]


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate)


def test_plain_http_to_two_hosts_on_one_connection(recorded, front, forward, serve) -> None:
    first, asked = serve(web(b"one"))
    second, _ = serve(web(b"two"))
    known = front(second, "payments", protocol="http")
    listeners = [known]
    with (
        recorded(known, forward, directory=Directory(listeners, "proxy", Terms())) as recorder,
        socket.create_connection(("127.0.0.1", recorder.port(1)), 10) as sock,
    ):
        for port, path, answer in ((first, "/a", b"one"), (second, "/b", b"two"), (first, "/c?d", b"one")):
            sock.sendall(f"GET http://127.0.0.1:{port}{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            got = b""
            while not got.endswith(answer):
                got += sock.recv(65536)
    name = f"host-127-0-0-1-{first}"
    assert calls(recorder) == [(name, "GET /a"), ("payments", "GET /b"), (name, "GET /c?d")]
    assert seen(recorder).facts[name] == {
        "protocol": "http", "via": "proxy", "address": f"127.0.0.1:{first}", "versions": ["1.1"]
    }  # fmt: skip
    assert "via" not in seen(recorder).facts["payments"]
    assert sorted(asked) == [[b"GET /a HTTP/1.1"], [b"GET /c?d HTTP/1.1"]]


def test_https_is_read_by_our_authority(recorded, forward, serve, other: Authority, tmp_path: Path) -> None:
    port, _ = serve(over_tls(other.serving("http/1.1"), web(b"secure")))
    directory = Directory([], "proxy", Terms(ca=other.certificate))
    with (
        recorded(forward, directory=directory) as recorder,
        httpx.Client(
            proxy=f"http://127.0.0.1:{recorder.port()}", verify=trusting(tmp_path / "ca" / AUTHORITY), trust_env=False
        ) as client,
    ):
        assert client.get(f"https://localhost:{port}/a").text == "secure"
    name = f"localhost-{port}"
    assert calls(recorder) == [(name, "GET /a")]
    assert seen(recorder).facts[name]["tls"] is True
    assert recorder.said == []


def test_an_untrusted_upstream_is_a_502_inside_tls(recorded, forward, serve, other: Authority, tmp_path: Path) -> None:
    port, _ = serve(over_tls(other.serving("http/1.1"), web(b"secure")))
    with (
        recorded(forward, directory=Directory([], "proxy", Terms())) as recorder,
        httpx.Client(
            proxy=f"http://127.0.0.1:{recorder.port()}", verify=trusting(tmp_path / "ca" / AUTHORITY), trust_env=False
        ) as client,
    ):
        answer = client.get(f"https://localhost:{port}/a")
    assert answer.status_code == 502
    assert "its certificate is not trusted" in answer.text
    assert len(recorder.said) == 1


def test_passthrough_is_not_read(recorded, forward, serve, other: Authority) -> None:
    port, _ = serve(over_tls(other.serving("http/1.1"), web(b"secure")))
    with (
        recorded(forward, directory=Directory([], "proxy", Terms(passthrough=["local*"]))) as recorder,
        httpx.Client(
            proxy=f"http://127.0.0.1:{recorder.port()}", verify=trusting(other.certificate), trust_env=False
        ) as client,
    ):
        assert client.get(f"https://localhost:{port}/a").text == "secure"
    assert not [record for record in recorder.records() if record.kind in (Kind.CLIENT, Kind.SERVER)]
    assert "passed on unread and not recorded" in recorder.said[0]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_host_that_is_down(recorded, forward, free_port, scheme: str) -> None:
    port = free_port()
    with (
        recorded(forward, directory=Directory([], "proxy", Terms())) as recorder,
        httpx.Client(proxy=f"http://127.0.0.1:{recorder.port()}", trust_env=False) as client,
    ):
        if scheme == "http":
            answer = client.get(f"http://127.0.0.1:{port}/a")
            assert (answer.status_code, "cannot reach the upstream" in answer.text) == (502, True)
        else:
            with pytest.raises(httpx.ProxyError, match="502"):
                client.get(f"https://127.0.0.1:{port}/a")
    assert "cannot reach the upstream" in recorder.said[0]


def test_what_is_no_request_to_a_proxy(recorded, forward) -> None:
    with (
        recorded(forward, directory=Directory([], "proxy", Terms())) as recorder,
        socket.create_connection(("127.0.0.1", recorder.port()), 10) as sock,
    ):
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert to_the_end(sock).startswith(b"HTTP/1.1 400 Bad Request")


def test_what_goes_to_a_listener_of_ours_is_recorded_once(recorded, front, forward, serve) -> None:
    port, _ = serve(web(b"one"))
    known = front(port, "payments", protocol="http")
    with (
        recorded(known, forward, directory=Directory([known], "proxy", Terms())) as recorder,
        httpx.Client(proxy=f"http://127.0.0.1:{recorder.port(1)}", trust_env=False) as client,
    ):
        assert client.get(f"http://127.0.0.1:{recorder.port()}/a").text == "one"
    assert calls(recorder) == [("payments", "GET /a")]


@pytest.mark.parametrize(
    ("host", "port", "name"),
    [
        ("api.Example.com", 443, "api-example-com"),
        ("api.example.com", 8443, "api-example-com-8443"),
        ("10.0.0.1", 80, "host-10-0-0-1"),
        ("::1", 5432, "host-1-5432"),
    ],
)
def test_names(host: str, port: int, name: str) -> None:
    assert name_of(Address(host=host, port=port)) == name


def test_names_that_mean_something_else() -> None:
    at = Address(host="response", port=80)
    assert free_name("response", at, ()) == "response-80"
    assert free_name("cache", at, ("cache", "cache-80")) == "cache-80-2"
