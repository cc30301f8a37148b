"""What a client sends: commands as arrays of bulk strings, or inline, as a person types them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from wiretape.errors import DecodeError
from wiretape.protocols.redis.buffer import MAX_BULK, Buffer, number

MAX_ARGUMENTS: Final = 1024 * 1024  # as the server has it
MAX_INLINE: Final = 64 * 1024
_LONGEST_KEPT: Final = 512

_SPACE = b" \t\n\r\v\f\0"
_ESCAPES = {ord("n"): b"\n", ord("r"): b"\r", ord("t"): b"\t", ord("b"): b"\b", ord("a"): b"\a"}
_HEX = re.compile(rb"\\x([0-9a-fA-F]{2})")
_BEGINS = re.compile(rb"\*[1-9]\d{0,6}\r\n\$\d{1,9}\r\n")
_COULD_BEGIN = re.compile(rb"\*(?:[1-9]\d{0,6}(?:\r(?:\n(?:\$\d{0,9}\r?)?)?)?)?")
_TYPED = re.compile(rb"(?:PING|AUTH|HELLO|INFO|QUIT|SELECT|MONITOR|COMMAND)\b[^\r\n]*\r?\n", re.IGNORECASE)

type Argv = tuple[bytes, ...]


class Requests(Buffer):
    """The commands of one client, one after the other, however they arrive."""

    __slots__ = ("_arguments", "_left")

    def __init__(self) -> None:
        super().__init__()
        self._arguments: list[bytes] = []
        self._left = 0

    @property
    def between(self) -> bool:
        """Whether nothing has arrived that was not read."""
        return self.at == len(self.data) and not self._left and not self._arguments

    def next(self) -> Argv | None:
        """The next command, or None where it has not arrived whole. Raises DecodeError, with the server's own words."""
        while not self._left:
            if self.at == len(self.data):
                return None
            if self.data[self.at] != ord("*"):
                return self._inline()
            line = self.line()
            if line is None:
                return None
            count = self._number(line[1:], "invalid multibulk length")
            if count > MAX_ARGUMENTS:
                raise DecodeError("Protocol error: invalid multibulk length", self.offset)
            self._left = max(count, 0)
        while self._left:
            before = self.at
            line = self.line()
            if line is None:
                return None
            if line[:1] != b"$":
                raise DecodeError(f"Protocol error: expected '$', got '{chr(line[0]) if line else ' '}'", self.offset)
            size = self._number(line[1:], "invalid bulk length")
            if not 0 <= size <= MAX_BULK:
                raise DecodeError("Protocol error: invalid bulk length", self.offset)
            body = self.block(size)
            if body is None:
                self.at = before
                return None
            self._arguments.append(body)
            self._left -= 1
        made, self._arguments = tuple(self._arguments), []
        return made

    def _number(self, text: bytes, otherwise: str) -> int:
        try:
            return number(text, self.offset)
        except DecodeError as error:
            raise DecodeError(f"Protocol error: {otherwise}", error.offset) from None

    def _inline(self) -> Argv | None:
        """A line of words; an empty one is passed over."""
        while True:
            end = self.data.find(b"\n", self.at)
            if end < 0:
                if len(self.data) - self.at > MAX_INLINE:
                    raise DecodeError("Protocol error: too big inline request", self.offset)
                return None
            line = bytes(self.data[self.at : end])
            found = words(line)
            if found is None:
                raise DecodeError("Protocol error: unbalanced quotes in request", self.offset)
            self.at = end + 1
            if found:
                return found
            if self.at < len(self.data) and self.data[self.at] == ord("*"):
                return self.next()


def single(data: bytes) -> Argv | None:
    """The command that `data` is, whole and alone; None where it is not. What may well come again is kept."""
    return _single(data) if len(data) <= _LONGEST_KEPT else None


@lru_cache(maxsize=4096)
def _single(data: bytes) -> Argv | None:
    requests = Requests()
    requests.push(data)
    try:
        argv = requests.next()
    except DecodeError:
        return None
    return argv if requests.at == len(data) else None


def words(line: bytes) -> Argv | None:
    """A line cut into words as redis-cli does, quotes and escapes understood; None where a quote is not closed."""
    out: list[bytes] = []
    at = 0
    while True:
        while at < len(line) and line[at] in _SPACE:
            at += 1
        if at == len(line):
            return tuple(out)
        found = _word(line, at)
        if found is None:
            return None
        word, at = found
        out.append(word)


def _word(line: bytes, at: int) -> tuple[bytes, int] | None:
    """The word that begins at `at`, and where it ends."""
    if line[at] not in b"\"'":
        end = at
        while end < len(line) and line[end] not in _SPACE:
            end += 1
        return line[at:end], end
    quote, out = line[at], bytearray()
    at += 1
    while at < len(line) and line[at] != quote:
        if quote == ord('"') and line[at] == ord("\\") and at + 1 < len(line):
            if found := _HEX.match(line, at):
                out += bytes([int(found[1], 16)])
                at += 4
                continue
            at += 1
            out += _ESCAPES.get(line[at], line[at : at + 1])
        elif line[at] == ord("\\") and line[at + 1 : at + 2] == b"'":
            at += 1
            out += b"'"
        else:
            out.append(line[at])
        at += 1
    closed = at < len(line) and (at + 1 == len(line) or line[at + 1] in _SPACE)
    return (bytes(out), at + 1) if closed else None


def quoted(word: bytes) -> str:
    """A word as `words` reads it: as it is where that is plain, else in double quotes with what does not print escaped."""
    try:
        text = word.decode()
    except UnicodeDecodeError:
        return '"' + "".join(chr(b) if 0x20 <= b < 0x7F and b not in b'"\\' else f"\\x{b:02x}" for b in word) + '"'
    if text and text.isprintable() and " " not in text and text[0] not in "\"'":
        return text
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    return char if char.isprintable() else "".join(f"\\x{byte:02x}" for byte in char.encode())


def recognises(client: bytes, server: bytes) -> bool | None:  # noqa: ARG001 - the client speaks first
    """Whether a connection begins as Redis's do: with an array of strings, or a word a person would type."""
    if _BEGINS.match(client) or _TYPED.match(client):
        return True
    if _COULD_BEGIN.fullmatch(client) or (client.isalpha() and len(client) < 8) or not client:
        return None
    return False
