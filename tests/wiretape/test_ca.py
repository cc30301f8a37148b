"""The CA: trusted once, trusted for every mock, and its key is nobody else's."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

from mitmproxy.certs import CertStore

from wiretape.ca import ensure_ca, leaf


def test_a_client_that_trusts_the_ca_trusts_a_leaf(tmp_path: Path) -> None:
    ca = ensure_ca(tmp_path / ".wiretape")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf(ca, ["127.0.0.1", "localhost"]))
    near, far = socket.socketpair()
    server = threading.Thread(target=lambda: context.wrap_socket(far, server_side=True).close())
    server.start()
    trusting = ssl.create_default_context(cafile=ca / "mitmproxy-ca-cert.pem")
    with trusting.wrap_socket(near, server_hostname="localhost") as client:
        assert client.version() == "TLSv1.3"
    server.join()


def test_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    ca = ensure_ca(tmp_path)
    first = (ca / "mitmproxy-ca.pem").read_bytes()
    assert ensure_ca(tmp_path) == ca
    assert (ca / "mitmproxy-ca.pem").read_bytes() == first
    assert (ca / "mitmproxy-ca.pem").stat().st_mode & 0o777 == 0o600
    assert leaf(ca, ["localhost"]).stat().st_mode & 0o777 == 0o600


def test_mitmproxy_takes_it_as_its_own(tmp_path: Path) -> None:
    ca = ensure_ca(tmp_path)
    store = CertStore.from_store(ca, "mitmproxy", 2048)
    assert store.default_ca.cn == "wiretape"
