"""HTTP content codings (RFC 9110 section 8.4): decoding, and encoding again to the very bytes of another's compressor."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from importlib import import_module
from typing import Any

MAX_DECODED = 64 * 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b\x08\x00"
_LEVELS = (6, 9, 1, 5, 4, 3, 2, 7, 8)


def decode(data: bytes, coding: str) -> bytes:
    """`data` without its content codings (`gzip`, `deflate`, `br`, `zstd`, `identity`, or several with commas between).

    Raises ValueError where it does not decode, the coding is unknown, or the result is over MAX_DECODED bytes.
    """
    for name in reversed([part.strip().lower() for part in coding.split(",")]):
        data = _decode_one(data, name)
    return data


def _decode_one(data: bytes, name: str) -> bytes:
    try:
        match name:
            case "" | "identity":
                return data
            case "gzip" | "x-gzip":
                return _inflate(data, 31)
            case "deflate":
                return _inflate(data, 15 if data[:1] and data[0] & 15 == 8 else -15)
            case "br":
                return _bounded(_library("brotli").decompress(data))
            case "zstd":
                return _bounded(_zstd_decompress(data))
    except ValueError:
        raise
    except Exception as error:  # noqa: BLE001 - each library raises its own
        raise ValueError(f"not {name}: {error}") from None
    raise ValueError(f"unknown content coding {name!r}")


def _library(name: str) -> Any:
    return import_module(name)


def _inflate(data: bytes, window: int) -> bytes:
    out = b""
    while data:
        stream = zlib.decompressobj(window)
        try:
            out += stream.decompress(data, MAX_DECODED + 1 - len(out))
        except zlib.error as error:
            raise ValueError(f"not compressed data: {error}") from None
        if len(out) > MAX_DECODED:
            raise ValueError(f"over {MAX_DECODED} bytes decoded")
        if not stream.eof:
            raise ValueError("compressed data is cut off")
        data = stream.unused_data
    return out


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_DECODED:
        raise ValueError(f"over {MAX_DECODED} bytes decoded")
    return data


def _zstd_decompress(data: bytes) -> bytes:
    decoded: bytes = _library("zstandard").ZstdDecompressor().decompressobj().decompress(data)
    return decoded


def encode(data: bytes, coding: str, settings: str = "") -> bytes:
    """`data` with its content codings. `settings` is what `settings_of` gave for a recorded body; empty means the usual.

    Raises ValueError for an unknown coding.
    """
    names = [part.strip().lower() for part in coding.split(",")]
    for name in names:
        data = _encode_one(data, name, settings if len(names) == 1 else "")
    return data


def _encode_one(data: bytes, name: str, settings: str) -> bytes:
    match name:
        case "" | "identity":
            return data
        case "gzip" | "x-gzip":
            level, header = _gzip_settings(settings)
            trailer = zlib.crc32(data).to_bytes(4, "little") + (len(data) & 0xFFFFFFFF).to_bytes(4, "little")
            return header + _deflate(data, level, -15) + trailer
        case "deflate":
            strength, _, window = settings.partition("/")
            return _deflate(data, int(strength or 6), -15 if window == "raw" else 15)
        case "br":
            packed: bytes = _library("brotli").compress(data, quality=int(settings or 4))
            return packed
        case "zstd":
            framed: bytes = _library("zstandard").ZstdCompressor(level=int(settings or 3)).compress(data)
            return framed
    raise ValueError(f"unknown content coding {name!r}")


def _deflate(data: bytes, level: int, window: int) -> bytes:
    stream = zlib.compressobj(level, zlib.DEFLATED, window)
    return stream.compress(data) + stream.flush()


def _gzip_settings(settings: str) -> tuple[int, bytes]:
    """`LEVEL` or `LEVEL/MTIME/XFL/OS`, the fields of the header of RFC 1952 section 2.3."""
    level, _, rest = settings.partition("/")
    mtime, xfl, system = (int(part) for part in rest.split("/")) if rest else (0, 0, 255)
    return int(level or 6), _GZIP_MAGIC + mtime.to_bytes(4, "little") + bytes([xfl, system])


def settings_of(data: bytes, decoded: bytes, coding: str) -> str | None:
    """Settings with which `encode(decoded, coding, settings)` gives exactly `data`; None where none do."""
    name = coding.strip().lower()
    for settings in _settings(data, name):
        if encode(decoded, name, settings) == data:
            return settings
    return None


def _settings(data: bytes, name: str) -> Iterator[str]:
    match name:
        case "identity" | "":
            yield ""
        case "gzip" | "x-gzip" if data[:4] == _GZIP_MAGIC and len(data) >= 18:
            yield ""
            header = f"{int.from_bytes(data[4:8], 'little')}/{data[8]}/{data[9]}"
            yield from (f"{level}/{header}" for level in _LEVELS)
        case "deflate":
            raw = "" if data[:1] and data[0] & 15 == 8 else "/raw"
            yield from (f"{level}{raw}" for level in _LEVELS)
        case "br" if len(data) < 64 * 1024:
            yield from ("", "5", "11", "6", "1", "3", "0", "2", "7", "8", "9")
        case "zstd":
            yield from ("", "1", "6")
