"""MongoDB's wire messages (https://github.com/mongodb/specifications, OP_MSG, OP_COMPRESSED and the legacy opcodes).

Documents stay bytes here: `documents` reads and writes them. All integers are little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from wiretape.errors import DecodeError
from wiretape.protocols.wire import CSTR, REST, Cursor, Message, Wire, fields

OP_REPLY: Final = 1
OP_QUERY: Final = 2004
OP_COMPRESSED: Final = 2012
OP_MSG: Final = 2013

CHECKSUM: Final = 1 << 0
MORE_TO_COME: Final = 1 << 1
EXHAUST: Final = 1 << 16
_REQUIRED: Final = 0xFFFF  # bits a reader must know
_KNOWN: Final = CHECKSUM | MORE_TO_COME
_SMALLEST: Final = 5  # bytes of an empty document

_HEADER = struct.Struct("<iiii")


def _little[T](code: str, kind: Callable[[int], T]) -> Wire[T]:
    form = struct.Struct("<" + code)

    def read(cursor: Cursor) -> T:
        return kind(form.unpack(cursor.take(form.size))[0])

    return Wire(read, form.pack)


U8, I32, U32, I64 = _little("B", int), _little("i", int), _little("I", int), _little("q", int)


def _read_document(cursor: Cursor) -> bytes:
    start = cursor.pos
    size = I32.read(cursor)
    if size < _SMALLEST:
        raise DecodeError(f"a document of {size} bytes", start)
    cursor.pos = start
    return cursor.take(size)


BSON: Wire[bytes] = Wire(_read_document, bytes)


def _all_documents(cursor: Cursor) -> tuple[bytes, ...]:
    found = []
    while cursor.left:
        found.append(_read_document(cursor))
    return tuple(found)


DOCUMENTS: Wire[tuple[bytes, ...]] = Wire(_all_documents, b"".join)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of an OP_MSG: the body (no `name`, one document), or a sequence of documents that belongs into the body's field
    `name`."""

    documents: tuple[bytes, ...]
    name: str = ""


def _read_section(cursor: Cursor) -> Section:
    kind, at = cursor.take(1)[0], cursor.pos
    if kind == 0:
        return Section(documents=(BSON.read(cursor),))
    if kind != 1:
        raise DecodeError(f"a section of kind {kind}", at - 1)
    size = I32.read(cursor)
    if size < 5:
        raise DecodeError(f"a sequence of {size} bytes", at)
    inner = Cursor(cursor.take(size - 4))
    name = CSTR.read(inner)
    if not name:
        raise DecodeError("a sequence of documents without a name", at)
    return Section(name=name, documents=DOCUMENTS.read(inner))


def _write_section(section: Section) -> bytes:
    together = b"".join(section.documents)
    if not section.name:
        return b"\0" + together
    name = CSTR.write(section.name)
    return b"\1" + I32.write(4 + len(name) + len(together)) + name + together


@fields
class OpMsg(Message):
    """A request or a reply. `checksum` (CRC-32C, not verified) is four bytes or none."""

    flags: int = 0
    sections: tuple[Section, ...]
    checksum: bytes = b""

    @classmethod
    def read(cls, cursor: Cursor) -> OpMsg:
        flags = U32.read(cursor)
        if flags & _REQUIRED & ~_KNOWN:
            raise DecodeError(f"flags {flags:#x} that are not known", 0)
        size = cursor.left - (4 if flags & CHECKSUM else 0)
        inner = Cursor(cursor.take(size))
        sections = []
        while inner.left:
            sections.append(_read_section(inner))
        if sum(not section.name for section in sections) != 1:
            raise DecodeError("a message must have one body", 4)
        return cls(flags=flags, sections=tuple(sections), checksum=cursor.take(cursor.left))

    def body(self) -> bytes:
        return U32.write(self.flags) + b"".join(map(_write_section, self.sections)) + self.checksum


@fields
class OpQuery(Message):
    """A command as drivers put it before OP_MSG, on `db.$cmd`; today only the first `isMaster` of a connection."""

    flags: Annotated[int, I32] = 0
    collection: Annotated[str, CSTR]
    skip: Annotated[int, I32] = 0
    count: Annotated[int, I32] = -1
    documents: Annotated[tuple[bytes, ...], DOCUMENTS]


@fields
class OpReply(Message):
    """The answer to an OP_QUERY."""

    flags: Annotated[int, I32] = 8
    cursor: Annotated[int, I64] = 0
    start: Annotated[int, I32] = 0
    count: Annotated[int, I32] = 1
    documents: Annotated[tuple[bytes, ...], DOCUMENTS]


@fields
class OpCompressed(Message):
    """Another message's body, compressed; `size` is what it has uncompressed."""

    opcode: Annotated[int, I32]
    size: Annotated[int, I32]
    compressor: Annotated[int, U8]
    data: Annotated[bytes, REST]


HEADER_SIZE: Final = _HEADER.size


def frame(opcode: int, body: bytes, *, request: int, response_to: int = 0) -> bytes:
    """A whole message."""
    return _HEADER.pack(HEADER_SIZE + len(body), request, response_to, opcode) + body
