"""Texts that differ -> the narrowest form that all of them have."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import product
from types import MappingProxyType

from normalizers.forms import ALPHABETS, Like, Written
from normalizers.pipeline import NORMALIZERS

_LONGEST = 2000
_MOST_FIELDS = 12
# In fewer characters than that, what only the wider alphabet has may not have come up: once in a thousand draws.
_WIDER: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "digits": (15, "hex"),
        "hex": (9, "base36"),
        "HEX": (9, "BASE36"),
        "lower": (22, "base36"),
        "upper": (22, "BASE36"),
        "base36": (13, "alnum"),
        "BASE36": (13, "alnum"),
        "letters": (40, "alnum"),
        "alnum": (220, "base64"),
    }
)
_OPAQUE = 16  # characters from which a run may be base64
_RUNS = re.compile(r"[0-9A-Za-z]+|[^0-9A-Za-z]+")
# What may be a number written plainly (a length, say), which may have more digits or fewer the next time.
_PLAIN_NUMBER = re.compile(r"[1-9a-f][0-9a-f]{0,3}")
_DECIMAL = re.compile(r"\d+\.\d+")
_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d", "%d %b %Y", "%d-%b-%Y", "%b %d %Y", "%d %B %Y")
_TIMES = ("%H:%M:%S", "%H:%M:%S.%f", "%H%M%S", "%H.%M.%S", "%I:%M:%S %p", "%H:%M")
_JOINTS = (" ", "T", ", ", "-", "_", "", " at ")
_FORMATS = (
    "%a %b %d %H:%M:%S %Y",
    "%d/%b/%Y:%H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S %z",
    *(day + joint + time for day, joint, time in product(_DAYS, _JOINTS, _TIMES)),
    *(f"{time} {day}" for day, time in product(_DAYS, _TIMES)),
    *(f"%Y%m%dT{time}Z" for time in ("%H%M%S", "%H%M%S%f")),
    "%H:%M:%S",
    "%H:%M:%S.%f",
)


def moment_format(texts: Sequence[str]) -> str:
    """The `timestamp FORMAT` that reads every one of the texts; empty where there is none."""
    if not all(8 <= len(text) <= 40 and re.search(r"\d", text) for text in texts):
        return ""
    for form in _FORMATS:
        kind = Written(f"timestamp {form}", form)
        if all(map(kind.recognises, texts)) and _spelled(texts[0], form):
            return kind.name
    return ""


def _spelled(text: str, form: str) -> bool:
    """Whether the text is written with all its zeros: `%d` reads `3`, too, and a row of digits could be cut anywhere."""
    if "%Y" not in form:
        return True
    return datetime.strptime(text, form).strftime(form) == text or "%f" in form or "%p" in form


def form_of(texts: Sequence[str]) -> str:
    """The `like FORM` of the texts: what all have stays, between it runs of characters of the narrowest alphabet. Empty where
    they have no form in common."""
    if all(map(_DECIMAL.fullmatch, texts)):
        whole, parts = ([text.split(".")[at] for text in texts] for at in (0, 1))
        return f"like {{1-{max(map(len, whole)) + 1} digits}}.{{{_times(parts)} digits}}"
    if any(len(text) > _LONGEST or not text for text in texts) or any("{" in text for text in texts):
        return ""
    start = _even(_common(texts))
    rest = [text[len(start) :] for text in texts]
    end = _even(_common([text[::-1] for text in rest])[::-1], end=True)
    middles = [text[: len(text) - len(end)] for text in rest]
    parted = [_RUNS.findall(middle) for middle in middles]
    middle = _parts(parted) if len({len(parts) for parts in parted}) == 1 else ""
    middle = middle or _whole(middles)
    name = f"like {start}{middle}{end}"
    return name if middle and Like.parse(name) and all(NORMALIZERS[name].recognises(text) for text in texts) else ""


def _common(texts: Sequence[str]) -> str:
    """What all the texts begin with."""
    low, high = min(texts), max(texts)
    return low[: next((at for at, pair in enumerate(zip(low, high, strict=False)) if pair[0] != pair[1]), len(low))]


def _even(common: str, *, end: bool = False) -> str:
    """A common beginning (or end) without letters and digits that may only happen to be equal; a word of letters stays."""
    found = re.match(r"[0-9A-Za-z]*", common) if end else re.search(r"[0-9A-Za-z]*$", common)
    assert found is not None  # both match nothing, too
    word = re.search(r"[A-Za-z]{3,}$", found[0]) if end else re.match(r"[A-Za-z]{3,}", found[0])
    kept = word[0] if word else ""
    return kept + common[found.end() :] if end else common[: found.start()] + kept


def _parts(parted: Sequence[Sequence[str]]) -> str:
    """Runs of letters and digits, with the same separators between them in every text."""
    out = []
    for runs in zip(*parted, strict=True):
        if len(set(runs)) == 1:
            out.append(runs[0])
        elif any(not run.isalnum() or not run.isascii() for run in runs):
            return ""
        else:
            out.append(_field(runs))
    return "".join(out) if sum("{" in part for part in out) <= _MOST_FIELDS else ""


def _whole(middles: Sequence[str]) -> str:
    return _field(middles) if all(re.fullmatch(r"[0-9A-Za-z+/_=-]+", middle) for middle in middles) else ""


def _field(runs: Sequence[str]) -> str:
    alphabet = next((name for name, chars in ALPHABETS.items() if all(re.fullmatch(f"[{chars}]+", run) for run in runs)), "")
    enough, wider = _WIDER.get(alphabet, (0, alphabet))
    if sum(map(len, runs)) < enough and (wider != "base64" or max(map(len, runs)) >= _OPAQUE):
        alphabet = wider
    times = f"1-{max(map(len, runs)) + 1}" if all(map(_PLAIN_NUMBER.fullmatch, runs)) else _times(runs)
    return f"{{{times} {alphabet}}}" if alphabet else ""


def _times(runs: Sequence[str]) -> str:
    """How many characters there are. Where lengths differ, those seen are not all there may be."""
    shortest, longest = min(map(len, runs)), max(map(len, runs))
    return str(shortest) if shortest == longest else f"{max(1, shortest - 1)}-{longest + 1}"
