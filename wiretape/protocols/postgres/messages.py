"""The envelope of PostgreSQL's frontend/backend protocol, versions 3.0 to 3.2, and how a message is declared in it.

Source: PostgreSQL 18 documentation, chapters 54.2 and 54.7. `tag` is the first byte of a message (empty in the start-up phase,
where messages have none); `code` is the constant some messages carry in front of their fields.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from types import MappingProxyType
from typing import Annotated, ClassVar, Self, dataclass_transform

from wiretape.errors import DecodeError
from wiretape.protocols.wire import REST, Cursor, Message, fields

PROTOCOL_3_0 = 3 << 16
PROTOCOL_3_2 = 3 << 16 | 2


class PgMessage(Message):
    """A message with PostgreSQL's envelope: tag, length (of itself and what follows), code, fields."""

    __slots__ = ()
    tag: ClassVar[bytes] = b""
    code: ClassVar[bytes] = b""

    @classmethod
    def read(cls, cursor: Cursor) -> Self:
        if cls.code and cursor.take(len(cls.code)) != cls.code:
            raise DecodeError(f"this is not {cls.__name__}", 0)
        return super().read(cursor)

    def encode(self) -> bytes:
        """The whole message. Raises EncodeError naming the field that does not fit."""
        body = self.code + self.body()
        return self.tag + struct.pack(">I", len(body) + 4) + body


@dataclass_transform(frozen_default=True, kw_only_default=True)
def message[M: PgMessage](tag: bytes, code: int | None = None) -> Callable[[type[M]], type[M]]:
    """Declare a message by its table of fields."""

    def declare(cls: type[M]) -> type[M]:
        made = fields(cls)
        made.tag = tag
        made.code = b"" if code is None else struct.pack(">I", code)
        return made

    return declare


@message(b"d")
class CopyData(PgMessage):
    """A piece of a COPY, cut anywhere."""

    data: Annotated[bytes, REST]


@message(b"c")
class CopyDone(PgMessage):
    """The end of a COPY."""


def tags(*kinds: type[PgMessage]) -> MappingProxyType[int, type[PgMessage]]:
    """The table of messages by their tags."""
    return MappingProxyType({kind.tag[0]: kind for kind in kinds})
