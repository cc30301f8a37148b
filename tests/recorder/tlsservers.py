"""Certificates and small TLS servers for tests of TLS that comes first."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

from wiretape.ca import ensure_ca, leaf

AUTHORITY = "mitmproxy-ca-cert.pem"


class Authority:
    """An authority that is not wiretape's, and what it signed."""

    def __init__(self, folder: Path, *names: str) -> None:
        ca = ensure_ca(folder)
        self.certificate = ca / AUTHORITY
        self.leaf = leaf(ca, names or ("localhost", "127.0.0.1"))

    def serving(self, *alpn: str) -> ssl.SSLContext:
        made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        made.load_cert_chain(self.leaf)
        if alpn:
            made.set_alpn_protocols(list(alpn))
        return made


def over_tls(context: ssl.SSLContext, handle: Callable[[ssl.SSLSocket], object]) -> Callable[[socket.socket], object]:
    """A handler for the `serve` fixture that speaks TLS; where the handshake fails, its error is the result."""

    def work(sock: socket.socket) -> object:
        try:
            with context.wrap_socket(sock, server_side=True) as secure:
                secure.settimeout(10)
                return handle(secure)
        except (ssl.SSLError, ConnectionError) as error:
            return type(error).__name__

    return work


def dial(port: int, authority: Path | None = None, name: str = "localhost", alpn: tuple[str, ...] = ()) -> ssl.SSLSocket:
    """A TLS client that trusts `authority` (None: anyone)."""
    made = ssl.create_default_context(cafile=authority)
    if authority is None:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if alpn:
        made.set_alpn_protocols(list(alpn))
    plain = socket.create_connection(("127.0.0.1", port), 10)
    try:
        return made.wrap_socket(plain, server_hostname=name)
    except BaseException:
        plain.close()
        raise


def to_the_end(sock: socket.socket) -> bytes:
    """Everything up to the end, however it ends."""
    parts = []
    with contextlib.suppress(OSError):
        while data := sock.recv(65536):
            parts.append(data)
    return b"".join(parts)
