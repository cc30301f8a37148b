"""How values look in reports: with their types and quotes, and as JSON that a program can read."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from difflib import unified_diff

from wiretape.tree import Number, Tree, kind

_LONG = 300
_AROUND = 40
_SHOWN_LINES = 20
_MOST_LINES = 5_000  # of longer texts only the first difference is shown


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


def several_lines(recorded: Tree, live: Tree) -> Iterator[str]:
    """The lines that differ between two texts of several lines, each with its neighbours; nothing for other values."""
    if not isinstance(recorded, str) or not isinstance(live, str) or "\n" not in recorded.strip() + live.strip():
        return
    both = (recorded.splitlines(), live.splitlines())
    if both[0] == both[1] or max(map(len, both)) > _MOST_LINES:
        return
    lines = list(unified_diff(*both, n=1, lineterm=""))[2:]
    yield from (line if len(line) <= _LONG else f"{line[:_LONG]}… ({len(line)} characters)" for line in lines[:_SHOWN_LINES])
    if len(lines) > _SHOWN_LINES:
        yield f"… and {len(lines) - _SHOWN_LINES} more lines"


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
