"""A command's answer as it becomes known: one reply, or the several that a client took of a cursor at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from wiretape.protocols.base import Interaction, Role
from wiretape.protocols.mongo import replies
from wiretape.protocols.mongo.commands import Command, role
from wiretape.tree import Tree

UNANSWERED: Final = "the connection ended before the answer was whole"


@dataclass(slots=True, kw_only=True)
class Reading:
    """A request, what has been read of its answer, and the transaction it runs in."""

    command: Command
    started: float
    transaction: int | None
    ended: float = 0.0
    fields: dict[str, Tree] = field(default_factory=dict)
    found: list[Tree] | None = None
    cursor: int = 0  # its number while the server has more
    streams: bool = False  # several replies to the one request (exhaust)
    incomplete: str = ""

    def answer(self, reply: Mapping[str, Tree], at: float) -> None:
        """A reply. One that follows another holds more documents of the cursor."""
        self.ended = at
        self.fields |= replies.told(reply)
        if (batch := replies.batch(reply)) is not None:
            if self.found is None:
                self.found = []
            self.found += batch[0]
            self.cursor = batch[1]

    @property
    def empty(self) -> bool:
        """Whether it brought nothing: a wait for news that was in vain."""
        return self.found == [] and bool(self.cursor)

    def interaction(self) -> Interaction:
        """What came of it."""
        kind: Role = role(self.command.name)
        fields: dict[str, Tree] = {**self.command.fields}
        if self.found is not None:
            fields["found"] = self.found
        if self.command.name == "getMore":
            if self.found is not None and not self.cursor:
                fields["exhausted"] = True
        elif self.cursor:
            fields["cursor"] = self.cursor
        return Interaction(
            operation=self.command.operation,
            fields=fields | self.fields,
            started=self.started,
            ended=self.ended,
            transaction=self.transaction,
            role=kind,
            incomplete=self.incomplete,
            traces=self.command.traces,
        )


def tails(query: Tree) -> bool:
    """Whether the cursor of such a query waits for what is yet to happen, so that its end is never read."""
    if not isinstance(query, dict):
        return False
    pipeline = query.get("pipeline")
    first = pipeline[0] if isinstance(pipeline, list) and pipeline else None
    return query.get("tailable") is True or (isinstance(first, dict) and "$changeStream" in first)
