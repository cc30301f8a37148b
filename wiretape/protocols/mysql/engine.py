"""A mock's commands: each of a client's packets to what answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Final

from wiretape.case import Call
from wiretape.protocols.base import Miss
from wiretape.protocols.mysql.asks import Plan, plan, planned
from wiretape.protocols.mysql.constants import Cap, Command, Flag, Kind, Status
from wiretape.protocols.mysql.executions import LAST, Execute, Parameters, query_text
from wiretape.protocols.mysql.fields import U16, U32
from wiretape.protocols.mysql.handshake import CACHING_SHA2, FAST_OK, ChangeUser
from wiretape.protocols.mysql.packets import Column, encode_eof
from wiretape.protocols.mysql.playback import INFILE, Playback
from wiretape.protocols.wire import Cursor
from wiretape.tree import Tree

_UNKNOWN_COMMAND: Final = (1047, "08S01", "Unknown command")
_EMPTY: Final = (1065, "42000", "Query was empty")
_UNKNOWN_STATEMENT: Final = (1243, "HY000", "Unknown prepared statement handler ({0}) given to {1}")
_STATISTICS: Final = (
    b"Uptime: 1  Threads: 1  Questions: 1  Slow queries: 0  Opens: 1  Open tables: 1  Queries per second avg: 1"
)


@dataclass(slots=True, kw_only=True)
class Statement:
    """A prepared statement. `rows` are those left to fetch, where its last execution opened a cursor."""

    asked: Plan
    parameters: Parameters
    rows: list[bytes] | None = None


class Engine:
    """One connection after its log-in."""

    def __init__(self, playback: Playback) -> None:
        self._playback = playback
        self._statements: dict[int, Statement] = {}
        self._numbers = 0
        self._commands: Mapping[int, Callable[[bytes], None]] = MappingProxyType(
            {
                Command.QUIT: self._quit, Command.INIT_DB: self._init_db, Command.QUERY: self._query,
                Command.FIELD_LIST: self._eof, Command.STATISTICS: self._statistics, Command.PING: self._ok,
                Command.CHANGE_USER: self._change_user, Command.RESET_CONNECTION: self._reset_connection,
                Command.STMT_PREPARE: self._prepare, Command.STMT_EXECUTE: self._execute,
                Command.STMT_SEND_LONG_DATA: self._long_data, Command.STMT_CLOSE: self._close,
                Command.STMT_RESET: self._reset, Command.STMT_FETCH: self._fetch, Command.SET_OPTION: self._eof,
                Command.PROCESS_KILL: self._ok, Command.DEBUG: self._eof, Command.REFRESH: self._ok,
            }
        )  # fmt: skip

    def command(self, body: bytes) -> None:
        """Answers one command, up to what must be waited for. Raises DecodeError."""
        playback = self._playback
        playback.packer.sequence = 1
        handler = self._commands.get(body[0]) if body else None
        if handler is None:
            code, state, message = _UNKNOWN_COMMAND
            playback.error(f"{message}: wiretape plays back no command {body[:1].hex() or 'that is empty'}", code, state)
        else:
            handler(body[1:])

    # Small ones.

    def _ok(self, _: bytes) -> None:
        self._playback.ok()

    def _eof(self, _: bytes) -> None:
        playback = self._playback
        if playback.capabilities & Cap.DEPRECATE_EOF:
            playback.end(playback.session.status, 0)
        else:
            playback.send(encode_eof(playback.session.status, 0))

    def _quit(self, _: bytes) -> None:
        self._playback.closed = True

    def _statistics(self, _: bytes) -> None:
        self._playback.send(_STATISTICS)

    def _init_db(self, body: bytes) -> None:
        session = self._playback.session
        before = session.tracked()
        session.database = session.asking.decode(body)
        self._playback.changed(before)

    def _change_user(self, body: bytes) -> None:
        user = ChangeUser.decode(body)
        session = self._playback.session
        session.login(user.database.decode("utf-8", "replace"), user.collation)
        session.user = user.user.decode("utf-8", "replace")
        self._reset_connection(b"", silent=True)
        if user.plugin == CACHING_SHA2 and user.secret:
            self._playback.send(FAST_OK)
        self._playback.ok()

    def _reset_connection(self, _: bytes, *, silent: bool = False) -> None:
        self._playback.session.reset()
        self._statements.clear()
        if not silent:
            self._playback.ok()

    # Text queries.

    def _query(self, body: bytes) -> None:
        playback = self._playback
        sql = playback.session.asking.decode(query_text(body, playback.capabilities, playback.session.asking))
        asked = plan(sql)
        if len(asked.statements) == 1:
            statement = asked.statements[0]
            if not statement.shape:
                code, state, message = _EMPTY
                return playback.error(message, code, state)
            if statement.verb == "LOAD" and " local infile " in statement.shape:
                return playback.error(INFILE)
        elif playback.peek(playback.ask(asked)) is None:
            return self._each(asked, 0)
        return playback.take(asked, playback.ask(asked), partial(self._answer, asked, (), binary=False))

    def _answer(self, asked: Plan, params: Sequence[Tree], answer: Call | Miss, *, binary: bool) -> None:
        rendered = self._playback.rendered(answer, asked, params, binary=binary)
        self._playback.answer(rendered, asked, params)

    def _each(self, asked: Plan, index: int) -> None:
        """Statements that were not recorded together are asked one by one, up to the first that fails."""
        one = planned(asked.sql if len(asked.statements) == 1 else asked.statements[index].shape, [asked.statements[index]])
        one = replace(one, traces=asked.traces)
        self._playback.take(one, self._playback.ask(one), partial(self._one, asked, index, one))

    def _one(self, asked: Plan, index: int, one: Plan, answer: Call | Miss) -> None:
        rendered = self._playback.rendered(answer, one, (), binary=False)
        more = index + 1 < len(asked.statements)
        if self._playback.answer(rendered, one, (), more=more) and more:
            self._each(asked, index + 1)

    # Prepared statements.

    def _prepare(self, body: bytes) -> None:
        playback = self._playback
        asked = plan(playback.session.asking.decode(body))
        self._numbers += 1  # a server counts what it refuses, too
        if len(asked.statements) > 1:
            message = "You have an error in your SQL syntax: wiretape knows that only one statement can be prepared at a time"
            return playback.error(message, 1064, "42000")
        ask = playback.ask(asked)
        found = playback.peek(ask)
        if found is not None and found.fields.get("stage") == "prepare":
            return playback.take(asked, ask, partial(self._answer, asked, (), binary=True))
        columns = self._columns(asked, found)
        self._statements[self._numbers] = Statement(asked=asked, parameters=Parameters(count=asked.parameters))
        playback.send(
            b"\0" + U32.write(self._numbers) + U16.write(len(columns)) + U16.write(asked.parameters) + b"\0" + U16.write(0)
        )
        if asked.parameters:
            self._definitions([_PARAMETER] * asked.parameters)
        if columns:
            self._definitions(columns)
        return None

    def _columns(self, asked: Plan, found: Call | None) -> Sequence[Column]:
        """What the result will look like, as far as it is known before it is asked for."""
        statement = asked.statements[0]
        if statement.verb == "CALL" or (found is None and asked.role == "query"):
            return ()
        rendered = self._playback.rendered(found or Miss(ask=self._playback.ask(asked)), asked, (), binary=True)
        return (rendered.results[0].columns or ()) if rendered.results else ()

    def _definitions(self, columns: Sequence[Column]) -> None:
        for column in columns:
            self._playback.send(column.encode(self._playback.capabilities))
        if not self._playback.capabilities & Cap.DEPRECATE_EOF:
            self._playback.send(encode_eof(self._playback.session.status, 0))

    def _statement(self, number: int, command: str) -> Statement | None:
        found = self._statements.get(self._numbers if number == LAST else number)
        if found is None:
            code, state, message = _UNKNOWN_STATEMENT
            self._playback.error(message.format(number, command), code, state)
        return found

    def _execute(self, body: bytes) -> None:
        playback = self._playback
        cursor = Cursor(body)
        head = Execute.read(cursor)
        statement = self._statement(head.statement, "mysqld_stmt_execute")
        if statement is None:
            return
        statement.rows = None
        params = statement.parameters.read(cursor, head.flags, playback.capabilities, playback.session.asking)
        ask = playback.ask(statement.asked, params)
        then = partial(self._executed, statement, params, with_cursor=head.opens_cursor)
        playback.take(statement.asked, ask, then)

    def _executed(self, statement: Statement, params: Sequence[Tree], answer: Call | Miss, *, with_cursor: bool) -> None:
        playback = self._playback
        rendered = playback.rendered(answer, statement.asked, params, binary=True)
        results = rendered.results
        if not with_cursor or rendered.error or len(results) != 1 or results[0].columns is None:
            playback.answer(rendered, statement.asked, params)
            return
        statement.rows = list(results[0].rows)
        playback.columns(results[0].columns, playback.session.status | Status.CURSOR_EXISTS, cursor=True)

    def _fetch(self, body: bytes) -> None:
        playback = self._playback
        cursor = Cursor(body)
        statement = self._statement(U32.read(cursor), "mysqld_stmt_fetch")
        if statement is None:
            return None
        if statement.rows is None:
            return playback.error("The statement has no open cursor.", 1421)
        count = U32.read(cursor)
        now, statement.rows = statement.rows[:count], statement.rows[count:]
        for row in now:
            playback.send(row)
        last = len(now) < count or not count
        playback.end(playback.session.status | (Status.LAST_ROW_SENT if last else Status.CURSOR_EXISTS), 0)
        if last:
            statement.rows = None
        return None

    def _long_data(self, body: bytes) -> None:
        cursor = Cursor(body)
        statement = self._statements.get(U32.read(cursor))
        if statement is not None:  # else its execution will say so: this command has no answer
            statement.parameters.add(U16.read(cursor), cursor.take(cursor.left))

    def _reset(self, body: bytes) -> None:
        statement = self._statement(U32.read(Cursor(body)), "mysqld_stmt_reset")
        if statement is not None:
            statement.parameters.pieces.clear()
            statement.rows = None
            self._playback.ok()

    def _close(self, body: bytes) -> None:
        self._statements.pop(U32.read(Cursor(body)), None)


_PARAMETER: Final = Column(name=b"?", kind=Kind.VAR_STRING, collation=63, length=0, flags=Flag.BINARY)
