"""What a command is about: its name, and the families of keys it works on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wiretape.protocols.base import About, Ask

_KEY = re.compile(r"key(?: \d+)?")
_VARYING = re.compile(r"(?=.*\d).+|.{24,}", re.DOTALL)


def about(ask: Ask) -> About:
    """Where a value stands is told by the whole command: the arguments of a case are one line."""
    return About(
        verb=ask.operation.partition(" ")[0],
        touches=tuple(dict.fromkeys(_families(ask))),
        noun="channel" if ask.role == "push" else "keys",
        places=("",) * len(ask.values),
    )


def _families(ask: Ask) -> Iterator[str]:
    for label, value in zip(ask.labels, ask.values, strict=False):
        if _KEY.fullmatch(label) or label == "channel":
            yield ":".join("*" if _VARYING.fullmatch(part) else part for part in str(value).split(":"))
