"""A call's response and WebSocket messages as a person reads and edits them <-> what goes over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from wiretape import body as bodies
from wiretape import jsontext
from wiretape.body import websocket
from wiretape.case import EMPTY, Body, BodyKind, Direction, Headers, Response
from wiretape.case import Message as Told
from wiretape.case import MessageKind as Kind
from wiretape.casedump import pairs
from wiretape.errors import EncodeError
from wiretape.protocols.base import Side
from wiretape.protocols.http.exchange import Exchange, Message, MessageKind
from wiretape.protocols.http.messages import stored_response
from wiretape.tree import Tree

NO_ANSWER = 0  # the status where the server hung up without an answer
RESPONSE_KEYS = ("status", "reason", "headers", "trailers", "unfinished")
_BODY = "body"
_STYLE, _RAW = "body_style", "body_raw"
_MESSAGES = ("send", "receive", "send_close", "receive_close")
# The connection's own, and what a mock cannot say truthfully: it has no clock, and no other address to offer.
_UNSAID = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-connection",
        "upgrade",
        "date",
        "alt-svc",
        "sec-websocket-accept",
        "sec-websocket-extensions",
        "grpc-accept-encoding",
    )
)


def header_pairs(tree: Tree, path: str) -> Headers:
    """Headers out of a mapping (a list of values repeats the name) or a list of [name, value]. Raises EncodeError."""
    found: list[tuple[str, str]] = []
    if isinstance(tree, list):
        for index, pair in enumerate(tree):
            if not isinstance(pair, list) or len(pair) != 2:
                raise EncodeError(f"{path}[{index}]", "an entry of this list must be [name, value]")
            found.append((str(pair[0]), _header_value(pair[1], f"{path}[{index}]")))
    elif isinstance(tree, Mapping):
        for name, given in tree.items():
            values = given if isinstance(given, list) else [given]
            found += ((name, _header_value(value, f"{path}.{name}")) for value in values)
    elif tree is not None:
        raise EncodeError(path, "headers are a mapping of names and values")
    return tuple(found)


def _header_value(value: Tree, path: str) -> str:
    text = "true" if value is True else "false" if value is False else str(value)
    if value is None or isinstance(value, bytes | list | dict) or any(char in text for char in "\r\n\0"):
        raise EncodeError(path, "a header's value is one line of text")
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        raise EncodeError(path, "a header's value holds characters of Latin-1 only") from None
    return text


def response_fields(exchange: Exchange) -> dict[str, Tree]:
    """The response of an exchange as a call holds it."""
    kept = stored_response(
        exchange.status, exchange.reason, exchange.response_headers, exchange.response_body, exchange.response_trailers
    )
    headers = tuple(pair for pair in kept.headers if not _is_unsaid(*pair))
    fields: dict[str, Tree] = {"status": kept.status}
    if kept.reason:
        fields["reason"] = kept.reason
    if headers:
        fields["headers"] = pairs(headers)
    fields |= _body_fields(kept.body, headers)
    if kept.trailers:
        fields["trailers"] = pairs(kept.trailers)
    if exchange.unfinished:
        fields["unfinished"] = True
    return fields


def _is_unsaid(name: str, value: str) -> bool:
    return name.lower() in _UNSAID or (name.lower(), value) == ("content-length", "auto")


def _body_fields(body: Body, headers: Headers) -> dict[str, Tree]:
    if body.kind == "empty":
        return {}
    value = _form(body.value) if body.kind == "form" else body.value
    name = _BODY if bodies.inferred_kind(headers, value) == body.kind else f"{_BODY}_{body.kind}"
    fields: dict[str, Tree] = {name: value}
    if body.style:
        fields[_STYLE] = body.style
    if body.raw:
        fields[_RAW] = body.raw
    return fields


def _form(value: Tree) -> Tree:
    if isinstance(value, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        return pairs(tuple((str(pair[0]), str(pair[1])) for pair in value if isinstance(pair, list)))
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A recorded response, ready to be sent. `body` is without transfer coding."""

    response: Response
    body: bytes
    unfinished: bool


def stored(tree: Tree) -> Stored:
    """The response a call holds. Raises EncodeError, its path beginning with `response`."""
    if not isinstance(tree, Mapping):
        raise EncodeError("response", "expected a mapping with status, headers, body")
    status, reason = tree.get("status"), tree.get("reason", "")
    if type(status) is not int or not (status == NO_ANSWER or 100 <= status <= 999):
        raise EncodeError("response.status", "a response needs a status, a number such as 200 (0: the server hangs up)")
    if not isinstance(reason, str) or any(char in reason for char in "\r\n\0"):
        raise EncodeError("response.reason", "a reason is one line of text")
    headers = header_pairs(tree.get("headers"), "response.headers")
    body = _stored_body(tree, headers)
    unfinished = tree.get("unfinished", False)
    if not isinstance(unfinished, bool):
        raise EncodeError("response.unfinished", "expected true or false")
    try:
        data = bodies.write(body, headers)
    except EncodeError as error:
        raise EncodeError(f"response.{error.path}", error.reason) from None
    trailers = header_pairs(tree.get("trailers"), "response.trailers")
    return Stored(
        response=Response(status=status, reason=reason, headers=headers, body=body, trailers=trailers),
        body=data,
        unfinished=unfinished,
    )


def _stored_body(tree: Mapping[str, Tree], headers: Headers) -> Body:
    names = [name for name in tree if name == _BODY or (name.startswith(f"{_BODY}_") and name not in (_STYLE, _RAW))]
    unknown = [name for name in tree if name not in (*RESPONSE_KEYS, *names, _STYLE, _RAW)]
    if unknown:
        raise EncodeError(f"response.{unknown[0]}", f"a response has no such field (it has: {', '.join(RESPONSE_KEYS)}, body)")
    if len(names) > 1:
        raise EncodeError(f"response.{names[1]}", f"a message has one body; {names[0]} is here too")
    style, raw = tree.get(_STYLE, ""), tree.get(_RAW, b"")
    if not isinstance(style, str) or not isinstance(raw, bytes):
        raise EncodeError("response.body_style", "a style is text, and body_raw is binary")
    if not names:
        return EMPTY
    value = tree[names[0]]
    kind = bodies.inferred_kind(headers, value) if names[0] == _BODY else cast(BodyKind, names[0].removeprefix(f"{_BODY}_"))
    if kind == "form" and isinstance(value, Mapping):
        value = [[name, one] for name, given in value.items() for one in (given if isinstance(given, list) else [given])]
    return Body(kind=kind, value=value, style=style, raw=raw)


def message_field(message: Message) -> Tree:
    """A WebSocket message as in a case: `{send: …}`, `{receive: …}`, `{send_close: {code, reason}}`; the service sends."""
    direction: Direction = "send" if message.side is Side.CLIENT else "receive"
    told = websocket.read(direction, message.kind, message.data)
    name = f"{direction}_close" if told.kind == "close" else direction
    return {name: told.value, "style": told.style} if told.style else {name: told.value}


def message(tree: Tree, path: str) -> Message:
    """The inverse of `message_field`. Raises EncodeError."""
    names = [name for name in _MESSAGES if isinstance(tree, Mapping) and name in tree]
    if not isinstance(tree, Mapping) or len(names) != 1 or not tree.keys() <= {*_MESSAGES, "style"}:
        raise EncodeError(path, "a message is one of `send: …`, `receive: …`, `send_close: {…}` and `receive_close: {…}`")
    name, style = names[0], tree.get("style", "")
    direction: Direction = "send" if name.startswith("send") else "receive"
    value = tree[name]
    kind: Kind = "close" if name != direction else _kind(value)
    if kind == "text" and not isinstance(value, str):
        value = jsontext.dump(value)
    if kind == "close" and value is None:
        value = {}
    try:
        data = websocket.write(Told(direction=direction, kind=kind, value=value, style=str(style)))
    except EncodeError as error:
        raise EncodeError(f"{path}.{name}", error.reason) from None
    wire: MessageKind = "text" if kind == "json" else kind
    return Message(side=Side.CLIENT if direction == "send" else Side.SERVER, kind=wire, data=data, at=0.0)


def _kind(value: Tree) -> Kind:
    return "json" if isinstance(value, dict | list) else "binary" if isinstance(value, bytes) else "text"
