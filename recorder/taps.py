"""A capture read through the taps: the exchanges of the service, the interactions with its targets, and what could not be read.

One pass in the order of time, with the taps of the connections open at that time: memory is what live taps would need. A tap
that raises costs its own connection only; what was lost there is kept as times, so that the cases it touches can say so.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from recorder.attribute import Outbound
from recorder.capture import HOST, SERVER_CLOSED, SERVER_RESET, TLS, Kind, Opening, Record
from wiretape.errors import DecodeError
from wiretape.protocols import RAW, codec, recognised
from wiretape.protocols.base import Codec, Interaction, Side, Tap
from wiretape.protocols.http import Exchange, HttpTap
from wiretape.schemes import AUTO
from wiretape.tree import Tree

_ENOUGH = 64 * 1024  # bytes after which a protocol not recognised is none of ours


@dataclass(slots=True, kw_only=True)
class Loss:
    """Traffic that could not be read. `times`: when the client spoke after that. Where even that is unknown (`blind`), anything
    may have happened up to the connection's end, `until`."""

    target: str
    reason: str
    since: float
    until: float
    blind: bool = False
    times: array[float] = field(default_factory=lambda: array("d"))

    def touches(self, started: float, ended: float) -> bool:
        """Whether something may have been lost in this span of time."""
        if self.blind:
            return self.since <= ended and started <= self.until
        return any(started <= time <= ended for time in self.times)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """An exchange of the service. `identity` names it within its capture, the same whenever it is read. `trace` is the trace-id
    that the recorder added to the request, if it did."""

    exchange: Exchange
    started: float
    serialized: bool
    identity: str
    trace: str = ""


@dataclass(slots=True, kw_only=True)
class Seen:
    """Everything a capture says.

    `spoken`: target -> protocol -> connections, of the targets whose protocol had to be found. `raw`: those kept as bytes.
    `found`: targets that no configuration names. `hosts`: what clients call them (SNI). `traced`: requests were given
    trace ids.
    """

    inbound: list[Inbound] = field(default_factory=list)
    outbound: list[Outbound] = field(default_factory=list)
    facts: dict[str, Mapping[str, Tree]] = field(default_factory=dict)
    codecs: dict[str, Codec] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)
    spoken: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    raw: set[str] = field(default_factory=set)
    found: dict[str, Opening] = field(default_factory=dict)
    hosts: dict[str, str] = field(default_factory=dict)
    traced: bool = False


def watch(records: Iterable[Record], max_body: int, seen: Seen | None = None) -> Seen:
    """Feed every record to the tap of its connection. Give `seen` to keep what was read even where `records` raises."""
    seen = seen or Seen()
    open_: dict[int, _Watched] = {}
    last = 0.0
    try:
        for record in records:
            last = max(last, record.at)
            if record.kind == Kind.OPEN:
                opening = Opening.decode(record.data)
                if opening.via:
                    seen.found[opening.target] = opening
                open_[record.connection] = _watched(opening, record.connection, max_body, seen)
            elif watched := open_.get(record.connection):
                watched.take(record)
                if record.kind == Kind.CLOSE:
                    del open_[record.connection]
    finally:
        for watched in open_.values():
            watched.end(last)
        for target, spoken in seen.spoken.items():
            _agree(target, spoken, seen)
        for target, opening in seen.found.items():
            place: dict[str, Tree] = {"via": opening.via, "address": opening.upstream}
            seen.facts[target] = {"protocol": opening.protocol, **place, **seen.facts.get(target, {})}
    return seen


def _agree(target: str, spoken: Mapping[str, Sequence[int]], seen: Seen) -> None:
    """A target has one protocol: what is not raw, and of that what most of its connections spoke."""
    chosen = max(spoken, key=lambda name: (name != RAW, len(spoken[name])))
    seen.codecs[target] = codec(chosen)
    if chosen != RAW:
        seen.raw.discard(target)
    seen.facts[target] = {"protocol": chosen, **seen.facts.get(target, {})}
    others = {number: name for name, numbers in spoken.items() if name != chosen for number in numbers}
    strays = [one for one in seen.outbound if one.target == target and one.connection in others]
    seen.outbound[:] = [one for one in seen.outbound if one.target != target or one.connection not in others]
    for one in strays:
        at = one.interaction.started
        reason = f"a connection spoke {others[one.connection]}, the others {chosen}; give each a target of its own"
        loss = Loss(target=target, reason=reason, since=at, until=one.interaction.ended)
        loss.times.append(at)
        seen.losses.append(loss)


class _Watched:
    """One connection with its tap, if it still has one."""

    def __init__(self, opening: Opening, number: int, seen: Seen) -> None:
        self.opening = opening
        self.number = number
        self.seen = seen
        self.loss: Loss | None = None

    def take(self, record: Record) -> None:
        match record.kind:
            case Kind.CLIENT | Kind.SERVER:
                self._data(record)
            case Kind.CLOSE:
                self.end(record.at)
            case Kind.GAP | Kind.UNREADABLE:
                self._end_tap(record.at)
                self._lose(record.data.decode(), record.at, blind=True)
            case Kind.MARK:
                self.mark(record.data)
            case Kind.TRACE:
                self.trace(record.data)

    def _data(self, record: Record) -> None:
        if self.loss is None:
            try:
                self.feed(Side.CLIENT if record.kind == Kind.CLIENT else Side.SERVER, record.data, record.at)
            except DecodeError as error:
                self._lose(f"cannot read what the {Kind(record.kind).name.lower()} sent: {error}", record.at)
            except Exception as error:  # noqa: BLE001 - a tap's bug costs one connection, and is said; never the other cases
                self._lose(f"internal error reading it: {type(error).__name__}: {error}", record.at)
        if self.loss is not None and (record.kind == Kind.CLIENT or not self.loss.times):
            self.loss.times.append(record.at)

    def end(self, at: float) -> None:
        if self.loss is not None:
            self.loss.until = at
        self._end_tap(at)

    def _end_tap(self, at: float) -> None:
        if self.loss is None:
            try:
                self.close(at)
            except Exception as error:  # noqa: BLE001 - as above
                self._lose(f"internal error at its end: {type(error).__name__}: {error}", at)

    def _lose(self, reason: str, at: float, *, blind: bool = False) -> None:
        if self.loss is None:
            self.loss = Loss(target=self.opening.target, reason=reason, since=at, until=at, blind=blind)
            self.seen.losses.append(self.loss)

    def mark(self, said: bytes) -> None: ...

    def trace(self, said: bytes) -> None: ...

    def feed(self, side: Side, data: bytes, at: float) -> None: ...

    def close(self, at: float) -> None: ...


class _Service(_Watched):
    def __init__(self, opening: Opening, number: int, seen: Seen, max_body: int) -> None:
        super().__init__(opening, number, seen)
        self._tap = HttpTap(max_body)
        self._count = 0
        self._free = 0.0
        self._traces: dict[int, str] = {}

    def trace(self, said: bytes) -> None:
        number, _, trace = said.decode().partition(" ")
        self._traces[int(number)] = trace
        self.seen.traced = True

    def feed(self, side: Side, data: bytes, at: float) -> None:
        self._keep(self._tap.feed(side, data, at))

    def close(self, at: float) -> None:
        self._keep(self._tap.close(at))

    def _keep(self, exchanges: Iterable[Exchange]) -> None:
        for exchange in exchanges:
            self._count += 1
            # A pipelined request waits for the answer to the one before it, so its own time begins there.
            started = max(exchange.started, self._free)
            self._free = exchange.ended
            self.seen.inbound.append(
                Inbound(
                    exchange=exchange,
                    started=started,
                    serialized=self.opening.serialized,
                    identity=f"{self.number}/{self._count}/{exchange.started!r}",
                    trace=self._traces.pop(self._count, ""),
                )
            )


@runtime_checkable
class _HearsEnds(Protocol):
    """A tap to which it matters how the server ended the connection."""

    def server_ended(self, *, reset: bool) -> None: ...


class _Target(_Watched):
    def __init__(self, opening: Opening, number: int, seen: Seen, how: Codec) -> None:
        super().__init__(opening, number, seen)
        self._codec = seen.codecs[opening.target] = how
        self._tap: Tap = how.tap()
        if how.name == RAW:
            seen.raw.add(opening.target)

    def feed(self, side: Side, data: bytes, at: float) -> None:
        for one in self._tap.feed(side, data, at):
            self.seen.outbound.append(self._outbound(one))

    def close(self, at: float) -> None:
        for one in self._tap.close(at):
            self.seen.outbound.append(self._outbound(one))

    def _outbound(self, one: Interaction) -> Outbound:
        return Outbound(target=self.opening.target, connection=self.number, interaction=one)

    def end(self, at: float) -> None:
        super().end(at)
        self._learn(self._tap.facts)

    def mark(self, said: bytes) -> None:
        if said == TLS:
            self._learn({"tls": True})
        elif said.startswith(HOST):
            self.seen.hosts[self.opening.target] = said.removeprefix(HOST).decode()
        elif said in (SERVER_CLOSED, SERVER_RESET) and isinstance(self._tap, _HearsEnds):
            self._tap.server_ended(reset=said == SERVER_RESET)

    def _learn(self, facts: Mapping[str, Tree]) -> None:
        known = self.seen.facts.get(self.opening.target, {})
        self.seen.facts[self.opening.target] = self._codec.merge_facts(known, facts)


class _Auto(_Watched):
    """A target whose protocol shows in the first bytes of its connections."""

    def __init__(self, opening: Opening, number: int, seen: Seen) -> None:
        super().__init__(opening, number, seen)
        self._first: list[Record] = []
        self._size = 0
        self._found: _Target | None = None

    def take(self, record: Record) -> None:
        if self._found is not None:
            self._found.take(record)
            return
        if record.kind == Kind.CLOSE:
            self.end(record.at)
            return
        self._first.append(record)
        self._size += len(record.data) if record.kind != Kind.MARK else 0
        if record.kind in (Kind.CLIENT, Kind.SERVER):
            self._settle(recognised(self._said(Kind.CLIENT), self._said(Kind.SERVER)) or (RAW if self._size > _ENOUGH else ""))

    def end(self, at: float) -> None:
        if self._found is None and self._size:
            self._settle(RAW)
        if self._found is not None:
            self._found.end(at)

    def _said(self, kind: Kind) -> bytes:
        return b"".join(record.data for record in self._first if record.kind == kind)

    def _settle(self, name: str) -> None:
        if not name:
            return
        self._found = _Target(self.opening, self.number, self.seen, codec(name))
        self.seen.spoken.setdefault(self.opening.target, {}).setdefault(name, []).append(self.number)
        first, self._first = self._first, []
        for record in first:
            self._found.take(record)


class _Unknown(_Watched):
    """A protocol this wiretape cannot read."""

    def feed(self, side: Side, data: bytes, at: float) -> None:  # noqa: ARG002 - nothing of it can be read
        raise DecodeError(f"there is no codec {self.opening.protocol}", 0)


def _watched(opening: Opening, number: int, max_body: int, seen: Seen) -> _Watched:
    if not opening.target:
        return _Service(opening, number, seen, max_body)
    if opening.protocol == AUTO:
        return _Auto(opening, number, seen)
    try:
        return _Target(opening, number, seen, codec(opening.protocol))
    except (KeyError, ImportError):
        return _Unknown(opening, number, seen)
