"""Declarative wire structures: one table of fields gives both decode and encode, typed and bounded.

A message is a class whose fields are annotated with the `Wire` that reads and writes them:

    @fields
    class Describe(Message):
        kind: Annotated[bytes, exactly(1)]
        name: Annotated[str, CSTR]

Counts are checked against the bytes that are left before anything is allocated, so a hostile length costs nothing. A message
with an irregular form overrides `read` and `body`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, dataclass_transform, get_args, get_origin, get_type_hints

from wiretape.errors import DecodeError, EncodeError


class Cursor:
    """A bounded reader over the body of one complete message."""

    __slots__ = ("data", "pos")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pos = 0

    @property
    def left(self) -> int:
        """How many bytes have not been read."""
        return len(self.data) - self.pos

    def take(self, size: int) -> bytes:
        """The next `size` bytes. DecodeError where there are fewer."""
        start = self.pos
        end = start + size
        if size < 0 or end > len(self.data):
            raise DecodeError(f"need {size} bytes, have {len(self.data) - start}", start)
        self.pos = end
        return self.data[start:end]

    def until(self, stop: bytes) -> bytes:
        """The bytes before the next `stop`, which is read, too. DecodeError where there is none."""
        end = self.data.find(stop, self.pos)
        if end < 0:
            raise DecodeError(f"missing terminator {stop!r}", self.pos)
        out = self.data[self.pos : end]
        self.pos = end + len(stop)
        return out


@dataclass(frozen=True, slots=True)
class Wire[T]:
    """How one field reads and writes. `write` raises ValueError or struct.error on a value that does not fit."""

    read: Callable[[Cursor], T]
    write: Callable[[T], bytes]


def integer(code: str) -> Wire[int]:
    """A big-endian integer; `code` as in `struct`."""
    form = struct.Struct(">" + code)
    size, unpack = form.size, form.unpack

    def read(cursor: Cursor) -> int:
        return int(unpack(cursor.take(size))[0])

    return Wire(read, form.pack)


def exactly(size: int) -> Wire[bytes]:
    """Bytes of a fixed length."""

    def write(value: bytes) -> bytes:
        if len(value) != size:
            raise ValueError(f"need exactly {size} bytes, got {len(value)}")
        return value

    return Wire(lambda cursor: cursor.take(size), write)


def array[T](count: Wire[int], item: Wire[T]) -> Wire[tuple[T, ...]]:
    """A count, then that many items. Every item takes at least one byte, so the count is at most the bytes left."""

    def read(cursor: Cursor) -> tuple[T, ...]:
        size = count.read(cursor)
        if not size:
            return ()
        if not 0 < size <= cursor.left:
            raise DecodeError(f"{size} items in {cursor.left} bytes", cursor.pos)
        return tuple([item.read(cursor) for _ in range(size)])

    return Wire(read, lambda items: count.write(len(items)) + b"".join(map(item.write, items)))


def integers(count: Wire[int], code: str) -> Wire[tuple[int, ...]]:
    """A count, then that many big-endian integers, all read at once; `code` as in `struct`."""
    size = struct.calcsize(">" + code)

    def read(cursor: Cursor) -> tuple[int, ...]:
        number = count.read(cursor)
        if not number:
            return ()
        return struct.unpack(f">{number}{code}", cursor.take(number * size))

    return Wire(read, lambda items: count.write(len(items)) + struct.pack(f">{len(items)}{code}", *items))


def terminated[T](item: Wire[T]) -> Wire[tuple[T, ...]]:
    """Items up to a zero byte where the next would begin."""

    def read(cursor: Cursor) -> tuple[T, ...]:
        items = []
        while cursor.data[cursor.pos : cursor.pos + 1] != b"\0":
            if not cursor.left:
                raise DecodeError("missing final zero byte", cursor.pos)
            items.append(item.read(cursor))
        cursor.pos += 1
        return tuple(items)

    def write(items: tuple[T, ...]) -> bytes:
        parts = [item.write(value) for value in items]
        if any(part.startswith(b"\0") for part in parts):
            raise ValueError("an item that begins with a zero byte would end the list")
        return b"".join(parts) + b"\0"

    return Wire(read, write)


def pair[A, B](first: Wire[A], second: Wire[B]) -> Wire[tuple[A, B]]:
    """Two fields, one after the other."""
    return Wire(
        lambda cursor: (first.read(cursor), second.read(cursor)),
        lambda both: first.write(both[0]) + second.write(both[1]),
    )


def nullable(length: Wire[int]) -> Wire[bytes | None]:
    """Bytes after their length; a length of -1 is None."""

    def read(cursor: Cursor) -> bytes | None:
        size = length.read(cursor)
        return None if size == -1 else cursor.take(size)

    return Wire(read, lambda value: length.write(-1) if value is None else length.write(len(value)) + value)


def nested[M: Message](kind: type[M]) -> Wire[M]:
    """A message's fields inside another message."""
    return Wire(kind.read, kind.body)


def _write_cstr(value: str) -> bytes:
    if "\0" in value:
        raise ValueError("a zero byte cannot stand in this text")
    return value.encode("utf-8", "surrogateescape") + b"\0"


U8, U16, I16, U32, I32 = integer("B"), integer("H"), integer("h"), integer("I"), integer("i")
# surrogateescape: text in another encoding survives, and whoever knows the encoding can have it back
CSTR: Wire[str] = Wire(lambda cursor: cursor.until(b"\0").decode("utf-8", "surrogateescape"), _write_cstr)
REST: Wire[bytes] = Wire(lambda cursor: cursor.take(cursor.left), lambda value: value)


class Message:
    """Base of all messages; `plan` names each field with its `Wire`, in wire order."""

    __slots__ = ()
    plan: ClassVar[tuple[tuple[str, Wire[Any]], ...]] = ()

    @classmethod
    def read(cls, cursor: Cursor) -> Self:
        """The message at the cursor. Raises DecodeError."""
        return cls(**{name: wire.read(cursor) for name, wire in cls.plan})

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """The message whose body is exactly `body`. Raises DecodeError, also where bytes are left over."""
        cursor = Cursor(body)
        made = cls.read(cursor)
        if cursor.left:
            raise DecodeError(f"{cursor.left} bytes too many in {cls.__name__}", cursor.pos)
        return made

    def body(self) -> bytes:
        """The fields as bytes. Raises EncodeError naming the field that does not fit."""
        parts = []
        for name, wire in self.plan:
            try:
                parts.append(wire.write(getattr(self, name)))
            except (struct.error, ValueError) as error:
                raise EncodeError(f"{type(self).__name__}.{name}", str(error)) from error
        return b"".join(parts)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def fields[M: Message](cls: type[M]) -> type[M]:
    """Make a message class a frozen dataclass and work out its plan once."""
    made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    hints = get_type_hints(made, include_extras=True)
    made.plan = tuple((name, get_args(hint)[1]) for name, hint in hints.items() if get_origin(hint) is Annotated)
    return made
