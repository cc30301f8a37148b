"""Signed tokens that say what they are for: JSON Web Tokens, `payload.time.signature` of itsdangerous and Django. Pure."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from dataclasses import dataclass

from normalizers.tokens import jwt_parts
from wiretape.tree import Tree

_LIMIT = 64 * 1024  # bytes of a payload once decompressed
# The payload, compressed if a point comes first, then points or colons and what is signed with: RFC 7519 has two payloads.
_SIGNED = re.compile(
    r"(?P<packed>\.?)(?P<payload>[A-Za-z0-9_-]{4,})(?P<stamp>[.:][A-Za-z0-9_-]{4,8})?(?P<mark>[.:])(?P<signature>[A-Za-z0-9_-]{16,})"
)
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PLAUSIBLE = range(1_000_000_000, 4_000_000_000)  # seconds since the epoch, of our days


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What a token says: `header` and `claims` of a JWT, else only `payload`; when it was made, in seconds since the epoch,
    where it says so. `form` is how it is written: two that agree have one form."""

    payload: Tree
    header: Tree = None
    claims: bool = False
    at: float | None = None
    form: str = ""


def read(text: str) -> Signed | None:
    """The token, unverified; None where it is none that says anything."""
    if (parts := jwt_parts(text)) is not None:
        return Signed(header=parts[0], payload=parts[1], claims=True, form=f"jwt {len(text.rpartition('.')[2])}")
    found = _SIGNED.fullmatch(text) if len(text) <= _LIMIT else None
    if found is None:
        return None
    payload = _payload(found["payload"], packed=bool(found["packed"]))
    if not isinstance(payload, dict | list):
        return None
    at = _stamp(found["stamp"]) if found["stamp"] else None
    if found["stamp"] and at is None:
        return None
    return Signed(payload=payload, at=at, form=f"{found['mark']}{bool(at)}{len(found['signature'])}")


def _payload(text: str, *, packed: bool) -> Tree:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        if packed:
            data = zlib.decompressobj().decompress(data, _LIMIT)
        tree: Tree = json.loads(data)
    except (ValueError, binascii.Error, zlib.error, RecursionError):
        return None
    return tree


def _stamp(text: str) -> float | None:
    """Seconds since the epoch: big-endian in base64 after a point (itsdangerous), in base 62 after a colon (Django)."""
    mark, digits = text[0], text[1:]
    if mark == ":":
        seconds = 0
        for digit in digits:
            seconds = seconds * 62 + _DIGITS.find(digit)
    else:
        seconds = int.from_bytes(base64.urlsafe_b64decode(digits + "=" * (-len(digits) % 4)), "big")
    return float(seconds) if seconds in _PLAUSIBLE else None
