"""Credentials and nonces: JWTs, and opaque strings that only a machine would write."""

from __future__ import annotations

import base64
import binascii
import json
import re

from normalizers.base import When
from wiretape.tree import Tree, same

_JWT = re.compile(r"eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
SHORTEST = 16
# Base64, or base64url and the like. A path is neither, though its last part may be.
_TOKEN = re.compile(
    r"(?!/?(?:api|v[0-9]+|[a-z]{4,})/[^=]*$)"
    rf"(?:[A-Za-z0-9+/]{{{SHORTEST - 2},512}}={{0,2}}|[A-Za-z0-9_.~-]{{{SHORTEST},512}}=*)"
)
_PIECE = "(?:[A-Z]?[a-z]{2,}|[A-Z]{2,}|[A-Za-z]|[0-9]+)"
# Each string can be read in one way only: a run of letters that could be split anywhere would take exponential time.
_WORDS = re.compile(f"{_PIECE}(?:[-_./~+=]+{_PIECE})*=*|[A-Z]?[a-z]{{2,}}(?:[A-Z][a-z]{{2,}})*[0-9]*")
_TIMES = frozenset({"iat", "exp", "nbf", "auth_time"})
# Drawn anew for each token (RFC 7519 section 4.1.7, OpenID Connect), so they say nothing about what the service meant.
_DRAWN = frozenset({"jti", "nonce", "sid", "at_hash"})


def jwt_parts(value: Tree) -> tuple[dict[str, Tree], dict[str, Tree]] | None:
    """Header and claims of a JSON Web Token (RFC 7519), unverified; None where it is none."""
    if not isinstance(value, str) or not _JWT.fullmatch(value):
        return None
    head, claims, _ = value.split(".")
    try:
        parts = [json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (head, claims)]
    except (ValueError, binascii.Error):
        return None
    if not all(isinstance(part, dict) for part in parts) or "alg" not in parts[0]:
        return None
    return parts[0], parts[1]


class Jwt:
    """A JSON Web Token: the same header and claims, but for drawn ids and for times, which are as far from their own clock."""

    name = "jwt"
    unasked = True
    identity = True

    def recognises(self, value: Tree) -> bool:
        return jwt_parts(value) is not None

    def agrees(self, recorded: Tree, live: Tree, when: When) -> bool:
        then, now = jwt_parts(recorded), jwt_parts(live)
        if then is None or now is None or not same(then[0], now[0]) or then[1].keys() != now[1].keys():
            return False
        return all(
            same(value, now[1][name]) or claim_varies(name, value, now[1][name], when) for name, value in then[1].items()
        )


def claim_varies(name: str, recorded: Tree, live: Tree, when: When) -> bool:
    """Whether two values of a claim differ only from token to token: a drawn one, or a time as far from its own clock."""
    if name in _DRAWN:
        return type(recorded) is type(live)
    if name in _TIMES and isinstance(recorded, int | float) and isinstance(live, int | float):
        return when.agree(recorded, live)
    return False


class Token:
    """An opaque token, hash, salt or nonce of 16 characters or more.

    Whether one string was drawn at random cannot be told for certain, so two are judged together: the same length and alphabet,
    equal at hardly any place (behind a common beginning such as `sess_`), and not both made of words.
    """

    name = "token"
    unasked = True
    identity = True

    def recognises(self, value: Tree) -> bool:
        return isinstance(value, str) and bool(_TOKEN.fullmatch(value))

    def agrees(self, recorded: Tree, live: Tree, when: When) -> bool:  # noqa: ARG002 - tokens are read against no clock
        if not isinstance(recorded, str) or not isinstance(live, str) or len(recorded) != len(live):
            return False
        if not self.recognises(recorded) or not self.recognises(live) or _alphabet(recorded) != _alphabet(live):
            return False
        return recorded == live or ((drawn(recorded) or drawn(live)) and _unlike(recorded, live))


def drawn(value: str) -> bool:
    """Whether a string looks drawn at random rather than made of words and numbers."""
    return bool(_TOKEN.fullmatch(value)) and not _WORDS.fullmatch(value)


def _alphabet(value: str) -> str:
    if re.fullmatch(r"[0-9a-f]+", value):
        return "hex"
    if re.fullmatch(r"[0-9A-F]+", value):
        return "HEX"
    return "lower" if value == value.lower() else "upper" if value == value.upper() else "mixed"


def _unlike(recorded: str, live: str) -> bool:
    """Behind what both begin with, equal at no more places than chance explains, with room for luck."""
    equal = [left == right for left, right in zip(recorded, live, strict=True)]
    rest = equal[equal.index(False) :]
    return len(rest) >= SHORTEST - 2 and sum(rest) * 10 <= len(rest) * 4
