"""The relay of `--trace`: every request goes on with ids of its own; what is recorded is what the client really sent."""

from __future__ import annotations

import os

from mitmproxy import connection
from mitmproxy.proxy import commands, context

from recorder.capture import Kind
from recorder.injection import Injection
from recorder.layer import Commands, Handlers, Relay
from recorder.wire import Wire
from wiretape import tracing


class TracingRelay(Relay):
    """Adds what `wiretape.tracing.missing` says to each request's head, where the listener is to (`Listener.trace`)."""

    def __init__(self, ctx: context.Context, wire: Wire, handlers: Handlers) -> None:
        super().__init__(ctx, wire, handlers)
        self._injection = Injection(_draw) if wire.listener.trace else None

    def from_client(self, data: bytes) -> Commands:
        injection = self._injection
        if injection is None:
            return super().from_client(data)
        self.wire.client(data)
        said = injection.feed(data)
        if injection.added:
            for number, trace in injection.added:
                self.wire.note(Kind.TRACE, f"{number} {trace}".encode())
            injection.added.clear()
        elif injection.declined:
            self.wire.tape.say(self.wire.listener, "h2 traces", "a client speaks HTTP/2: --trace adds nothing to its requests")
        return (commands.SendData(self.server, said),) if said else ()

    def from_server(self, data: bytes) -> Commands:
        if self._injection is not None and self._injection.waits:
            self._injection.answered(data)
        return super().from_server(data)

    def closed(self, ended: connection.Connection) -> Commands:
        rest = self._injection.rest() if self._injection is not None and ended is self.client and not self.done else b""
        return (commands.SendData(self.server, rest), *super().closed(ended)) if rest else super().closed(ended)


def _draw() -> str:
    return tracing.trace_id(os.urandom(tracing.SIZE))
