"""Dates, times, timestamps and intervals, for every year PostgreSQL knows (4713 BC to 294276 AD), infinities included.

Dates count days and times count microseconds from 2000-01-01. Text is DateStyle ISO and IntervalStyle postgres; under other
styles only the server can say how a value reads, so reading raises NoText. ISO text is understood under every style.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

from wiretape.protocols.postgres.scalar import Codec, NoText, Style, demand, plain

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_FOREVER = MappingProxyType({"infinity": 1, "-infinity": -1, "+infinity": 1})
_FIRST_DAY, _END_DAY = -2451545, 2145031949  # Julian day 0, and 5874898-01-01
_END_TIMESTAMP_DAY = 106751983  # 294277-01-01
_UNIX = 10_957  # days from 1970-01-01 to 2000-01-01
_CYCLE = 146_097  # days of 400 Gregorian years, after which weekdays repeat too

_INT4, _INT8, _TIMETZ, _INTERVAL = struct.Struct("!i"), struct.Struct("!q"), struct.Struct("!qi"), struct.Struct("!qii")
_DATE = re.compile(r"(\d{4,7})-(\d\d?)-(\d\d?)", re.ASCII)
_TIME = re.compile(r"(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,6})0*)?)?", re.ASCII)
_ZONE = re.compile(r"([+-])(\d\d?)(?::?(\d\d)(?::?(\d\d))?)?", re.ASCII)
_MOMENT = re.compile(r"(?P<date>[\d-]+)(?:[ T]+(?P<time>[\d:.]+)\s*(?P<zone>Z|[+-][\d:]+)?)?(?P<bc> BC)?", re.ASCII)
_FIXED_ZONE = re.compile(r"<[^<>]+>([+-]?)(\d\d?)(?::(\d\d)(?::(\d\d))?)?", re.ASCII)


# The proleptic Gregorian calendar (after Howard Hinnant's days_from_civil), where datetime ends at the year 9999


def civil(days: int) -> tuple[int, int, int]:
    """Year (0 is 1 BC), month and day of a number of days since 2000-01-01."""
    era, day_of_era = divmod(days + _UNIX + 719_468, _CYCLE)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


def days(year: int, month: int, day: int) -> int:
    """The opposite of `civil`."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * _CYCLE + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468 - _UNIX


# Parts of text


def _date_text(count: int) -> tuple[str, str]:
    """The date, and ` BC` where it belongs after the time."""
    year, month, day = civil(count)
    return f"{year if year > 0 else 1 - year:04d}-{month:02d}-{day:02d}", "" if year > 0 else " BC"


def _clock_text(microseconds: int) -> str:
    seconds, fraction = divmod(microseconds, _SECOND)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return text + f".{fraction:06d}".rstrip("0") if fraction else text


def _zone_text(seconds: int) -> str:
    """Seconds east of UTC as PostgreSQL spells them: as many parts as are not zero, hours always."""
    east = abs(seconds)
    text = f"{'-' if seconds < 0 else '+'}{east // 3600:02d}"
    if east % 3600:
        text += f":{east // 60 % 60:02d}"
    if east % 60:
        text += f":{east % 60:02d}"
    return text


def _read_date(text: str, before_christ: bool) -> int:
    found = _DATE.fullmatch(text)
    if not found:
        raise ValueError("not a date")
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    demand(year, "there is no year 0")
    year = 1 - year if before_christ else year
    demand(1 <= month <= 12 and 1 <= day <= 31, "not a day of the calendar")
    count = days(year, month, day)
    demand(civil(count) == (year, month, day), "not a day of the calendar")
    return count


def _read_clock(text: str) -> int:
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError("not a time")
    hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3] or 0)
    total = (hours * 3600 + minutes * 60 + seconds) * _SECOND + int((found[4] or "").ljust(6, "0"))
    demand(minutes < 60 and seconds <= 60 and total <= _DAY, "not a time of day")
    return total


def _read_zone(text: str) -> int:
    """Seconds east of UTC."""
    if text in ("Z", "z"):
        return 0
    found = _ZONE.fullmatch(text)
    if not found:
        raise ValueError("not a time zone offset")
    hours, minutes, seconds = int(found[2]), int(found[3] or 0), int(found[4] or 0)
    demand(hours <= 15 and minutes < 60 and seconds < 60, "not a time zone offset")
    east = hours * 3600 + minutes * 60 + seconds
    return -east if found[1] == "-" else east


# Time zones


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo | int:
    """A zone of the tz database, or a fixed number of seconds east; UTC for a name not known here."""
    fixed = _FIXED_ZONE.fullmatch(name)
    if fixed:  # POSIX counts westwards
        west = int(fixed[2]) * 3600 + int(fixed[3] or 0) * 60 + int(fixed[4] or 0)
        return west if fixed[1] == "-" else -west
    if name.upper() in ("UTC", "GMT", "Z", "ETC/UTC"):
        return 0
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return 0


def _east_at(instant: int, name: str) -> int:
    """Seconds east of UTC that the zone keeps at an instant (microseconds since 2000-01-01 00:00 UTC)."""
    zone = _zone(name)
    if isinstance(zone, int):
        return zone
    moment = _datetime(instant).replace(tzinfo=ZoneInfo("UTC")).astimezone(zone)
    return _seconds(moment.utcoffset())


def _east_of_local(local: int, name: str) -> int:
    """The same for a local time. As PostgreSQL does, one that is skipped counts as before the change, a repeated one as
    after."""
    zone = _zone(name)
    if isinstance(zone, int):
        return zone
    moment = _datetime(local).replace(tzinfo=zone)
    return min(_seconds(moment.utcoffset()), _seconds(moment.replace(fold=1).utcoffset()))


def _datetime(microseconds: int) -> datetime:
    """A datetime on the same weekday and day of the year, moved by whole 400-year cycles into the years datetime has.

    Before the year 1600 every zone keeps its first (local mean) time, and after 2400 its last rule, so the move changes
    nothing.
    """
    count, clock = divmod(microseconds, _DAY)
    year = civil(count)[0]
    if not 1600 <= year < 2800:
        count -= (year // 400 - (3 if year < 1600 else 6)) * _CYCLE
    return datetime(2000, 1, 1) + timedelta(days=count, microseconds=clock)


def _seconds(offset: timedelta | None) -> int:
    return int(offset.total_seconds()) if offset is not None else 0


# Codecs


def _iso(style: Style) -> None:
    if not style.datestyle.upper().startswith("ISO"):
        raise NoText(f"DateStyle {style.datestyle}")


def _date_read(data: bytes, style: Style) -> str:
    (count,) = _INT4.unpack(data)
    if count in (2**31 - 1, -(2**31)):
        return "infinity" if count > 0 else "-infinity"
    _iso(style)
    demand(_FIRST_DAY <= count < _END_DAY, "out of range")
    return "".join(_date_text(count))


def _date_write(text: str, _style: Style) -> bytes:
    text = text.strip(" ")
    if forever := _FOREVER.get(text.lower()):
        return _INT4.pack(2**31 - 1 if forever > 0 else -(2**31))
    count = _read_date(text.removesuffix(" BC"), text.endswith(" BC"))
    demand(_FIRST_DAY <= count < _END_DAY, "out of range")
    return _INT4.pack(count)


def _time_read(data: bytes) -> str:
    (microseconds,) = _INT8.unpack(data)
    demand(0 <= microseconds <= _DAY, "not a time of day")
    return _clock_text(microseconds)


def _timetz_read(data: bytes, _style: Style) -> str:
    microseconds, west = _TIMETZ.unpack(data)
    demand(0 <= microseconds <= _DAY and abs(west) < 16 * 3600, "not a time of day")
    return _clock_text(microseconds) + _zone_text(-west)


def _timetz_write(text: str, style: Style) -> bytes:
    found = re.fullmatch(r"\s*([\d:.]+)\s*(Z|[+-][\d:]+)?\s*", text, re.ASCII)
    if not found:
        raise ValueError("not a time")
    zone = _zone(style.timezone)
    if not found[2] and not isinstance(zone, int):
        raise ValueError("a time in a zone with daylight saving time needs its offset")
    east = _read_zone(found[2]) if found[2] else zone
    assert isinstance(east, int)
    return _TIMETZ.pack(_read_clock(found[1]), -east)


def _timestamp_read(data: bytes, style: Style, *, zoned: bool = False) -> str:
    (microseconds,) = _INT8.unpack(data)
    if microseconds in (2**63 - 1, -(2**63)):
        return "infinity" if microseconds > 0 else "-infinity"
    _iso(style)
    demand(_FIRST_DAY * _DAY <= microseconds < _END_TIMESTAMP_DAY * _DAY, "out of range")
    east = _east_at(microseconds, style.timezone) if zoned else 0
    count, clock = divmod(microseconds + east * _SECOND, _DAY)
    date, era = _date_text(count)
    return f"{date} {_clock_text(clock)}{_zone_text(east) if zoned else ''}{era}"


def _timestamptz_read(data: bytes, style: Style) -> str:
    return _timestamp_read(data, style, zoned=True)


def _local(text: str) -> tuple[int, str | None]:
    """Microseconds since 2000-01-01 of the date and time written, and the offset written behind."""
    found = _MOMENT.fullmatch(text)
    if not found:
        raise ValueError("not a timestamp")
    clock = _read_clock(found["time"]) if found["time"] else 0
    return _read_date(found["date"], found["bc"] is not None) * _DAY + clock, found["zone"]


def _timestamp_write(text: str, style: Style, *, zoned: bool = False) -> bytes:
    text = text.strip(" ")
    if forever := _FOREVER.get(text.lower()):
        return _INT8.pack(2**63 - 1 if forever > 0 else -(2**63))
    microseconds, offset = _local(text)
    if zoned:
        east = _read_zone(offset) if offset else _east_of_local(microseconds, style.timezone)
        microseconds -= east * _SECOND
    demand(_FIRST_DAY * _DAY <= microseconds < _END_TIMESTAMP_DAY * _DAY, "out of range")
    return _INT8.pack(microseconds)


def _timestamptz_write(text: str, style: Style) -> bytes:
    return _timestamp_write(text, style, zoned=True)


# Intervals: months, days and microseconds, each with a sign of its own

_UNITS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {  # months or days or microseconds (0, 1, 2), and how many
        "year": (0, 12), "yr": (0, 12), "y": (0, 12), "mon": (0, 1), "month": (0, 1),
        "week": (1, 7), "day": (1, 1), "d": (1, 1),
        "hour": (2, 3600 * _SECOND), "h": (2, 3600 * _SECOND), "minute": (2, 60 * _SECOND), "min": (2, 60 * _SECOND),
        "m": (2, 60 * _SECOND), "second": (2, _SECOND), "sec": (2, _SECOND), "s": (2, _SECOND),
    }
)  # fmt: skip
_BARE = re.compile(r"[+-]?\d+", re.ASCII)
_QUANTITY = re.compile(r"\s*(?:([+-]?)(\d+):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?|([+-]?\d+)\s*([A-Za-z]+))(?=\s|$)", re.ASCII)


def _interval_read(data: bytes, style: Style) -> str:
    microseconds, day, month = _INTERVAL.unpack(data)
    if (microseconds, day, month) == (2**63 - 1, 2**31 - 1, 2**31 - 1):
        return "infinity"
    if (microseconds, day, month) == (-(2**63), -(2**31), -(2**31)):
        return "-infinity"
    if style.interval != "postgres":
        raise NoText(f"IntervalStyle {style.interval}")
    sign = -1 if month < 0 else 1
    parts: list[str] = []
    negative = False
    for count, unit in ((abs(month) // 12 * sign, "year"), (abs(month) % 12 * sign, "mon"), (day, "day")):
        if count:
            parts.append(f"{'+' if negative and count > 0 else ''}{count} {unit}{'' if count == 1 else 's'}")
            negative = count < 0
    if microseconds or not parts:
        parts.append(("-" if microseconds < 0 else "+" if negative else "") + _clock_text(abs(microseconds)))
    return " ".join(parts)


def _interval_write(text: str, _style: Style) -> bytes:
    text = text.strip(" ")
    if forever := _FOREVER.get(text.lower()):
        return _INTERVAL.pack(2**63 - 1, 2**31 - 1, 2**31 - 1) if forever > 0 else _INTERVAL.pack(-(2**63), -(2**31), -(2**31))
    demand(text, "empty")
    if _BARE.fullmatch(text):  # in SQL, too, a number alone is seconds
        text += " s"
    totals = [0, 0, 0]
    at = 0
    while at < len(text):
        found = _QUANTITY.match(text, at)
        if not found:
            raise ValueError("not an interval")
        place, amount = _quantity(found)
        totals[place] += amount
        at = found.end()
    try:
        return _INTERVAL.pack(totals[2], totals[1], totals[0])
    except struct.error:
        raise ValueError("out of range") from None


def _quantity(found: re.Match[str]) -> tuple[int, int]:
    if found[6]:
        unit = found[7].lower()
        known = _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s"))
        if not known:
            raise ValueError("not a unit of time")
        return known[0], int(found[6]) * known[1]
    minutes, seconds = int(found[3]), int(found[4] or 0)
    demand(minutes < 60 and seconds < 60, "not a time")
    amount = (int(found[2]) * 3600 + minutes * 60 + seconds) * _SECOND + int((found[5] or "").ljust(6, "0"))
    return 2, -amount if found[1] == "-" else amount


MOMENTS: Mapping[int, Codec] = MappingProxyType(
    {
        1082: Codec(_date_read, _date_write, "a date such as 2026-11-20"),
        1083: plain(_time_read, lambda text: _INT8.pack(_read_clock(text.strip(" "))), "a time such as 10:00:00.123"),
        1114: Codec(_timestamp_read, _timestamp_write, "a timestamp such as 2026-11-20 10:00:00.123"),
        1184: Codec(_timestamptz_read, _timestamptz_write, "a timestamp with its offset such as 2026-11-20 10:00:00.123+00"),
        1186: Codec(_interval_read, _interval_write, "an interval such as 1 mon 2 days 03:04:05.6"),
        1266: Codec(_timetz_read, _timetz_write, "a time with its offset such as 10:00:00+00"),
    }
)
