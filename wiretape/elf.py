"""ELF files: whether a program lets a library in before all others, and a library without one of its symbols.

Little-endian, 64 bits, as Linux has them today. Layouts: elf(5).
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MAGIC = b"\x7fELF\x02\x01"  # 64 bits, little-endian
_PROGRAM = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_INTERPRETER = 3  # PT_INTERP
_DYNAMIC_SYMBOLS = 11  # SHT_DYNSYM
type _Bytes = bytes | mmap.mmap

_GO = (".go.buildinfo", ".note.go.buildid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """`static`: nothing is loaded into it as it starts. `go`: its runtime asks the kernel for the time, past every library."""

    static: bool
    go: bool


def traits(path: Path) -> Traits | None:
    """What kind of program a file is; None where it is none, a damaged one, or cannot be read."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _traits(data)
    except (OSError, ValueError):  # an empty file cannot be mapped
        return None


def _traits(data: _Bytes) -> Traits | None:
    if data[: len(_MAGIC)] != _MAGIC:
        return None
    try:
        kinds = [kind for kind, *_ in _table(data, 32, 54, _PROGRAM)]
        names = _section_names(data)
    except (struct.error, OverflowError):
        return None
    return Traits(static=_INTERPRETER not in kinds, go=any(name in names for name in _GO))


def without(data: bytes, symbol: str) -> bytes:
    """The library with no `symbol` for others to find, so that they find the next one's. Raises ValueError where it is no such
    file, or has no such symbol."""
    if not data.startswith(_MAGIC):
        raise ValueError("it is no ELF file of 64 bits")
    try:
        made = bytearray(data)
        sections = list(_table(data, 40, 58, _SECTION))
        found = next(section for section in sections if section[1] == _DYNAMIC_SYMBOLS)
        names = sections[found[6]][4]
        for at in range(found[4], found[4] + found[5], _SYMBOL.size):
            name = names + _SYMBOL.unpack_from(data, at)[0]
            if data[name : name + len(symbol) + 1] == symbol.encode() + b"\0":
                struct.pack_into("<I", made, at, 0)  # the empty name: whoever looks it up compares names
                return bytes(made)
    except (struct.error, OverflowError, StopIteration, IndexError):
        raise ValueError("it is damaged") from None
    raise ValueError(f"it has no {symbol}")


def _table(data: _Bytes, where: int, how_many: int, entry: struct.Struct) -> Iterator[tuple[int, ...]]:
    """The entries of the table whose offset stands at `where` of the header; `how_many`: where their size and number stand."""
    (start,) = struct.unpack_from("<Q", data, where)
    size, count = struct.unpack_from("<HH", data, how_many)
    for index in range(count):
        yield entry.unpack_from(data, start + index * size)


def _section_names(data: _Bytes) -> list[str]:
    sections = list(_table(data, 40, 58, _SECTION))
    (index,) = struct.unpack_from("<H", data, 62)
    if index >= len(sections):  # stripped of them all
        return []
    start, size = sections[index][4], sections[index][5]
    names = data[start : start + size]
    return [names[section[0] : names.find(b"\0", section[0])].decode(errors="replace") for section in sections]
