"""What client and server say to each other once a connection is up, as interactions.

What the client asks queues up, and each of the server's messages belongs to the head of that queue. Interactions come out when
the server is ready for the next query: until then they may still gain a notice, a changed setting or an error.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from wiretape.errors import DecodeError
from wiretape.protocols.base import Interaction
from wiretape.protocols.postgres import backend, frontend
from wiretape.protocols.postgres.ledger import Ledger
from wiretape.protocols.postgres.messages import PgMessage
from wiretape.protocols.postgres.observed import Observed
from wiretape.protocols.postgres.pending import Pending, Portal, Prepared
from wiretape.protocols.postgres.reading import Reading
from wiretape.protocols.postgres.results import decoder, format_of
from wiretape.protocols.postgres.types import type_name
from wiretape.tree import Tree

COPY: Final = "COPY is not recorded yet"
FUNCTION: Final = "a function call by OID is not recorded"
UNANSWERED: Final = "the connection ended before the answer was whole"

_QUEUED: Mapping[int, type[PgMessage]] = MappingProxyType({tag: frontend.FRONTEND[tag] for tag in b"PBDECSQF"})
_SYNC = ord("S")
_ENDS_COPY = frozenset(b"cf")


class Conversation:
    """One connection's messages after its start-up packet, in the order in which they crossed the wire."""

    def __init__(self) -> None:
        self._observed = Observed()
        self._ledger = Ledger()
        self._queue: deque[Pending] = deque()
        self._skipping = False  # after an error the server drops what comes before the next Sync
        self._copying = False  # while the client sends a COPY, the server drops Flush and Sync
        self._prepared: dict[str, Prepared] = {}
        self._portals: dict[str, Portal] = {}
        self._at = 0.0
        self._bare: Mapping[int, Callable[[], None]] = {
            ord("1"): self._parsed, ord("2"): self._bound, ord("3"): self._closed, ord("n"): self._no_data,
            ord("s"): self._suspended, ord("G"): self._copy_in, ord("H"): self._copy, ord("W"): self._copy_in,
        }  # fmt: skip
        self._handlers: Mapping[int, Callable[[bytes], None]] = {
            ord("D"): self._row, ord("C"): self._completed, ord("Z"): self._ready, ord("T"): self._described,
            ord("t"): self._parameters, ord("I"): self._completed, ord("E"): self._failed, ord("N"): self._noticed,
            ord("S"): self._changed,
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
            self._copying = self._copying and tag not in _ENDS_COPY
            return
        if self._copying and tag == _SYNC:
            return
        if self._skipping:
            if tag != _SYNC:
                return
            self._skipping = False
        self._queue.append(self._pending(_QUEUED[tag].decode(body), at))

    def _pending(self, message: PgMessage, at: float) -> Pending:
        pending = Pending(message=message, at=at)
        if isinstance(message, frontend.Query):
            pending.reading = Reading(sql=self._observed.text(message.sql), simple=True, started=at)
        elif isinstance(message, frontend.FunctionCall):
            pending.reading = Reading(sql=f"FunctionCall {message.function}", simple=True, started=at, incomplete=FUNCTION)
        elif isinstance(message, frontend.Parse):
            pending.prepared = Prepared(sql=self._observed.text(message.sql), types=message.types)
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
        wording = self._observed.wording
        if bind is not None:
            types = prepared.described or prepared.types
            reading.params = []
            for index, data in enumerate(bind.parameters):
                decode = decoder(wording, types[index] if index < len(types) else 0, format_of(bind.formats, index))
                reading.params.append(None if data is None else decode(data))
        if prepared.described:
            reading.param_types = [type_name(wording.catalog, oid, -1) for oid in prepared.described]
        return reading

    def _parsed(self) -> None:
        pending, parse = self._head(frontend.Parse)
        if pending.prepared is not None:
            self._prepared[parse.name] = pending.prepared
        self._queue.popleft()

    def _statement(self, name: str) -> Prepared:
        found = self._prepared.get(name)
        return found or Prepared(sql="", missing=f"statement {name!r} was prepared before the recording began")

    def _bound(self) -> None:
        pending, bind = self._head(frontend.Bind)
        self._drop(bind.portal)
        self._portals[bind.portal] = Portal(prepared=self._statement(bind.statement), bind=bind, at=pending.at)
        self._queue.popleft()

    def _closed(self) -> None:
        _, close = self._head(frontend.Close)
        if close.kind == b"P":
            self._drop(close.name)
        else:
            self._prepared.pop(close.name, None)
        self._queue.popleft()

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
        if not reading.simple:
            self._ledger.add(reading)
            self._queue.popleft()

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
        self._copying = False
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

    def _changed(self, body: bytes) -> None:
        status = backend.ParameterStatus.decode(body)
        value = self._observed.text(status.value)
        self._observed.set(status.name, value)
        if self._observed.greeted and self._queue:
            reading = self._queue[0].reading or self._ledger.last
            if reading is not None:
                reading.parameters[status.name] = value

    def _copy(self) -> None:
        self._current().incomplete = COPY

    def _copy_in(self) -> None:
        reading = self._current()
        reading.incomplete, self._copying = COPY, True
        if not reading.simple:  # the Sync that the client sent before it knew of the COPY is dropped by the server
            self._queue = deque(pending for pending in self._queue if not isinstance(pending.message, frontend.Sync))

    # The end.

    def close(self, at: float) -> None:
        """The connection is over: whole or not, everything comes out. Never raises."""
        self._at = at
        if self._queue:
            self._ledger.doubt(UNANSWERED)
        while self._queue:
            self._unanswered()
        self._settle(b"I")

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
