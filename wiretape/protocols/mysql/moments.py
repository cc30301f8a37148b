"""Dates and times: the server's text form and the binary one (MySQL Internals, "Binary Protocol Value")."""

from __future__ import annotations

import re
import struct
from typing import Final

_DATE = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)(?:[ T](\d\d?):(\d\d?)(?::(\d\d?)(?:\.(\d{1,6}))?)?)?")
_TIME = re.compile(r"(-?)(?:(\d+) )?(\d{1,3}):(\d\d?)(?::(\d\d?)(?:\.(\d{1,6}))?)?")
_CANONICAL = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d{1,6})?")
_LENGTHS: Final = (0, 4, 7, 11)
_TIME_LENGTHS: Final = (0, 8, 12)


def fraction(micros: int, decimals: int) -> str:
    """`.123` of so many digits; nothing where there are none to be."""
    if not 0 < decimals <= 6:
        return f".{micros:06}" if micros else ""
    return f".{micros:06}"[: decimals + 1]


def read_date(data: bytes) -> str:
    """A date's text. ValueError or struct.error on bytes that are none."""
    if len(data) not in _LENGTHS:
        raise ValueError("a date of an odd length")
    year, month, day = struct.unpack_from("<HBB", data) if data else (0, 0, 0)
    return f"{year:04}-{month:02}-{day:02}"


def read_datetime(data: bytes, decimals: int) -> str:
    """A date and time's text, with so many digits after the second."""
    date = read_date(data)
    hour, minute, second = data[4:7] if len(data) > 4 else (0, 0, 0)
    micros = int.from_bytes(data[7:11], "little")
    return f"{date} {hour:02}:{minute:02}:{second:02}{fraction(micros, decimals)}"


def read_time(data: bytes, decimals: int) -> str:
    """A duration's text, with so many digits after the second."""
    if len(data) not in _TIME_LENGTHS:
        raise ValueError("a time of an odd length")
    negative, days, hours, minutes, seconds = struct.unpack_from("<BIBBB", data) if data else (0, 0, 0, 0, 0)
    micros = int.from_bytes(data[8:12], "little")
    return f"{'-' if negative else ''}{days * 24 + hours:02}:{minutes:02}:{seconds:02}{fraction(micros, decimals)}"


def _micros(digits: str | None) -> int:
    return int((digits or "").ljust(6, "0")) if digits else 0


def write_datetime(text: str, *, date: bool) -> bytes:
    """The binary form of a date, or of a date and time. ValueError where the text is none."""
    found = _DATE.fullmatch(text)
    if not found:
        raise ValueError(text)
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    micros = _micros(found[7])
    if month > 12 or day > 31 or hour > 23 or minute > 59 or second > 59:
        raise ValueError(text)
    head = struct.pack("<HBB", year, month, day)
    clock = bytes((hour, minute, second))
    if date:
        return head if any(head) else b""
    if micros:
        return head + clock + struct.pack("<I", micros)
    if any(clock):
        return head + clock
    return head if any(head) else b""


def write_time(text: str) -> bytes:
    """The binary form of a duration. ValueError where the text is none."""
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError(text)
    hours = int(found[2] or 0) * 24 + int(found[3])
    minutes, seconds, micros = int(found[4]), int(found[5] or 0), _micros(found[6])
    if minutes > 59 or seconds > 59:
        raise ValueError(text)
    if not (hours or minutes or seconds or micros):
        return b""
    out = struct.pack("<BIBBB", found[1] == "-", hours // 24, hours % 24, minutes, seconds)
    return out + struct.pack("<I", micros) if micros else out


def canonical(text: str) -> str:
    """A date with time as every driver writes it: a space between, no zeros at the end of a fraction. Other text as it is."""
    found = _CANONICAL.fullmatch(text)
    if not found:
        return text
    part = (found[3] or "").rstrip("0")
    return f"{found[1]} {found[2]}{part if len(part) > 1 else ''}"
