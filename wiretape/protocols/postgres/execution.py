"""A mock's portals as they are executed: row by row, all at once, or taking a COPY's data from the client."""

from __future__ import annotations

from wiretape.case import Call
from wiretape.protocols.base import Ask, Miss
from wiretape.protocols.postgres import diagnostics
from wiretape.protocols.postgres.asks import Plan
from wiretape.protocols.postgres.backend import (
    EmptyQueryResponse,
    ParseComplete,
    PortalSuspended,
)
from wiretape.protocols.postgres.copyin import CopyIn
from wiretape.protocols.postgres.playback import Playback
from wiretape.protocols.postgres.portals import (
    Portal,
    Prepared,
    read_execute,
    same_shape,
)
from wiretape.protocols.postgres.rendering import Rendered, Result
from wiretape.protocols.postgres.results import Wording, tag_of
from wiretape.protocols.postgres.session import deallocated
from wiretape.tree import Tree

_PARSED, _SUSPENDED, _EMPTY = ParseComplete().encode(), PortalSuspended().encode(), EmptyQueryResponse().encode()
_RETYPED = diagnostics.error("0A000", "cached plan must not change result type")


class Execution:
    """The state of the extended query protocol on one connection, and what Execute does with it."""

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

    def _say_parsed(self) -> None:
        if self._held is not None:
            self._held = None
            self._playback.out.append(_PARSED)

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
