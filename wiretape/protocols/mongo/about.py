"""What a command is about: its name, and the collection it works on."""

from __future__ import annotations

from wiretape.protocols.base import About, Ask
from wiretape.protocols.mongo.commands import SEQUENCES

_OWN = tuple(SEQUENCES.values())


def about(ask: Ask) -> About:
    """The places of values are those of the case: within the query, or in the documents that stand beside it."""
    verb, _, collection = ask.operation.partition(" ")
    return About(
        verb=verb,
        touches=(collection,) if collection else (),
        noun="collection",
        places=tuple(map(_place, ask.labels)),
    )


def _place(label: str) -> str:
    if label.startswith(_OWN):
        return label
    return f"query{label}" if label.startswith("[") else f"query.{label}"
