"""What a listener is while recording, and the handle through which one connection's bytes reach the capture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from recorder.capture import CaptureWriter, Clock, Kind, Opening
from recorder.gate import Gate
from wiretape.config import Address, TlsPolicy

# The protocols of listeners that stand for other targets: what clients ask for, what the kernel redirects to us.
FORWARD, LOCAL = "forward proxy", "local capture"


@dataclass(slots=True, kw_only=True)
class Listener:
    """One listener and its upstream, with what was learned and counted so far.

    `target` is empty for the service itself. `turns` counts requests roughly: how often the client spoke after the server had.
    `gate` lets requests through one at a time. `trace`: requests are given ids to pass on. `upstream_tls`: the upstream speaks
    TLS from the first byte on; None: if the client does. `verify`: its certificate must be one that the system, or `ca`,
    vouches for. `offers_tls`: it was seen to take TLS. `via`: how it was found where it is not configured (`proxy`, `local`).
    `tls_only` holds the (user, database) pairs the upstream lets in only over TLS.
    """

    target: str
    protocol: str
    listen: Address
    upstream: Address
    tls: TlsPolicy = "auto"
    certificate: Path | None = None
    upstream_tls: bool | None = None
    verify: bool = False
    ca: Path | None = None
    gate: Gate | None = None
    trace: bool = False
    via: str = ""
    offers_tls: bool = False
    connections: int = 0
    turns: int = 0
    tls_only: set[tuple[str, str]] = field(default_factory=set)
    said: set[str] = field(default_factory=set)

    @property
    def title(self) -> str:
        """How messages name it."""
        if self.protocol in (FORWARD, LOCAL):
            return f"the {self.protocol}"
        return f"target {self.target}" if self.target else "the service"


class Tape:
    """What every connection shares: the capture, the clock, and the terminal's ear."""

    __slots__ = ("_complaints", "_last", "_speak", "clock", "writer")

    def __init__(self, writer: CaptureWriter, speak: Callable[[str], None]) -> None:
        self.writer = writer
        self.clock = Clock()
        self._speak = speak
        self._last = 0
        self._complaints: set[str] = set()

    def open(self, listener: Listener) -> Wire:
        """A handle for a new connection on `listener`."""
        self._last += 1
        listener.connections += 1
        wire = Wire(self, listener, self._last)
        opening = Opening(
            target=listener.target,
            protocol=listener.protocol,
            serialized=listener.gate is not None,
            via=listener.via,
            upstream=str(listener.upstream),
        )
        wire.note(Kind.OPEN, opening.encode())
        return wire

    def say(self, listener: Listener, topic: str, message: str) -> None:
        """Tell the person at the terminal, once per listener and topic."""
        if topic not in listener.said:
            listener.said.add(topic)
            self._speak(f"{listener.title}: {message}")

    def complain(self, message: str) -> None:
        """Tell what concerns no listener in particular, once."""
        if message not in self._complaints:
            self._complaints.add(message)
            self._speak(message)


class Wire:
    """One connection's way into the capture. After a gap, or once unreadable, nothing more of it is recorded."""

    __slots__ = ("_client_spoke", "_clock", "_number", "_record", "listener", "on", "tape")

    def __init__(self, tape: Tape, listener: Listener, number: int) -> None:
        self.tape = tape
        self.listener = listener
        self.on = True
        self._number = number
        self._clock = tape.clock
        self._record = tape.writer.record
        self._client_spoke = False

    def client(self, data: bytes) -> None:
        """The client sent `data`."""
        if not self._client_spoke:
            self._turn()
        if self.on and not self._record(self._number, Kind.CLIENT, self._clock(), data):
            self._overflow()

    def _turn(self) -> None:
        """The client speaks first, or after the server."""
        self._client_spoke = True
        self.listener.turns += 1

    def server(self, data: bytes) -> None:
        """The server sent `data`."""
        self._client_spoke = False
        if self.on and not self._record(self._number, Kind.SERVER, self._clock(), data):
            self._overflow()

    def note(self, kind: Kind, data: bytes = b"") -> None:
        """Record something other than traffic."""
        self.tape.writer.note(self._number, kind, self._clock(), data)

    def unreadable(self, reason: str, message: str) -> None:
        """These bytes mean nothing to us: record no more of them, and say so."""
        if self.on:
            self.on = False
            self.note(Kind.UNREADABLE, reason.encode())
            self.tape.say(self.listener, reason, message)

    def close(self) -> None:
        """The connection has ended."""
        self.note(Kind.CLOSE)

    def _overflow(self) -> None:
        self.on = False
        reason = "the capture could not keep up"
        self.note(Kind.GAP, reason.encode())
        self.tape.say(
            self.listener, reason, f"{reason}; part of the traffic is lost and the cases it belongs to are marked incomplete"
        )
