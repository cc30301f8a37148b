"""How a noise rule may name its kind, for the JSON Schema and for messages. `normalizers.pipeline` knows what each means."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from wiretape.problems import unknown
from wiretape.tree import Selector, Tree

PLAIN: Mapping[str, str] = MappingProxyType(
    {
        "timestamp": "a date with a time, as ISO 8601 or HTTP write it",
        "date": "a calendar day",
        "epoch": "seconds (or milli-, micro-, nanoseconds) since 1970",
        "uuid": "a UUID",
        "ulid": "a ULID",
        "objectid": "an ObjectId",
        "process": "a name a process gives itself",
        "jwt": "a JSON Web Token",
        "token": "an opaque token of 16 characters or more",
        "passwordhash": "a salted hash of a password",
        "string": "any string",
        "integer": "any integer",
        "number": "any number",
        "boolean": "true or false",
        "any": "anything, or nothing",
        "counter": "a whole number from 0 up",
        "unordered": "the same items in any order",
        "optional": "may be absent; else as recorded",
    }
)
# Spelled -> the pattern, and what it means.
FORMED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "within N": ("^within [0-9.e-]+%?$", "a number no further from the recorded one than N, or N%"),
        "unordered by KEY": ("^unordered by \\S", "the same objects in any order, told apart by a key"),
        "like FORM": ("^like .", "a text of this form: {6 hex} is six characters, all else itself"),
        "timestamp FORMAT": ("^timestamp .*%", "a moment as strptime reads it"),
        "optional KIND": ("^optional .", "may be absent; else of this kind"),
    }
)


def schema() -> Tree:
    """The JSON Schema of a kind."""
    known: list[Tree] = [{"const": name, "description": told} for name, told in PLAIN.items()]
    formed: list[Tree] = [
        {"type": "string", "pattern": pattern, "description": f"{spelled}: {told}"}
        for spelled, (pattern, told) in FORMED.items()
    ]
    return {"anyOf": [*known, *formed]}


def named_place(selector: Selector) -> Selector:
    """The place of a case that must be there for a rule to mean something: for `calls[0].values[1]`, which is no part of the
    file but of what is asked, the call."""
    steps = selector.steps
    return Selector(selector.text, steps[:2]) if steps[0] == "calls" and steps[2:3] == ("values",) else selector


def unknown_kind(name: str, known: Collection[str]) -> str:
    """Why a kind cannot be taken: one that has something to say says it wrongly, or there is none of that name."""
    word = name.partition(" ")[0]
    for spelled in FORMED:
        if word == spelled.partition(" ")[0] and name not in PLAIN:
            return f"noise kind {name!r} cannot be read; write it as {_EXAMPLES[spelled]}"
    return unknown(name, sorted(known), "noise kind") + f"; or {', '.join(FORMED)}"


_EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "within N": "`within 0.01` or `within 5%`",
        "unordered by KEY": "`unordered` or `unordered by id`",
        "like FORM": "`like ORD-{6 hex}`",
        "timestamp FORMAT": "`timestamp %d/%m/%Y %H:%M:%S`",
        "optional KIND": "`optional` or `optional integer`",
    }
)
