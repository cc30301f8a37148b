"""Exchanges -> what a case holds, and back: headers without the lengths that can be computed, bodies as a person reads them."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from types import MappingProxyType

from wiretape import body
from wiretape.body import websocket
from wiretape.case import Headers, Message, Request, Response
from wiretape.protobuf.schema import MessageType
from wiretape.protocols.base import Side
from wiretape.protocols.http.exchange import Exchange

AUTO = "auto"
_PHRASES = MappingProxyType({status.value: status.phrase for status in HTTPStatus})


def to_request(exchange: Exchange, types: MessageType | None = None) -> Request:
    """The request of a case. `types`: that of its gRPC messages."""
    headers = _marked(exchange.request_headers, len(exchange.request_body))
    if exchange.version != "2":  # which needs no length
        headers = _without_length(exchange.request_headers, len(exchange.request_body))
    return Request(
        method=exchange.method,
        target=exchange.target,
        headers=headers,
        body=body.read(exchange.request_body, headers, types),
        trailers=exchange.request_trailers,
        version="2" if exchange.version == "2" else "",
    )


def to_response(exchange: Exchange, types: MessageType | None = None) -> Response:
    """The response of a case. `types`: that of its gRPC messages."""
    response = stored_response(
        exchange.status, exchange.reason, exchange.response_headers, exchange.response_body, exchange.response_trailers, types
    )
    return replace(response, unfinished=exchange.unfinished)


def to_messages(exchange: Exchange) -> tuple[Message, ...]:
    """The WebSocket messages of a case."""
    return tuple(
        websocket.read("send" if message.side is Side.CLIENT else "receive", message.kind, message.data)
        for message in exchange.messages
    )


def stored_response(
    status: int, reason: str, headers: Headers, data: bytes, trailers: Headers, types: MessageType | None = None
) -> Response:
    """A response off the wire as a case holds it. `data` is the body without transfer coding."""
    kept = _without_length(headers, len(data))
    return Response(
        status=status,
        reason="" if reason == _PHRASES.get(status, "") else reason,
        headers=kept,
        body=body.read(data, kept, types),
        trailers=trailers,
    )


def _without_length(headers: Headers, size: int) -> Headers:
    """Headers without a content-length that can be computed; `auto` marks its place where that is not the usual one."""
    marked = _marked(headers, size)
    bare = tuple((name, value) for name, value in marked if (name.lower(), value) != ("content-length", AUTO))
    return bare if size and _with_usual_length(bare) == marked else marked


def _marked(headers: Headers, size: int) -> Headers:
    """Headers with `auto` for a content-length that can be computed."""
    return tuple((name, AUTO if name.lower() == "content-length" and value == str(size) else value) for name, value in headers)


def _with_usual_length(headers: Headers) -> Headers:
    """A content-length where most clients put it: right before content-type, in the same letter case, else last."""
    names = [name for name, _ in headers]
    place = next((n for n, name in enumerate(names) if name.lower() == "content-type"), len(headers))
    lower = all(name == name.lower() for name in names)
    return (*headers[:place], ("content-length" if lower else "Content-Length", AUTO), *headers[place:])


def request_head_and_body(request: Request) -> tuple[Headers, bytes]:
    """What to send for a case's request: headers with the length filled in, and the body. Raises EncodeError."""
    data = body.write(request.body, request.headers)
    headers = request.headers
    framed = any(name.lower() in ("content-length", "transfer-encoding") for name, _ in headers)
    if data and not framed and request.version != "2":
        headers = _with_usual_length(headers)
    return tuple((n, str(len(data)) if n.lower() == "content-length" and v == AUTO else v) for n, v in headers), data
