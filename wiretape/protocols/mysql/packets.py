"""What a server answers with: OK, EOF, ERR, and the definition of a column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from wiretape.errors import DecodeError
from wiretape.protocols.mysql.constants import Cap, Status
from wiretape.protocols.mysql.fields import U8, U16, U32, read_lenenc, read_text, write_lenenc, write_text
from wiretape.protocols.wire import Cursor

OK, EOF, ERR, LOCAL_INFILE = 0x00, 0xFE, 0xFF, 0xFB
PROGRESS: Final = 0xFFFF
"""The error number with which MariaDB reports progress instead of an error."""

_SYSTEM_VARIABLE, _SCHEMA = 0, 1
_STATE = re.compile(r"[0-9A-Z]{5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ok:
    """OK_Packet; `changes` are the session's changes it reports: variables by name, the database as `schema`."""

    affected: int = 0
    last_insert_id: int = 0
    status: int = 0
    warnings: int = 0
    info: bytes = b""
    changes: Mapping[str, bytes] = field(default_factory=dict)

    @classmethod
    def decode(cls, body: bytes, capabilities: int) -> Ok:
        """The payload behind the header byte. Raises DecodeError."""
        cursor = Cursor(body)
        cursor.take(1)
        out = cls(affected=read_lenenc(cursor), last_insert_id=read_lenenc(cursor))
        if cursor.left < 4:
            return out
        status, warnings = U16.read(cursor), U16.read(cursor)
        info = read_text(cursor) if cursor.left else b""  # servers write its length even where the manual says they do not
        if not capabilities & Cap.SESSION_TRACK:
            return replace(out, status=status, warnings=warnings, info=info)
        changes = _changes(read_text(cursor)) if status & Status.SESSION_STATE_CHANGED and cursor.left else {}
        return replace(out, status=status, warnings=warnings, info=info, changes=changes)

    def encode(self, header: int = OK) -> bytes:
        """The packet's payload. `changes` are only for clients that track the session."""
        info = write_text(self.info) if self.info or self.changes else b""
        status = self.status | (Status.SESSION_STATE_CHANGED if self.changes else 0)
        changes = write_text(b"".join(_change(*one) for one in self.changes.items())) if self.changes else b""
        return b"".join(
            (
                bytes((header,)), write_lenenc(self.affected), write_lenenc(self.last_insert_id), U16.write(status),
                U16.write(min(self.warnings, 0xFFFF)), info, changes,
            )
        )  # fmt: skip


def _change(name: str, value: bytes) -> bytes:
    if name == "schema":
        return bytes((_SCHEMA,)) + write_text(write_text(value))
    return bytes((_SYSTEM_VARIABLE,)) + write_text(write_text(name.encode()) + write_text(value))


def _changes(data: bytes) -> dict[str, bytes]:
    cursor, out = Cursor(data), {}
    while cursor.left:
        kind = U8.read(cursor)
        told = Cursor(read_text(cursor))
        if kind == _SYSTEM_VARIABLE:
            while told.left:
                name = read_text(told).decode("utf-8", "replace")
                out[name] = read_text(told)
        elif kind == _SCHEMA and told.left:
            out["schema"] = read_text(told)
    return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Err:
    """ERR_Packet."""

    code: int
    state: str
    message: bytes

    @classmethod
    def decode(cls, body: bytes) -> Err:
        """The payload with its header byte. Before a client has introduced itself there is no state."""
        cursor = Cursor(body)
        cursor.take(1)
        code = U16.read(cursor)
        state = ""
        if body[3:4] == b"#" and cursor.left >= 6:
            state = cursor.take(6)[1:].decode("ascii", "replace")
        return cls(code=code, state=state, message=cursor.take(cursor.left))

    def encode(self) -> bytes:
        """The packet's payload. ValueError where the state is not five capitals and digits, struct.error on a wild code."""
        if self.state and not _STATE.fullmatch(self.state):
            raise ValueError(f"{self.state!r} is not an SQLSTATE: five capitals or digits")
        state = b"#" + self.state.encode() if self.state else b""
        return b"\xff" + U16.write(self.code) + state + self.message


def encode_eof(status: int, warnings: int) -> bytes:
    """EOF_Packet's payload."""
    return b"\xfe" + U16.write(min(warnings, 0xFFFF)) + U16.write(status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Protocol::ColumnDefinition41. `extended` is what MariaDB tells beyond the type: `type` (uuid, inet6, point), `format`
    (json)."""

    name: bytes
    kind: int
    collation: int
    length: int
    flags: int = 0
    decimals: int = 0
    table: bytes = b""
    org_table: bytes = b""
    org_name: bytes = b""
    schema: bytes = b""
    extended: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def decode(cls, body: bytes, capabilities: int) -> Column:
        """The packet's payload. Raises DecodeError."""
        cursor = Cursor(body)
        read_text(cursor)
        schema, table, org_table, name, org_name = (read_text(cursor) for _ in range(5))
        extended = _extended(read_text(cursor)) if capabilities & Cap.EXTENDED_METADATA else {}
        if (size := read_lenenc(cursor)) < 10:
            raise DecodeError(f"a column definition of {size} bytes", cursor.pos)
        return cls(
            name=name, collation=U16.read(cursor), length=U32.read(cursor), kind=U8.read(cursor), flags=U16.read(cursor),
            decimals=U8.read(cursor), table=table, org_table=org_table, org_name=org_name, schema=schema, extended=extended,
        )  # fmt: skip

    def encode(self, capabilities: int) -> bytes:
        """The packet's payload."""
        extended = b""
        if capabilities & Cap.EXTENDED_METADATA:
            told = [(bytes((_EXTENDED[name],)), value.encode()) for name, value in self.extended.items()]
            extended = write_text(b"".join(kind + write_text(value) for kind, value in told))
        texts = (b"def", self.schema, self.table, self.org_table, self.name, self.org_name)
        return b"".join(
            (
                *map(write_text, texts), extended, b"\x0c", U16.write(self.collation), U32.write(self.length),
                U8.write(self.kind), U16.write(self.flags), U8.write(self.decimals), b"\0\0",
            )
        )  # fmt: skip


_EXTENDED: Mapping[str, int] = MappingProxyType({"type": 0, "format": 1})


def _extended(data: bytes) -> dict[str, str]:
    cursor, out = Cursor(data), {}
    names = {number: name for name, number in _EXTENDED.items()}
    while cursor.left:
        kind = U8.read(cursor)
        value = read_text(cursor).decode("utf-8", "replace")
        if kind in names:
            out[names[kind]] = value
    return out
