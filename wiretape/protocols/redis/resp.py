"""RESP2 and RESP3: bytes to typed values as they arrive, and back.

https://redis.io/docs/latest/develop/reference/protocol-spec/. A bulk string is `bytes`, an integer `int`, a boolean
`bool`, a null None, an array `list`; whatever else the protocol tells apart is a subclass of these, so that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, cast

from wiretape.errors import DecodeError
from wiretape.protocols.redis.buffer import MAX_BULK, Buffer, number

MAX_ITEMS: Final = 4 * 1024 * 1024
MAX_DEPTH: Final = 64


class Simple(bytes):
    """A simple string: a status such as OK."""

    __slots__ = ()


class Error(bytes):
    """An error."""

    __slots__ = ()


class BlobError(Error):
    """An error with its length before it, which may hold line ends (RESP3)."""

    __slots__ = ()


class Verbatim(bytes):
    """A text with its format before it: `txt:` (RESP3)."""

    __slots__ = ()


class Double(bytes):
    """A double as it is written (RESP3)."""

    __slots__ = ()


class BigNumber(bytes):
    """An integer of any size, as it is written (RESP3)."""

    __slots__ = ()


class Set(list["Value"]):
    """A set (RESP3)."""

    __slots__ = ()


class Map(list["Value"]):
    """A map: keys and values in turn (RESP3)."""

    __slots__ = ()


class Push(list["Value"]):
    """What the server sends unasked (RESP3)."""

    __slots__ = ()


class Attribute(list["Value"]):
    """Keys and values in turn, about the value that follows (RESP3)."""

    __slots__ = ()


class _Text(list["Value"]):
    """The pieces of a streamed string."""

    __slots__ = ()


class Mark(Enum):
    """Values that are no values."""

    NULL_ARRAY = "the null array of RESP2"
    INCOMPLETE = "more bytes are needed"


type Value = bytes | int | bool | list[Value] | Mark | None

NULL_ARRAY: Final = Mark.NULL_ARRAY
INCOMPLETE: Final = Mark.INCOMPLETE

_AGGREGATES: Mapping[int, type[list[Value]]] = MappingProxyType(
    {ord("*"): list, ord("~"): Set, ord("%"): Map, ord(">"): Push, ord("|"): Attribute}
)
_BULKS: Mapping[int, type[bytes]] = MappingProxyType({ord("$"): bytes, ord("="): Verbatim, ord("!"): BlobError})
_CLOSED = (Map, Attribute)


class _Frame:
    """An aggregate whose items are still to come; `left` below 0: as many as come before its end."""

    __slots__ = ("items", "left")

    def __init__(self, items: list[Value], left: int) -> None:
        self.items, self.left = items, left


class Reader(Buffer):
    """What a server sends. After `value` gave one, `attribute` holds the attribute sent before it."""

    __slots__ = ("_count", "_stack", "_start", "attribute")

    def __init__(self) -> None:
        super().__init__()
        self._stack: list[_Frame] = []
        self._start = self._count = 0
        self.attribute: Attribute | None = None

    def value(self) -> Value:
        """The next value, or INCOMPLETE. What has been read of an aggregate is not read again. Raises DecodeError."""
        if not self._stack:
            self._start, self._count = self.offset, 0
        while True:
            before = self.at
            line = self.line()
            if line is None:
                return INCOMPLETE
            found = self._item(line, before)
            if found is INCOMPLETE:
                return INCOMPLETE
            if found is not Mark and (done := self._add(cast(Value, found))) is not INCOMPLETE:
                return done

    def _item(self, line: bytes, before: int) -> Value | type[Mark]:
        """What a line begins; the class Mark where it opens an aggregate, INCOMPLETE where the rest of a string is missing."""
        self._count += 1
        if self._count > MAX_ITEMS or self.offset - self._start > MAX_BULK:
            raise DecodeError(f"a reply of more than {MAX_ITEMS} items or {MAX_BULK} bytes", self.offset)
        kind, text = line[:1], line[1:]
        if kind and (bulk := _BULKS.get(kind[0])):
            return self._string(bulk, text, before)
        if kind and (aggregate := _AGGREGATES.get(kind[0])):
            return self._open(aggregate, text)
        if kind == b";":
            return self._piece(text, before)
        if kind == b"." and not text:
            return self._end()
        scalar = _SCALARS.get(kind)
        if scalar is None:
            raise DecodeError(f"no value begins with {kind!r}", self.offset - len(line) - 2)
        return scalar(text, self.offset)

    def _string(self, kind: type[bytes], text: bytes, before: int) -> Value | type[Mark]:
        if text == b"?":
            return self._push(_Text(), -1)
        size = number(text, self.offset)
        if size == -1:
            return None
        if not 0 <= size <= MAX_BULK:
            raise DecodeError(f"a string of {size} bytes (up to {MAX_BULK} are read)", self.offset)
        body = self.block(size)
        if body is None:
            self.at = before
            self._count -= 1
            return INCOMPLETE
        return body if kind is bytes else kind(body)

    def _piece(self, text: bytes, before: int) -> Value | type[Mark]:
        frame = self._stack[-1] if self._stack else None
        if frame is None or not isinstance(frame.items, _Text):
            raise DecodeError("a piece of no string", self.offset)
        if text == b"0":
            self._stack.pop()
            return b"".join(cast(list[bytes], frame.items))
        return self._string(bytes, text, before)

    def _open(self, kind: type[list[Value]], text: bytes) -> Value | type[Mark]:
        if text == b"?":
            return self._push(kind(), -1)
        size = number(text, self.offset)
        if size == -1 and kind is list:
            return NULL_ARRAY
        if not 0 <= size <= MAX_ITEMS:
            raise DecodeError(f"{size} items (up to {MAX_ITEMS} are read)", self.offset)
        if not size:
            return kind()
        return self._push(kind(), size * 2 if issubclass(kind, _CLOSED) else size)

    def _push(self, items: list[Value], left: int) -> type[Mark]:
        if len(self._stack) >= MAX_DEPTH:
            raise DecodeError(f"more than {MAX_DEPTH} values within each other", self.offset)
        self._stack.append(_Frame(items, left))
        return Mark

    def _end(self) -> Value:
        frame = self._stack.pop() if self._stack else None
        if frame is None or frame.left >= 0 or (isinstance(frame.items, _CLOSED) and len(frame.items) % 2):
            raise DecodeError("the end of nothing", self.offset)
        return frame.items

    def _add(self, value: Value) -> Value:
        """Puts a value where it belongs: the whole value that is thereby complete, else INCOMPLETE."""
        while True:
            if isinstance(value, Attribute):
                self.attribute = None if self._stack else value
                return INCOMPLETE
            if not self._stack:
                return value
            frame = self._stack[-1]
            frame.items.append(value)
            if frame.left < 0:
                return INCOMPLETE
            frame.left -= 1
            if frame.left:
                return INCOMPLETE
            self._stack.pop()
            value = frame.items


def _integer(text: bytes, offset: int) -> Value:
    return number(text, offset)


def _null(text: bytes, offset: int) -> Value:
    if text:
        raise DecodeError("a null with something in it", offset)
    return None


def _boolean(text: bytes, offset: int) -> Value:
    if text not in (b"t", b"f"):
        raise DecodeError(f"{text[:40]!r} is not a boolean", offset)
    return text == b"t"


def _double(text: bytes, offset: int) -> Value:
    try:
        float(text)
    except ValueError:
        raise DecodeError(f"{text[:40]!r} is not a double", offset) from None
    return Double(text)


def _big(text: bytes, offset: int) -> Value:
    digits = text[1:] if text[:1] in (b"-", b"+") else text
    if not digits.isdigit() or len(digits) > 4000:  # more digits than Python converts
        raise DecodeError(f"{text[:40]!r} is not a big number", offset)
    return BigNumber(text)


_SCALARS: Mapping[bytes, Callable[[bytes, int], Value]] = MappingProxyType(
    {
        b"+": lambda text, _: Simple(text),
        b"-": lambda text, _: Error(text),
        b":": _integer,
        b"_": _null,
        b"#": _boolean,
        b",": _double,
        b"(": _big,
    }
)


def encode(value: Value, protocol: int) -> bytes:
    """A value as bytes. `protocol` 2 has no words for what RESP3 tells apart: that becomes what a server makes of it there."""
    if type(value) is bytes:  # nearly always
        return b"$%d\r\n%b\r\n" % (len(value), value)
    parts: list[bytes] = []
    _encode(value, protocol, parts.append)
    return b"".join(parts)


def _encode(value: Value, protocol: int, out: Callable[[bytes], None]) -> None:
    if isinstance(value, bytes):
        out(_encode_text(value, protocol))
    elif isinstance(value, bool):
        out((b"#t\r\n" if value else b"#f\r\n") if protocol > 2 else b":%d\r\n" % value)
    elif isinstance(value, int):
        out(b":%d\r\n" % value)
    elif isinstance(value, list):
        kind, size = b"*", len(value)
        if protocol > 2:
            kind = _KINDS[type(value)]
            size = size // 2 if kind == b"%" else size
        out(b"%b%d\r\n" % (kind, size))
        for item in value:
            _encode(item, protocol, out)
    elif protocol > 2:
        out(b"_\r\n")
    else:
        out(b"*-1\r\n" if value is NULL_ARRAY else b"$-1\r\n")


_KINDS: Mapping[type, bytes] = MappingProxyType({list: b"*", Set: b"~", Map: b"%", Push: b">"})
_PREFIXES: Mapping[type, bytes] = MappingProxyType({Double: b",", BigNumber: b"("})


def _encode_text(value: bytes, protocol: int) -> bytes:
    kind = type(value)
    if kind is Simple:
        return b"+%b\r\n" % value
    if kind is BlobError and protocol > 2:
        return b"!%d\r\n%b\r\n" % (len(value), value)
    if isinstance(value, Error):
        return b"-%b\r\n" % value.replace(b"\r", b" ").replace(b"\n", b" ")
    if kind is Verbatim:
        if protocol > 2:
            return b"=%d\r\n%b\r\n" % (len(value), value)
        value = value[4:]
    elif kind in _PREFIXES and protocol > 2:
        return b"%b%b\r\n" % (_PREFIXES[kind], value)
    return b"$%d\r\n%b\r\n" % (len(value), value)
