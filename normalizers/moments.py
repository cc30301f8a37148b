"""Moments: timestamps, dates, epochs. Two agree when they are written alike and as far from their own clock."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

from normalizers.base import When
from wiretape.tree import Tree

_ISO = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})(?P<joint>[T ])(?P<time>\d{2}:\d{2}(?P<seconds>:\d{2})?)(?:[.,](?P<fraction>\d{1,9}))?"
    r"(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?"
)
# With hyphens as old cookies have it.
_HTTP_DATE = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2}([ -])[A-Z][a-z]{2}\1\d{4} \d{2}:\d{2}:\d{2} GMT")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_EPOCH = re.compile(r"\d{10}(?:\.\d{1,9})?|\d{13}|\d{16}|\d{19}")
_EXACT = 4  # digits of a fraction that milliseconds do not have
# 2001-09-09 to 2096-10-02: ten digits, as clocks of our days write seconds.
_EARLIEST, _LATEST = 1e9, 4e9


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, in seconds since the epoch, and how it was written. `digits` of its fraction of a second."""

    at: float
    form: str
    digits: int = 0


def _iso(value: str) -> Moment | None:
    found = _ISO.fullmatch(value)
    if not found:
        return None
    zone = found["zone"] or ""
    offset = "+00:00" if zone in ("", "Z") else zone if len(zone) > 3 else zone + ":00"
    try:
        whole = datetime.fromisoformat(f"{found['date']}T{found['time']}{offset}")
    except ValueError:
        return None
    fraction = float("0." + (found["fraction"] or "0"))
    form = f"iso{found['joint']}{'s' if found['seconds'] else 'm'}{'Z' if zone == 'Z' else len(zone)}"
    return Moment(whole.timestamp() + fraction, form, len(found["fraction"] or ""))


def _http_date(value: str) -> Moment | None:
    found = _HTTP_DATE.fullmatch(value)
    if not found:
        return None
    try:
        return Moment(parsedate_to_datetime(value.replace("-", " ")).timestamp(), f"http{found[1]}")
    except ValueError:
        return None


def _timestamp(value: Tree) -> Moment | None:
    if not isinstance(value, str) or not 16 <= len(value) <= 40:
        return None
    return _iso(value) or _http_date(value)


def _epoch(value: Tree) -> Moment | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value)
    if not _EPOCH.fullmatch(text):
        return None
    digits = len(text.partition(".")[0])
    at = float(text) / 10 ** (digits - 10)
    form = f"{'string' if isinstance(value, str) else 'number'}{digits}"
    return Moment(at, form) if _EARLIEST <= at < _LATEST else None


def _rounded(one: Moment, other: Moment) -> bool:
    """Whether one is exact to the microsecond and the other has whole seconds. Of the first kind one in a million is written
    without a fraction; of those exact to the millisecond too many are."""
    few, many = sorted((one.digits, other.digits))
    return few == 0 and many >= _EXACT


@dataclass(frozen=True, slots=True)
class Instant:
    """Values that `read` takes for points in time: as far from their own clock, give or take what `When` tolerates."""

    name: str
    read: Callable[[Tree], Moment | None]
    unasked: bool = True
    identity: bool = False

    def recognises(self, value: Tree) -> bool:
        return self.read(value) is not None

    def agrees(self, recorded: Tree, live: Tree, when: When) -> bool:
        then, now = self.read(recorded), self.read(live)
        if then is None or now is None or then.form != now.form or _rounded(then, now):
            return False
        return when.agree(then.at, now.at)


# A date with a time: ISO 8601 / RFC 3339 as JSON and SQL write it, or an HTTP date (RFC 9110 section 5.6.7).
TIMESTAMP = Instant("timestamp", _timestamp)
# Seconds since 1970 and the like (milli, micro, nano), as a number or as digits in a string.
EPOCH = Instant("epoch", _epoch)


def moment_of(value: Tree) -> Moment | None:
    """The point in time that a value says, in whichever form."""
    return _timestamp(value) or _epoch(value)


class Date:
    """A calendar day, `2026-11-20`: as many days from its own today (in UTC)."""

    name = "date"
    unasked = True
    identity = False

    def recognises(self, value: Tree) -> bool:
        return self._read(value) is not None

    def agrees(self, recorded: Tree, live: Tree, when: When) -> bool:
        then, now = self._read(recorded), self._read(live)
        if then is None or now is None:
            return False
        return bool(
            {(then - today).days for today in _days(when.recorded, when.tolerance)}
            & {(now - today).days for today in _days(when.live, when.tolerance)}
        )

    def _read(self, value: Tree) -> date | None:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            return None
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None


def _days(at: float, tolerance: float) -> set[date]:
    """The days it may have been when the value was made: one, but two around midnight."""
    moment = datetime.fromtimestamp(at, UTC)
    return {moment.date(), (moment + timedelta(seconds=tolerance)).date()}
