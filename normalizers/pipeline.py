"""The table of normalizers, and the question everything that compares asks it: do these two differ only from run to run?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from normalizers.amounts import Counter, Within
from normalizers.base import Normalizer, When
from normalizers.forms import Like, Written
from normalizers.hashes import PasswordHash
from normalizers.headers import volatile_header
from normalizers.ids import OBJECT_ID, PROCESS, ULID, UUID
from normalizers.kinds import OfType
from normalizers.moments import EPOCH, TIMESTAMP, Date
from normalizers.orders import Unordered
from normalizers.presence import Optional
from normalizers.tokens import Jwt, Token, drawn
from wiretape.tree import Tree

__all__ = ["NORMALIZERS", "explain", "names_one", "volatile", "volatile_header"]

_TOKEN = Token()
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
    _TOKEN,
    OfType("any"),
    OfType("string", ("string",)),
    OfType("integer", ("integer",)),
    OfType("number", ("integer", "number")),
    OfType("boolean", ("boolean",)),
    Counter(),
    Unordered(),
    Optional(),
)
_FORMS = (Within.parse, Unordered.parse, Like.parse, Written.parse)
_OPTIONAL = "optional "


class Kinds(Mapping[str, Normalizer]):
    """Name -> kind. Besides those it lists it knows the ones with something to say: `within 0.01`, `optional integer`."""

    def __init__(self, plain: Mapping[str, Normalizer]) -> None:
        self._plain = dict(plain)

    def __getitem__(self, name: str) -> Normalizer:
        found = self._plain.get(name) or _formed(name)
        if found is None and name.startswith(_OPTIONAL) and not name.removeprefix(_OPTIONAL).startswith("optional"):
            found = Optional(name, self[name.removeprefix(_OPTIONAL)])
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._plain)

    def __len__(self) -> int:
        return len(self._plain)


def _formed(name: str) -> Normalizer | None:
    return next((found for parse in _FORMS if (found := parse(name)) is not None), None)


NORMALIZERS: Mapping[str, Normalizer] = Kinds({each.name: each for each in _ALL})
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
    But some random hex digits look like an ObjectId, or a UUID without hyphens, by accident: they may be a token all the same.
    """
    first = None if live is None else _kind(recorded)
    if first is None or first.agrees(recorded, live, when):
        return first
    by_accident = first in (OBJECT_ID, UUID) and isinstance(recorded, str) and "-" not in recorded
    return _TOKEN if by_accident and _TOKEN.agrees(recorded, live, when) else None


def _kind(value: Tree) -> Normalizer | None:
    if isinstance(value, dict | list | bytes) or value is None:
        return None
    return next((each for each in _UNASKED if each.recognises(value)), None)
