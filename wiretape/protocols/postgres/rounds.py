"""Rounds: a query as drivers send it over and over, known again by its bytes. One is Bind, Describe, Execute and Sync in one
piece, with a Parse of the unnamed statement before them or without.

What such a round asks is worked out once. Its answer is looked for every time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wiretape.protocols.base import Ask
from wiretape.protocols.postgres.framing import Stream
from wiretape.protocols.postgres.frontend import FRONTEND, Bind
from wiretape.protocols.postgres.portals import Prepared, read_bind, read_describe, read_execute
from wiretape.protocols.postgres.results import Wording

_LONGEST: Final = 2048  # bytes
_KEPT: Final = 4096  # as many as asks are kept
_PARSE: Final = ord("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """`size` is how long the Bind is, with the Parse before it if there is one, `rest` how long what follows.

    It asks `ask` for as long as the Bind's statement is `prepared` and parameters are read by `wording`.
    """

    parses: bool
    bind: Bind
    size: int
    rest: int
    prepared: Prepared
    wording: Wording
    ask: Ask


class Rounds:
    """The rounds of one connection. Bytes are looked into only when they come a second time."""

    def __init__(self) -> None:
        self._known: dict[bytes, Round | None] = {}

    def get(self, data: bytes) -> Round | None:
        """The round these bytes are, if that is known."""
        return self._known.get(data)

    def learn(self, data: bytes, prepared: Prepared, wording: Wording, ask: Ask) -> None:
        """The last Bind in `data` was of `prepared`, and asks `ask`. One that tells its request does not come again."""
        if len(data) > _LONGEST or ask.trace:
            return
        if data not in self._known:
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[data] = None
            return
        messages = _messages(data)
        parses = bool(messages) and messages[0][0] == _PARSE
        if bytes(tag for tag, _ in messages[parses:]) != b"BDES":
            return
        bind, describe, execute = read_bind(messages[-4][1]), read_describe(messages[-3][1]), read_execute(messages[-2][1])
        if bind.portal or execute.portal or execute.limit > 0 or (describe.kind, describe.name) != (b"P", ""):
            return
        if parses and bind.statement:
            return
        size = sum(len(body) + 5 for _, body in messages[:-3])
        self._known[data] = Round(
            parses=parses, bind=bind, size=size, rest=len(data) - size, prepared=prepared, wording=wording, ask=ask
        )


def _messages(data: bytes) -> list[tuple[int, bytes]]:
    stream, found = Stream(), []
    stream.push(data)
    while (message := stream.message(FRONTEND)) is not None:
        found.append(message)
    return found if not stream.left else []
