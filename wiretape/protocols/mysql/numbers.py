"""Numbers as text: what MySQL prints for a binary float, and one spelling for numbers that are equal."""

from __future__ import annotations

import math
import re
import struct
from decimal import Decimal, InvalidOperation
from typing import Final

from wiretape.tree import Number, Tree

_WHOLE = re.compile(r"-?[1-9][0-9]*|0")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)")
_HUGE = re.compile(r"[eE][+-]?0*[0-9]{4,}\Z")  # more digits than anybody compares
_LONGEST: Final = 1000  # characters: longer ones are kept as text, far below Python's limit of 4,300 digits


def to_tree(text: str) -> Tree:
    """A number's text as a YAML number that is written the same way; the text itself where there is none such."""
    if len(text) > _LONGEST:
        return text
    if _WHOLE.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return Number(text)
    return text


def float_text(data: bytes, decimals: int) -> str:
    """The text of a binary FLOAT or DOUBLE, with so many decimals; as many as it takes where there are more than 30 of them."""
    single = len(data) == 4
    (value,) = struct.unpack("<f" if single else "<d", data)
    if not math.isfinite(value):
        return str(value)
    if decimals < 31:
        return f"{value:.{decimals}f}"
    return _shortest(value, single=single)


def _shortest(value: float, *, single: bool) -> str:
    text = repr(value)
    if single:
        text = next(
            text for digits in range(6, 10) if struct.pack("<f", float(text := f"{value:.{digits}g}")) == _single(value)
        )
    mantissa, _, exponent = text.partition("e")
    mantissa = mantissa.removesuffix(".0")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def _single(value: float) -> bytes:
    return struct.pack("<f", value)


def spelled(text: str) -> str:
    """The one spelling of a number: plain digits, without zeros that say nothing. Other text as it is."""
    if text.isascii() and text.isdigit() and (text[0] != "0" or text == "0"):
        return text
    if len(text) > _LONGEST or _HUGE.search(text):
        return text
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    if not value.is_finite():
        return text
    out = f"{value:f}"
    if "." in out:
        out = out.rstrip("0").rstrip(".")
    return "0" if out in ("-0", "") else out
