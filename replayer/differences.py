"""How two asks differ, one line for each value, word or field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from wiretape.protocols.base import Ask
from wiretape.tree import Tree, same

type Alike = Callable[[Tree, Tree], bool]

_SHOWN: Final = 8
_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<value>'(?:[^']|'')*'|\$\d+|%\(\w+\)s|%s|\?|\b\d+(?:\.\d+)?\b)|"[^"]*"|`[^`]*`|[\w.]+|<=|>=|<>|!=|\|\||::|[^\w\s]""",
    re.DOTALL,
)
_WORD_VALUES = frozenset(("null", "true", "false"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`text` says it. `value` is the number of the recorded value that it is about, None where it is about words."""

    text: str
    value: int | None = None


def between(recorded: Ask, live: Ask, alike: Alike = same) -> list[Difference]:
    """What differs. `alike` tells which recorded and live values mean the same here."""
    if recorded.shape == live.shape and recorded.labels == live.labels:
        return list(_values(recorded, live, alike))
    reader = _labelled if recorded.labels or live.labels else _worded
    found = list(reader(recorded, live, alike))
    return found or [Difference(text=text) for text in word_differences(recorded.shape, live.shape)]


def _values(recorded: Ask, live: Ask, alike: Alike) -> Iterator[Difference]:
    names = labels(live)
    for at, (mine, theirs) in enumerate(zip(recorded.values, live.values, strict=False)):
        yield from (Difference(text=text, value=at) for text in _tree_differences(names[at], mine, theirs, alike))
    if len(recorded.values) != len(live.values):
        yield Difference(text=f"number of values: recorded {len(recorded.values)}, live {len(live.values)}")


def _tree_differences(name: str, recorded: Tree, live: Tree, alike: Alike) -> Iterator[str]:
    if same(recorded, live) or alike(recorded, live):
        return
    if isinstance(recorded, dict) and isinstance(live, dict):
        for key in [*recorded, *(key for key in live if key not in recorded)]:
            if key not in live:
                yield f"{name}.{key}: recorded {recorded[key]!r}, live nothing"
            elif key not in recorded:
                yield f"{name}.{key}: recorded nothing, live {live[key]!r}"
            else:
                yield from _tree_differences(f"{name}.{key}", recorded[key], live[key], alike)
    elif isinstance(recorded, list) and isinstance(live, list) and len(recorded) == len(live):
        for at, pair in enumerate(zip(recorded, live, strict=True)):
            yield from _tree_differences(f"{name}[{at}]", *pair, alike)
    else:
        yield f"{name}: recorded {recorded!r}, live {live!r}"


def labels(ask: Ask) -> list[str]:
    """What to call each value of an ask: as the codec does, else its position and the words before it in the shape."""
    if ask.labels:
        return [*ask.labels]
    pieces = ask.shape.split("?")
    if len(pieces) != len(ask.values) + 1:
        return [f"value {at}" for at in range(1, len(ask.values) + 1)]
    columns = re.match(r"(?is)insert into \S+ ?\(([^()]*)\) ?values ?\($", pieces[0].strip())
    names = [name.strip() for name in columns[1].split(",")] if columns else []
    return [f"value {at + 1}{_label(pieces[at], names, at)}" for at in range(len(ask.values))]


def _label(before: str, columns: Sequence[str], at: int) -> str:
    if at < len(columns):
        return f" ({columns[at]})"
    found = re.search(r"([\w.\"]+) ?(?:<=|>=|<>|!=|=|<|>|\b(?:like|ilike|limit|offset)) ?$", before, re.IGNORECASE)
    word = re.search(r"\b(limit|offset) ?$", before, re.IGNORECASE)
    name = word[1] if word else found[1] if found else ""
    return f" ({name})" if name else ""


def _labelled(recorded: Ask, live: Ask, alike: Alike) -> Iterator[Difference]:
    """Of asks whose values have names: those gone, new and changed, then the words that are no names (a method, a command)."""
    mine, theirs = _named(recorded), _named(live)
    told = []
    for name in dict.fromkeys((*mine, *theirs)):
        if name not in theirs:
            told.append(Difference(text=f"{name} is gone (was {recorded.values[mine[name][0]]!r})", value=mine[name][0]))
        elif name not in mine:
            told.append(Difference(text=f"{name} is new ({live.values[theirs[name][0]]!r})"))
        else:
            pairs = zip(mine[name], theirs[name], strict=False)
            texts = [
                (at, text) for at, to in pairs for text in _tree_differences(name, recorded.values[at], live.values[to], alike)
            ]
            told += [Difference(text=text, value=at) for at, text in texts]
    names = {*recorded.labels, *live.labels}
    gone_or_new = tuple(name for name in names if (name in mine) != (name in theirs))
    left, right = (
        [word for word in ask.shape.split() if word not in names and not word.startswith(gone_or_new or ("\0",))]
        for ask in (recorded, live)
    )
    yield from (Difference(text=text) for text in _runs(left, left, right, right))
    yield from told[:_SHOWN]


def _named(ask: Ask) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for at, name in enumerate(ask.labels[: len(ask.values)]):
        found.setdefault(name, []).append(at)
    return found


def _worded(recorded: Ask, live: Ask, alike: Alike) -> Iterator[Difference]:
    """Of statements: the runs of words that differ, as they are written, then the values between equal words."""
    (left, mine), (right, theirs) = _tokens(recorded.operation), _tokens(live.operation)
    yield from (Difference(text=text) for text in _runs(left, mine, right, theirs))
    if mine.count("?") != len(recorded.values) or theirs.count("?") != len(live.values):
        return
    numbers = [_numbered(keys) for keys in (mine, theirs)]
    names = labels(recorded)
    for a, b, size in SequenceMatcher(None, mine, theirs, autojunk=False).get_matching_blocks():
        for offset in range(size):
            if mine[a + offset] == "?":
                at, to = numbers[0][a + offset], numbers[1][b + offset]
                texts = _tree_differences(names[at], recorded.values[at], live.values[to], alike)
                yield from (Difference(text=text, value=at) for text in texts)


def _numbered(keys: Sequence[str]) -> dict[int, int]:
    places = (at for at, key in enumerate(keys) if key == "?")
    return {at: number for number, at in enumerate(places)}


def _tokens(sql: str) -> tuple[list[str], list[str]]:
    """The tokens as they are written, and as they are compared: words in lower case, `?` for every value."""
    texts, keys = [], []
    for found in _TOKEN.finditer(_COMMENT.sub(" ", sql).rstrip(" \n;")):
        text = found[0]
        texts.append(text)
        keys.append("?" if found["value"] or text.lower() in _WORD_VALUES else text.lower())
    return texts, keys


def _runs(left: Sequence[str], mine: Sequence[str], right: Sequence[str], theirs: Sequence[str]) -> Iterator[str]:
    """One line for each run of words that differ. `mine` and `theirs` are what `left` and `right` are compared by."""
    matcher = SequenceMatcher(None, mine, theirs, autojunk=False)
    operations = [each for each in matcher.get_opcodes() if each[0] != "equal"]
    for tag, a, b, c, d in operations[:_SHOWN]:
        was, now = _spaced(left[a:b]), _spaced(right[c:d])
        if tag == "delete":
            yield f"{was} is gone"
        elif tag == "insert":
            yield f"{now} is new"
        else:
            before = f"{left[a - 1]} " if a and b - a < 3 and left[a - 1].isalpha() else ""
            yield f"{before}{was} → {before}{now}"
    if len(operations) > _SHOWN:
        yield "and more"


def _spaced(words: Sequence[str]) -> str:
    text = " ".join(words)
    return re.sub(r" ([,)\]]|::)", r"\1", re.sub(r"([(\[]|::) ", r"\1", text))


def word_differences(recorded: str, live: str) -> Iterator[str]:
    """One line for each run of words in which two shapes differ."""
    left, right = recorded.split(), live.split()
    return _runs(left, left, right, right)
