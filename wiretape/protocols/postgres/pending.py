"""What a tap remembers of the client's side: messages not answered yet, prepared statements, portals."""

from __future__ import annotations

from dataclasses import dataclass, field

from wiretape.protocols.postgres.backend import Column
from wiretape.protocols.postgres.frontend import Bind
from wiretape.protocols.postgres.messages import PgMessage
from wiretape.protocols.postgres.reading import Reading


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


@dataclass(slots=True, kw_only=True)
class Portal:
    """A statement bound to its parameters; `reading` is what was read of it while it is suspended."""

    prepared: Prepared
    bind: Bind
    at: float
    columns: tuple[Column, ...] | None = None
    reading: Reading | None = None
