"""Types whose binary form is (nearly) their text: text itself, json, xml, bytea, uuid, bit strings, snapshots."""

from __future__ import annotations

import re
import struct
import uuid
from collections.abc import Mapping
from types import MappingProxyType

from wiretape.protocols.postgres.scalar import Codec, NoText, Style, demand, plain

_INT4 = struct.Struct("!i")
_ESCAPED = re.compile(r"\\(\\|[0-3][0-7][0-7])")


def _read(data: bytes) -> str:
    text = data.decode()
    demand("\0" not in text, "text holds no zero byte")
    return text


def _write(text: str) -> bytes:
    demand("\0" not in text, "text holds no zero byte")
    return text.encode()


TEXT = plain(_read, _write, "text without zero bytes")


def versioned(version: int, expects: str) -> Codec:
    """Text behind one byte that gives the version of the binary form."""

    def read(data: bytes) -> str:
        demand(data[0] == version, "another version")
        return _read(data[1:])

    return plain(read, lambda text: bytes((version,)) + _write(text), expects)


def _xml_read(data: bytes) -> str:
    """The declaration names the encoding in the binary form only, so where there is one just the server can say."""
    text = _read(data)
    if text.startswith("<?xml"):
        raise NoText("an XML declaration")
    return text


def _character_read(data: bytes) -> str:
    (code,) = data
    if code >= 0x80:  # PostgreSQL 16 and later; a bare byte before
        return f"\\{code:03o}"
    return chr(code) if code else ""


def _character_write(text: str) -> bytes:
    if not text:
        return b"\0"
    found = _ESCAPED.fullmatch(text)
    if found and found[1] != "\\":
        return bytes((int(found[1], 8),))
    demand(len(text) == 1 and text.isascii() and text != "\0", "not one character")
    return text.encode()


def _bytea_read(data: bytes, style: Style) -> str:
    if style.bytea == "escape":
        return "".join("\\\\" if byte == 0x5C else chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}" for byte in data)
    return "\\x" + data.hex()


def _bytea_write(text: str, _style: Style) -> bytes:
    if text.startswith("\\x"):
        return bytes.fromhex(text[2:])
    plain_parts = _ESCAPED.sub("", text)
    demand("\\" not in plain_parts, "a backslash that escapes nothing")
    out, at = bytearray(), 0
    for found in _ESCAPED.finditer(text):
        out += text[at : found.start()].encode()
        out.append(0x5C if found[1] == "\\" else int(found[1], 8))
        at = found.end()
    return bytes(out + text[at:].encode())


def _uuid_write(text: str) -> bytes:
    """Braces, upper case and left-out hyphens are understood, as PostgreSQL does."""
    return uuid.UUID(text.strip(" ")).bytes


def _bits_read(data: bytes) -> str:
    (count,) = _INT4.unpack_from(data)
    demand(count >= 0 and len(data) == 4 + (count + 7) // 8, "wrong length")
    bits = "".join(f"{byte:08b}" for byte in data[4:])
    demand("1" not in bits[count:], "bits beyond the end")
    return bits[:count]


def _bits_write(text: str) -> bytes:
    demand(not text.strip("01"), "not bits")
    return _INT4.pack(len(text)) + bytes(int(text[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(text), 8))


def _snapshot_read(data: bytes) -> str:
    (count,) = _INT4.unpack_from(data)
    demand(count >= 0 and len(data) == 20 + 8 * count, "wrong length")
    low, high, *running = struct.unpack(f"!{2 + count}Q", data[4:])
    return f"{low}:{high}:{','.join(map(str, running))}"


def _snapshot_write(text: str) -> bytes:
    found = re.fullmatch(r"(\d+):(\d+):((?:\d+(?:,\d+)*)?)", text, re.ASCII)
    if not found:
        raise ValueError("not a snapshot")
    running = [int(part) for part in found[3].split(",") if part]
    return _INT4.pack(len(running)) + struct.pack(f"!{2 + len(running)}Q", int(found[1]), int(found[2]), *running)


def _void_read(data: bytes) -> str:
    demand(not data, "void is empty")
    return ""


_BITS = plain(_bits_read, _bits_write, "zeros and ones")
_SNAPSHOT = plain(_snapshot_read, _snapshot_write, "a snapshot such as 10:20:10,14")

TEXTS: Mapping[int, Codec] = MappingProxyType(
    {
        17: Codec(_bytea_read, _bytea_write, "bytes in hexadecimal such as \\x00ff"),
        18: plain(_character_read, _character_write, "one ASCII character"),
        19: TEXT,
        25: TEXT,
        114: TEXT,
        142: plain(_xml_read, _write, "XML"),
        705: TEXT,
        1042: TEXT,
        1043: TEXT,
        1560: _BITS,
        1562: _BITS,
        1790: TEXT,
        2275: TEXT,
        2278: plain(_void_read, lambda _text: b"", "nothing"),
        2950: plain(
            lambda data: str(uuid.UUID(bytes=data)), _uuid_write, "a UUID such as 7b0e2c5a-1f1d-4c55-9a3c-0d2b8e6f4a10"
        ),
        2970: _SNAPSHOT,
        3802: versioned(1, "JSON"),
        4072: versioned(1, "a JSON path"),
        5038: _SNAPSHOT,
    }
)
