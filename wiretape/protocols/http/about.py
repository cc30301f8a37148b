"""What a request is about: its method, and the path without the ids in it."""

from __future__ import annotations

from wiretape.protocols.base import About, Ask

_IN_FIELDS = ("body", "headers.")
_VARIABLES = "variables"


def about(ask: Ask) -> About:
    """What stands in the path or the query stands in the operation itself."""
    method, _, rest = ask.shape.partition(" ")
    path = rest.partition(" ")[0].replace("/?", "/*")
    return About(verb=method, touches=(path,) if path else (), noun="path", places=tuple(map(_place, ask.labels)))


def _place(label: str) -> str:
    if label.startswith(_VARIABLES):
        return f"body.{label}"
    return label if label.startswith(_IN_FIELDS) else ""
