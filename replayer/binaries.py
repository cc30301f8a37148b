"""What two differing byte strings are and where they part, in words: sizes, checksums, the place, the kind of file."""

from __future__ import annotations

import hashlib

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "PNG image"),
    (0, b"\xff\xd8\xff", "JPEG image"),
    (0, b"GIF8", "GIF image"),
    (8, b"WEBP", "WebP image"),
    (4, b"ftypavif", "AVIF image"),
    (0, b"BM", "bitmap"),
    (0, b"\x00\x00\x01\x00", "icon"),
    (0, b"%PDF-", "PDF document"),
    (0, b"PK\x03\x04", "ZIP archive (or office document)"),
    (0, b"PK\x05\x06", "empty ZIP archive"),
    (0, b"\x1f\x8b", "gzip data"),
    (0, b"BZh", "bzip2 data"),
    (0, b"\xfd7zXZ\x00", "xz data"),
    (0, b"\x28\xb5\x2f\xfd", "Zstandard data"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (257, b"ustar", "tar archive"),
    (0, b"SQLite format 3\x00", "SQLite database"),
    (0, b"\x00asm", "WebAssembly module"),
    (0, b"\x7fELF", "ELF program"),
    (0, b"wOF2", "WOFF2 font"),
    (0, b"OggS", "Ogg media"),
    (0, b"ID3", "MP3 audio"),
    (0, b"fLaC", "FLAC audio"),
    (4, b"ftyp", "MP4 media"),
    (0, b"PAR1", "Parquet file"),
)  # fmt: skip


def file_kind(data: bytes) -> str:
    """What kind of file it is by its first bytes; empty where they do not tell."""
    return next((name for at, magic, name in _MAGIC if data[at : at + len(magic)] == magic), "")


def difference(recorded: bytes, live: bytes) -> str:
    """How the two differ."""
    at = _first_difference(recorded, live)
    was, now = file_kind(recorded), file_kind(live)
    kinds = f"{was or 'bytes'} became {now or 'bytes'}" if was != now else was
    sizes = f"{len(recorded)} bytes (sha256 {_checksum(recorded)}) became {len(live)} (sha256 {_checksum(live)})"
    return "; ".join(filter(None, [kinds, sizes, f"first differs at byte {at}"]))


def _checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def _first_difference(left: bytes, right: bytes) -> int:
    """The offset of the first byte that differs, by halves."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[:middle] == right[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
