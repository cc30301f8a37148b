"""Character sets: which one a collation's number means, how Python reads it, and how many bytes its widest character has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Charset:
    """`collation` is the number of its default collation, `widest` the bytes of its widest character."""

    name: str
    encoding: str
    widest: int
    collation: int

    def decode(self, data: bytes) -> str:
        """Text, with surrogates for what is none."""
        return data.decode(self.encoding, "surrogateescape" if self.encoding in _ESCAPES else "replace")

    def encode(self, text: str) -> bytes:
        """Bytes; a character that the set does not have becomes a question mark, as on a server."""
        try:
            return text.encode(self.encoding, "surrogateescape" if self.encoding in _ESCAPES else "strict")
        except UnicodeEncodeError:
            return text.encode(self.encoding, "replace")


_ESCAPES = frozenset(("utf-8", "ascii"))
_SETS = (
    Charset("utf8mb4", "utf-8", 4, 45), Charset("utf8mb3", "utf-8", 3, 33), Charset("utf8", "utf-8", 3, 33),
    Charset("latin1", "cp1252", 1, 8), Charset("latin2", "iso8859-2", 1, 9), Charset("ascii", "ascii", 1, 11),
    Charset("binary", "utf-8", 1, 63), Charset("cp1250", "cp1250", 1, 26), Charset("cp1251", "cp1251", 1, 51),
    Charset("cp1256", "cp1256", 1, 57), Charset("cp1257", "cp1257", 1, 59), Charset("cp850", "cp850", 1, 4),
    Charset("cp852", "cp852", 1, 40), Charset("cp866", "cp866", 1, 36), Charset("koi8r", "koi8-r", 1, 7),
    Charset("koi8u", "koi8-u", 1, 22), Charset("greek", "iso8859-7", 1, 25), Charset("hebrew", "iso8859-8", 1, 16),
    Charset("latin5", "iso8859-9", 1, 30), Charset("latin7", "iso8859-13", 1, 41), Charset("tis620", "tis-620", 1, 18),
    Charset("sjis", "shift_jis", 2, 13), Charset("cp932", "cp932", 2, 95), Charset("ujis", "euc-jp", 3, 12),
    Charset("euckr", "euc-kr", 2, 19), Charset("gb2312", "gb2312", 2, 24), Charset("gbk", "gbk", 2, 28),
    Charset("gb18030", "gb18030", 4, 248), Charset("big5", "big5", 2, 1), Charset("ucs2", "utf-16-be", 2, 35),
    Charset("utf16", "utf-16-be", 4, 54), Charset("utf16le", "utf-16-le", 4, 56), Charset("utf32", "utf-32-be", 4, 60),
)  # fmt: skip
_BY_NAME: Mapping[str, Charset] = MappingProxyType({one.name: one for one in _SETS})
UTF8MB4: Final = _SETS[0]

# Numbers of collations other than the default ones; 0x800 marks MariaDB's newer collations (UCA 14.0.0).
_RANGES: Mapping[str, tuple[range | tuple[int, ...], ...]] = MappingProxyType(
    {
        "utf8mb4": ((45, 46), range(224, 248), range(255, 324), range(608, 640), range(1056, 1216), range(2304, 2560)),
        "utf8mb3": ((33, 76, 83, 223), range(192, 223), range(576, 608), range(1024, 1056), range(2048, 2304)),
        "latin1": ((5, 8, 15, 31, 47, 48, 49, 94),),
        "latin2": ((2, 9, 21, 27, 77),),
        "ascii": ((11, 65),),
        "cp1250": ((26, 34, 44, 66, 99),),
        "cp1251": ((14, 23, 50, 51, 52),),
        "ucs2": ((35, 90, 159), range(128, 152), range(640, 672)),
        "utf16": ((54, 55), range(101, 125), range(672, 704)),
        "utf32": ((60, 61), range(160, 184), range(736, 768)),
    }
)
_BY_COLLATION: Mapping[int, Charset] = MappingProxyType(
    {one.collation: one for one in reversed(_SETS)}
    | {number: _BY_NAME[name] for name, groups in _RANGES.items() for group in groups for number in group}
)


def of_collation(number: int) -> Charset:
    """The character set of a collation; utf8mb4 where the number is not known."""
    return _BY_COLLATION.get(number, UTF8MB4)


def of_name(name: str) -> Charset | None:
    """The character set of this name."""
    return _BY_NAME.get(name.lower())


DEFAULTS: Final = tuple(one for one in _SETS if one.name != "utf8")
"""Every character set once."""
