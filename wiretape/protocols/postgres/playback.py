"""What both query protocols of a mock share: where answers come from, how they are worded, and what they do to the session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from wiretape.case import Call
from wiretape.errors import EncodeError
from wiretape.protocols.base import Answers, Ask, Miss, Waiting
from wiretape.protocols.postgres import chatter, diagnostics
from wiretape.protocols.postgres.asks import Plan, describing, make, plan, reading
from wiretape.protocols.postgres.backend import ReadyForQuery
from wiretape.protocols.postgres.copylayout import filling
from wiretape.protocols.postgres.rendering import Rendered, Renderer, Result, ending, failure
from wiretape.protocols.postgres.session import FAILED, IDLE, Session
from wiretape.protocols.postgres.sql import Statement
from wiretape.protocols.sqltext import filled
from wiretape.tree import Tree

if TYPE_CHECKING:
    from wiretape.protocols.postgres.copyin import CopyIn

_READY: Final = MappingProxyType({status: ReadyForQuery(status=status).encode() for status in (b"I", b"T", b"E")})
_ABORTED: Final = diagnostics.error("25P02", "current transaction is aborted, commands ignored until end of transaction block")


class Playback:
    """One connection's answers. `waiting` is the ask whose answer will come through `resume`: until then nothing is done."""

    def __init__(self, session: Session, answers: Answers, target: str) -> None:
        self.session = session
        self.renderer = Renderer(session.wording)
        self.out: list[bytes] = []
        self.waiting: Ask | None = None
        self.closed = False
        self.copying: CopyIn | None = None
        self.on_idle: Callable[[], None] = lambda: None
        self._answers = answers
        self._target = target
        self._then: Callable[[Call | Miss], None] | None = None

    def collect(self) -> bytes:
        """What is to be sent."""
        out = b"".join(self.out)
        self.out.clear()
        return out

    def ask(self, asked: Plan, params: Sequence[str | bytes | None] = (), types: tuple[int, ...] = ()) -> Ask:
        """What the client asks; of a cursor that the recording does not tell the query of, without it."""
        made = make(self._target, asked, params, types)
        if asked.cursor and (found := self.session.cursors.get(asked.cursor)) is not None:
            full = reading(made, *found)
            return made if self.peek(full) is None and self.peek(made) is not None else full
        return made

    def peek(self, ask: Ask) -> Call | None:
        """A recorded call of the same shape."""
        return self._answers.peek(ask)

    def like(self, asked: Plan) -> Call | None:
        """A recorded call of the same shape, or one that tells what the statement looks like though it was never run."""
        found = self.peek(self.ask(asked)) or self.peek(describing(self._target, asked))
        if found is None and (copy := filling(asked.shape)):
            return self.peek(self.ask(plan(copy)))
        return found

    def take(self, ask: Ask, then: Callable[[Call | Miss], None]) -> None:
        """Finds the answer, now or later, and goes on with it."""
        answer = self.find(ask, then)
        if answer is not None:
            then(answer)

    def find(self, ask: Ask, then: Callable[[Call | Miss], None]) -> Call | Miss | None:
        """The answer, or None where it comes later: then `then` goes on with it."""
        answer = self._answers.take(ask)
        if isinstance(answer, Waiting):
            self.waiting, self._then = ask, then
            return None
        return answer

    def resume(self, answer: Call | Miss) -> None:
        """The answer that was waited for."""
        then, self._then, self.waiting = self._then, None, None
        if then is not None:
            then(answer)

    def rendered(self, answer: Call | Miss, asked: Plan, given: tuple[Tree, ...], formats: tuple[int, ...]) -> Rendered:
        """The answer as bytes. What no recording answers, and the mock cannot either, is an error; so is what cannot be
        written; and in a failed transaction nothing but its end is done."""
        if isinstance(answer, Miss):
            answer = self._made(asked, self._own(answer, asked, given))
        try:
            out = self.renderer.render(answer, formats)
        except EncodeError as error:
            told = f"wiretape: the recorded call {answer.operation!r} cannot be served: {error}"
            return self._erroneous(asked, diagnostics.error(diagnostics.UNSERVABLE, told))
        if self.session.status == FAILED and not out.error and all(map(self.session.refuses, asked.statements)):
            return self._erroneous(asked, _ABORTED, stage="parse")
        return out

    def _made(self, asked: Plan, fields: dict[str, Tree]) -> Call:
        return Call(target=self._target, operation=asked.sql, fields=fields)

    def _erroneous(self, asked: Plan, error: dict[str, Tree], stage: str = "execute") -> Rendered:
        return self.renderer.render(self._made(asked, {"error": error, "stage": stage}), ())

    def _own(self, miss: Miss, asked: Plan, given: tuple[Tree, ...]) -> dict[str, Tree]:
        if asked.role == "query":
            return {"error": diagnostics.missed(miss)}
        if len(asked.statements) == 1:
            return chatter.answer(self.session, asked.statements[0], given)
        return {"results": [chatter.answer(self.session, each, filled(each.literals, ())) for each in asked.statements]}

    def aborted(self) -> bytes:
        """The error that a failed transaction gives to everything but its end."""
        return failure(self.renderer.wording, _ABORTED)

    def error(self, error: dict[str, Tree]) -> None:
        """An error of the mock's own."""
        self.fail(failure(self.renderer.wording, error))

    def fail(self, message: bytes, *, fatal: bool = False) -> None:
        """Sends an ErrorResponse, with what it does to the transaction."""
        self.out.append(message)
        self.session.fail()
        self.closed = self.closed or fatal

    def failed(self, rendered: Rendered, asked: Plan) -> None:
        """Sends a recorded error."""
        self.fail(rendered.error, fatal=rendered.fatal)
        if asked.role == "end" and rendered.stage == "execute":
            self.session.end_failed()

    def ending(self, statement: Statement, result: Result) -> bytes:
        """CommandComplete of a transaction's end, which depends on what became of it."""
        return ending(self.renderer.wording, self.session.tag(statement, result.tag))

    def complete(self, tag: str) -> bytes:
        """CommandComplete."""
        return ending(self.renderer.wording, tag)

    def done(self, statement: Statement, given: tuple[Tree, ...], sql: str) -> None:
        """A statement took effect."""
        self.session.apply(statement, given, sql)
        self.renderer.adopt(self.session.wording)

    def ready(self) -> None:
        """Sends ReadyForQuery, and before it what changed. Where no transaction is open, `on_idle` is told."""
        if self.session.status == IDLE:
            self.on_idle()
        if not self.closed:
            self.out.append(self.session.changed())
            if self.session.channels.waiting and self.session.status == IDLE:
                self.out.append(self.session.channels.collect(self.session.wording))
            self.out.append(_READY[self.session.status])
