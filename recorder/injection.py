"""`--trace`: where each request's head ends in what a client sends, and the headers that are put in there. Sans-IO.

What a client sends is passed on as it comes; nothing waits for a head or a body to be whole. What cannot be followed (HTTP/2,
another protocol, garbage) passes untouched from there on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from wiretape import tracing
from wiretape.body import header
from wiretape.errors import DecodeError
from wiretape.protocols.http.framing import Data, End, Framing, Head, Reader
from wiretape.protocols.http.h1 import request_framing
from wiretape.protocols.http.h2frames import PREFACE

_PREFACE: Final = PREFACE[: PREFACE.index(b"\r")]


class Added(NamedTuple):
    """The trace-id given to a connection's request of this number, counted from 1."""

    number: int
    trace: str


class Injection:
    """One connection's requests. `draw` makes a fresh trace-id."""

    def __init__(self, draw: Callable[[], str]) -> None:
        self._draw = draw
        self._reader: Reader | None = Reader(requests=True)
        self._heads = 0
        self._passed = 0  # bytes of the client's that were passed on
        self._held = b""
        self._first = b""
        self._switching = ""  # the method of a request that wants another protocol, once it is whole
        self._answers = Reader(requests=False)
        self.added: list[Added] = []

    @property
    def waits(self) -> bool:
        """Whether what the server says next decides if the connection goes on in HTTP/1.1; then `answered` must hear it."""
        return bool(self._switching)

    @property
    def declined(self) -> bool:
        """Whether the client speaks HTTP/2, in which nothing is added."""
        return self._first == _PREFACE

    def feed(self, data: bytes) -> bytes:
        """What to pass on for these bytes of the client's. What was given to whom is then in `added`."""
        if self._switching:
            self._reader, self._switching = None, ""  # it does not wait for the answer: nobody knows what it speaks
        if self._reader is None:
            return data
        self._first += data[: len(_PREFACE) - len(self._first)]
        whole, self._held = self._held + data, b""
        cuts: list[tuple[int, bytes]] = []
        try:
            self._reader.feed(data)
            self._follow(self._reader, whole, cuts)
            if whole.endswith(b"\r") and not self._switching and self._reader.in_head:
                whole, self._held = whole[:-1], b"\r"  # a head may end here: what is added comes before
        except DecodeError:
            self._reader = None
        self._passed += len(whole)
        return _with(whole, cuts)

    def answered(self, data: bytes) -> None:
        """The server's next bytes, while that `waits`."""
        try:
            self._answers.feed(data)
            while (head := self._answers.next()) is not None and _interim(head):
                self._answers.expect(Framing.INTERIM)
        except DecodeError:
            self._reader, self._switching = None, ""
            return
        if isinstance(head, Head):
            switched = head.start[1] == "101" or (self._switching == "CONNECT" and head.start[1].startswith("2"))
            self._reader = None if switched else self._reader
            self._switching, self._answers = "", Reader(requests=False)

    def rest(self) -> bytes:
        """What is still held, once the client has ended."""
        held, self._held = self._held, b""
        return held

    def _follow(self, reader: Reader, whole: bytes, cuts: list[tuple[int, bytes]]) -> None:
        wants = ""
        while not self._switching:
            match reader.next():
                case Head() as head:
                    wants = head.start[0] if head.start[0] == "CONNECT" or header(head.headers, "upgrade") else ""
                    self._head(head, reader.offset - self._passed, whole, cuts)
                    reader.expect(request_framing(head))
                case End():
                    self._switching = wants
                case Data():
                    pass
                case None:
                    return

    def _head(self, head: Head, end: int, whole: bytes, cuts: list[tuple[int, bytes]]) -> None:
        """A head ends in `whole` before `end`."""
        self._heads += 1
        newline = b"\r\n" if whole[:end].endswith(b"\r\n") else b"\n"
        trace = self._draw()
        lines = [f"{name}: {value}".encode() + newline for name, value in tracing.missing(head.headers, trace)]
        if lines and end >= len(newline):
            cuts.append((end - len(newline), b"".join(lines)))
            self.added.append(Added(self._heads, trace))


def _interim(event: Head | Data | End) -> bool:
    return isinstance(event, Head) and event.start[1].startswith("1") and event.start[1] != "101"


def _with(whole: bytes, cuts: list[tuple[int, bytes]]) -> bytes:
    if not cuts:
        return whole
    parts: list[bytes] = []
    at = 0
    for place, lines in cuts:
        parts += (whole[at:place], lines)
        at = place
    return b"".join((*parts, whole[at:]))
