"""Errors and notices: the letters on the wire, the names in a case (PostgreSQL 18 documentation, chapter 54.8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from wiretape.errors import EncodeError
from wiretape.protocols.base import Miss
from wiretape.tree import Tree

# V (the severity, never translated) repeats S; F, L and R are a place in the server's source: none of them stands in a case.
NAMES: Mapping[bytes, str] = MappingProxyType(
    {
        b"S": "severity", b"C": "code", b"M": "message", b"D": "detail", b"H": "hint", b"P": "position",
        b"p": "internal_position", b"q": "internal_query", b"W": "where", b"s": "schema", b"t": "table", b"c": "column",
        b"d": "datatype", b"n": "constraint",
    }
)  # fmt: skip
_LETTERS: Mapping[str, bytes] = MappingProxyType({name: letter for letter, name in NAMES.items()})
_POSITIONS = frozenset({"position", "internal_position"})

STAGES = ("parse", "bind", "describe", "execute", "sync")
# `WT` is no SQLSTATE class of PostgreSQL's or of the standard's: a service cannot take it for a database's own error.
MISS, UNSERVABLE = "WT001", "WT002"


def to_tree(fields: Iterable[tuple[bytes, str]]) -> dict[str, Tree]:
    """An ErrorResponse's or NoticeResponse's fields as they stand in a case."""
    out: dict[str, Tree] = {}
    for letter, text in fields:
        if name := NAMES.get(letter):
            out[name] = int(text) if name in _POSITIONS and text.isdecimal() else text
    return out


def from_tree(tree: Tree, path: str) -> tuple[tuple[bytes, str], ...]:
    """The fields of the message that says `tree`. Raises EncodeError where a name is not known or a value is not plain."""
    if not isinstance(tree, Mapping):
        raise EncodeError(path, "expected a mapping such as {severity: ERROR, code: '23505', message: …}")
    severity = str(tree.get("severity", "ERROR" if path.startswith("error") else "NOTICE"))
    out = [(b"S", severity), (b"V", severity)]
    whole = {"code": "XX000" if path.startswith("error") else "00000", "message": "", **tree}
    for name, value in whole.items():
        if name not in _LETTERS:
            raise EncodeError(f"{path}.{name}", f"an error has no such field (it has: {', '.join(_LETTERS)})")
        if isinstance(value, bool | bytes | list | dict):
            raise EncodeError(f"{path}.{name}", "expected text")
        if name != "severity" and value is not None:
            out.append((_LETTERS[name], str(value)))
    return tuple(out)


def error(code: str, message: str, *, severity: str = "ERROR", detail: str = "", hint: str = "") -> dict[str, Tree]:
    """An error the mock makes itself."""
    out: dict[str, Tree] = {"severity": severity, "code": code, "message": message}
    if detail:
        out["detail"] = detail
    if hint:
        out["hint"] = hint
    return out


def missed(miss: Miss) -> dict[str, Tree]:
    """What the service gets where no recording answers."""
    return error(MISS, miss.explain(), hint=miss.advice)
