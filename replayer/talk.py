"""A WebSocket's messages in this run: live values stand for recorded ones in what is sent, and are learned from what comes."""

from __future__ import annotations

from dataclasses import replace

from normalizers.base import When
from replayer.bindings import Bindings
from wiretape.body import websocket
from wiretape.case import Message


class Bound:
    """`replayer.answers.Talk` over the bindings of a run."""

    def __init__(self, bindings: Bindings, when: When) -> None:
        self._bindings, self._when = bindings, when

    def said(self, message: Message) -> Message:
        """The message with live values, which from here on came from outside the service."""
        self._bindings.learn(message.value)
        return replace(message, value=self._bindings.stand(message.value))

    def heard(self, recorded: Message, live: Message) -> None:
        """What the service made up anew is bound before more is said."""
        self._bindings.meet(websocket.meaning(recorded), websocket.meaning(live), self._when)
