"""Numbers: integers, floats, numeric, money, and the identifiers PostgreSQL counts with (oid, xid, pg_lsn, tid).

Floats are written as PostgreSQL 12 and later write them (Ryu): the fewest digits that lie strictly inside the interval of
decimals that read back as the same float. Python's `repr` also accepts the ends of that interval, which differs for large
floats only.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

from wiretape.protocols.postgres.scalar import Codec, demand, plain

_DECIMAL = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_SPECIAL = MappingProxyType(
    {"nan": "NaN", "inf": "Infinity", "+inf": "Infinity", "infinity": "Infinity", "+infinity": "Infinity"}
    | {"-inf": "-Infinity", "-infinity": "-Infinity"}
)
_MONEY = re.compile(r"(-?)\$?(\d[\d,]*)(?:\.(\d{1,2}))?", re.ASCII)
_LSN = re.compile(r"([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})")
_TID = re.compile(r"\((\d+),(\d+)\)", re.ASCII)


# Integers


def integer(layout: str) -> Codec:
    """The codec of a whole number whose binary form is the struct `layout`."""
    form = struct.Struct(layout)
    bits = form.size * 8
    low, high = (0, 2**bits - 1) if layout[-1].isupper() else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)

    def read(data: bytes) -> str:
        return str(form.unpack(data)[0])

    def write(text: str) -> bytes:
        text = text.strip(" ")
        demand(_INTEGER.fullmatch(text) and len(text) < 40, "not digits")
        number = int(text)
        demand(low <= number <= high, "out of range")
        return form.pack(number)

    return plain(read, write, f"a whole number from {low} to {high}")


# Floats


def float_text(number: float, *, single: bool = False) -> str:
    """The text PostgreSQL gives a float8, or a float4 where `single`."""
    if number != number:
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    sign = "-" if math.copysign(1.0, number) < 0 else ""
    if not number:
        return sign + "0"
    digits, exponent = _single_digits(abs(number)) if single else _double_digits(abs(number))
    return sign + _layout(digits, exponent, 6 if single else 15)


def _layout(digits: str, exponent: int, width: int) -> str:
    """`digits` with the point after the first one, times ten to `exponent`, the way PostgreSQL lays it out."""
    if not -4 <= exponent < width:
        return digits[0] + ("." + digits[1:] if digits[1:] else "") + f"e{exponent:+03d}"
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    whole, rest = digits[: exponent + 1].ljust(exponent + 1, "0"), digits[exponent + 1 :]
    return whole + ("." + rest if rest else "")


def _split(text: str) -> tuple[str, int]:
    """Digits without zeros at either end, and the power of ten of the first one."""
    mantissa, _, power = text.partition("e")
    whole, _, rest = mantissa.partition(".")
    digits = (whole + rest).lstrip("0")
    exponent = len(digits) - len(rest) - 1 + int(power or 0)
    return digits.rstrip("0"), exponent


def _double_digits(number: float) -> tuple[str, int]:
    if number < 2.0**51:  # no decimal of 17 digits can be an end of the interval down here
        return _split(repr(number))
    return _shortest(number, math.nextafter(number, 0.0), math.nextafter(number, math.inf), 17)


def _single_digits(number: float) -> tuple[str, int]:
    bits = int(struct.unpack("!I", struct.pack("!f", number))[0])
    if number < 2.0**22 and bits & 0x7FFFFF:
        for precision in range(1, 10):
            text = f"{number:.{precision - 1}e}"
            if struct.unpack("!I", struct.pack("!f", float(text)))[0] == bits:
                return _split(text)
    return _shortest(number, _single(bits - 1), _single(bits + 1), 9)


def _single(bits: int) -> float:
    return float(struct.unpack("!f", struct.pack("!I", bits))[0])


def _shortest(number: float, below: float, above: float, most: int) -> tuple[str, int]:
    """The fewest digits strictly between the midpoints to both neighbours; of those, the nearest to `number`."""
    exact, lower = Fraction(number), Fraction(below)
    upper = Fraction(above) if above != math.inf else 2 * exact - lower
    low, high = (exact + lower) / 2, (exact + upper) / 2
    exponent = int(f"{number:.{most}e}".partition("e")[2])
    for precision in range(1, most + 1):
        unit = Fraction(10) ** (exponent - precision + 1)
        floor = math.floor(exact / unit)
        fits = [count for count in (floor, floor + 1) if low < count * unit < high]
        if fits:
            count = min(fits, key=lambda candidate: (abs(candidate * unit - exact), candidate % 2))
            digits = str(count)
            return digits.rstrip("0"), exponent + len(digits) - precision
    raise ValueError("no digits found")


def _floating(layout: str) -> Codec:
    form = struct.Struct(layout)
    single = form.size == 4

    def write(text: str) -> bytes:
        text = text.strip(" ")
        if text.lower() in _SPECIAL:
            return form.pack(float(text))
        demand(_decimal(text), "not a number")
        data = form.pack(_odd(text) if single else float(text))
        demand(not math.isinf(form.unpack(data)[0]), "out of range")
        return data

    return plain(lambda data: float_text(form.unpack(data)[0], single=single), write, "a number, NaN, Infinity or -Infinity")


def _odd(text: str) -> float:
    """The number rounded to odd, from which rounding once more, to a float4, is as good as rounding once."""
    number = float(text)
    exact = Fraction(text) if number and math.isfinite(number) else number
    if exact == number or struct.unpack("!Q", struct.pack("!d", number))[0] & 1:
        return number
    return math.nextafter(number, math.inf if exact > number else -math.inf)


# Numeric: base-10000 digits, weight of the first one, sign, and how many decimals to show

_NEGATIVE, _NAN, _INFINITY, _MINUS_INFINITY = 0x4000, 0xC000, 0xD000, 0xF000
_NUMERIC = struct.Struct("!HhHH")
_MOST_WHOLE, _MOST_DECIMALS = 131072, 16383


def _decimal(text: str) -> re.Match[str] | None:
    found = _DECIMAL.fullmatch(text)
    return found if found and (found[2] or found[3]) else None


def numeric_read(data: bytes) -> str:
    """The text of a binary numeric."""
    count, weight, sign, scale = _NUMERIC.unpack_from(data)
    demand(len(data) == 8 + 2 * count, "wrong length")
    if sign in (_NAN, _INFINITY, _MINUS_INFINITY):
        demand(not count, "a special value has no digits")
        return {_NAN: "NaN", _INFINITY: "Infinity", _MINUS_INFINITY: "-Infinity"}[sign]
    groups = struct.unpack(f"!{count}H", data[8:])
    demand(sign in (0, _NEGATIVE) and scale <= _MOST_DECIMALS and all(group < 10000 for group in groups), "not a numeric")
    digits = "".join(f"{group:04d}" for group in groups)
    point = 4 * (weight + 1)
    if point <= 0:
        whole, decimals = "", "0" * -point + digits
    else:
        whole, decimals = digits[:point].ljust(point, "0"), digits[point:]
    text = whole.lstrip("0") or "0"
    if scale:
        text += "." + decimals[:scale].ljust(scale, "0")
    return "-" + text if sign else text


def numeric_write(text: str) -> bytes:
    """The binary form of a numeric; exponents are accepted, as in SQL."""
    text = text.strip(" ")
    special = _SPECIAL.get(text.lower())
    if special == "NaN":
        return _NUMERIC.pack(0, 0, _NAN, 0)
    if special:
        return _NUMERIC.pack(0, 0, _INFINITY if special == "Infinity" else _MINUS_INFINITY, 32)
    found = _decimal(text)
    if not found:
        raise ValueError("not a number")
    whole, decimals = _shift(found[2], found[3] or "", int(found[4] or 0))
    demand(len(whole) <= _MOST_WHOLE and len(decimals) <= _MOST_DECIMALS, "out of range")
    scale = len(decimals)
    whole = "0" * (-len(whole) % 4) + whole
    digits = whole + decimals + "0" * (-len(decimals) % 4)
    groups = [int(digits[at : at + 4]) for at in range(0, len(digits), 4)]
    return _pack_groups(groups, len(whole) // 4 - 1, found[1] == "-", scale)


def _shift(whole: str, decimals: str, exponent: int) -> tuple[str, str]:
    """The digits before and after the point once it is moved by `exponent` places."""
    demand(abs(exponent) <= _MOST_WHOLE, "out of range")
    if exponent >= 0:
        moved, rest = decimals[:exponent].ljust(exponent, "0"), decimals[exponent:]
        return (whole + moved).lstrip("0"), rest
    keep = max(len(whole) + exponent, 0)
    return whole[:keep].lstrip("0"), whole[keep:].rjust(-exponent, "0") + decimals


def _pack_groups(groups: list[int], weight: int, negative: bool, scale: int) -> bytes:
    """Without the zero groups at either end, which PostgreSQL never sends."""
    first = next((at for at, group in enumerate(groups) if group), len(groups))
    last = next((at for at in range(len(groups), first, -1) if groups[at - 1]), first)
    kept = groups[first:last]
    sign = _NEGATIVE if negative and kept else 0
    head = _NUMERIC.pack(len(kept), weight - first if kept else 0, sign, scale)
    return head + struct.pack(f"!{len(kept)}H", *kept)


# The rest


def _money_read(data: bytes) -> str:
    (cents,) = struct.unpack("!q", data)
    units, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}${units:,}.{rest:02d}"


def _money_write(text: str) -> bytes:
    found = _MONEY.fullmatch(text.strip(" "))
    if not found:
        raise ValueError("not money")
    cents = int(found[2].replace(",", "")) * 100 + int((found[3] or "").ljust(2, "0"))
    demand(cents < 2**63, "out of range")
    return struct.pack("!q", -cents if found[1] else cents)


def _lsn_read(data: bytes) -> str:
    high, low = struct.unpack("!II", data)
    return f"{high:X}/{low:X}"


def _lsn_write(text: str) -> bytes:
    found = _LSN.fullmatch(text)
    if not found:
        raise ValueError("not a position")
    return struct.pack("!II", int(found[1], 16), int(found[2], 16))


def _tid_read(data: bytes) -> str:
    block, offset = struct.unpack("!IH", data)
    return f"({block},{offset})"


def _tid_write(text: str) -> bytes:
    found = _TID.fullmatch(text)
    if not found:
        raise ValueError("not a tid")
    demand(int(found[1]) < 2**32 and int(found[2]) < 2**16, "out of range")
    return struct.pack("!IH", int(found[1]), int(found[2]))


def _bool_read(data: bytes) -> str:
    return {b"\x00": "f", b"\x01": "t"}[data]


def _bool_write(text: str) -> bytes:
    word = text.strip(" ").lower()
    if word in ("t", "true", "y", "yes", "on", "1"):
        return b"\x01"
    demand(word in ("f", "false", "n", "no", "off", "0"), "neither true nor false")
    return b"\x00"


NUMBERS: Mapping[int, Codec] = MappingProxyType(
    {
        16: plain(_bool_read, _bool_write, "t or f"),
        20: integer("!q"),
        21: integer("!h"),
        23: integer("!i"),
        26: integer("!I"),
        27: plain(_tid_read, _tid_write, "a row's place such as (0,1)"),
        28: integer("!I"),
        29: integer("!I"),
        700: _floating("!f"),
        701: _floating("!d"),
        790: plain(_money_read, _money_write, "an amount such as $1,234.50"),
        1700: plain(numeric_read, numeric_write, "a number, NaN, Infinity or -Infinity"),
        3220: plain(_lsn_read, _lsn_write, "a log position such as 16/B374D848"),
        5069: integer("!Q"),
    }
)
