"""gRPC bodies (length-prefixed messages, github.com/grpc/grpc PROTOCOL-HTTP2) <-> lists of messages, exact in both directions.

A message is a tree by field numbers, or by names where its type is known; bytes where it is no message that can be read. The
last frame of grpc-web is `{trailers: …}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wiretape import coding
from wiretape.body.headers import header, media_type
from wiretape.case import Body, Headers
from wiretape.protobuf import guess
from wiretape.protobuf.schema import MessageType
from wiretape.tree import Tree

TYPE = re.compile(r"application/grpc(?:-web)?(?:\+proto)?")
_PACKED, _TRAILERS = 1, 0x80
_COMPRESSED = "compressed"

type Frame = tuple[int, bytes]


def is_grpc(headers: Headers) -> bool:
    """Whether the media type is gRPC of Protocol Buffers, by HTTP/2 or by grpc-web."""
    return bool(TYPE.fullmatch(media_type(headers)))


def read(data: bytes, headers: Headers, type_: MessageType | None) -> Body | None:
    """The messages, or None where the bytes are no frames of messages. The style may not give the same bytes back."""
    try:
        frames = list(_frames(data))
        messages: Tree = [_message(flag, _plain(flag, body, headers), type_, None) for flag, body in frames]
    except ValueError:
        return None
    return Body(kind="grpc", value=messages, style=_style(frames, headers), types=type_)


def _frames(data: bytes) -> Iterator[Frame]:
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at + 1 : at + 5], "big")
        if len(data) < at + 5 + size or data[at] not in (0, _PACKED, _TRAILERS):
            raise ValueError("no whole frame of a message")
        yield data[at], data[at + 5 : at + 5 + size]
        at += 5 + size


def count(data: bytes) -> int:
    """How many whole messages there are in what came of a stream so far."""
    at = found = 0
    while at + 5 <= len(data) and (at := at + 5 + int.from_bytes(data[at + 1 : at + 5], "big")) <= len(data):
        found += 1
    return found


def _plain(flag: int, body: bytes, headers: Headers) -> bytes:
    return coding.decode(body, header(headers, "grpc-encoding")) if flag == _PACKED else body


def _message(flag: int, body: bytes, type_: MessageType | None, like: Tree) -> Tree:
    if flag == _TRAILERS:
        lines = body.decode("latin-1").split("\r\n")
        return {"trailers": {name: value.strip() for name, _, value in (line.partition(":") for line in lines if line)}}
    named = type_.read(body) if type_ else None
    if named is not None:
        return named
    tree = guess.read(body, like)
    return body if tree is None else tree


def _style(frames: list[Frame], headers: Headers) -> str:
    packed = [body for flag, body in frames if flag == _PACKED]
    if not packed:
        return ""
    name = header(headers, "grpc-encoding")
    settings = coding.settings_of(packed[0], coding.decode(packed[0], name), name)
    return f"{_COMPRESSED}={settings}" if settings else _COMPRESSED


def write(value: Tree, words: list[str], headers: Headers, type_: MessageType | None) -> bytes:
    """The bytes. Raises TypeError or ValueError for what is no list of messages, or not of their type, or an unknown style."""
    if not isinstance(value, list):
        raise TypeError("a gRPC body is a list of messages")
    settings: str | None = None
    for word in words:
        name, _, settings = word.partition("=")
        if name != _COMPRESSED:
            raise ValueError(f"unknown body style {word!r}; known: {_COMPRESSED}")
    web = "grpc-web" in media_type(headers)
    return b"".join(_frame(message, settings, headers, type_, web=web) for message in value)


def _frame(message: Tree, settings: str | None, headers: Headers, type_: MessageType | None, *, web: bool) -> bytes:
    if web and isinstance(message, dict) and message.keys() == {"trailers"} and isinstance(message["trailers"], dict):
        lines = "".join(f"{name}:{value!s}\r\n" for name, value in message["trailers"].items()).encode("latin-1")
        return bytes([_TRAILERS]) + len(lines).to_bytes(4, "big") + lines
    body = message if isinstance(message, bytes) else type_.write(message) if type_ else guess.write(message)
    if settings is not None:
        body = coding.encode(body, header(headers, "grpc-encoding"), settings)
    return bytes([settings is not None]) + len(body).to_bytes(4, "big") + body


def meaning(data: bytes, headers: Headers, type_: MessageType | None, like: Tree) -> Tree:
    """The messages, read like those of `like` where that is a list of messages of the same call; None where they are none."""
    known = like if isinstance(like, list) else []
    try:
        return [
            _message(flag, _plain(flag, body, headers), type_, known[min(at, len(known) - 1)] if known else None)
            for at, (flag, body) in enumerate(_frames(data))
        ]
    except ValueError:
        return None
