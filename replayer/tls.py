"""TLS on the server's side of a connection, without a transport of its own: bytes in, bytes out."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path

CLIENT_HELLO = b"\x16\x03"
_CHUNK = 65536


def context(home: Path, certificate: Path | None, hosts: Sequence[str]) -> ssl.SSLContext:
    """What mocks show to clients: `certificate`, the server's own, or one of ours for `hosts`."""
    from wiretape.ca import ensure_ca, leaf  # cryptography takes a while to import, and few runs need it

    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(certificate or leaf(ensure_ca(home), hosts))
    made.set_alpn_protocols(["postgresql"])  # libpq insists on it where TLS comes first
    return made


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
