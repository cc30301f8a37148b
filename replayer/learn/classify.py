"""The values a place had -> the narrowest kind of noise that covers them, or why it is none. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from normalizers.amounts import amount
from normalizers.orders import pieces
from normalizers.pipeline import NORMALIZERS
from replayer.learn.evidence import Series, alike
from replayer.learn.forms import form_of, moment_format
from replayer.orders import key_values, telling_key
from replayer.trees import GONE
from wiretape.tree import Tree, kind, same

# A measured value scatters by less than this share of itself; one that does more is simply another number.
_JITTER = 0.2
# How much wider the tolerance is than what was seen: a few runs do not show the ends of a range.
_ROOM = 4.0
# How far a counter gets, at most, from one place of a run to the next.
_STEPS = 50
_NAMED = ("timestamp", "date", "uuid", "ulid", "objectid", "process", "passwordhash", "jwt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`kind` of noise, or (empty) the `reason` why the place is no noise."""

    kind: str = ""
    reason: str = ""


def classify(series: Sequence[Series]) -> Found:
    """What covers every place of `series`, which a single rule would name. Each of them varied."""
    if any(one.arranged for one in series):
        return Found(kind=_unordered(series))
    groups = [[value for value in (one.recorded, *one.values) if value is not GONE] for one in series]
    present = [value for group in groups for value in group]
    absent = any(GONE in (one.recorded, *one.values) for one in series)
    kinds = {kind(value) for value in present}  # type: ignore[arg-type]
    if absent:
        return _optional(series, groups, kinds)
    if kinds <= {"object", "array"} or (len(kinds) > 1 and kinds != {"integer", "number"}):
        return Found(reason=f"its type differs: {', '.join(sorted(kinds))}" if len(kinds) > 1 else "its items differ")
    if kinds == {"string"} and all(map(_is_opaque, series)):
        return Found(kind="string")
    return Found(kind=_kind(groups, kinds))  # type: ignore[arg-type]


def _is_opaque(one: Series) -> bool:
    """An entity tag says nothing by its form (RFC 9110 section 8.8.3): it is made of a body, which is compared itself."""
    return len(one.path) > 2 and one.path[1] == "headers" and str(one.path[2]).lower() == "etag"


def _optional(series: Sequence[Series], groups: Sequence[Sequence[object]], kinds: set[str]) -> Found:
    if any(isinstance(one.path[-1], int) for one in series):
        return Found(reason="the number of items differs")
    if all(one.recorded is not GONE and _constant(group) for one, group in zip(series, groups, strict=True)):
        return Found(kind="optional")
    if kinds <= {"object", "array"} or (len(kinds) > 1 and kinds != {"integer", "number"}):
        return Found(kind="optional any")
    values = [value for group in groups for value in group]
    if kinds == {"string"} and _constant(values) and "{" not in str(values[0]):
        return Found(kind=f"optional like {values[0]}")
    return Found(kind=f"optional {_kind(groups, kinds)}")  # type: ignore[arg-type]


def _constant(values: Sequence[object]) -> bool:
    return all(same(value, values[0]) for value in values)  # type: ignore[arg-type]


def _kind(groups: Sequence[Sequence[Tree]], kinds: set[str]) -> str:
    values = [value for group in groups for value in group]
    if kinds == {"boolean"}:
        return "boolean"
    if "string" not in kinds:
        return _number(groups)
    texts = [str(value) for value in values]
    for name in _NAMED:
        if all(map(NORMALIZERS[name].recognises, texts)):
            return name
    if all(map(NORMALIZERS["epoch"].recognises, texts)):
        return "epoch"
    if found := moment_format(texts):
        return found
    if all(len(pieces(str(group[0]))[0]) > 1 and len({str(pieces(str(text))) for text in group}) == 1 for group in groups):
        return "unordered"
    if all(amount(text) is not None and "." in text for text in texts) and (found := _within(groups)):
        return found
    return form_of(texts) or "string"


def _number(groups: Sequence[Sequence[Tree]]) -> str:
    values = [value for group in groups for value in group]
    if all(map(NORMALIZERS["epoch"].recognises, values)):
        return "epoch"
    whole = all(isinstance(value, int) for value in values)
    if whole and _counts(groups):
        return "counter"
    if not whole and any(isinstance(group[0], int) for group in groups):
        return "number"  # an integer that is within a range stays an integer
    return _within(groups) or ("integer" if whole else "number")


def _counts(groups: Sequence[Sequence[Tree]]) -> bool:
    """Whether in each run every place has another number, close to the others; a single place cannot tell."""
    runs = list(zip(*groups, strict=False))
    numbers = [[number for value in run if (number := amount(value)) is not None] for run in runs]
    if len(groups) < 2 or any(number < 0 for run in numbers for number in run):
        return False
    return all(len(set(run)) == len(run) and max(run) - min(run) <= _STEPS * len(run) for run in numbers)


def _within(groups: Sequence[Sequence[Tree]]) -> str:
    """The tolerance, absolute or (where the values are of different sizes and it allows less) in percent; empty: no jitter."""
    numbers = [[number for value in group if (number := amount(value)) is not None] for group in groups]
    spreads = [max(group) - min(group) for group in numbers]
    sizes = [max(map(abs, group)) for group in numbers]
    if not all(map(math.isfinite, (*spreads, *sizes))):
        return ""
    if any(spread > _JITTER * size for spread, size in zip(spreads, sizes, strict=True)):
        return ""
    absolute = _power(_ROOM * max(spreads))
    share = _power(_ROOM * max(spread / size for spread, size in zip(spreads, sizes, strict=True) if size))
    if len(groups) > 1 and share < 1 and sum(share * size for size in sizes) < absolute * len(groups) / 2:
        return f"within {_plain(share * 100)}%"
    return f"within {_plain(absolute)}"


def _power(value: float) -> float:
    """The power of ten that is not less."""
    return float(10.0 ** math.ceil(math.log10(value) - 1e-9)) if value > 0 else 0.0


def _plain(value: float) -> str:
    return f"{value:.0f}" if value >= 1 else f"{value:.12f}".rstrip("0")


def _unordered(series: Sequence[Series]) -> str:
    """By the key that tells the items of each of the lists apart, if one key does for all."""
    keys = {
        telling_key(one.recorded, live)
        for one in series
        for live in one.values
        if isinstance(live, list) and isinstance(one.recorded, list)
    }
    key = keys.pop() if len(keys) == 1 else ""
    return f"unordered by {key}" if key else "unordered"


def arrangement(series: Series, value: object) -> str:
    """The order of a list's items, as text that is equal for equal orders."""
    if not isinstance(value, list) or not isinstance(series.recorded, list):
        return repr(value)
    key = telling_key(series.recorded, value)
    found = key_values(value, key) if key else None
    return ", ".join(map(str, found if found is not None else value))


def varies(series: Series) -> bool:
    """Whether the runs did not all have the same there."""
    values = series.values
    if series.arranged:
        return len({arrangement(series, value) for value in values}) > 1
    return any(not alike(value, values[0]) for value in values[1:])
