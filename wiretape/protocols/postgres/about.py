"""What a statement is about: what it does, to which tables, and where its values stand in a case."""

from __future__ import annotations

from wiretape.protocols.base import About, Ask
from wiretape.protocols.postgres.asks import plan
from wiretape.protocols.postgres.lexer import tokens
from wiretape.protocols.sqltables import tables
from wiretape.protocols.sqltext import places


def about(ask: Ask) -> About:
    """Reads the statement of an ask again."""
    if ask.role == "push":
        return About(verb="NOTIFY", touches=(ask.shape,), noun="channel", places=ask.labels)
    asked = plan(ask.operation)
    found = tuple(place for statement in asked.statements for place in places(statement.literals))
    if ask.labels:  # rows of a COPY behind the statement's own values
        found = (*found, *ask.labels[len(found) :])
    return About(
        verb=next((statement.verb for statement in asked.statements if statement.verb), ""),
        touches=tables(tokens(ask.operation)),
        noun="table",
        places=(*found, *("" for _ in range(len(ask.values) - len(found)))),
    )
