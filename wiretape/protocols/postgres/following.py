"""What a tap knows in the middle of a conversation: what is not answered, prepared statements, portals, cursors; and the
readings it makes of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from wiretape.errors import DecodeError
from wiretape.protocols.postgres import frontend
from wiretape.protocols.postgres.asks import plan
from wiretape.protocols.postgres.backend import Column
from wiretape.protocols.postgres.copylayout import introspection
from wiretape.protocols.postgres.cursors import Cursors, closed, declared, written_out
from wiretape.protocols.postgres.ledger import Ledger
from wiretape.protocols.postgres.meaning import OBVIOUS
from wiretape.protocols.postgres.messages import PgMessage
from wiretape.protocols.postgres.observed import Observed
from wiretape.protocols.postgres.pending import Pending, Portal, Prepared
from wiretape.protocols.postgres.reading import Reading
from wiretape.protocols.postgres.results import decoder, format_of
from wiretape.protocols.postgres.types import type_name


class Following:
    """The state of one connection, as its messages change it."""

    def __init__(self) -> None:
        self._observed = Observed()
        self._ledger = Ledger()
        self._queue: deque[Pending] = deque()
        self._cursors: Cursors[str] = Cursors()
        self._prepared: dict[str, Prepared] = {}
        self._portals: dict[str, Portal] = {}

    def _head[M: PgMessage](self, kind: type[M]) -> tuple[Pending, M]:
        message = self._queue[0].message if self._queue else None
        if not isinstance(message, kind):
            raise DecodeError(f"the server answers a {kind.__name__} that the client did not send", 0)
        return self._queue[0], message

    def _current(self) -> Reading:
        """What the head of the queue is reading: a Query, a function call or an Execute."""
        pending = self._queue[0] if self._queue else None
        if pending is not None and pending.reading is not None:
            return pending.reading
        pending, execute = self._head(frontend.Execute)
        pending.reading = self._execute(execute, pending.at)
        return pending.reading

    def _execute(self, execute: frontend.Execute, at: float) -> Reading:
        """The reading of an Execute: its portal's, where that was suspended, or a new one."""
        portal = self._portals.get(execute.portal)
        if portal is None:
            return Reading(sql="", simple=False, started=at, incomplete=f"portal {execute.portal!r} was opened unseen")
        if portal.reading is None or portal.reading.done:
            again = portal.reading is not None  # a drained portal only says that it is drained
            portal.reading = self._reading(portal.prepared, portal.bind, portal.at)
            portal.reading.ignored = again
            columns = portal.prepared.columns if portal.columns is None else portal.columns
            if columns is not None:
                portal.reading.describe(self._observed.wording, columns, portal.bind.results)
        return portal.reading

    def _reading(self, prepared: Prepared, bind: frontend.Bind | None, at: float) -> Reading:
        reading = Reading(sql=prepared.sql, simple=False, started=at, incomplete=prepared.missing)
        prepared.told = True
        wording = self._observed.wording
        if bind is not None:
            types = prepared.described or prepared.types
            reading.params = []
            for index, data in enumerate(bind.parameters):
                decode = decoder(wording, types[index] if index < len(types) else 0, format_of(bind.formats, index))
                reading.params.append(None if data is None else decode(data))
        if prepared.described:
            reading.param_types = [type_name(wording.catalog, oid, -1) for oid in prepared.described]
        elif any(oid not in OBVIOUS for oid in prepared.types):
            named = ["unknown" if oid in OBVIOUS else type_name(wording.catalog, oid, -1) for oid in prepared.types]
            reading.param_types = [*named]
        return reading

    def _statement(self, name: str) -> Prepared:
        found = self._prepared.get(name)
        return found or Prepared(sql="", missing=f"statement {name!r} was prepared before the recording began")

    def _forget(self, name: str) -> None:
        """A statement is no longer. What it was described to be is kept where it was never run: a driver asked just that."""
        prepared = self._prepared.pop(name, None)
        if prepared is None or prepared.described is None or prepared.told or not prepared.sql:
            return
        reading = self._reading(prepared, None, prepared.at)
        reading.described, reading.role, reading.ended = True, "housekeeping", prepared.at
        if prepared.columns is not None:
            reading.describe(self._observed.wording, prepared.columns, ())
        self._ledger.note(reading)

    def _drop(self, name: str) -> None:
        """A portal ends. What was read of it, if it was suspended, is all there will be."""
        portal = self._portals.pop(name, None)
        if portal and portal.reading and portal.reading.suspended:
            self._ledger.add(portal.reading)

    def _follow_cursor(self, reading: Reading) -> None:
        """A statement was done. If it reads a cursor, say which query that is of."""
        asked = plan(reading.sql)
        if asked.cursor:
            reading.cursor = self._cursors.get(asked.cursor) or ""
        elif asked.verb == "DECLARE" and (made := declared(reading.sql)) is not None:
            self._cursors.declare(made, written_out(made.query, reading.params or ()))
        elif asked.verb == "CLOSE":
            self._cursors.close(closed(reading.sql))

    def _introspected(self, shape: str) -> Sequence[Column] | None:
        """The columns of a table, where a driver has asked for them to write them in binary (asyncpg does)."""
        wanted = introspection(shape)
        found = (prepared for prepared in self._prepared.values() if wanted and plan(prepared.sql).shape == wanted)
        return next((prepared.columns for prepared in found), None)
