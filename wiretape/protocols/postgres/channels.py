"""The channels that a connection listens on, as a mock keeps them, and what waits to be told on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wiretape.protocols.postgres.backend import NotificationResponse
from wiretape.protocols.postgres.results import Wording
from wiretape.protocols.postgres.sql import identifier
from wiretape.tree import Tree

OWN: Final = 1  # the process of this connection, as its BackendKeyData says
OTHER: Final = 2


class Channels:
    """LISTEN and UNLISTEN take effect at once here, and end with a transaction that is rolled back. A server tells of
    notifications only while no transaction is open: until then they are `waiting` (process, channel, payload)."""

    def __init__(self) -> None:
        self._heard: set[str] = set()
        self._before: frozenset[str] | None = None
        self.waiting: list[tuple[int, str, str]] = []

    def __contains__(self, channel: str) -> bool:
        return channel in self._heard

    def apply(self, shape: str) -> None:
        """A LISTEN, UNLISTEN or DISCARD ALL was done."""
        verb, _, name = shape.partition(" ")
        if verb == "listen":
            self._heard.add(identifier(name))
        elif name in ("*", "all"):
            self._heard.clear()
        elif verb == "unlisten":
            self._heard.discard(identifier(name))

    def begin(self) -> None:
        """A transaction begins."""
        if self._before is None:
            self._before = frozenset(self._heard)

    def end(self, *, kept: bool) -> None:
        """It ends."""
        if not kept and self._before is not None:
            self._heard = set(self._before)
        self._before = None

    def tell(self, process: int, channel: str, payload: str) -> None:
        """A notification waits to be sent."""
        self.waiting.append((process, channel, payload))

    def own(self, notifications: Tree) -> None:
        """Notifications of the connection itself, as a recorded call has them."""
        for each in notifications if isinstance(notifications, list) else ():
            if isinstance(each, Mapping) and str(each.get("channel")) in self._heard:
                self.tell(OWN, str(each.get("channel")), str(each.get("payload", "")))

    def collect(self, wording: Wording) -> bytes:
        """What has waited."""
        waiting, self.waiting = self.waiting, []
        return b"".join(
            NotificationResponse(process=process, channel=wording.spoken(channel), payload=wording.spoken(payload)).encode()
            for process, channel, payload in waiting
        )
