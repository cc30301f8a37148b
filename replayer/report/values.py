"""How values look in reports: with their types and quotes, and as JSON that a program can read."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator

from wiretape.tree import Number, Tree, kind

_LONG = 300
_AROUND = 40


def show(value: Tree) -> str:
    """The value as JSON writes it, a number as it was written, bytes in hexadecimal; long ones are cut."""
    text = _spelled(value)
    return text if len(text) <= _LONG else f"{text[:_LONG]}… ({len(text)} characters)"


def _spelled(value: Tree) -> str:
    match value:
        case bytes():
            return f"{len(value)} bytes {value[:32].hex()}{'…' if len(value) > 32 else ''}"
        case Number():
            return value.literal
        case dict():
            return "{" + ", ".join(f"{_spelled(key)}: {_spelled(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_spelled, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def pair(recorded: Tree, live: Tree) -> Iterator[str]:
    """Two lines that show two values and how they differ: their types where those differ, the place where long texts do."""
    if isinstance(recorded, str) and isinstance(live, str) and max(len(recorded), len(live)) > 2 * _AROUND:
        at = next(
            (n for n, two in enumerate(zip(recorded, live, strict=False)) if two[0] != two[1]), min(len(recorded), len(live))
        )
        place = f"  at character {at + 1}" if at else ""
        yield f"recorded  {_excerpt(recorded, at)}{place}"
        yield f"live      {_excerpt(live, at)}"
    elif kind(recorded) != kind(live):
        yield f"recorded  {show(recorded)}  {kind(recorded)}"
        yield f"live      {show(live)}  {kind(live)}"
    else:
        yield f"recorded  {show(recorded)}"
        yield f"live      {show(live)}"


def _excerpt(text: str, at: int) -> str:
    start, end = max(0, at - _AROUND), at + _AROUND
    return ("…" if start else "") + json.dumps(text[start:end], ensure_ascii=False) + ("…" if end < len(text) else "")


def plain(value: Tree) -> object:
    """The value as JSON can hold it: bytes as `{"base64": …}`, what is no number in JSON as a string."""
    match value:
        case bytes():
            return {"base64": base64.b64encode(value).decode()}
        case float():
            return float(value) if math.isfinite(value) else str(value)
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
        case _:
            return value
