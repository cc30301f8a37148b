"""What a statement is about: what it does, to which tables, and where its values stand in a case."""

from __future__ import annotations

from wiretape.protocols.base import About, Ask
from wiretape.protocols.mysql.asks import plan
from wiretape.protocols.mysql.lexer import tokens
from wiretape.protocols.sqltables import tables
from wiretape.protocols.sqltext import places


def about(ask: Ask) -> About:
    """Reads the statement of an ask again."""
    asked = plan(ask.operation)
    return About(
        verb=next((statement.verb for statement in asked.statements if statement.verb), ""),
        touches=tables(tokens(ask.operation)),
        noun="table",
        places=tuple(place for statement in asked.statements for place in places(statement.literals)),
    )
