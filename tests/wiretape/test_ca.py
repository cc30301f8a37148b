"""The CA: trusted once, trusted for every mock, and its key is nobody else's."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from mitmproxy.certs import CertStore

from wiretape.ca import covering, ensure_ca, leaf
from wiretape.errors import ConfigError


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


def test_a_leaf_may_be_for_a_time_long_ago_and_lives_no_longer_than_clients_bear(tmp_path: Path) -> None:
    ca = ensure_ca(tmp_path)
    then = datetime(2020, 2, 29, tzinfo=UTC)
    for span in ((then, then), (then, then + timedelta(days=100)), (then, then + timedelta(days=1000))):
        moments = (span[0].timestamp(), span[1].timestamp())
        assert covering(ca, moments) == ca
        made = x509.load_pem_x509_certificate(leaf(ca, ["localhost"], moments).read_bytes())
        assert made.not_valid_before_utc < span[0]
        assert made.not_valid_after_utc > span[1]
        assert made.not_valid_after_utc - made.not_valid_before_utc <= max(
            timedelta(days=398), span[1] - span[0] + timedelta(days=5)
        )


def test_an_authority_that_is_too_young_is_said(tmp_path: Path) -> None:
    ca = ensure_ca(tmp_path)
    assert covering(ca, None) == ca
    with pytest.raises(
        ConfigError, match=r"ca is valid from .*, and the time is to be frozen at 1990-01-01; delete the folder"
    ):
        covering(ca, (datetime(1990, 1, 1, tzinfo=UTC).timestamp(), 0.0))
