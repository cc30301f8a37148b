"""`--serialize`: one request at a time is let through to the service. Knows whose turn it is, nothing of sockets.

Each connection has a `Pass`. A turn ends with the response, with the head of a response that may never end, or with the
connection to the service: what a service still does after that, no wire tells. A request that has waited `LONGEST` seconds
goes anyway: the service may be calling itself, and would wait for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

LONGEST = 10.0


class Gate:
    """The turnstile all connections of a listener share."""

    def __init__(self) -> None:
        self._inside: set[Pass] = set()
        self._queue: deque[Pass] = deque()

    def ask(self, one: Pass) -> bool:
        """Whether the request may go now. If not, its `call` is called once it may."""
        if not self._inside and not self._queue:
            self._inside.add(one)
            return True
        self._queue.append(one)
        return False

    def leave(self, one: Pass) -> None:
        """The request is over, or its client gave up waiting."""
        if one in self._queue:
            self._queue.remove(one)
        self._inside.discard(one)
        self._next()

    def force(self, one: Pass) -> bool:
        """Let a request go that has waited too long; False if it is no longer waiting."""
        if one not in self._queue:
            return False
        self._queue.remove(one)
        self._inside.add(one)
        return True

    def _next(self) -> None:
        if not self._inside and self._queue:
            one = self._queue.popleft()
            self._inside.add(one)
            one.call()


class Pass:
    """One connection's place at the gate. `call` tells it that its turn has come."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call
