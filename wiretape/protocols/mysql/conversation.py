"""What client and server say to each other once a connection is up, as interactions.

Commands queue up, and what the server sends answers the head of that queue. A statement with warnings waits for the client's
next command: where that asks for them, they belong to the statement.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from wiretape.errors import DecodeError
from wiretape.protocols.base import Interaction
from wiretape.protocols.mysql.answers import Results, error_tree
from wiretape.protocols.mysql.asks import make, plan, planned
from wiretape.protocols.mysql.constants import Command, Status
from wiretape.protocols.mysql.executions import LAST, Execute, Parameters, Prepared, Preparing, query_text
from wiretape.protocols.mysql.fields import U16, U32
from wiretape.protocols.mysql.handshake import ChangeUser, Login
from wiretape.protocols.mysql.observed import Observed
from wiretape.protocols.mysql.packets import Ok
from wiretape.protocols.mysql.reading import Reading
from wiretape.protocols.mysql.state import State
from wiretape.protocols.wire import Cursor
from wiretape.tree import Tree

UNANSWERED: Final = "the connection ended before the answer was whole"
BULK: Final = "a bulk execution (MariaDB's COM_STMT_BULK_EXECUTE) is not recorded: switch it off in the driver"

_LONGEST_END: Final = 0xFFFFFF

type Take = Callable[[bytes], bool]
"""Takes a packet of the answer; True where it was the last."""

_SILENT = frozenset((Command.QUIT, Command.STMT_CLOSE, Command.STMT_SEND_LONG_DATA))
_REPLICATION = frozenset(
    (Command.BINLOG_DUMP, Command.BINLOG_DUMP_GTID, Command.TABLE_DUMP, Command.REGISTER_SLAVE, Command.CONNECT)
)


class Conversation:
    """One connection's packets after its log-in, in the order in which they crossed the wire."""

    def __init__(self, capabilities: int, login: Login, observed: Observed) -> None:
        self._capabilities = capabilities
        self._state = State()
        self._state.login(login.database.decode("utf-8", "replace"), login.collation)
        self._observed = observed
        self._queue: deque[tuple[bytes, float]] = deque()
        self._take: Take | None = None
        self._reading: Reading | None = None
        self._prepared: dict[int, Prepared] = {}
        self._last: Prepared | None = None
        self._held: Reading | None = None
        self._out: list[Interaction] = []
        self._at = 0.0
        self._in_transaction = False
        self._transaction: int | None = None
        self._transactions = 0
        self._commands: Mapping[int, Callable[[bytes, float], Take]] = MappingProxyType(
            {
                Command.QUERY: self._query, Command.STMT_PREPARE: self._prepare, Command.STMT_EXECUTE: self._execute,
                Command.STMT_FETCH: self._fetch, Command.STMT_RESET: self._reset, Command.INIT_DB: self._init_db,
                Command.CHANGE_USER: self._change_user, Command.RESET_CONNECTION: self._reset_connection,
                Command.STATISTICS: lambda *_: lambda _: True, Command.FIELD_LIST: lambda *_: self._listed,
                Command.STMT_BULK_EXECUTE: self._bulk, Command.PROCESS_INFO: self._process_info,
            }
        )  # fmt: skip

    def collect(self) -> list[Interaction]:
        """The interactions that became whole since the last call."""
        out, self._out = self._out, []
        return out

    # The client asks.

    def asked(self, body: bytes, at: float) -> None:
        """A command. Raises DecodeError."""
        if not body:
            raise DecodeError("an empty command", 0)
        self._queue.append((body, at))
        self._go_on()

    def _go_on(self) -> None:
        """Take up the next command, if none is under way; those that have no answer are over at once."""
        while self._take is None and self._queue:
            body, at = self._queue[0]
            if body[0] in _REPLICATION:
                raise DecodeError("replication is not read", 0)
            if body[0] in _SILENT:
                self._silent(body)
                self._queue.popleft()
                continue
            begin = self._commands.get(body[0])
            self._take = begin(body[1:], at) if begin else self._plain
            if body[0] != Command.PING and not self._asks_for_warnings():
                self._release()

    def _asks_for_warnings(self) -> bool:
        return self._reading is not None and plan(self._reading.sql).shape.startswith("show warnings")

    def _silent(self, body: bytes) -> None:
        if body[0] == Command.STMT_CLOSE:
            found = self._prepared.pop(U32.read(Cursor(body[1:])), None)
            if found is not None:
                self._drop(found)
        elif body[0] == Command.STMT_SEND_LONG_DATA:
            cursor = Cursor(body[1:])
            found = self._statement(U32.read(cursor))
            found.parameters.add(U16.read(cursor), cursor.take(cursor.left))

    def _statement(self, number: int) -> Prepared:
        found = self._last if number == LAST else self._prepared.get(number)
        missing = "a statement prepared before the recording began"
        return found or Prepared(sql="", parameters=Parameters(count=0), missing=missing)

    def _drop(self, statement: Prepared) -> None:
        """A cursor is closed. What was read through it is all there will be."""
        if statement.open is not None:
            self._finish(statement.open)
            statement.open = None

    def _begin(self, sql: bytes | str, at: float) -> Reading:
        state = self._state
        text = sql if isinstance(sql, str) else state.asking.decode(sql)
        reading = Reading(sql=text, started=at, charset=state.answering, database=state.elsewhere)
        statements = plan(text).statements
        if len(statements) == 1 and state.is_idle_end(statements[0]):
            reading.role = "housekeeping"  # nothing was there to end
        self._reading = reading
        return reading

    def _query(self, body: bytes, at: float) -> Take:
        reading = self._begin(query_text(body, self._capabilities, self._state.asking), at)
        return self._results(Results(reading, self._capabilities))

    def _process_info(self, _: bytes, at: float) -> Take:
        return self._query_of("SHOW PROCESSLIST", at)

    def _query_of(self, sql: str, at: float) -> Take:
        return self._results(Results(self._begin(sql, at), self._capabilities))

    def _execute(self, body: bytes, at: float) -> Take:
        cursor = Cursor(body)
        head = Execute.read(cursor)
        statement = self._statement(head.statement)
        self._drop(statement)
        reading = self._begin(statement.sql, at)
        reading.prepared, reading.incomplete = True, statement.missing
        if not statement.missing:
            params = statement.parameters.read(cursor, head.flags, self._capabilities, self._state.asking)
            reading.params = params
        results = Results(reading, self._capabilities, statement.columns)
        return self._results(results, statement)

    def _bulk(self, body: bytes, at: float) -> Take:
        statement = self._statement(U32.read(Cursor(body)))
        reading = self._begin(statement.sql, at)
        reading.prepared, reading.incomplete = True, statement.missing or BULK
        return self._results(Results(reading, self._capabilities, statement.columns))

    def _fetch(self, body: bytes, at: float) -> Take:
        statement = self._statement(U32.read(Cursor(body)))
        if statement.open is None:
            return self._results(Results(Reading(sql="", started=at, charset=self._state.answering), self._capabilities))
        self._reading = statement.open
        return self._results(Results(statement.open, self._capabilities, fetching=True), statement)

    def _prepare(self, body: bytes, at: float) -> Take:
        reading = self._begin(body, at)
        self._last = None
        preparing = Preparing(Prepared(sql=reading.sql, parameters=Parameters(count=0)), self._capabilities)

        def take(body: bytes) -> bool:
            if not preparing.take(body):
                return False
            if preparing.error is not None:
                reading.fail(error_tree(preparing.error, reading), "prepare")
                self._over(reading)
            else:
                self._last = self._prepared[preparing.statement.number] = preparing.statement
            return True

        return take

    def _reset(self, body: bytes, _: float) -> Take:
        statement = self._statement(U32.read(Cursor(body)))
        statement.parameters.pieces.clear()
        self._drop(statement)
        return self._plain

    def _init_db(self, body: bytes, at: float) -> Take:
        sql = f"USE `{self._state.asking.decode(body).replace('`', '``')}`"
        return self._query_of(sql, at)

    def _change_user(self, body: bytes, _: float) -> Take:
        user = ChangeUser.decode(body)

        def take(body: bytes) -> bool:
            if body[:1] == b"\x00":
                self._state.login(user.database.decode("utf-8", "replace"), user.collation)
                self._fresh()
            return body[:1] in (b"\x00", b"\xff")

        return take

    def _reset_connection(self, *_: object) -> Take:
        def take(body: bytes) -> bool:
            if body[:1] == b"\x00":
                self._state.reset()
                self._fresh()
            return True

        return take

    def _fresh(self) -> None:
        """The session begins anew: what was open is not any more."""
        self._in_transaction, self._transaction = False, None
        for statement in self._prepared.values():
            self._drop(statement)
        self._prepared.clear()

    # The server answers.

    def answered(self, body: bytes, at: float) -> None:
        """A packet from the server. Raises DecodeError, also where it answers nothing that was asked."""
        self._at = at
        if self._take is None:
            if body[:1] == b"\xff":
                return  # the server ends the connection by itself
            raise DecodeError("the server answers what the client did not ask", 0)
        if self._take(body):
            self._take = self._reading = None
            self._queue.popleft()
            self._go_on()

    def _plain(self, body: bytes) -> bool:
        """The answer is one packet."""
        if body[:1] == b"\x00":
            self._status(Ok.decode(body, self._capabilities).status)
        return True

    def _listed(self, body: bytes) -> bool:
        """Columns up to an EOF."""
        return body[:1] == b"\xff" or (body[:1] == b"\xfe" and len(body) < _LONGEST_END)

    def _results(self, results: Results, statement: Prepared | None = None) -> Take:
        def take(body: bytes) -> bool:
            if not results.take(body):
                return False
            reading = results.reading
            if reading.suspended and statement is not None:
                statement.open = reading
                self._number(reading, results.status)
                return True
            if statement is not None and statement.open is reading:
                statement.open = None
            self._over(reading, results)
            return True

        return take

    def _over(self, reading: Reading, results: Results | None = None) -> None:
        """A statement's answer is whole: what it did to the session, and which transaction it ran in."""
        self._number(reading, results.status if results else None)
        if reading.sql or reading.incomplete:
            self._learn(reading, results)
            self._finish(reading)

    def _learn(self, reading: Reading, results: Results | None) -> None:
        asked = plan(reading.sql)
        if reading.error is None:
            for statement in asked.statements:
                self._state.apply(
                    statement, make("", planned(reading.sql, [statement]), reading.params or ()).values, reading.sql
                )
            self._observed.learn(asked, reading)
        if results is not None and results.last is not None:
            self._state.told(results.last.changes)
        if self._held is not None and self._asks_for_warnings():
            if reading.done and reading.done[0].columns is not None:
                self._held.warnings = warnings_of(reading.done[0].rows)
            self._release()

    def _number(self, reading: Reading, status: int | None) -> None:
        unsaid = self._in_transaction or not self._state.autocommit  # an error does not tell
        now = unsaid if status is None else bool(status & Status.IN_TRANSACTION)
        if self._in_transaction or now:
            if self._transaction is None:
                self._transactions += 1
                self._transaction = self._transactions
            reading.transaction = reading.transaction or self._transaction
        if not now or plan(reading.sql).role == "end":  # COMMIT AND CHAIN begins another transaction at once
            self._transaction = None
        self._in_transaction = now

    def _status(self, status: int) -> None:
        if not status & Status.IN_TRANSACTION:
            self._in_transaction, self._transaction = False, None

    def _finish(self, reading: Reading) -> None:
        reading.ended = reading.ended or self._at
        self._release()
        if reading.warned:
            self._held = reading
        else:
            self._out.append(reading.interaction(self._at))

    def _release(self) -> None:
        """The statement with warnings needs wait no longer."""
        held, self._held = self._held, None
        if held is not None:
            self._out.append(held.interaction(self._at))

    # The end.

    def close(self, at: float) -> None:
        """The connection is over: whole or not, everything comes out. Never raises."""
        self._at = at
        while self._queue:
            reading = self._reading
            if reading is not None and reading.sql:
                reading.incomplete, reading.suspended = reading.incomplete or UNANSWERED, False
                self._number(reading, None)
                self._finish(reading)
            for statement in self._prepared.values():
                if statement.open is reading:
                    statement.open = None
            self._take = self._reading = None
            self._queue.popleft()
            try:
                self._go_on()
            except DecodeError:
                break
        for statement in self._prepared.values():
            self._drop(statement)
        self._release()


def warnings_of(rows: Sequence[Tree]) -> list[Tree]:
    """The rows of SHOW WARNINGS as they stand in a case."""
    return [dict(zip(("level", "code", "message"), row, strict=False)) for row in rows if isinstance(row, list)]
