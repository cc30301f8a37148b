"""A client of the real server, for what no recording answers (`--on-miss passthrough`)."""

from __future__ import annotations

from collections.abc import Mapping

from wiretape.case import Call
from wiretape.protocols.base import Ask


class PgUpstream:
    """One connection to the real server (`wiretape.protocols.base.Upstream`)."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self._options = options

    def greet(self) -> bytes:
        return b""

    def ask(self, ask: Ask) -> bytes:
        return b""

    def receive(self, data: bytes) -> tuple[bytes, Call | None]:
        return b"", None

    @property
    def ready(self) -> bool:
        return False
