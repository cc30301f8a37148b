"""The way into a connection whose protocol nobody named.

Most protocols can be told from the capture afterwards (`recorder.taps`). Only those that negotiate TLS themselves must be known
now, by their first bytes, because they have an entry of their own. Nothing is held back for that: a server that speaks first is
heard at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mitmproxy.proxy import commands, context, events, layer

from recorder.entry import Entry
from recorder.layer import Handlers, Relay
from recorder.tls import CLIENT_HELLO
from recorder.wire import Wire
from wiretape.protocols import codec

type Entries = Mapping[str, Callable[[context.Context, Wire, Handlers], layer.Layer]]

_ENOUGH = 16  # bytes of a client by which any protocol with an entry of its own is known


class AutoEntry(Entry):
    """Steps aside for the entry in `entries` (codec name -> layer) whose protocol is recognised, else goes on as `Entry`."""

    def __init__(self, ctx: context.Context, wire: Wire, handlers: Handlers, entries: Entries) -> None:
        super().__init__(ctx, wire, handlers, Relay)
        self._entries = entries

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        greeting = self._next is None and isinstance(event, events.DataReceived) and event.connection is self.context.server
        name = self._recognised(b"", event.data) if greeting else None  # type: ignore[attr-defined]  # greetings are data
        if name:
            yield from self._step_aside(name, event)
            return
        yield from super()._handle_event(event)

    def _decide(self) -> layer.CommandGenerator[None]:
        name = self._recognised(bytes(self._sent), b"") if not self._sent.startswith(CLIENT_HELLO) else None
        if name:
            data = bytes(self._sent)
            self._sent.clear()
            yield from self._step_aside(name, events.DataReceived(self.context.client, data))
        elif name is None:
            yield from super()._decide()

    def _recognised(self, client: bytes, server: bytes) -> str | None:
        """The protocol; None if it is none of ours, empty if more of the client's bytes must come to tell."""
        answers = {name: codec(name).recognises(client, server) for name in self._entries}
        if True in answers.values():
            return next(name for name, answer in answers.items() if answer)
        return "" if None in answers.values() and client and len(client) < _ENOUGH else None

    def _step_aside(self, name: str, event: events.Event) -> layer.CommandGenerator[None]:
        self.wire.tape.say(self.wire.listener, f"protocol {name}", f"speaks {name}")
        self._next = Opened(self.context, self._entries[name](self.context, self.wire, self.handlers))
        yield from self._next.handle_event(events.Start())
        yield from self._next.handle_event(event)


class Opened(layer.Layer):
    """Around an entry that would open the upstream, which is open already."""

    def __init__(self, ctx: context.Context, entry: layer.Layer) -> None:
        super().__init__(ctx)
        self._entry = entry

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        for command in self._entry.handle_event(event):
            if isinstance(command, commands.OpenConnection) and command.connection.connected:
                yield from self._handle_event(events.OpenConnectionCompleted(command, None))
            else:
                yield command
