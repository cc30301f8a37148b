"""Golden wire transcripts: what a real driver and a real server said to each other, in a form a person can read.

One file is one connection. A line is one chunk as it crossed the wire: `C` or `S` (who sent it), a space, and its bytes:
printable ASCII as it is and everything else as `\\xNN` (`\\\\` is a backslash). Lines that begin with `#` say where it comes
from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wiretape.protocols.base import Side

FOLDER = Path(__file__).parents[2] / "fixtures" / "wire"
_ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|\\)")
_PLAIN = frozenset(range(0x20, 0x7F)) - {0x5C}

type Chunk = tuple[Side, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """The chunks of one connection, in the order in which they crossed the wire."""

    name: str
    chunks: tuple[Chunk, ...]


def escape(data: bytes) -> str:
    return "".join(chr(byte) if byte in _PLAIN else "\\\\" if byte == 0x5C else f"\\x{byte:02x}" for byte in data)


def unescape(text: str) -> bytes:
    return _ESCAPE.sub(lambda found: b"\\" if found[1] == b"\\" else bytes([int(found[1][1:], 16)]), text.encode("ascii"))


def write(path: Path, about: str, chunks: Iterable[Chunk]) -> None:
    lines = [f"# {about}", *(f"{'C' if side is Side.CLIENT else 'S'} {escape(data)}" for side, data in chunks)]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def read(path: Path) -> Transcript:
    return parse(path.stem, path.read_text(encoding="ascii"))


def parse(name: str, text: str) -> Transcript:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    chunks = tuple((Side.CLIENT if line[0] == "C" else Side.SERVER, unescape(line[2:])) for line in lines)
    return Transcript(name=name, chunks=chunks)


def of(codec: str) -> Iterator[Transcript]:
    """The transcripts of a codec, by name."""
    for path in sorted((FOLDER / codec).glob("*.transcript")):
        yield read(path)
