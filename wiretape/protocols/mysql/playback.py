"""What a mock's commands share: where answers come from, how they are packed, and what they do to the session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from wiretape.case import Call
from wiretape.errors import EncodeError
from wiretape.protocols.base import Answers, Ask, Miss, Waiting
from wiretape.protocols.mysql import chatter, diagnostics
from wiretape.protocols.mysql.asks import Plan, make, planned
from wiretape.protocols.mysql.constants import Cap, Status
from wiretape.protocols.mysql.fields import write_lenenc
from wiretape.protocols.mysql.framing import Packer
from wiretape.protocols.mysql.packets import EOF, Column, encode_eof
from wiretape.protocols.mysql.rendering import Rendered, Result, render
from wiretape.protocols.mysql.session import Session
from wiretape.tree import Tree

INFILE: Final = "wiretape: LOAD DATA LOCAL INFILE is not played back; load the rows with INSERT, or leave this out of the case"
_KEPT: Final = 512  # answers
_LARGEST_KEPT: Final = 65_536  # bytes of rows
_UNSERVABLE: Final = "wiretape: the recorded call {0!r} cannot be served: {1}"


class Playback:
    """One connection's answers. `waiting` is the ask whose answer will come through `resume`: until then nothing is done."""

    def __init__(self, session: Session, answers: Answers, target: str) -> None:
        self.session = session
        self.capabilities = 0
        self.out: list[bytes] = []
        self.waiting: Ask | None = None
        self.closed = False
        self.packer = Packer(1)
        self._answers = answers
        self._target = target
        self._then: Callable[[Call | Miss], None] | None = None
        self._rendered: dict[tuple[object, ...], tuple[Rendered, Call, Plan]] = {}

    def collect(self) -> bytes:
        """What is to be sent."""
        out = b"".join(self.out)
        self.out.clear()
        return out

    def send(self, payload: bytes) -> None:
        """A packet of the answer."""
        self.out.append(self.packer.pack(payload))

    def ask(self, asked: Plan, params: Sequence[Tree] = ()) -> Ask:
        """What the client asks."""
        return make(self._target, asked, params, self.session.elsewhere)

    def peek(self, ask: Ask) -> Call | None:
        """A recorded call of the same shape."""
        return self._answers.peek(ask)

    def take(self, asked: Plan, ask: Ask, then: Callable[[Call | Miss], None]) -> None:
        """Finds the answer, now or later, and goes on with it. The end of a transaction that is not there is not looked for:
        it must not use up that of one that was."""
        if len(asked.statements) == 1 and self.session.is_idle_end(asked.statements[0]):
            then(Miss(ask=ask))
            return
        answer = self._answers.take(ask)
        if isinstance(answer, Waiting):
            self.waiting, self._then = ask, then
        else:
            then(answer)

    def resume(self, answer: Call | Miss) -> None:
        """The answer that was waited for."""
        then, self._then, self.waiting = self._then, None, None
        if then is not None:
            then(answer)

    def rendered(self, answer: Call | Miss, asked: Plan, params: Sequence[Tree], *, binary: bool) -> Rendered:
        """The answer in packets. What no recording answers, and the mock cannot either, is an error; so is what cannot be
        written."""
        if isinstance(answer, Miss):
            answer = Call(target=self._target, operation=asked.sql, fields=self.own(answer, asked, params))
        session = self.session
        asked = asked.plain or asked
        key = (id(answer), id(asked), session.answering, binary)
        if (kept := self._rendered.get(key)) is not None:
            return kept[0]
        try:
            rendered = render(answer, asked.statements, session.answering, binary=binary, mariadb=session.is_mariadb)
        except EncodeError as error:
            told = diagnostics.error(_UNSERVABLE.format(answer.operation, error))
            rendered = Rendered(error=diagnostics.encode(told, session.answering))
        self._keep(key, rendered, answer, asked)
        return rendered

    def _keep(self, key: tuple[object, ...], rendered: Rendered, answer: Call, asked: Plan) -> None:
        """A call is asked for again and again. What the key's numbers mean is kept alive with it."""
        if len(self._rendered) >= _KEPT:
            self._rendered.clear()
        if sum(len(row) for result in rendered.results for row in result.rows) <= _LARGEST_KEPT:
            self._rendered[key] = (rendered, answer, asked)

    def own(self, miss: Miss, asked: Plan, params: Sequence[Tree]) -> dict[str, Tree]:
        """What the mock says itself."""
        if asked.role == "query":
            return {"error": diagnostics.missed(miss)}
        told = [
            chatter.answer(self.session, each, make("", planned(asked.sql, [each]), params).values, asked.sql)
            for each in asked.statements
        ]
        return told[0] if len(told) == 1 else {"results": list[Tree](told)}

    def error(self, message: str, code: int = 1105, state: str = "HY000") -> None:
        """An error of the mock's own."""
        self.send(diagnostics.encode(diagnostics.error(message, code, state), self.session.answering))

    # Packing.

    def answer(self, rendered: Rendered, asked: Plan, params: Sequence[Tree], *, more: bool = False) -> bool:
        """Sends the answer of a query or execution, and does to the session what it does; False where it failed. `more`:
        other statements of the same text follow."""
        session = self.session
        shows = asked.shape.startswith("show ")
        before = session.tracked() if asked.role == "housekeeping" and self.capabilities & Cap.SESSION_TRACK else None
        last = len(rendered.results) - 1
        for index, result in enumerate(rendered.results):
            if index < len(asked.statements) and (not rendered.error or len(asked.statements) > 1):
                self._done(asked, index, params)
            follows = Status.MORE_RESULTS if index < last or (more and not rendered.error) else 0
            changes = {name: value for name, value in session.tracked().items() if before[name] != value} if before else {}
            told = replace(result, ok=replace(result.ok, changes=changes)) if changes else result
            self._result(told, follows, rendered)
        if not shows:
            session.warnings = list(rendered.warnings)
        if rendered.error:
            self.send(rendered.error)
        return not rendered.error

    def _done(self, asked: Plan, index: int, params: Sequence[Tree]) -> None:
        statement = asked.statements[index]
        sets = statement.role == "housekeeping"  # only then does it matter to which values
        given = make("", planned(asked.sql, [statement]), params).values if sets else ()
        self.session.apply(statement, given, asked.sql)

    def changed(self, before: Mapping[str, bytes]) -> None:
        """An OK that says what of the session is not as `before`."""
        now = self.session.tracked() if self.capabilities & Cap.SESSION_TRACK else before
        changes = {name: value for name, value in now.items() if before[name] != value}
        self.send(replace(Result().ok, status=self.session.status, changes=changes).encode())

    def _result(self, result: Result, more: int, rendered: Rendered) -> None:
        status = self.session.status | more | (Status.OUT_PARAMETERS if result.out else 0)
        if result.columns is None:
            self.send(replace(result.ok, status=status).encode())
            return
        self.columns(result.columns, status)
        for row in result.rows:
            self.send(row)
        if rendered.error and not more:
            return  # it broke off among the rows
        self.end(status, result.ok.warnings)

    def columns(self, columns: Sequence[Column], status: int, *, cursor: bool = False) -> None:
        """The head of a result."""
        self.send(write_lenenc(len(columns)))
        for column in columns:
            self.send(column.encode(self.capabilities))
        if not self.capabilities & Cap.DEPRECATE_EOF:
            self.send(encode_eof(status, 0))
        elif cursor:
            self.end(status, 0)

    def end(self, status: int, warnings: int) -> None:
        """The end of rows."""
        if self.capabilities & Cap.DEPRECATE_EOF:
            self.send(replace(Result().ok, status=status, warnings=warnings).encode(EOF))
        else:
            self.send(encode_eof(status, warnings))

    def ok(self) -> None:
        """A plain OK."""
        self.send(replace(Result().ok, status=self.session.status).encode())
