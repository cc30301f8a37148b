"""The codec contract: what a wire protocol must provide to be recorded, stored, matched and mocked.

Everything here is sans-IO: bytes and values in, bytes and values out. A clock reading is an argument (`at`, seconds since the
epoch); nothing waits, dials or draws random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal, Protocol

from wiretape.case import Call
from wiretape.tree import Tree

# What an ask is to the service: `query` is the service's own; `begin`, `end` and `control` (savepoints) are transaction
# control,
# compared like any call but answered from the responder's state where no recording does; `housekeeping` is the driver's or
# the pool's own (SET, SHOW, ping, DEALLOCATE …), answered the same way, never compared and never part of a case.
# A `push` is no ask at all: the server sent it unasked (a published message, a notification).
type Role = Literal["query", "begin", "end", "control", "housekeeping", "push"]


class Side(Enum):
    """Which end of a connection sent some bytes."""

    CLIENT = "client"
    SERVER = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One request with its response, as a tap read it off the wire.

    `operation` and `fields` are the codec's words and go into a `Call` unchanged. `transaction` numbers the transaction on this
    connection the interaction ran in (None outside of one; what is sent before one Sync is one, too): its members belong to one
    case. `incomplete` says why the reading is not whole, else empty. `traces` are the ids it carries of the request it is made
    for (`wiretape.tracing`); they go into no call.
    """

    operation: str
    fields: Mapping[str, Tree]
    started: float
    ended: float
    transaction: int | None = None
    role: Role = "query"
    incomplete: str = ""
    traces: tuple[str, ...] = ()


class Tap(Protocol):
    """Watches both sides of one connection.

    Any split of the bytes into `feed` calls gives the same interactions. Raises DecodeError on bytes that are not the protocol;
    after that the tap is not fed again. Memory is bounded: a frame over the codec's maximum is a DecodeError before it is read.
    """

    def feed(self, side: Side, data: bytes, at: float) -> Iterator[Interaction]: ...

    def close(self, at: float) -> Iterator[Interaction]:
        """The connection ended; what was under way comes out marked incomplete."""
        ...

    @property
    def facts(self) -> Mapping[str, Tree]:
        """What a mock must know to greet a client as this server did: version, parameters, TLS offered, custom types."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a client asks, in the form in which calls are matched.

    Two asks of the same `shape` ask the same thing with other `values` (in order of appearance, as text where the protocol's
    client may choose the encoding). `labels` says what to call each value where the shape does not show it. `writes`: it
    changes state on the server, so it is never answered twice from one recording, unless it `settles`: asking it again changes
    nothing more (a member that is in the set already). `blocks`: the client lets the server wait so
    many seconds for something to answer (BLPOP; infinity: for ever); None: it expects its answer at once. `trace` is the id of
    the request on whose behalf it is asked, where the client says that (`wiretape.tracing`), else empty; never compared.
    """

    target: str
    operation: str
    shape: str
    values: tuple[Tree, ...] = ()
    labels: tuple[str, ...] = ()
    writes: bool = False
    settles: bool = False
    role: Role = "query"
    blocks: float | None = None
    trace: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What an ask is about, as findings say it.

    `verb` is what it does (`UPDATE`, `find`, `SETEX`, `POST`), `touches` what it does that to (tables, collections, prefixes of
    keys, paths of a host), of the kind `noun`. `places` are selectors within a call that say where each of the ask's values
    stands (`params[1]`); empty for one that stands in the operation itself.
    """

    verb: str = ""
    touches: tuple[str, ...] = ()
    noun: str = ""
    places: tuple[str, ...] = ()


def about_nothing(ask: Ask) -> About:
    """Of a protocol whose asks are not understood."""
    return About(places=("",) * len(ask.values))


_MISS_CODE: Final = "WT001"


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """No recorded call answers `ask`. `nearest` is the recorded call most like it, `where` its place (`get-lamp.yaml:12
    calls[0]`), `used` whether it has answered already. `differences` is one line for each value or word in which the two
    differ. `advice` says what to do."""

    ask: Ask
    nearest: Call | None = None
    where: str = ""
    used: str = ""
    differences: tuple[str, ...] = ()
    advice: str = ""

    def explain(self) -> str:
        """One line for the service's log: what matters first, as drivers cut long messages (MySQL's C library at 511 bytes)."""
        asked = f"wiretape: no recorded call on {self.ask.target} answers: {_short(self.ask.operation, 110)} ({_MISS_CODE})"
        parts = [asked]
        if self.where:
            parts.append(f"nearest: {self.where}")
        if self.differences:
            more = f" (and {len(self.differences) - 1} more)" if len(self.differences) > 1 else ""
            parts.append(_short(self.differences[0], 110) + more)
        elif self.ask.values:
            parts.append("values " + _short(", ".join(map(repr, self.ask.values)), 110))
        parts += [part for part in (self.used, _short(self.advice, 150)) if part]
        return "; ".join(parts)


def _short(text: str, most: int) -> str:
    """On one line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


class Waiting:
    """The answer to an ask will come later, through `Responder.resume`: from the real server (`--on-miss passthrough`), or,
    for an ask that blocks, once its turn has come."""


class Answers(Protocol):
    """The book as a responder sees it."""

    @property
    def memory(self) -> dict[str, object]:
        """What a run's connections remember together, by names of the codec's: a cursor may go on at another connection."""
        ...

    def peek(self, ask: Ask) -> Call | None:
        """A recorded call of the ask's shape, whatever its values: what its result looks like. Consumes nothing."""
        ...

    def take(self, ask: Ask) -> Call | Miss | Waiting:
        """The recorded call that answers the ask, consumed. A miss is reported by the book, unless the ask's role is other
        than `query`: then the responder answers it itself."""
        ...


class Responder(Protocol):
    """Plays the server on one connection, answering from `Answers`."""

    def greet(self) -> bytes:
        """What the server says before the client speaks; empty in most protocols. Called once, first."""
        ...

    def receive(self, data: bytes) -> bytes:
        """Bytes to send back. Never raises on bytes from a client: garbage gets the protocol's error and `closed`."""
        ...

    def resume(self, answer: Call | Miss) -> bytes:
        """Go on after `Answers.take` returned Waiting."""
        ...

    @property
    def waiting(self) -> Ask | None:
        """The ask whose answer is to come through `resume`."""
        ...

    def push(self, call: Call) -> bytes | None:
        """Bytes that deliver a call of role `push` to this client; None where the client has not asked for such messages."""
        ...

    @property
    def pause(self) -> float | None:
        """Seconds to wait before `tick` has something to say (the time limit of an ask that blocks); None: nothing to wait for.
        Looked at after every `receive`, `resume`, `push` and `tick`; a new value replaces the wait under way."""
        ...

    def tick(self) -> bytes:
        """The `pause` is over: bytes to send. May clear `waiting`."""
        ...

    @property
    def closed(self) -> bool:
        """The server side has hung up: flush and close."""
        ...

    @property
    def upgrade(self) -> bool:
        """True right after a reply that begins TLS: the transport must do the handshake before the next `receive`, then call
        `upgraded()`."""
        ...

    def upgraded(self) -> bytes:
        """TLS begins now. The bytes that came after the request for it and were not read: they belong to the handshake."""
        ...


class Upstream(Protocol):
    """A client of the real server, for `--on-miss passthrough`: one ask at a time, over one connection."""

    def greet(self) -> bytes:
        """The first bytes to send."""
        ...

    def ask(self, ask: Ask) -> bytes:
        """Bytes that put the ask to the server. Only when `ready`."""
        ...

    def receive(self, data: bytes) -> tuple[bytes, Call | None]:
        """Bytes to send back (authentication), and the answer once it is whole."""
        ...

    @property
    def ready(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something in a call that its codec cannot serve. `path` is a selector within the call (`rows[0][2]`)."""

    path: str
    reason: str


class Check(Protocol):
    """Finds everything in a call that could not be served. Without the target's facts, what only they tell is not judged."""

    def __call__(self, call: Call, facts: Mapping[str, Tree] | None = None, /) -> list[Problem]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """One wire protocol. `tap()` and `responder(facts, answers, target)` are made per connection.

    `recognises(first bytes of the client, of the server)` tells whether a connection speaks this protocol; None: too early to
    tell. `upstream` is None where there is no `--on-miss passthrough`. `about` reads an ask for a finding about it.
    """

    name: str
    default_port: int
    tap: Callable[[], Tap]
    responder: Callable[[Mapping[str, Tree], Answers, str], Responder]
    ask: Callable[[Call], Ask]
    check: Check
    merge_facts: Callable[[Mapping[str, Tree], Mapping[str, Tree]], Mapping[str, Tree]]
    recognises: Callable[[bytes, bytes], bool | None]
    upstream: Callable[[Mapping[str, str]], Upstream] | None = None
    schema: Mapping[str, Tree] = field(default_factory=dict)
    about: Callable[[Ask], About] = about_nothing
