"""Hashes of bound values: a service that keeps the SHA-256 of a token is to keep that of the live one. Pure."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping

_ALGORITHMS = ("sha256", "md5", "sha1", "sha512")
_SIZES = (16, 20, 32, 64)
# How long digests are written: in hex, in base64, without its padding.
_LENGTHS = frozenset(n for size in _SIZES for n in (2 * size, -(-size // 3) * 4, -(-size * 4 // 3)))
_TEXT = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


def looks_hashed(text: str) -> bool:
    """Whether a text may be written as one of the digests are; it need not be one."""
    return len(text) in _LENGTHS and bool(_TEXT.fullmatch(text))


class Digests:
    """Finds which text a digest is of, among texts that are hashed at the first question that needs it."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, int]] = {}
        self._hashed: set[str] = set()

    def live(self, digest: str, pairs: Mapping[str, str]) -> str | None:
        """The digest of the live value, where this one is of a recorded value that it stands for."""
        if not looks_hashed(digest):
            return None
        self._hash(pairs)
        source, number = self._known.get(digest, ("", 0))
        live = pairs.get(source)
        return None if live is None else list(_digests(live))[number]

    def _hash(self, texts: Iterable[str]) -> None:
        for text in texts:
            if text not in self._hashed:
                self._hashed.add(text)
                for number, digest in enumerate(_digests(text)):
                    self._known.setdefault(digest, (text, number))


def _digests(text: str) -> Iterator[str]:
    data = text.encode("utf-8", "surrogatepass")
    for name in _ALGORITHMS:
        digest = hashlib.new(name, data, usedforsecurity=False).digest()
        plain = base64.b64encode(digest).decode()
        url = base64.urlsafe_b64encode(digest).decode()
        yield from (digest.hex(), digest.hex().upper(), plain, plain.rstrip("="), url, url.rstrip("="))
