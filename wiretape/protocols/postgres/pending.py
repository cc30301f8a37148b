"""What a tap remembers of the client's side: messages not answered yet, prepared statements, portals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from wiretape.protocols.postgres.backend import Column
from wiretape.protocols.postgres.frontend import Bind
from wiretape.protocols.postgres.messages import PgMessage
from wiretape.protocols.postgres.reading import Reading

_REMEMBERED: Final = 64  # statements
_LONGEST: Final = 65536  # characters


@dataclass(slots=True, kw_only=True)
class Pending:
    """What the client asked and the server has not answered yet. `early`: sent for a COPY before the server took any."""

    message: PgMessage
    at: float
    reading: Reading | None = None
    prepared: Prepared | None = None  # what a Parse makes
    early: list[tuple[int, bytes]] = field(default_factory=list)
    size: int = 0


@dataclass(slots=True, kw_only=True)
class Prepared:
    """A prepared statement. `described` are its parameters' types as the server told them, `columns` its result's. `told`: an
    interaction tells of it."""

    sql: str
    at: float = 0.0
    told: bool = False
    types: tuple[int, ...] = ()
    described: tuple[int, ...] | None = None
    columns: tuple[Column, ...] | None = None
    missing: str = ""


class Repeats:
    """Statements prepared again. A driver that keeps none (asyncpg behind a pooler) prepares a statement, has it described, and
    prepares it again to run it: what it was described to be, it still is."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, tuple[int, ...]], Prepared] = {}

    def meet(self, now: Prepared) -> None:
        """A statement has been prepared: it is what it was before, if it was."""
        key = now.sql, now.types
        before = self._last.pop(key, None)
        if before is not None and before.described is not None:
            now.described, now.columns, before.told = before.described, before.columns, True
        if len(now.sql) <= _LONGEST:
            self._last[key] = now
            if len(self._last) > _REMEMBERED:
                del self._last[next(iter(self._last))]


@dataclass(slots=True, kw_only=True)
class Portal:
    """A statement bound to its parameters; `reading` is what was read of it while it is suspended."""

    prepared: Prepared
    bind: Bind
    at: float
    columns: tuple[Column, ...] | None = None
    reading: Reading | None = None
