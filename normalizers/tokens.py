"""Credentials and nonces: JWTs, and opaque strings that only a machine would write."""

from __future__ import annotations

import base64
import binascii
import json
import re
from itertools import pairwise

from normalizers.base import When
from normalizers.moments import TOLERANCE
from wiretape.tree import Tree, same

_JWT = re.compile(r"eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_TOKEN = re.compile(r"[A-Za-z0-9+/_=.~-]{16,512}")
_WORDS = re.compile(r"(?:[A-Z]?[a-z]+|[A-Z]+|[0-9]+)(?:[-_./~+=]+(?:[A-Z]?[a-z]+|[A-Z]+|[0-9]+))*")
_WORD = re.compile(r"[A-Z][a-z]{2,}|[a-z]{3,}|[A-Z]{4,}")
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
        return all(_claim(name, value, now[1][name], when) for name, value in then[1].items())


def _claim(name: str, recorded: Tree, live: Tree, when: When) -> bool:
    if name in _DRAWN:
        return type(recorded) is type(live)
    if name in _TIMES and isinstance(recorded, int | float) and isinstance(live, int | float):
        return abs((recorded - when.recorded) - (live - when.live)) <= TOLERANCE
    return same(recorded, live)


def alphabet(value: str) -> str:
    """The narrowest usual alphabet of a string that looks drawn at random; empty where a person may have written it."""
    if not _TOKEN.fullmatch(value):
        return ""
    digits = sum(character.isdigit() for character in value)
    letters = sum(character.isalpha() for character in value)
    if letters < 2 or (digits < 2 and _wordy(value)):
        return ""
    if re.fullmatch(r"[0-9a-f]+", value):
        return "hex"
    if re.fullmatch(r"[0-9A-F]+", value):
        return "HEX"
    if value == value.lower() or value == value.upper():
        # One letter case only: words with dashes look like this, too, unless they are full of digits.
        return "base32" if value.isalnum() and digits * 5 >= len(value) else ""
    return "base64" if not _WORDS.fullmatch(value) and _changes(value) * 10 >= len(value) * 3 else ""


def _wordy(value: str) -> bool:
    """Whether most of it could be words. Nearly every drawn string has two digits; one without must not look written."""
    return sum(map(len, _WORD.findall(value))) * 10 > len(value) * 6


def _changes(value: str) -> int:
    """How often the class of character (lower, upper, digit, other) changes: random text does at more than half its places."""
    classes = [1 if c.islower() else 2 if c.isupper() else 3 if c.isdigit() else 4 for c in value]
    return sum(left != right for left, right in pairwise(classes))


class Token:
    """An opaque token, hash or nonce of 16 characters or more: the same alphabet and the same length.

    Chance draws one in a hundred or so that could be a name; it is enough if one of the two could not.
    """

    name = "token"
    unasked = True
    identity = True

    def recognises(self, value: Tree) -> bool:
        return isinstance(value, str) and bool(_possible(value))

    def agrees(self, recorded: Tree, live: Tree, when: When) -> bool:  # noqa: ARG002 - tokens are read against no clock
        if not isinstance(recorded, str) or not isinstance(live, str) or abs(len(recorded) - len(live)) > _slack(recorded):
            return False
        sure = {alphabet(recorded), alphabet(live)} - {""}
        return len(sure) == 1 and _possible(recorded) == _possible(live)


def _possible(value: str) -> str:
    """The alphabet a string may be drawn from, though a person may have written it, too."""
    if sure := alphabet(value):
        return sure
    if not _TOKEN.fullmatch(value) or _WORDS.fullmatch(value):
        return ""
    if re.fullmatch(r"(?=.*[0-9])(?=.*[a-f])[0-9a-f]+", value):
        return "hex"
    return "base64" if re.search(r"[a-z]", value) and re.search(r"[A-Z]", value) else ""


def _slack(recorded: str) -> int:
    """Base64 with padding may differ by what it pads."""
    return 3 if recorded.endswith("=") else 0
