"""A mock's extended query protocol: prepared statements, portals, and what is skipped after an error.

An answer is looked for when a statement is bound, and belongs to the portal from then on. ParseComplete is held back until the
next message: the recording may have an error instead, which only the parameters tell.
"""

from __future__ import annotations

from wiretape.case import Call
from wiretape.errors import EncodeError
from wiretape.protocols.base import Ask, Miss
from wiretape.protocols.postgres import diagnostics, frontend
from wiretape.protocols.postgres.asks import Plan, plan
from wiretape.protocols.postgres.backend import (
    BindComplete,
    CloseComplete,
    EmptyQueryResponse,
    NoData,
    ParameterDescription,
    ParseComplete,
    PortalSuspended,
)
from wiretape.protocols.postgres.copyin import CopyIn, expected
from wiretape.protocols.postgres.playback import Playback
from wiretape.protocols.postgres.portals import (
    Portal,
    Prepared,
    complete_types,
    decoded,
    read_bind,
    read_describe,
    read_execute,
    same_shape,
    stage_of,
)
from wiretape.protocols.postgres.rendering import Rendered, Result
from wiretape.protocols.postgres.results import Wording, format_of, shape, tag_of
from wiretape.protocols.postgres.rounds import Round
from wiretape.protocols.postgres.session import FAILED, deallocated
from wiretape.protocols.postgres.values import to_text
from wiretape.tree import Tree

_PARSED, _BOUND, _CLOSED = ParseComplete().encode(), BindComplete().encode(), CloseComplete().encode()
_NO_DATA, _SUSPENDED, _EMPTY = NoData().encode(), PortalSuspended().encode(), EmptyQueryResponse().encode()
_TYPED = frozenset(bytes([byte]) for byte in b"-+.0123456789tfynoTFYNO{")
_RETYPED = diagnostics.error("0A000", "cached plan must not change result type")


def _typed(data: bytes | None) -> bool:
    """Whether the type of a parameter's text may matter to what it means: it may be a number, a moment, a boolean, an array."""
    return data is not None and data[:1] in _TYPED


class Extended:
    """The prepared statements and portals of one connection."""

    def __init__(self, playback: Playback) -> None:
        self._playback = playback
        self._statements: dict[str, Prepared] = {}
        self._portals: dict[str, Portal] = {}
        self._held: Prepared | None = None
        self._at_sync: Portal | None = None  # its statement was done, and its transaction will fail
        self.skipping = False
        self.asked: tuple[Prepared, Wording, Ask] | None = None  # by the last Bind
        playback.on_idle = self._portals.clear  # portals end with their transaction

    # Errors.

    def _error(self, error: dict[str, Tree]) -> None:
        self._say_parsed()
        self._playback.error(error)
        self.skipping = True

    def _failed(self, rendered: Rendered, asked: Plan) -> None:
        self._playback.failed(rendered, asked)
        self.skipping = True

    # Parse.

    def parse(self, body: bytes) -> None:
        """Answers a Parse; its ParseComplete waits."""
        message = frontend.Parse.decode(body)
        if message.name and message.name in self._statements:
            return self._error(diagnostics.error("42P05", f'prepared statement "{message.name}" already exists'))
        asked = plan(self._playback.session.asking.said(message.sql))
        if len(asked.statements) > 1:
            return self._error(diagnostics.error("42601", "cannot insert multiple commands into a prepared statement"))
        self._held = self._statements[message.name] = Prepared(plan=asked, types=message.types)
        return None

    def _say_parsed(self) -> None:
        if self._held is not None:
            self._held = None
            self._playback.out.append(_PARSED)

    @property
    def holds(self) -> bool:
        """A statement was parsed, and the client not told yet."""
        return self._held is not None

    def release(self) -> None:
        """Says that a statement was parsed which is not bound at once, or the error that the recording has in that place."""
        held = self._held
        if held is None:
            return
        ask = self._playback.ask(held.plan)
        if stage_of(self._playback.peek(ask)) == "parse":
            self._playback.take(ask, lambda answer: self._parse_answered(held, answer))
        elif self._playback.session.status == FAILED and self._playback.session.refuses(held.plan.statements[0]):
            self._held = None
            self._playback.fail(self._playback.aborted())
            self.skipping = True
        else:
            self._say_parsed()

    def _parse_answered(self, held: Prepared, answer: Call | Miss) -> None:
        rendered = self._playback.rendered(answer, held.plan, (), ())
        if rendered.error:
            self._held = None
            self._playback.out.append(rendered.notices)
            self._failed(rendered, held.plan)
        else:
            self._say_parsed()

    # Bind.

    def bind(self, body: bytes) -> None:
        """Answers a Bind: finds the answer to its statement."""
        message = read_bind(body)
        prepared = self._statements.get(message.statement)
        if self._held is not prepared:
            self._say_parsed()
        if prepared is None:
            return self._error(diagnostics.error("26000", f'prepared statement "{message.statement}" does not exist'))
        if message.portal and message.portal in self._portals:
            return self._error(diagnostics.error("42P03", f'cursor "{message.portal}" already exists'))
        needed = max(len(prepared.types), prepared.plan.parameters)
        if len(message.parameters) != needed:
            told = f"bind message supplies {len(message.parameters)} parameters, but prepared statement needs {needed}"
            return self._error(diagnostics.error("08P01", told))
        types = self._types(prepared) if any(map(_typed, message.parameters)) or any(message.formats) else prepared.types
        ask = self._playback.ask(prepared.plan, self._parameters(message, types), types)
        if (like := expected(self._playback, prepared.plan, ask)) is not None:
            return self._bind_copy(message, prepared, ask, like)
        self.asked = prepared, self._playback.session.asking, ask
        return self._playback.take(ask, lambda answer: self.bound(message, prepared, ask, answer))

    def _bind_copy(self, message: frontend.Bind, prepared: Prepared, ask: Ask, like: Call) -> None:
        """What answers a COPY from the client depends on what it sends."""
        nothing = Call(target=ask.target, operation=ask.operation)
        self.bound(message, prepared, ask, nothing)
        if message.portal in self._portals:
            self._portals[message.portal].like = like

    def _parameters(self, message: frontend.Bind, types: tuple[int, ...]) -> list[str | bytes | None]:
        """The parameters as text, or as bytes where their type is not known."""
        wording = self._playback.session.asking
        out: list[str | bytes | None] = []
        for index, data in enumerate(message.parameters):
            if data is None:
                out.append(None)
            elif not format_of(message.formats, index):
                out.append(decoded(wording, data))
            else:
                said = to_text(wording.catalog, types[index], data, wording.style)
                out.append(data if said is None else said)
        return out

    def _types(self, prepared: Prepared) -> tuple[int, ...]:
        """The types of a statement's parameters: as its Parse says, else as recorded, as cast in its text, or text."""
        count = max(len(prepared.types), prepared.plan.parameters)
        if len(prepared.types) < count or 0 in prepared.types:
            recorded = self._playback.like(prepared.plan)
            catalog = self._playback.renderer.wording.catalog
            prepared.types = complete_types(catalog, prepared.types, count, recorded, prepared.plan)
        return prepared.types

    def bound(self, message: frontend.Bind, prepared: Prepared, ask: Ask, answer: Call | Miss) -> None:
        """Answers a Bind with what was found."""
        rendered = self._playback.rendered(answer, prepared.plan, ask.values, message.results)
        if rendered.stage == "parse":
            self._held = None
        self._say_parsed()
        if rendered.stage in ("parse", "bind"):
            self._playback.out.append(rendered.notices)
            return self._failed(rendered, prepared.plan)
        self._playback.out.append(_BOUND)
        self._portals[message.portal] = Portal(prepared=prepared, values=ask.values, rendered=rendered, formats=message.results)
        return None

    # Describe.

    def describe(self, body: bytes) -> None:
        """Answers a Describe."""
        message = read_describe(body)
        if message.kind == b"S":
            prepared = self._statements.get(message.name)
            if prepared is None:
                return self._error(diagnostics.error("26000", f'prepared statement "{message.name}" does not exist'))
            return self._describe_statement(prepared)
        portal = self._portals.get(message.name)
        if portal is not None:
            return self._describe_portal(portal)
        return self._describe_cursor(message.name)

    def _describe_portal(self, portal: Portal) -> None:
        rendered = portal.rendered
        if rendered.stage == "describe":
            return self._failed(rendered, portal.prepared.plan)
        portal.described = True
        described = rendered.results[0].description if rendered.results else b""
        self._playback.out.append(described or _NO_DATA)
        return None

    def _describe_cursor(self, name: str) -> None:
        """A cursor that SQL declared: it looks like what is fetched from it."""
        if name in self._playback.session.cursors:
            for amount in ("FORWARD 1", "FORWARD ALL", "NEXT", "ALL", "1"):
                call = self._playback.peek(self._playback.ask(plan(f'FETCH {amount} FROM "{name}"')))
                if call is not None and "columns" in call.fields:
                    self._playback.out.append(self._shape(call))
                    return None
            self._playback.out.append(_NO_DATA)
            return None
        return self._error(diagnostics.error("34000", f'portal "{name}" does not exist'))

    def _describe_statement(self, prepared: Prepared) -> None:
        asked = prepared.plan
        ask = self._playback.ask(asked)
        call = self._playback.like(asked)
        if asked.role == "query" and (call is None or stage_of(call) == "describe"):
            return self._playback.take(ask, lambda answer: self._described(prepared, answer))
        return self._promise(prepared, call, ask.values)

    def _described(self, prepared: Prepared, answer: Call | Miss) -> None:
        rendered = self._playback.rendered(answer, prepared.plan, (), ())
        if rendered.error:
            return self._failed(rendered, prepared.plan)
        return self._promise(prepared, rendered.call, ())

    def _promise(self, prepared: Prepared, call: Call | None, given: tuple[Tree, ...]) -> None:
        """ParameterDescription, and what the result will look like."""
        self._playback.out.append(ParameterDescription(types=self._types(prepared)).encode())
        if call is None:
            call = self._playback.rendered(Miss(ask=self._playback.ask(prepared.plan)), prepared.plan, given, ()).call
        self._playback.out.append(self._shape(call, prepared))

    def _shape(self, call: Call, prepared: Prepared | None = None) -> bytes:
        """RowDescription or NoData. Rows are not looked at: those of the answer to come may be others."""
        wording = self._playback.renderer.wording
        columns = call.fields.get("columns")
        try:
            described = None if columns is None else shape(wording.catalog, columns, "columns")
        except EncodeError:  # told when the rows are asked for
            described = None
        if prepared is not None:
            prepared.promised, prepared.told = described, True
        return _NO_DATA if described is None else described.description(wording, ())

    # Execute.

    def execute(self, body: bytes) -> None:
        """Answers an Execute."""
        message = read_execute(body)
        portal = self._portals.get(message.portal)
        if portal is None:
            return self._error(diagnostics.error("34000", f'portal "{message.portal}" does not exist'))
        prepared, rendered = portal.prepared, portal.rendered
        playback = self._playback
        if not prepared.plan.shape:
            playback.out.append(_EMPTY)
            return None
        if portal.like is not None and not portal.over:
            return self._copy(portal, portal.like)
        if not portal.at and not portal.over:
            playback.out.append(rendered.notices)
            if rendered.error and rendered.stage != "sync":
                return self._execute_failed(portal)
            if prepared.told and not portal.described and not same_shape(prepared.promised, rendered.shape):
                return self._error(_RETYPED)
        result = rendered.results[0]
        if portal.over:
            return self._again(portal, message.portal)
        if message.limit > 0 and result.shape is not None:
            return self._some(portal, result, message.limit)
        if portal.at:
            playback.out += result.rows[portal.at :]
            return self._end(portal, result, len(result.rows) - portal.at)
        return self._end(portal, result, -1)

    def _copy(self, portal: Portal, like: Call) -> None:
        """Takes the client's data, then answers."""
        asked = portal.prepared.plan

        def ended(full: Ask, answer: Call | Miss) -> None:
            portal.rendered = self._playback.rendered(answer, asked, full.values, ())
            portal.values = full.values
            self._playback.out.append(portal.rendered.notices)
            if portal.rendered.error and portal.rendered.stage != "sync":
                self._failed(portal.rendered, asked)
            else:
                self._end(portal, portal.rendered.results[0], -1)

        assert asked.layout is not None
        ask = self._playback.ask(asked)
        self._playback.copying = CopyIn(self._playback, ask, asked.layout, like, ended, self._error)

    def _execute_failed(self, portal: Portal) -> None:
        if portal.rendered.results:
            self._playback.out.append(portal.rendered.results[0].body)
        self._failed(portal.rendered, portal.prepared.plan)

    def _some(self, portal: Portal, result: Result, limit: int) -> None:
        """At most `limit` rows. A server that reaches the limit does not look whether there are more."""
        rows = result.rows[portal.at : portal.at + limit]
        self._playback.out += rows
        portal.at += len(rows)
        if len(rows) == limit:
            self._playback.out.append(_SUSPENDED)
        else:
            self._end(portal, result, len(rows))

    def _end(self, portal: Portal, result: Result, count: int) -> None:
        """The portal is drained. `count` rows were sent now, -1: all of them are to be."""
        portal.over = True
        playback, asked = self._playback, portal.prepared.plan
        statement = asked.statements[0]
        if statement.role == "end":
            playback.out.append(playback.ending(statement, result))
        elif count < 0:
            playback.out.append(result.body)
        else:
            playback.out.append(playback.complete(tag_of(statement, True, count)))
        self._forget(statement.verb, asked.sql)
        playback.done(statement, portal.values, asked.sql)
        playback.session.report(portal.rendered.call.fields)
        if portal.rendered.stage == "sync":
            self._at_sync = portal

    def _again(self, portal: Portal, name: str) -> None:
        """A drained portal has no more rows; a statement without any is not done twice."""
        if portal.rendered.shape is None:
            return self._error(diagnostics.error("55000", f'portal "{name}" cannot be run'))
        self._playback.out.append(self._playback.complete(tag_of(portal.prepared.plan.statements[0], True, 0)))
        return None

    def _forget(self, verb: str, sql: str) -> None:
        if verb not in ("DEALLOCATE", "DISCARD"):
            return
        if name := deallocated(sql):
            self._statements.pop(name, None)
        else:
            self._statements.clear()

    # Close, Sync.

    def close(self, body: bytes) -> None:
        """Answers a Close: what does not exist can be closed, too."""
        message = frontend.Close.decode(body)
        if message.kind == b"S":
            self._statements.pop(message.name, None)
        else:
            self._portals.pop(message.name, None)
        self._playback.out.append(_CLOSED)

    def sync(self) -> None:
        """Answers a Sync."""
        self.skipping = False
        if self._at_sync is not None:
            self._playback.failed(self._at_sync.rendered, self._at_sync.prepared.plan)
            self._at_sync = None
        self._playback.ready()

    # Rounds.

    def repeats(self, known: Round) -> bool:
        """Whether a round asks again what it asked, and asks for rows only."""
        asked, session = known.prepared.plan, self._playback.session
        return (
            (known.parses or self._statements.get(known.bind.statement) is known.prepared)
            and known.wording is session.asking
            and self._held is None
            and not self.skipping
            and self._playback.copying is None
            and session.status != FAILED
            and asked.role == "query"
            and asked.verb == "SELECT"
        )

    def answer_round(self, known: Round, answer: Call | Miss) -> bool:
        """Answers a round up to its Sync; False, with nothing said, where the answer is not plainly rows."""
        if known.parses:
            self._held = self._statements[""] = known.prepared
        rendered = self._playback.rendered(answer, known.prepared.plan, known.ask.values, known.bind.results)
        if not rendered.plain:
            return False
        result = rendered.results[0]
        self._portals[""] = Portal(
            prepared=known.prepared, values=known.ask.values, rendered=rendered, formats=known.bind.results, described=True,
            at=len(result.rows), over=True,
        )  # fmt: skip
        self._say_parsed()
        self._playback.out += (_BOUND, result.description, result.body)
        return True

    def simple(self, sql: str, verb: str) -> None:
        """A Query comes: it ends the unnamed statement and portal, and may deallocate others."""
        self._statements.pop("", None)
        self._portals.pop("", None)
        self._forget(verb, sql)
