"""A mock's simple query protocol: any number of statements in one text, all values as text."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from wiretape.case import Call
from wiretape.protocols.base import Ask, Miss
from wiretape.protocols.postgres.asks import Plan, plan
from wiretape.protocols.postgres.backend import EmptyQueryResponse
from wiretape.protocols.postgres.copyin import CopyIn, expected
from wiretape.protocols.postgres.copylayout import layout_of
from wiretape.protocols.postgres.playback import Playback
from wiretape.protocols.postgres.session import FAILED
from wiretape.protocols.sqltext import filled
from wiretape.tree import Tree

_EMPTY = EmptyQueryResponse().encode()


def query(playback: Playback, sql: str) -> None:
    """Answers a Query, up to and with ReadyForQuery."""
    asked = plan(sql)
    ask = playback.ask(asked)
    if len(asked.statements) == 1:
        if not asked.statements[0].shape:
            playback.out.append(_EMPTY)
            return playback.ready()
        if (like := expected(playback, asked, ask)) is not None:
            return _copy(playback, asked, ask, like)
    elif playback.peek(ask) is None:
        return _each(playback, asked, 0)

    def answered(answer: Call | Miss) -> None:
        _answer(playback, asked, ask.values, answer)
        playback.ready()

    return playback.take(ask, answered)


def _copy(playback: Playback, asked: Plan, ask: Ask, like: Call) -> None:
    """Answers a COPY FROM STDIN once the client has sent its data."""

    def ended(full: Ask, answer: Call | Miss) -> None:
        _answer(playback, asked, full.values, answer)
        playback.ready()

    def failed(error: dict[str, Tree]) -> None:
        playback.error(error)
        playback.ready()

    if playback.session.status == FAILED:
        playback.fail(playback.aborted())
        return playback.ready()
    assert asked.layout is not None
    playback.copying = CopyIn(playback, ask, asked.layout, like, ended, failed)
    return None


def _each(playback: Playback, asked: Plan, index: int) -> None:
    """Statements that were not recorded together are asked one by one, up to the first that fails."""
    while index < len(asked.statements):
        one = _alone(asked, index)
        ask = playback.ask(one)
        answer = playback.find(ask, partial(_one, playback, asked, index, one, ask))
        if answer is None:
            return
        if not _answer(playback, one, ask.values, answer):
            break
        index += 1
    playback.ready()


def _alone(asked: Plan, index: int) -> Plan:
    statement = asked.statements[index]
    return replace(
        asked,
        sql=statement.shape,
        statements=(statement,),
        shape=statement.shape,
        role=statement.role,
        writes=statement.writes,
        layout=layout_of(statement),
        plain=None,
    )


def _one(playback: Playback, asked: Plan, index: int, one: Plan, ask: Ask, answer: Call | Miss) -> None:
    """The answer to one of several has come at last."""
    if _answer(playback, one, ask.values, answer):
        _each(playback, asked, index + 1)
    else:
        playback.ready()


def _answer(playback: Playback, asked: Plan, given: tuple[Tree, ...], answer: Call | Miss) -> bool:
    """Sends what answers a Query, but for ReadyForQuery; False where it failed."""
    rendered = playback.rendered(answer, asked, given, ())
    playback.out.append(rendered.notices)
    # of several statements only those that were completed have results
    worked = not rendered.error or rendered.stage == "sync" or len(asked.statements) > 1
    for statement, result in zip(asked.statements, rendered.results, strict=False):
        playback.out.append(result.description)
        ends = worked and statement.role == "end"
        playback.out.append(playback.ending(statement, result) if ends else result.body)
        if worked:
            playback.done(statement, filled(statement.literals, ()), asked.sql)
    playback.session.report(rendered.call.fields)
    if rendered.error:
        playback.failed(rendered, asked)
    return not rendered.error
