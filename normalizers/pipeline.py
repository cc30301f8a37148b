"""The table of normalizers, and the question everything that compares asks it: do these two differ only from run to run?"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from normalizers.base import Normalizer, When
from normalizers.hashes import PasswordHash
from normalizers.headers import volatile_header
from normalizers.ids import OBJECT_ID, PROCESS, ULID, UUID
from normalizers.kinds import OfType
from normalizers.moments import EPOCH, TIMESTAMP, Date
from normalizers.tokens import Jwt, Token, drawn
from wiretape.tree import Tree

__all__ = ["NORMALIZERS", "explain", "names_one", "volatile", "volatile_header"]

_ALL: tuple[Normalizer, ...] = (
    TIMESTAMP,
    Date(),
    EPOCH,
    UUID,
    ULID,
    OBJECT_ID,
    PROCESS,
    PasswordHash(),
    Jwt(),
    Token(),
    OfType("any"),
    OfType("string", ("string",)),
    OfType("integer", ("integer",)),
    OfType("number", ("integer", "number")),
    OfType("boolean", ("boolean",)),
)

NORMALIZERS: Mapping[str, Normalizer] = MappingProxyType({each.name: each for each in _ALL})
_UNASKED = tuple(each for each in _ALL if each.unasked)


def volatile(value: Tree) -> bool:
    """Whether a value is of a kind that applies unasked."""
    return _kind(value) is not None


def names_one(value: Tree) -> bool:
    """Whether a value is of a kind that names one thing, and looks drawn at random: it may come to stand for another."""
    found = _kind(value)
    return found is not None and found.identity and (found.name != "token" or drawn(str(value)))


def explain(recorded: Tree, live: Tree, when: When) -> Normalizer | None:
    """The normalizer that applies unasked and under which the two mean the same; None where they differ.

    The first that recognises the recorded value decides: a JWT whose claims differ is not saved by being an opaque token, too.
    """
    first = None if live is None else _kind(recorded)
    return first if first and first.agrees(recorded, live, when) else None


def _kind(value: Tree) -> Normalizer | None:
    if isinstance(value, dict | list | bytes) or value is None:
        return None
    return next((each for each in _UNASKED if each.recognises(value)), None)
