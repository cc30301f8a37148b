"""google.protobuf.Timestamp <-> RFC 3339 in UTC, so that it is read and compared as the time it is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from wiretape.protobuf.wire import Type, field, fields, signed

TIMESTAMP = "google.protobuf.Timestamp"
_TEXT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{3}|\d{6}|\d{9}))?Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # the years 1 to 9999


def read(data: bytes) -> str | None:
    """The text, or None where it does not give the same bytes back."""
    seconds = nanos = 0
    for number, kind, value in fields(data):
        if kind is not Type.VARINT or not isinstance(value, int) or number not in (1, 2):
            return None
        if number == 1:
            seconds = signed(value, 64)
        else:
            nanos = value
    if not _FIRST <= seconds <= _LAST or not 0 <= nanos < 10**9:
        return None
    whole = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    part = f"{nanos:09}"
    while part.endswith("000"):
        part = part[:-3]
    text = f"{whole}.{part}Z" if part else f"{whole}Z"
    return text if write(text) == data else None


def write(text: str) -> bytes:
    """The message. Raises ValueError for a text that is no such time."""
    found = _TEXT.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no time such as 2026-11-20T10:00:00.123Z")
    at = datetime.fromisoformat(found[1]).replace(tzinfo=UTC) - _EPOCH
    seconds, nanos = at.days * 86_400 + at.seconds, int((found[2] or "").ljust(9, "0"))
    return (field(1, Type.VARINT, seconds) if seconds else b"") + (field(2, Type.VARINT, nanos) if nanos else b"")
