"""What fuzzing found, kept: broken laws, one file each, and a small corpus that reaches what no golden transcript does.

`fixtures/fuzz/CODEC/*.transcript` are findings; `fixtures/fuzz/CODEC/corpus.transcripts` are the others, with an empty line
between two. A test replays all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tests.laws.transcripts import Chunk, Transcript, escape, parse
from wiretape.protocols.base import Side

FOLDER = Path(__file__).parents[2] / "fixtures" / "fuzz"
CORPUS = "corpus.transcripts"


def findings(codec: str) -> list[Transcript]:
    return [parse(path.stem, path.read_text(encoding="ascii")) for path in sorted((FOLDER / codec).glob("*.transcript"))]


def corpus(codec: str) -> list[Transcript]:
    path = FOLDER / codec / CORPUS
    if not path.exists():
        return []
    parts = re.split("\n{2,}", path.read_text(encoding="ascii").strip("\n"))
    return [parse(f"corpus-{number}", part) for number, part in enumerate(parts) if part]


def text(chunks: Iterable[Chunk]) -> str:
    return "".join(f"{'C' if side is Side.CLIENT else 'S'} {escape(data)}\n" for side, data in chunks)


def write_finding(codec: str, name: str, about: str, chunks: Iterable[Chunk]) -> Path:
    path = FOLDER / codec / f"{name}.transcript"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# {about}\n{text(chunks)}", encoding="ascii")
    return path


def write_corpus(codec: str, connections: Iterable[Iterable[Chunk]]) -> Path:
    path = FOLDER / codec / CORPUS
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(filter(None, map(text, connections))), encoding="ascii")
    return path
