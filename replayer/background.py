"""Which connections do only the session's work: a poller's own connection, a heartbeat's. Pure."""

from __future__ import annotations

from collections import Counter

from replayer.lane import How
from wiretape.protocols.base import Ask

_TIMES = 2  # that a session call was made while cases were under way; until then it may be a pool's connection not used yet


class Background:
    """A connection that repeats a session call while cases are under way, and never makes a call of a case, is no case's."""

    def __init__(self) -> None:
        self._session: Counter[tuple[int, str, str]] = Counter()
        self._cases: set[int] = set()

    def makes(self, connection: int, ask: Ask) -> bool:
        """Whether an ask comes from such a connection, which has asked it before."""
        return connection not in self._cases and self._session[connection, ask.target, ask.shape] >= _TIMES

    def note(self, connection: int, ask: Ask, how: How) -> None:
        """An ask was made while a case was under way, and answered."""
        if ask.role != "query":
            return
        if how == "session":
            self._session[connection, ask.target, ask.shape] += 1
        else:
            self._cases.add(connection)
