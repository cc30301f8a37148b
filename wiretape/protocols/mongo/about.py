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
        places=tuple(label if label.startswith(_OWN) else f"query{'' if label.startswith('[') else '.'}{label}" for label in ask.labels),
    )
