"""The relay of `--serialize`: a request waits at the gate until the one before it has been answered."""

from __future__ import annotations

import asyncio
import contextlib

from mitmproxy import connection
from mitmproxy.proxy import commands, context, events

from recorder import gate as gates
from recorder.capture import Kind
from recorder.gate import Pass
from recorder.layer import Commands, Handlers, was_reset
from recorder.tracing import TracingRelay
from recorder.wire import Wire
from wiretape.errors import DecodeError
from wiretape.protocols.base import Side
from wiretape.protocols.http import HttpTap

_HELD_LIMIT = 1024 * 1024


class TurnCame(events.Event):
    """The gate lets the waiting request in."""


class SerialRelay(TracingRelay):
    """Follows the exchanges as they pass, to know where a request begins and where its answer ends.

    What it cannot follow passes freely: a bug or a foreign protocol here must not stop traffic.
    """

    def __init__(self, ctx: context.Context, wire: Wire, handlers: Handlers) -> None:
        super().__init__(ctx, wire, handlers)
        assert wire.listener.gate is not None
        self._gate = wire.listener.gate
        self._pass = Pass(self._wake)
        self._tap: HttpTap | None = HttpTap(0)
        self._inside = False
        self._held: list[bytes] = []
        self._client_left = False
        self._timer: asyncio.TimerHandle | None = None
        self._waking: asyncio.Future[None] | None = None
        self._leaving: asyncio.Future[None] | None = None

    def handle_event(self, event: events.Event) -> Commands:  # type: ignore[override]
        return self._release() if isinstance(event, TurnCame) else super().handle_event(event)

    def from_client(self, data: bytes) -> Commands:
        if self._timer is not None:
            self._hold(data)
            return ()
        if self._tap is not None and self._tap.idle and not self._inside:
            if not self._gate.ask(self._pass):
                self._timer = asyncio.get_running_loop().call_later(gates.LONGEST, self._too_long)
                self._hold(data)
                return ()
            self._inside = True
        self._follow(Side.CLIENT, data)
        return super().from_client(data)

    def from_server(self, data: bytes) -> Commands:
        sent = super().from_server(data)  # recorded first: the next request begins after the end of this one
        self._follow(Side.SERVER, data)
        if self._tap is None or self._tap.idle or self._tap.endless:
            if self._tap is not None and self._tap.idle and self._tap.endless:
                self._tap = None  # another protocol from here on
            self._leave()
        return sent

    def closed(self, ended: connection.Connection) -> Commands:
        if self._timer is not None and ended is self.client and not was_reset(self.handlers(self.client), ended):
            self._client_left = True  # it may only have finished sending: what it sent still waits for its turn
            return ()
        if ended is self.server and not self.done:  # else we are closing it, which is told before it is done
            self._leave()
        return super().closed(ended)

    def finish(self) -> None:
        super().finish()
        handler = self.handlers(self.client)
        io = handler.transports.get(self.server) if handler else None
        if self._inside and io is not None and isinstance(io.writer, asyncio.StreamWriter):
            self._leaving = asyncio.ensure_future(self._leave_after(io.writer))
        else:
            self._leave()

    async def _leave_after(self, upstream: asyncio.StreamWriter) -> None:
        """The next request must not reach the service before it can know that this one's client is gone."""
        with contextlib.suppress(OSError):  # a timeout too: a service that reads nothing cannot be told
            await asyncio.wait_for(upstream.wait_closed(), gates.LONGEST)
        self._leave()

    def _follow(self, side: Side, data: bytes) -> None:
        if self._tap is None:
            return
        try:
            for _ in self._tap.feed(side, data, 0.0):
                pass
        except DecodeError:
            self._tap = None
            self._leave()

    def _leave(self) -> None:
        if self._inside or self._timer is not None:
            self._inside = False
            self._stop_waiting()
            self._gate.leave(self._pass)

    def _hold(self, data: bytes) -> None:
        self._held.append(data)
        if sum(map(len, self._held)) > _HELD_LIMIT:
            self._reading(on=False)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._reading(on=True)

    def _reading(self, *, on: bool) -> None:
        """A large upload that waits must not fill the memory."""
        handler = self.handlers(self.client)
        io = handler.transports.get(self.client) if handler else None
        transport = getattr(io.writer, "transport", None) if io else None
        if transport is not None and not transport.is_closing():
            transport.resume_reading() if on else transport.pause_reading()

    def _too_long(self) -> None:
        if self._gate.force(self._pass):
            self.wire.note(Kind.MARK, b"not serialized: it waited too long")
            self.wire.tape.say(
                self.wire.listener,
                "waited",
                f"a request waited {gates.LONGEST:g} s for the one before it and was let through (that one is slow, or the "
                "service calls itself); calls that both could have made are marked ambiguous",
            )
            self._wake()

    def _wake(self) -> None:
        """Have our own connection's events continue with `TurnCame`."""
        handler = self.handlers(self.client)
        if handler is None:
            self._gate.leave(self._pass)
        else:
            self._waking = asyncio.ensure_future(handler.server_event(TurnCame()))

    def _release(self) -> Commands:
        if self.done:
            self._gate.leave(self._pass)
            return ()
        self._stop_waiting()
        self._inside = True
        held, self._held = self._held, []
        sent: list[commands.Command] = []
        for data in held:
            self._follow(Side.CLIENT, data)
            sent += super().from_client(data)
        if self._client_left:
            sent += super().closed(self.client)
        return sent
