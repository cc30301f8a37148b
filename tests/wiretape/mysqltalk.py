"""Conversations in MySQL's protocol, packet by packet, for tests of the tap and of the mock."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from wiretape.protocols.base import Interaction, Side
from wiretape.protocols.mysql.constants import Cap, Kind, Status
from wiretape.protocols.mysql.fields import write_lenenc, write_text
from wiretape.protocols.mysql.framing import Packer, Stream
from wiretape.protocols.mysql.handshake import NATIVE, Greeting
from wiretape.protocols.mysql.packets import EOF, Column, Err, Ok, encode_eof
from wiretape.protocols.mysql.tap import MysqlTap

MODERN = (
    Cap.LONG_PASSWORD | Cap.PROTOCOL_41 | Cap.SECURE_CONNECTION | Cap.PLUGIN_AUTH | Cap.CONNECT_WITH_DB | Cap.MULTI_RESULTS
    | Cap.PS_MULTI_RESULTS | Cap.MULTI_STATEMENTS | Cap.DEPRECATE_EOF | Cap.SESSION_TRACK
)  # fmt: skip
CLASSIC = MODERN & ~(Cap.DEPRECATE_EOF | Cap.SESSION_TRACK)
AUTO = int(Status.AUTOCOMMIT)


def packed(*payloads: bytes, sequence: int = 0) -> bytes:
    packer = Packer(sequence)
    return b"".join(map(packer.pack, payloads))


def unpacked(data: bytes) -> list[bytes]:
    stream = Stream()
    stream.push(data)
    out = []
    while (found := stream.packet()) is not None:
        out.append(found[1])
    assert stream.left == 0
    return out


def greeting(capabilities: int = MODERN, version: str = "8.0.36", plugin: str = NATIVE) -> bytes:
    told = Greeting(
        version=version,
        thread=7,
        scramble=b"12345678901234567890",
        capabilities=capabilities,
        collation=45,
        status=AUTO,
        plugin=plugin,
    )
    return packed(told.encode())


def login(
    capabilities: int = MODERN, *, database: str = "app", collation: int = 45, plugin: str = NATIVE, secret: bytes = b"x" * 20
) -> bytes:
    extended = (capabilities >> 32).to_bytes(4, "little") if not capabilities & Cap.LONG_PASSWORD else bytes(4)
    body = struct.pack("<IIB", capabilities & 0xFFFFFFFF, 1 << 24, collation) + bytes(19) + extended
    body += b"app\0" + bytes((len(secret),)) + secret
    body += database.encode() + b"\0" if capabilities & Cap.CONNECT_WITH_DB else b""
    return packed(body + plugin.encode() + b"\0", sequence=1)


def command(number: int, payload: bytes = b"") -> bytes:
    return packed(bytes((number,)) + payload)


def query(sql: str | bytes) -> bytes:
    return command(3, sql if isinstance(sql, bytes) else sql.encode())


def ok(affected: int = 0, inserted: int = 0, status: int = AUTO, warnings: int = 0, info: str = "", **changes: bytes) -> bytes:
    told = Ok(affected=affected, last_insert_id=inserted, status=status, warnings=warnings, info=info.encode(), changes=changes)
    return told.encode()


def err(code: int, state: str, message: str) -> bytes:
    return Err(code=code, state=state, message=message.encode()).encode()


def column(name: str, kind: int = Kind.LONG, **more: object) -> Column:
    known = {"collation": 45 if kind in (Kind.VAR_STRING, Kind.STRING) else 63, "length": 44 if kind == Kind.VAR_STRING else 11}
    return Column(name=name.encode(), kind=kind, **{**known, **more})  # type: ignore[arg-type]


def result(
    columns: Sequence[Column], rows: Iterable[bytes], capabilities: int = MODERN, status: int = AUTO, warnings: int = 0
) -> list[bytes]:
    """The packets of one result set."""
    modern = capabilities & Cap.DEPRECATE_EOF
    end = Ok(status=status, warnings=warnings).encode(EOF) if modern else encode_eof(status, warnings)
    head = [write_lenenc(len(columns)), *(one.encode(capabilities) for one in columns)]
    return [*head, *([] if modern else [encode_eof(status, 0)]), *rows, end]


def text_row(*values: str | bytes | None) -> bytes:
    cells = [value.encode() if isinstance(value, str) else value for value in values]
    return b"".join(b"\xfb" if cell is None else write_text(cell) for cell in cells)


class Talk:
    """A connection that is logged in, and its tap."""

    def __init__(self, capabilities: int = MODERN, *, version: str = "8.0.36", **more: object) -> None:
        self.tap = MysqlTap()
        self.out: list[Interaction] = []
        self._at = 0.0
        self.server(greeting(capabilities, version))
        self.client(login(capabilities, **more))  # type: ignore[arg-type]
        self.server(packed(ok(), sequence=2))

    def client(self, data: bytes) -> None:
        self._at += 1
        self.out += self.tap.feed(Side.CLIENT, data, self._at)

    def server(self, data: bytes) -> None:
        self._at += 1
        self.out += self.tap.feed(Side.SERVER, data, self._at)

    def ask(self, data: bytes, *answer: bytes) -> None:
        self.client(data)
        if answer:
            self.server(packed(*answer, sequence=1))

    def close(self) -> list[Interaction]:
        self._at += 1
        self.out += self.tap.close(self._at)
        return self.out
