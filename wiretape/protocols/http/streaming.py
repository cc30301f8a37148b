"""A streaming gRPC call answered while its request is still under way: its client waits for answers before it says more.

How the messages of both sides followed each other is not recorded, so the answers are dealt out evenly over the questions.
"""

from __future__ import annotations

from collections.abc import Iterator

from wiretape.case import Call
from wiretape.protocols.http.asks import Asked
from wiretape.protocols.http.meaning import alike

_PREFIX = 5  # a flag and the length (github.com/grpc/grpc PROTOCOL-HTTP2)


def messages(body: bytes | bytearray, at: int = 0) -> Iterator[int]:
    """Where each whole message of a gRPC body ends, in bytes from its start; `at` is where one begins."""
    while len(body) >= at + _PREFIX:
        at += _PREFIX + int.from_bytes(body[at + 1 : at + _PREFIX])
        if at > len(body):
            return
        yield at


def due(recorded: Call, live: Asked, answer: bytes) -> int:
    """How many bytes of the recorded answer follow the messages that have come; 0 where they are not the recorded ones."""
    asked, told = recorded.fields.get("body"), live.body
    if not isinstance(asked, list) or not isinstance(told, list) or not told or len(told) > len(asked):
        return 0
    if not all(alike(mine, theirs) for mine, theirs in zip(asked, told, strict=False)):
        return 0
    ends = list(messages(answer))
    count = len(ends) * len(told) // len(asked)
    return ends[count - 1] if count else 0
