"""The packets with which a connection begins: the server's greeting, the client's answer, and what follows about passwords."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wiretape.errors import DecodeError
from wiretape.protocols.mysql.constants import Cap
from wiretape.protocols.mysql.fields import U8, U16, U32, read_null_text, read_text
from wiretape.protocols.wire import Cursor

NATIVE: Final = "mysql_native_password"
CACHING_SHA2: Final = "caching_sha2_password"
_SCRAMBLE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """Protocol::HandshakeV10. `scramble` are the 20 bytes a password is mixed with."""

    version: str
    thread: int
    scramble: bytes
    capabilities: int
    collation: int
    status: int
    plugin: str

    @classmethod
    def decode(cls, body: bytes) -> Greeting:
        """The greeting in a packet's payload. Raises DecodeError."""
        cursor = Cursor(body)
        if (protocol := U8.read(cursor)) != 10:
            raise DecodeError(f"the server greets in protocol version {protocol}: only 10 is read", 0)
        version = cursor.until(b"\0").decode("utf-8", "replace")
        thread = U32.read(cursor)
        scramble = cursor.take(8)
        cursor.take(1)
        capabilities = U16.read(cursor)
        collation, status, plugin = 0, 2, ""
        if cursor.left:
            collation, status = U8.read(cursor), U16.read(cursor)
            capabilities |= U16.read(cursor) << 16
            size = U8.read(cursor)
            reserved = cursor.take(10)
            if not capabilities & Cap.LONG_PASSWORD:
                capabilities |= int.from_bytes(reserved[6:], "little") << 32
            scramble += cursor.take(min(max(13, size - 8), cursor.left)).rstrip(b"\0")
            if capabilities & Cap.PLUGIN_AUTH:
                plugin = read_null_text(cursor).decode("ascii", "replace")
        return cls(
            version=version, thread=thread, scramble=scramble, capabilities=capabilities, collation=collation, status=status,
            plugin=plugin,
        )  # fmt: skip

    def encode(self) -> bytes:
        """The packet's payload."""
        extended = b"" if self.capabilities & Cap.LONG_PASSWORD else (self.capabilities >> 32).to_bytes(4, "little")
        return b"".join(
            (
                b"\x0a", self.version.encode(), b"\0", U32.write(self.thread), self.scramble[:8], b"\0",
                U16.write(self.capabilities & 0xFFFF), U8.write(self.collation), U16.write(self.status),
                U16.write(self.capabilities >> 16 & 0xFFFF), U8.write(_SCRAMBLE + 1), bytes(6), extended.ljust(4, b"\0"),
                self.scramble[8:], b"\0", self.plugin.encode(), b"\0",
            )
        )  # fmt: skip


def clear_capabilities(payload: bytes, unwanted: int) -> bytes:
    """A greeting's payload with some capabilities cleared and every other byte as it was. Raises DecodeError."""
    greeting = Greeting.decode(payload)
    at = payload.index(b"\0", 1) + 1 + 4 + 8 + 1
    out = bytearray(payload)
    kept = greeting.capabilities & ~unwanted
    out[at : at + 2] = U16.write(kept & 0xFFFF)
    if len(out) >= at + 18:
        out[at + 5 : at + 7] = U16.write(kept >> 16 & 0xFFFF)
        if not greeting.capabilities & Cap.LONG_PASSWORD:
            out[at + 14 : at + 18] = U32.write(kept >> 32)
    return bytes(out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Protocol::HandshakeResponse41, or the SSLRequest that is its beginning (`tls`)."""

    capabilities: int
    collation: int
    tls: bool = False
    user: bytes = b""
    secret: bytes = b""
    database: bytes = b""
    plugin: str = ""

    @classmethod
    def decode(cls, body: bytes) -> Login:
        """The client's answer to a greeting. Raises DecodeError."""
        cursor = Cursor(body)
        capabilities = U32.read(cursor)
        if not capabilities & Cap.PROTOCOL_41:
            raise DecodeError("the client speaks the protocol of before MySQL 4.1, which is not read", 0)
        cursor.take(4)
        collation = U8.read(cursor)
        cursor.take(19)
        if not capabilities & Cap.LONG_PASSWORD:
            capabilities |= int.from_bytes(cursor.take(4), "little") << 32
        else:
            cursor.take(4)
        if capabilities & Cap.SSL and not cursor.left:
            return cls(capabilities=capabilities, collation=collation, tls=True)
        user = read_null_text(cursor)
        if capabilities & Cap.PLUGIN_AUTH_LENENC:
            secret = read_text(cursor)
        elif capabilities & Cap.SECURE_CONNECTION:
            secret = cursor.take(U8.read(cursor))
        else:
            secret = read_null_text(cursor)
        database = read_null_text(cursor) if capabilities & Cap.CONNECT_WITH_DB else b""
        plugin = read_null_text(cursor).decode("ascii", "replace") if capabilities & Cap.PLUGIN_AUTH else ""
        return cls(capabilities=capabilities, collation=collation, user=user, secret=secret, database=database, plugin=plugin)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeUser:
    """COM_CHANGE_USER, as far as it changes what follows. `collation` is 0 where the client names none."""

    user: bytes
    secret: bytes
    database: bytes
    collation: int = 0
    plugin: str = ""

    @classmethod
    def decode(cls, body: bytes) -> ChangeUser:
        """The payload behind the command byte. Raises DecodeError."""
        cursor = Cursor(body)
        user = cursor.until(b"\0")
        secret = cursor.take(U8.read(cursor))
        database = read_null_text(cursor)
        collation = U16.read(cursor) if cursor.left >= 2 else 0
        plugin = read_null_text(cursor).decode("ascii", "replace")
        return cls(user=user, secret=secret, database=database, collation=collation, plugin=plugin)


def switch(plugin: str, scramble: bytes) -> bytes:
    """Protocol::AuthSwitchRequest."""
    return b"\xfe" + plugin.encode() + b"\0" + scramble + b"\0"


FAST_OK: Final = b"\x01\x03"
"""AuthMoreData of caching_sha2_password: the password is known and right."""
