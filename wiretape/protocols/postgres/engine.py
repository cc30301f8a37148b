"""Hands each of a client's messages to the protocol it belongs to, simple or extended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from wiretape.case import Call
from wiretape.protocols.base import Answers, Ask, Miss
from wiretape.protocols.postgres import frontend, simple
from wiretape.protocols.postgres.asks import Plan, plan
from wiretape.protocols.postgres.backend import FunctionCallResponse
from wiretape.protocols.postgres.extended import Extended
from wiretape.protocols.postgres.framing import Stream
from wiretape.protocols.postgres.functions import arguments, function_sql, returned
from wiretape.protocols.postgres.playback import Playback
from wiretape.protocols.postgres.rounds import Round, Rounds
from wiretape.protocols.postgres.session import Session

_BIND = ord("B")
_NEVER_SKIPPED = frozenset(b"SX")


class Engine:
    """One connection after its start-up packet."""

    def __init__(self, session: Session, answers: Answers, target: str) -> None:
        self._playback = Playback(session, answers, target)
        self._extended = Extended(self._playback)
        self._rounds = Rounds()
        self._deferred: tuple[int, bytes] | None = None
        self._handlers: Mapping[int, Callable[[bytes], None]] = {
            ord("Q"): self._query, ord("P"): self._extended.parse, ord("B"): self._extended.bind,
            ord("D"): self._extended.describe, ord("E"): self._extended.execute, ord("C"): self._extended.close,
            ord("S"): self._sync, ord("H"): self._flush, ord("F"): self._function, ord("X"): self._terminate,
        }  # fmt: skip

    @property
    def waiting(self) -> Ask | None:
        """What is asked of someone else; nothing goes on before `resume`."""
        return self._playback.waiting

    @property
    def closed(self) -> bool:
        """The conversation is over."""
        return self._playback.closed

    def run(self, stream: Stream) -> bytes:
        """Answers the messages that have arrived, up to one whose answer must be waited for. Raises DecodeError."""
        playback, extended = self._playback, self._extended
        whole = stream.whole()
        if whole is not None and self._deferred is None:
            extended.asked = None
            if (known := self._rounds.get(whole)) is not None and extended.repeats(known):
                self._again(known, stream)
        while playback.waiting is None and not playback.closed:
            found, self._deferred = self._deferred or stream.message(frontend.FRONTEND), None
            if found is None:
                break
            tag, body = found
            if playback.copying is not None:
                self._copy(tag, body)
                continue
            if extended.holds and tag != _BIND and not self._released():
                self._deferred = found
                break
            if extended.skipping and tag not in _NEVER_SKIPPED:
                continue
            if handler := self._handlers.get(tag):  # passwords that nobody asked for and data of no COPY mean nothing
                handler(body)
        if whole and extended.asked is not None:
            self._rounds.learn(whole, *extended.asked)
        return playback.collect()

    def _again(self, known: Round, stream: Stream) -> None:
        """Answers a round that was seen before, in one go if it can be; what is left in the stream is answered as ever."""
        stream.skip(known.size)

        def answered(answer: Call | Miss) -> None:
            if self._extended.answer_round(known, answer):
                stream.skip(known.rest)
                self._playback.ready()
            else:
                self._extended.bound(known.bind, known.prepared, known.ask, answer)

        self._playback.take(known.ask, answered)

    def _copy(self, tag: int, body: bytes) -> None:
        """A message of a client that sends the data of a COPY."""
        copying = self._playback.copying
        if copying is not None and copying.take(tag, body) and self._playback.copying is copying:
            self._playback.copying = None

    def _released(self) -> bool:
        """What was held back has been said; False where that must be waited for."""
        self._extended.release()
        return self._playback.waiting is None

    def resume(self, answer: Call | Miss) -> bytes:
        """The answer that was waited for."""
        self._playback.resume(answer)
        return self._playback.collect()

    def collect(self) -> bytes:
        """What was to be sent when bytes came that cannot be read."""
        return self._playback.collect()

    def _query(self, body: bytes) -> None:
        sql = self._playback.session.asking.said(frontend.Query.decode(body).sql)
        self._extended.simple(sql, plan(sql).statements[0].verb)
        simple.query(self._playback, sql)

    def _sync(self, body: bytes) -> None:
        if body:  # it has none
            frontend.Sync.decode(body)
        self._extended.sync()

    def _flush(self, body: bytes) -> None:
        frontend.Flush.decode(body)

    def _function(self, body: bytes) -> None:
        message = frontend.FunctionCall.decode(body)
        asked = plan(function_sql(message))
        self._playback.take(self._playback.ask(asked, arguments(message)), partial(self._returned, asked))

    def _returned(self, asked: Plan, answer: Call | Miss) -> None:
        """The answer to a function call was found."""
        rendered = self._playback.rendered(answer, asked, (), ())
        self._playback.out.append(rendered.notices)
        if rendered.error:
            self._playback.failed(rendered, asked)
        else:
            self._playback.out.append(FunctionCallResponse(value=returned(rendered.call.fields.get("result"))).encode())
        self._playback.ready()

    def _terminate(self, body: bytes) -> None:
        frontend.Terminate.decode(body)
        self._playback.closed = True
