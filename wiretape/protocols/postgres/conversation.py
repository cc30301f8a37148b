"""What client and server say to each other once a connection is up, as interactions.

What the client asks queues up, and each of the server's messages belongs to the head of that queue. Interactions come out when
the server is ready for the next query: until then they may still gain a notice, a changed setting or an error.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from wiretape.errors import DecodeError
from wiretape.protocols.base import Interaction
from wiretape.protocols.postgres import backend, frontend
from wiretape.protocols.postgres.asks import plan
from wiretape.protocols.postgres.backend import Column
from wiretape.protocols.postgres.copies import BOTH_WAYS, Copies
from wiretape.protocols.postgres.copylayout import Direction, introspection
from wiretape.protocols.postgres.cursors import Cursors, closed, declared, written_out
from wiretape.protocols.postgres.functions import arguments, function_sql
from wiretape.protocols.postgres.ledger import Ledger
from wiretape.protocols.postgres.meaning import OBVIOUS
from wiretape.protocols.postgres.messages import PgMessage
from wiretape.protocols.postgres.observed import Observed
from wiretape.protocols.postgres.pending import Pending, Portal, Prepared
from wiretape.protocols.postgres.reading import Reading
from wiretape.protocols.postgres.results import decoder, format_of
from wiretape.protocols.postgres.sql import quoted
from wiretape.protocols.postgres.types import type_name
from wiretape.tree import Tree

UNANSWERED: Final = "the connection ended before the answer was whole"

_QUEUED: Mapping[int, type[PgMessage]] = MappingProxyType({tag: frontend.FRONTEND[tag] for tag in b"PBDECSQF"})
_SYNC = ord("S")


class Conversation:
    """One connection's messages after its start-up packet, in the order in which they crossed the wire."""

    def __init__(self) -> None:
        self._observed = Observed()
        self._ledger = Ledger()
        self._queue: deque[Pending] = deque()
        self._skipping = False  # after an error the server drops what comes before the next Sync
        self._copies = Copies()
        self._cursors: Cursors[str] = Cursors()
        self._process: int | None = None
        self._prepared: dict[str, Prepared] = {}
        self._portals: dict[str, Portal] = {}
        self._at = 0.0
        self._bare: Mapping[int, Callable[[], None]] = {
            ord("1"): self._parsed, ord("2"): self._bound, ord("3"): self._closed, ord("n"): self._no_data,
            ord("s"): self._suspended, ord("W"): self._copy_both,
        }  # fmt: skip
        self._handlers: Mapping[int, Callable[[bytes], None]] = {
            ord("D"): self._row, ord("C"): self._completed, ord("Z"): self._ready, ord("T"): self._described,
            ord("t"): self._parameters, ord("I"): self._completed, ord("E"): self._failed, ord("N"): self._noticed,
            ord("S"): self._changed, ord("G"): self._copy_in, ord("H"): self._copy_out, ord("d"): self._copy_data,
            ord("V"): self._returned, ord("A"): self._notified, ord("K"): self._keyed,
        }  # fmt: skip

    @property
    def facts(self) -> dict[str, Tree]:
        """What a mock must know of this server."""
        return self._observed.facts

    def collect(self) -> list[Interaction]:
        """The interactions that became whole since the last call."""
        return self._ledger.collect()

    def greet(self, parameters: Mapping[str, str]) -> None:
        """The start-up packet's parameters."""
        self._observed.set("client_encoding", parameters.get("client_encoding", "UTF8"))

    # The client asks.

    def asked(self, tag: int, body: bytes, at: float) -> None:
        """A message from the client. Raises DecodeError."""
        if tag not in _QUEUED:
            last = self._queue[-1] if self._queue and not self._skipping else None
            return self._copies.sent(tag, body, last)
        if self._copies.reading is not None:
            if tag == _SYNC and self._copies.drops_sync:
                return None
            self._copies.end()
        if self._skipping:
            if tag != _SYNC:
                return None
            self._skipping = False
        self._queue.append(self._pending(_QUEUED[tag].decode(body), at))
        return None

    def _pending(self, message: PgMessage, at: float) -> Pending:
        pending = Pending(message=message, at=at)
        if isinstance(message, frontend.Query):
            pending.reading = Reading(sql=self._observed.text(message.sql), simple=True, started=at)
        elif isinstance(message, frontend.FunctionCall):
            pending.reading = Reading(sql=function_sql(message), simple=True, started=at, params=[*arguments(message)])
        elif isinstance(message, frontend.Parse):
            pending.prepared = Prepared(sql=self._observed.text(message.sql), types=message.types, at=at)
        return pending

    # The server answers.

    def answered(self, tag: int, body: bytes, at: float) -> None:
        """A message from the server. Raises DecodeError, also where it answers nothing that was asked."""
        self._at = at
        if handler := self._handlers.get(tag):
            handler(body)
        elif bare := self._bare.get(tag):
            bare()

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

    def _parsed(self) -> None:
        pending, parse = self._head(frontend.Parse)
        self._forget(parse.name)
        if pending.prepared is not None:
            self._prepared[parse.name] = pending.prepared
        self._queue.popleft()

    def _statement(self, name: str) -> Prepared:
        found = self._prepared.get(name)
        return found or Prepared(sql="", missing=f"statement {name!r} was prepared before the recording began")

    def _bound(self) -> None:
        pending, bind = self._head(frontend.Bind)
        self._drop(bind.portal)
        prepared = self._statement(bind.statement)
        self._portals[bind.portal] = Portal(prepared=prepared, bind=bind, at=pending.at)
        self._queue.popleft()

    def _closed(self) -> None:
        _, close = self._head(frontend.Close)
        if close.kind == b"P":
            self._drop(close.name)
        else:
            self._forget(close.name)
        self._queue.popleft()

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

    def _parameters(self, body: bytes) -> None:
        _, describe = self._head(frontend.Describe)
        self._statement(describe.name).described = backend.ParameterDescription.decode(body).types

    def _described(self, body: bytes) -> None:
        columns = self._observed.columns(backend.RowDescription.decode(body).columns)
        if self._queue and isinstance(self._queue[0].message, frontend.Query):
            self._current().describe(self._observed.wording, columns, [column.format for column in columns])
            return
        _, describe = self._head(frontend.Describe)
        if describe.kind == b"S":
            self._statement(describe.name).columns = columns
        elif portal := self._portals.get(describe.name):
            portal.columns = portal.prepared.columns = columns  # the next execution may go without a Describe
        self._queue.popleft()

    def _no_data(self) -> None:
        self._head(frontend.Describe)
        self._queue.popleft()

    def _row(self, body: bytes) -> None:
        self._current().row(body)

    def _completed(self, body: bytes) -> None:
        reading = self._current()
        reading.complete(self._observed.text(backend.CommandComplete.decode(body).command) if body else "")
        reading.ended = self._at
        self._follow_cursor(reading)
        if not reading.simple:
            self._ledger.add(reading)
            self._queue.popleft()

    def _follow_cursor(self, reading: Reading) -> None:
        """A statement was done. If it reads a cursor, say which query that is of."""
        asked = plan(reading.sql)
        if asked.cursor:
            reading.cursor = self._cursors.get(asked.cursor) or ""
        elif asked.verb == "DECLARE" and (made := declared(reading.sql)) is not None:
            self._cursors.declare(made, written_out(made.query, reading.params or ()))
        elif asked.verb == "CLOSE":
            self._cursors.close(closed(reading.sql))

    def _returned(self, body: bytes) -> None:
        """A function that was called by its OID returned."""
        self._current().result = backend.FunctionCallResponse.decode(body)

    def _suspended(self) -> None:
        reading = self._current()
        reading.suspended, reading.ended = True, self._at
        self._ledger.attach(reading)
        self._queue.popleft()

    def _ready(self, body: bytes) -> None:
        status = backend.ReadyForQuery.decode(body).status
        if not self._observed.greeted:
            self._observed.greet()
            return
        pending = self._queue[0] if self._queue else None
        if pending is None or pending.reading is None:
            self._head(frontend.Sync)
        elif not pending.reading.simple:
            raise DecodeError("the server is ready in the middle of an Execute", 0)
        else:
            self._drop("")  # a simple query ends the unnamed portal
            pending.reading.ended = self._at
            self._ledger.add(pending.reading)
        self._queue.popleft()
        self._settle(status)

    def _settle(self, status: bytes) -> None:
        if status == b"I":
            self._cursors.end()
            for name in list(self._portals):
                self._drop(name)
        suspended = [portal.reading for portal in self._portals.values() if portal.reading]
        for reading in self._ledger.batch:
            self._observed.learn(reading)
        self._ledger.ready(status, suspended, self._at)

    # What may come at any time.

    def _failed(self, body: bytes) -> None:
        error = self._observed.diagnostic(backend.ErrorResponse.decode(body).fields)
        if not self._queue:
            return  # the server ends the connection by itself
        head = self._queue[0]
        reading = self._blamed(head)
        if reading is not None:
            reading.fail(error, type(head.message).__name__.lower())
            reading.ended = self._at
            if not reading.simple:
                self._ledger.add(reading)
        if error.get("severity") in ("FATAL", "PANIC"):  # nothing more comes, and what was read is whole
            if head.reading is not None:
                self._ledger.add(head.reading)
            self._queue.clear()
            self._settle(b"I")
        elif reading is None or not reading.simple:
            self._skip()

    def _blamed(self, head: Pending) -> Reading | None:
        """The reading an error belongs to; None where no statement can be blamed."""
        if head.reading is not None:
            return head.reading
        match head.message:
            case frontend.Sync():
                return self._ledger.last
            case frontend.Execute():
                return self._current()
            case frontend.Parse(name=name) if head.prepared is not None:
                return self._reading(head.prepared, self._bind_ahead(name), head.at)
            case frontend.Bind(statement=name) as bind:
                return self._reading(self._statement(name), bind, head.at)
            case frontend.Describe(kind=b"S", name=name):
                return self._reading(self._statement(name), self._bind_ahead(name), head.at)
            case frontend.Describe(name=name) if name in self._portals:
                return self._reading(self._portals[name].prepared, self._portals[name].bind, head.at)
        return None

    def _bind_ahead(self, statement: str) -> frontend.Bind | None:
        """The Bind that the client sent along, without waiting for the answer to its Parse."""
        for pending in self._queue:
            if isinstance(pending.message, frontend.Sync):
                break
            if isinstance(pending.message, frontend.Bind) and pending.message.statement == statement:
                return pending.message
        return None

    def _skip(self) -> None:
        """The server drops all up to the next Sync."""
        while self._queue and not isinstance(self._queue[0].message, frontend.Sync):
            self._queue.popleft()
        self._skipping = not self._queue

    def _noticed(self, body: bytes) -> None:
        if not self._queue:
            return
        notice = self._observed.diagnostic(backend.NoticeResponse.decode(body).fields)
        if self._queue[0].reading is not None:
            self._queue[0].reading.notices.append(notice)
        elif isinstance(self._queue[0].message, frontend.Sync) and self._ledger.last:
            self._ledger.last.notices.append(notice)
        else:
            self._ledger.notice(notice)

    def _keyed(self, body: bytes) -> None:
        self._process = backend.BackendKeyData.decode(body).process

    def _notified(self, body: bytes) -> None:
        """A notification. The client's own comes before the server is ready, and belongs to what caused it: a mock tells it
        then, too. Any other is an interaction of its own."""
        message = backend.NotificationResponse.decode(body)
        channel, payload = self._observed.text(message.channel), self._observed.text(message.payload)
        cause = (self._queue[0].reading or self._ledger.last) if self._queue and message.process == self._process else None
        if cause is not None:
            cause.notifications.append({"channel": channel, "payload": payload} if payload else {"channel": channel})
            return
        self._ledger.note(
            Interaction(
                operation=f"NOTIFY {quoted(channel)}",
                fields={"payload": payload},
                started=self._at,
                ended=self._at,
                role="push",
            )
        )

    def _changed(self, body: bytes) -> None:
        status = backend.ParameterStatus.decode(body)
        value = self._observed.text(status.value)
        self._observed.set(status.name, value)
        if self._observed.greeted and self._queue:
            reading = self._queue[0].reading or self._ledger.last
            if reading is not None:
                reading.parameters[status.name] = value

    # COPY.

    def _copy(self, direction: Direction, form: int) -> Reading:
        """The head of the queue begins a COPY."""
        reading = self._current()
        columns = self._introspected(plan(reading.sql).statements[0].shape) if form else None
        self._copies.begin(reading, direction, binary=bool(form), wording=self._observed.wording, columns=columns)
        return reading

    def _introspected(self, shape: str) -> Sequence[Column] | None:
        """The columns of a table, where a driver has asked for them to write them in binary (asyncpg does)."""
        wanted = introspection(shape)
        found = (prepared for prepared in self._prepared.values() if wanted and plan(prepared.sql).shape == wanted)
        return next((prepared.columns for prepared in found), None)

    def _copy_out(self, body: bytes) -> None:
        self._copy("out", backend.CopyOutResponse.decode(body).format)

    def _copy_in(self, body: bytes) -> None:
        reading = self._copy("in", backend.CopyInResponse.decode(body).format)
        self._copies.take(reading, self._queue[0])
        if not reading.simple:  # the Sync that the client sent before it knew of the COPY is dropped by the server
            self._queue = deque(pending for pending in self._queue if not isinstance(pending.message, frontend.Sync))

    def _copy_data(self, body: bytes) -> None:
        self._current().data(body)

    def _copy_both(self) -> None:
        self._current().incomplete = BOTH_WAYS

    # The end.

    def close(self, at: float) -> None:
        """The connection is over: whole or not, everything comes out. Never raises."""
        self._at = at
        if self._queue:
            self._ledger.doubt(UNANSWERED)
        while self._queue:
            self._unanswered()
        self._settle(b"I")
        self._ledger.release()
        for name in list(self._prepared):
            self._forget(name)

    def _unanswered(self) -> None:
        """Take the head of the queue as if it had worked, to know what is asked behind it."""
        match self._queue[0].message:
            case frontend.Parse():
                return self._parsed()
            case frontend.Bind():
                return self._bound()
            case frontend.Close():
                return self._closed()
            case frontend.Execute() | frontend.Query() | frontend.FunctionCall():
                reading = self._current()
                reading.incomplete, reading.suspended = reading.incomplete or UNANSWERED, False
                self._ledger.add(reading)
        self._queue.popleft()
        return None
