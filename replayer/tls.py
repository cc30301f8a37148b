"""TLS on the server's side of a connection, without a transport of its own: bytes in, bytes out."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from wiretape.tree import Tree

CLIENT_HELLO = b"\x16\x03"
_HOSTS_KEPT = 256
_SPOKEN = MappingProxyType({"postgres": ("postgresql",)})  # libpq insists on it where TLS comes first
_HTTP = MappingProxyType({"2": "h2", "1.1": "http/1.1"})
_CHUNK = 65536


def context(
    home: Path,
    certificate: Path | None,
    hosts: Sequence[str],
    spoken: Sequence[str] = (),
    span: tuple[float, float] | None = None,
) -> ssl.SSLContext:
    """What mocks show to clients: `certificate`, the server's own, or one of ours: for `hosts`, or for the host that the client
    says it means (SNI). `spoken` are the protocols offered to it (ALPN), best first. `span`: see `wiretape.ca.leaf`."""
    if certificate is not None:
        return _made(certificate, spoken)
    from wiretape.ca import ensure_ca, leaf  # cryptography takes a while to import, and few runs need it

    authority = ensure_ca(home)
    made = _made(leaf(authority, hosts, span), spoken)

    @functools.lru_cache(maxsize=_HOSTS_KEPT)
    def other(host: str) -> ssl.SSLContext:
        return _made(leaf(authority, (host,), span), spoken)

    def named(tls: ssl.SSLSocket | ssl.SSLObject, host: str | None, _: ssl.SSLContext) -> None:
        if host and host not in hosts:
            tls.context = other(host)

    made.sni_callback = named
    return made


def _made(certificate: Path, spoken: Sequence[str]) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(certificate)
    if spoken:
        made.set_alpn_protocols(list(spoken))
    return made


def offered(protocol: str, facts: Mapping[str, Tree]) -> tuple[str, ...]:
    """What a mock of `protocol` offers by ALPN: of HTTP, the versions that the recorded server spoke."""
    if protocol != "http":
        return _SPOKEN.get(protocol, ())
    versions = facts.get("versions")
    known = [str(version) for version in versions] if isinstance(versions, list) and versions else [*_HTTP]
    return tuple(name for version, name in _HTTP.items() if version in known) or (_HTTP["1.1"],)


class TlsServer:
    """One connection. Raises ssl.SSLError from `receive` where the peer does not speak TLS, or does not trust us."""

    def __init__(self, made: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = made.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._shaken = False
        self.ended = False

    def receive(self, data: bytes) -> bytes:
        """Plain bytes out of encrypted ones; what must be sent in return is in `pending`."""
        self._incoming.write(data)
        plain: list[bytes] = []
        try:
            if not self._shaken:
                self._tls.do_handshake()
                self._shaken = True
            while chunk := self._tls.read(_CHUNK):
                plain.append(chunk)
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        return b"".join(plain)

    def send(self, plain: bytes) -> None:
        """Encrypt; the result is in `pending`."""
        if plain:
            self._tls.write(plain)

    def pending(self) -> bytes:
        """Encrypted bytes to be sent now."""
        return self._outgoing.read()
