"""Mutations of connections: what the fuzzer does to golden transcripts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from tests.laws.transcripts import Chunk
from wiretape.protocols.base import Side

type Connection = tuple[Chunk, ...]

LONGEST = 16_000  # bytes of a connection that are mutated: what follows would only cost time
NUMBERS = (
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x7FFF,
    0x8000,
    0xFFFF,
    0xFFFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    (1 << 63) - 1,
    (1 << 64) - 1,
)
_WORD = re.compile(rb"[A-Za-z_][A-Za-z_0-9-]{2,30}")
_DIGITS = re.compile(rb"-?\d+")
_FIGURES = (
    b"0",
    b"-1",
    b"1",
    b"2147483648",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"99999999999999999999",
    b"1e999",
    b"\xb2",
)


class Mutator:
    """Makes new connections from old ones. `words` are what the protocol's transcripts say, put in anywhere."""

    def __init__(self, random: Random, seeds: Sequence[Connection]) -> None:
        self._random = random
        self._words = sorted({word for seed in seeds for _, data in seed for word in _WORD.findall(data[:4000])})
        self._bytes = (self._replace, self._flip, self._number, self._figure, self._insert, self._word, self._cut, self._double)
        self._whole = (
            self._drop,
            self._repeat,
            self._swap,
            self._turn,
            self._stop,
            self._splice,
            self._transplant,
            self._split,
        )

    def mutate(self, connection: Connection, other: Connection) -> Connection:
        """A variant of `connection`; `other` lends its chunks."""
        chunks = [(side, bytearray(data)) for side, data in shortened(connection)] or [(Side.CLIENT, bytearray(b"x"))]
        for _ in range(self._random.choice((1, 1, 1, 2, 2, 3, 5, 9))):
            if self._random.random() < 0.75:
                data = chunks[self._random.randrange(len(chunks))][1]
                if data:
                    self._random.choice(self._bytes)(data)
            else:
                self._random.choice(self._whole)(chunks, other)
            chunks = chunks or [(Side.CLIENT, bytearray(b"x"))]
        return shortened([(side, bytes(data)) for side, data in chunks])

    def _at(self, data: bytearray) -> int:
        """A place; the beginnings of chunks, where heads and lengths are, more often."""
        return self._random.randrange(min(len(data), 12) if self._random.random() < 0.4 else len(data))

    def _replace(self, data: bytearray) -> None:
        data[self._at(data)] = self._random.randrange(256)

    def _flip(self, data: bytearray) -> None:
        data[self._at(data)] ^= 1 << self._random.randrange(8)

    def _number(self, data: bytearray) -> None:
        size = self._random.choice((1, 2, 3, 4, 8))
        number = (self._random.choice(NUMBERS) + self._random.choice((0, 0, -1, 1))) % (1 << 8 * size)
        at = self._at(data)
        data[at : at + size] = number.to_bytes(size, self._random.choice(("big", "little")))

    def _figure(self, data: bytearray) -> None:
        if found := list(_DIGITS.finditer(data[:4000])):
            one = self._random.choice(found)
            data[one.start() : one.end()] = self._random.choice(_FIGURES)

    def _insert(self, data: bytearray) -> None:
        at = self._at(data)
        data[at:at] = self._random.randbytes(self._random.choice((1, 1, 2, 4, 8, 64)))

    def _word(self, data: bytearray) -> None:
        if self._words:
            word, at = self._random.choice(self._words), self._at(data)
            data[at : at + self._random.choice((0, len(word)))] = word

    def _cut(self, data: bytearray) -> None:
        at = self._at(data)
        del data[at : at + self._random.choice((1, 1, 2, 4, 8, 100))]

    def _double(self, data: bytearray) -> None:
        at = self._at(data)
        piece = data[at : at + self._random.choice((1, 4, 16, 200))]
        data[at:at] = piece * self._random.choice((1, 1, 2, 20))

    def _drop(self, chunks: list[tuple[Side, bytearray]], other: Connection) -> None:
        del chunks[self._random.randrange(len(chunks))]

    def _repeat(self, chunks: list[tuple[Side, bytearray]], other: Connection) -> None:
        at = self._random.randrange(len(chunks))
        again = self._random.choice((1, 1, 2, 8))
        chunks[at:at] = [(side, bytearray(data)) for side, data in chunks[at : at + self._random.choice((1, 2, 4))] * again]

    def _swap(self, chunks: list[tuple[Side, bytearray]], other: Connection) -> None:
        one, two = self._random.randrange(len(chunks)), self._random.randrange(len(chunks))
        chunks[one], chunks[two] = chunks[two], chunks[one]

    def _turn(self, chunks: list[tuple[Side, bytearray]], other: Connection) -> None:
        at = self._random.randrange(len(chunks))
        side, data = chunks[at]
        chunks[at] = (Side.SERVER if side is Side.CLIENT else Side.CLIENT, data)

    def _stop(self, chunks: list[tuple[Side, bytearray]], other: Connection) -> None:
        at = self._random.randrange(len(chunks))
        data = chunks[at][1]
        del data[self._random.randrange(len(data) + 1) :], chunks[at + 1 :]

    def _splice(self, chunks: list[tuple[Side, bytearray]], other: Connection) -> None:
        """The beginning of one conversation, the end of another."""
        if other:
            at = self._random.randrange(len(chunks))
            chunks[at:] = [(side, bytearray(data)) for side, data in other[self._random.randrange(len(other)) :]]

    def _transplant(self, chunks: list[tuple[Side, bytearray]], other: Connection) -> None:
        """Some chunks of another conversation in the middle of this one."""
        if other:
            at, begin = self._random.randrange(len(chunks)), self._random.randrange(len(other))
            chunks[at:at] = [(side, bytearray(data)) for side, data in other[begin : begin + self._random.choice((1, 2, 4))]]

    def _split(self, chunks: list[tuple[Side, bytearray]], other: Connection) -> None:
        at = self._random.randrange(len(chunks))
        side, data = chunks[at]
        middle = self._random.randrange(len(data) + 1)
        chunks[at : at + 1] = [(side, data[:middle]), (side, data[middle:])]


def shortened(connection: Sequence[Chunk]) -> Connection:
    """The first chunks, no more than `LONGEST` bytes."""
    kept: list[Chunk] = []
    left = LONGEST
    for side, data in connection:
        if left <= 0:
            break
        kept.append((side, data[:left]))
        left -= len(data)
    return tuple(kept)
