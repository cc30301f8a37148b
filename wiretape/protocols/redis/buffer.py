"""One side's bytes as they arrive, cut into the lines and blocks that RESP is made of."""

from __future__ import annotations

from typing import Final

from wiretape.errors import DecodeError

MAX_BULK: Final = 256 * 1024 * 1024  # a server allows 512 MiB, which nobody wants in a test case
MAX_LINE: Final = 1024 * 1024


class Buffer:
    """The bytes of one side of a connection that have not been read yet."""

    __slots__ = ("_base", "at", "data")

    def __init__(self) -> None:
        self.data: bytes | bytearray = b""
        self.at = 0
        self._base = 0

    def push(self, data: bytes) -> None:
        """Add what arrived."""
        if self.at == len(self.data):
            self._base += self.at
            self.data, self.at = data, 0
            return
        if isinstance(self.data, bytes):  # a bytearray grows in place: many pieces are not copied for each of them
            self.data = bytearray(self.data)
        if self.at:
            del self.data[: self.at]
            self._base += self.at
            self.at = 0
        self.data += data

    @property
    def offset(self) -> int:
        """Position in the whole stream of the next byte."""
        return self._base + self.at

    def line(self) -> bytes | None:
        """The next line without its end, which is read, too; None where it has not arrived."""
        end = self.data.find(b"\r\n", self.at)
        if end < 0 or end - self.at > MAX_LINE:
            if len(self.data) - self.at > MAX_LINE:
                raise DecodeError(f"a line of more than {MAX_LINE} bytes: this is not Redis", self.offset)
            return None
        out = bytes(self.data[self.at : end])
        self.at = end + 2
        return out

    def block(self, size: int) -> bytes | None:
        """The next `size` bytes and the line end after them; None where they have not arrived."""
        end = self.at + size
        if len(self.data) < end + 2:
            return None
        if self.data[end : end + 2] != b"\r\n":
            raise DecodeError("a string is longer than it says", self.offset)
        out = bytes(self.data[self.at : end])
        self.at = end + 2
        return out


def number(text: bytes, offset: int) -> int:
    """A decimal integer. Raises DecodeError."""
    digits = text[1:] if text[:1] in (b"-", b"+") else text
    if not digits.isdigit() or len(digits) > 19:
        raise DecodeError(f"{text[:40]!r} is not a number", offset)
    return int(text)
