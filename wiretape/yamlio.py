"""YAML text -> trees: YAML 1.2's plain scalars, and every place with its line and column.

Strict: repeated keys, unknown tags, several documents and nesting without end are errors with a plain reason. Works on
libyaml's events, so that no input can exhaust the stack and aliases cannot multiply. `wiretape.yamldump` is the inverse.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path as File
from types import MappingProxyType
from typing import NoReturn

from yaml._yaml import CParser
from yaml.error import MarkedYAMLError
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)
from yaml.reader import ReaderError

from wiretape.errors import CaseFormatError
from wiretape.tree import Number, Path, Tree

MAX_DEPTH = 100
MAX_ALIASED = 100_000  # values that aliases may stand for in one file
MAX_DIGITS = 4_000  # Python refuses to read longer integers

JSON_TAG = "!json"  # a string that YAML has no way to write (half a surrogate pair), as JSON writes it

_WORDS: Mapping[str, Tree] = MappingProxyType(
    {
        "": None, "~": None, "null": None, "Null": None, "NULL": None,
        "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
        ".nan": float("nan"), ".NaN": float("nan"), ".NAN": float("nan"),
        ".inf": float("inf"), ".Inf": float("inf"), ".INF": float("inf"),
        "-.inf": float("-inf"), "-.Inf": float("-inf"), "-.INF": float("-inf"),
    }
)  # fmt: skip
INT = re.compile(r"-?(?:0|[1-9][0-9]*)")
FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)")

_UNENDED = ("could not find expected ':'", "found unexpected end of stream")
# What libyaml says -> what a person can act on.
_REASONS: tuple[tuple[str, str], ...] = (
    ("found character that cannot start any token", "{char} cannot start a value; quote it, and indent with spaces"),
    ("found a tab character", "a tab cannot indent; use spaces"),
    ("mapping values are not allowed in this context", "a `: ` inside of a plain value; quote it, or check the indentation"),
    ("could not find expected ':'", "a `:` is missing after this key, or a quote is not closed"),
    ("did not find expected key", "expected a key here; check the indentation and the quotes around it"),
    ("did not find expected '-' indicator", "expected `- ` here; check the indentation"),
    ("did not find expected ',' or ']'", "a `,` or `]` is missing in this list"),
    ("did not find expected ',' or '}'", "a `,` or `}` is missing in this mapping"),
    ("found unexpected end of stream", "the quote that opens here is never closed"),
    ("found unknown escape character", "unknown escape in a quoted string; write `\\\\` for a backslash, or use single quotes"),
    ("did not find expected node content", "a value is missing here; quote it if it starts with `,` `:` or a bracket"),
    ("found undefined alias", "this alias (`*name`) has no anchor; quote a value that starts with `*`"),
    ("did not find expected alphabetic or numeric character", "quote a value that starts with `*` or `&`"),
    ("found duplicate anchor", "this anchor is used twice"),
    ("block sequence entries are not allowed in this context", "a list cannot start here; put it on its own line"),
)  # fmt: skip


def scalar(text: str) -> Tree:
    """What a plain scalar means: YAML 1.2's core, numbers as JSON writes them; everything else is a string.

    Raises ValueError for an integer too long to read.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "-0123456789":
        if INT.fullmatch(text):
            if len(text) > MAX_DIGITS:
                raise ValueError(f"a number of {len(text)} digits is too long; quote it")
            return int(text)
        if FLOAT.fullmatch(text):
            return Number(text)
    return text


def _float(text: str) -> float:
    word = _WORDS.get(text)
    return word if isinstance(word, float) else Number(text)


def _json_string(text: str) -> str:
    value = json.loads(text)
    if not isinstance(value, str):
        raise ValueError(text)  # noqa: TRY004 - one kind of failure for the caller
    return value


# The tags a value may carry -> how to read its text; ValueError where it does not fit.
_TAGS: Mapping[str, Callable[[str], Tree]] = MappingProxyType(
    {
        "!": str,
        "str": str,
        "binary": lambda text: base64.b64decode("".join(text.split()), validate=True),
        "float": _float,
        JSON_TAG: _json_string,
    }
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file, counted from 1."""

    line: int
    column: int


type _Spot = tuple[int, int, int, int]  # line and column of the key, line and column of the value, from 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a file says, and where it says it."""

    file: File | str
    value: Tree
    spots: Mapping[int, Mapping[str | int, _Spot]]
    start: tuple[int, int] = (0, 0)

    def mark(self, path: Path, *, key: bool = False) -> Mark:
        """The place of the value at `path` (or of its key); of the nearest container that exists where it does not."""
        line, column = self.start
        here = self.value
        for step in path:
            spot = self.spots.get(id(here), {}).get(step)
            if spot is None:
                break
            line, column = spot[:2] if key else spot[2:]
            here = here[step]  # type: ignore[index]  # a container that has spots has the step
        return Mark(line + 1, column + 1)

    def error(self, path: Path, reason: str, *, key: bool = False) -> CaseFormatError:
        """An error at this place."""
        mark = self.mark(path, key=key)
        return CaseFormatError(self.file, mark.line, mark.column, reason)


def read(file: File) -> Document:
    """The document in a file. Raises OSError, CaseFormatError."""
    return load(file.read_bytes(), file)


def load(data: bytes, file: File | str = "<yaml>") -> Document:
    """The one document in `data`. Raises CaseFormatError with line, column and a plain reason."""
    try:
        return _Loader(CParser(data), file).document()
    except MarkedYAMLError as error:
        raise _marked(error, data, file) from None
    except ReaderError:
        raise _unreadable(data, file) from None


def _marked(error: MarkedYAMLError, data: bytes, file: File | str) -> CaseFormatError:
    problem = str(error.problem or error.context)
    # Where something ends too late or never, what helps is where it began.
    mark = (error.context_mark if problem.startswith(_UNENDED) else None) or error.problem_mark
    lines = data.decode("utf-8", "replace").splitlines()
    line, column = (mark.line, mark.column) if mark else (0, 0)
    char = lines[line][column : column + 1] if line < len(lines) else ""
    reason = next((plain for words, plain in _REASONS if problem.startswith(words)), problem)
    reason = reason.replace("{char}", {"\t": "a tab"}.get(char, f"`{char}`"))
    return CaseFormatError(file, line + 1, column + 1, f"not readable as YAML: {reason}")


def _unreadable(data: bytes, file: File | str) -> CaseFormatError:
    try:
        text, reason = data.decode("utf-8"), "a control character; write it as an escape in double quotes"
        at = next(
            (found.start() for found in re.finditer("[\0-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]", text)), 0
        )
        before = text[:at]
    except UnicodeDecodeError as bad:
        before, reason = data[: bad.start].decode("utf-8"), "not UTF-8; save the file as UTF-8"
    line = before.count("\n")
    return CaseFormatError(file, line + 1, len(before) - (before.rfind("\n") + 1) + 1, f"not readable as YAML: {reason}")


@dataclass(slots=True)
class _Frame:
    """A container being filled."""

    into: list[Tree] | dict[str, Tree]
    spots: dict[str | int, _Spot]
    anchor: str | None
    counted: int  # values read before this container began
    height: int = 1  # levels of containers, itself included
    key: str | None = None
    key_at: tuple[int, int] = (0, 0)


def _start(event: Event) -> tuple[int, int]:
    mark = event.start_mark
    assert mark is not None  # the parser gives every event one
    return mark.line, mark.column


class _Loader:
    """Events -> values, without recursion."""

    def __init__(self, parser: CParser, file: File | str) -> None:
        self._parser = parser
        self._file = file
        self._spots: dict[int, Mapping[str | int, _Spot]] = {}
        self._anchors: dict[str, tuple[Tree, int, int]] = {}  # value, values in it, levels
        self._count = 0
        self._aliased = 0
        self._frames: list[_Frame] = []
        self._root: Tree = None
        self._start = (0, 0)

    def document(self) -> Document:
        next_event = self._parser.get_event
        seen = False
        while (event := next_event()) is not None:
            kind = type(event)
            if kind is ScalarEvent:
                self._scalar(event)  # type: ignore[arg-type]
            elif isinstance(event, CollectionStartEvent):
                self._open(event)
            elif isinstance(event, AliasEvent):
                self._alias(event)
            elif kind is DocumentStartEvent:
                if seen:
                    self._fail(event, "a second document begins here; one file holds one")
                seen = True
            elif self._frames and kind is not DocumentEndEvent:
                self._close()
        return Document(file=self._file, value=self._root, spots=self._spots, start=self._start)

    def _fail(self, event: Event, reason: str) -> NoReturn:
        line, column = _start(event)
        raise CaseFormatError(self._file, line + 1, column + 1, reason)

    def _scalar(self, event: ScalarEvent) -> None:
        frame = self._frames[-1] if self._frames else None
        if frame is not None and frame.key is None and type(frame.into) is dict:
            self._key(frame, event)
            return
        value = self._value(event)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1, 0)
        self._put(event, value)

    def _key(self, frame: _Frame, event: ScalarEvent) -> None:
        # A key is a string however it is written: `404:` and `null:` are words here.
        tagged = event.tag is not None and event.tag not in ("tag:yaml.org,2002:str", "!")
        key = self._tagged(event) if tagged else event.value
        if not isinstance(key, str):
            self._fail(event, "a key must be a string")
        if not key and event.implicit[0]:
            self._fail(event, 'a key is missing before `:`; write "" for an empty one')
        if key in frame.into:
            self._fail(event, f"the key {key!r} is here twice")
        if event.anchor:
            self._anchors[event.anchor] = (key, 1, 0)
        frame.key = key
        frame.key_at = _start(event)

    def _value(self, event: ScalarEvent) -> Tree:
        if event.tag is not None:
            return self._tagged(event)
        if not event.implicit[0]:
            return event.value
        try:
            return scalar(event.value)
        except ValueError as error:
            self._fail(event, str(error))

    def _tagged(self, event: ScalarEvent) -> Tree:
        tag = (event.tag or "").removeprefix("tag:yaml.org,2002:")
        if tag not in _TAGS:
            self._fail(event, f"unknown tag {event.tag}; there are !!str, !!binary, !!float and {JSON_TAG}")
        try:
            return _TAGS[tag](event.value)
        except ValueError:
            self._fail(event, f"this value is not what its tag {tag} says")

    def _open(self, event: CollectionStartEvent) -> None:
        mapping = isinstance(event, MappingStartEvent)
        if event.tag not in (None, "!", "tag:yaml.org,2002:map" if mapping else "tag:yaml.org,2002:seq"):
            self._fail(event, f"unknown tag {event.tag}")
        if self._frames and self._frames[-1].key is None and isinstance(self._frames[-1].into, dict):
            self._fail(event, "a key must be a string; quote it if it starts with `[` or `{`")
        if len(self._frames) >= MAX_DEPTH:
            self._fail(event, f"nested deeper than {MAX_DEPTH} levels")
        into: list[Tree] | dict[str, Tree] = {} if mapping else []
        frame = _Frame(into, {}, event.anchor, self._count)
        self._put(event, into)
        self._spots[id(into)] = frame.spots
        self._frames.append(frame)

    def _close(self) -> None:
        frame = self._frames.pop()
        self._raise_height(frame.height)
        if frame.anchor:
            self._anchors[frame.anchor] = (frame.into, self._count - frame.counted, frame.height)

    def _raise_height(self, below: int) -> None:
        if self._frames:
            self._frames[-1].height = max(self._frames[-1].height, below + 1)

    def _alias(self, event: NodeEvent) -> None:
        name = event.anchor or ""
        if name not in self._anchors:
            self._fail(event, f"the alias *{name} has no anchor before it, or is inside of what it names")
        value, size, height = self._anchors[name]
        self._aliased += size
        self._count += size
        if self._aliased > MAX_ALIASED:
            self._fail(event, f"aliases stand for more than {MAX_ALIASED} values")
        if len(self._frames) + height > MAX_DEPTH:
            self._fail(event, f"nested deeper than {MAX_DEPTH} levels")
        self._raise_height(height)
        frame = self._frames[-1] if self._frames else None
        if frame is not None and frame.key is None and isinstance(frame.into, dict):
            self._fail(event, "an alias cannot be a key; quote a key that starts with `*`")
        self._put(event, value)

    def _put(self, event: Event, value: Tree) -> None:
        self._count += 1
        start = _start(event)
        if not self._frames:
            self._root, self._start = value, start
            return
        frame = self._frames[-1]
        into = frame.into
        if isinstance(into, dict):
            key = frame.key
            assert key is not None
            into[key] = value
            frame.spots[key] = frame.key_at + start
            frame.key = None
        else:
            frame.spots[len(into)] = start + start
            into.append(value)
