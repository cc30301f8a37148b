"""What a case is: one inbound interaction and the calls it caused, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from wiretape.protobuf.schema import MessageType
from wiretape.tree import Path as Place
from wiretape.tree import Selector, Tree

type Strictness = Literal["strict", "writes", "off"]
type Headers = tuple[tuple[str, str], ...]
type BodyKind = Literal["empty", "json", "form", "text", "binary", "multipart", "events", "lines", "grpc"]
type Direction = Literal["send", "receive"]
type MessageKind = Literal["text", "json", "binary", "close"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A message body in the form a person reads.

    `value` is the JSON tree, the form's list of `[name, value]` pairs, the text, the bytes, or a list: the parts of a multipart
    body, the events of an event stream, the trees of JSON lines, the messages of a gRPC call. `style` says how `value` becomes
    the very bytes of the wire again (`wiretape.body`); empty means the default style of its kind. `raw` holds those bytes where
    no style gives them back (a compressor of another make); they are sent for as long as they still mean `value`. `types` is
    the type of gRPC messages where the configuration knows it.
    """

    kind: BodyKind = "empty"
    value: Tree = None
    style: str = ""
    raw: bytes = b""
    types: MessageType | None = field(default=None, compare=False, repr=False)


EMPTY = Body()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`target` is the request target as on the wire (path and query). Headers keep order, case and repetition. `version` is
    `2` where the request came by HTTP/2, else empty."""

    method: str
    target: str
    headers: Headers = ()
    body: Body = EMPTY
    trailers: Headers = ()
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """`reason` is empty where it is the status code's usual phrase. `unfinished`: a stream of events that the client left, so
    that more of it is no difference."""

    status: int
    headers: Headers = ()
    body: Body = EMPTY
    reason: str = ""
    trailers: Headers = ()
    unfinished: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a WebSocket: sent to the service, or received from it.

    `value` is the text, the JSON tree of a text that is an object or array, the bytes, or of a close the mapping of its `code`
    and `reason`. `style` says how a JSON text is written (`wiretape.jsontext`).
    """

    direction: Direction
    kind: MessageKind
    value: Tree
    style: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An outbound interaction: the mock that will be served and the expectation of what the service asks, at once.

    `operation` is the call's headline (`INSERT INTO …`, `GET /charges`); `fields` is everything else in its codec's words
    (`params`, `columns`, `rows`, `error`, …). `attributed` says how the call came to its case where that is not just the case's
    own `attributed`, with the evidence: `values (request path 4711)`. `ambiguous` names the cases that could have made it,
    where more than one could. `line` is the line in the case's file, 0 when not read from one.
    """

    target: str
    operation: str
    fields: Mapping[str, Tree] = field(default_factory=dict)
    attributed: str = ""
    ambiguous: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """A place that may differ, and how: `kind` names a normalizer, so the live value must still be of that kind."""

    selector: Selector
    kind: str
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What an earlier case was answered at a place (`wiretape.links`). `text` is how it is written, `place` what follows
    `response`. `raw`: it is not percent-encoded in a path."""

    text: str
    case: str
    place: Place
    raw: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """A text of a request that links stand in: its place (`target`, `headers` and a number, `body` and steps), and what it is
    made of, in order."""

    place: Place
    pieces: tuple[str | Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One YAML file. `recorded` is the time of the request as RFC 3339 in UTC, `first_recorded` the time before it was recorded
    again: its place among the cases. `attributed` is the least certain way in which one of its calls was found (`serialize`,
    `trace`, `in-flight`, `transaction`, `values`, `signature`, `ambiguous`); `incomplete` is why the recording of it is not
    whole, else empty. `messages` are those of the WebSocket that the exchange became. `links` are those of the request, in
    which recorded values stand for them."""

    name: str
    request: Request
    response: Response
    messages: tuple[Message, ...] = ()
    calls: tuple[Call, ...] = ()
    noise: tuple[Noise, ...] = ()
    links: tuple[Linked, ...] = ()
    recorded: str = ""
    first_recorded: str = ""
    attributed: str = ""
    incomplete: str = ""
    path: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A folder of cases with one `suite.yaml` (facts of each target, which `calls` are compared, suite-wide noise) and
    `session.yaml` (calls no case caused). `traced`: requests were recorded with trace ids added to them."""

    root: Path
    cases: tuple[Case, ...] = ()
    session: tuple[Call, ...] = ()
    facts: Mapping[str, Mapping[str, Tree]] = field(default_factory=dict)
    calls: Strictness = "strict"
    noise: tuple[Noise, ...] = ()
    traced: bool = False
