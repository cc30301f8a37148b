"""Hashes of passwords: a fresh salt makes each one new, so two agree when they were made the same way."""

from __future__ import annotations

import re

from normalizers.base import When
from wiretape.tree import Tree

# crypt(3), bcrypt, argon2 and the PHC string format begin with $; Django, Werkzeug and passlib's kin with the scheme's name.
_SCHEME = re.compile(
    r"\$(?:[156y7]|argon2(?:id|i|d)|scrypt|pbkdf2[-_a-z0-9]*)\$|(?:pbkdf2|scrypt|bcrypt|argon2)[-_a-z0-9]*[:$]"
)
_BCRYPT = re.compile(r"(\$2[abxy]\$\d\d\$)[./A-Za-z0-9]{53}")
_SALT = re.compile(r"[A-Za-z0-9+/=._-]{4,}")
_DIGEST = re.compile(r"[A-Za-z0-9+/=._-]{20,}")


class PasswordHash:
    """A salted hash of a password: the same scheme, cost, and lengths of salt and hash."""

    name = "passwordhash"
    unasked = True
    identity = True

    def recognises(self, value: Tree) -> bool:
        return _form(value) is not None

    def agrees(self, recorded: Tree, live: Tree, when: When) -> bool:  # noqa: ARG002 - read against no clock
        form = _form(recorded)
        return form is not None and form == _form(live)


def _form(value: Tree) -> tuple[str, int, int] | None:
    """Scheme with its costs, and the lengths of salt and hash; None where it is no hash of a password."""
    if not isinstance(value, str):
        return None
    if found := _BCRYPT.fullmatch(value):
        return found[1], 22, 31
    if not _SCHEME.match(value) or value.count("$") < 2:
        return None
    scheme, salt, digest = value.rsplit("$", 2)
    if not scheme or not _SALT.fullmatch(salt) or not _DIGEST.fullmatch(digest):
        return None
    return scheme, len(salt), len(digest)
