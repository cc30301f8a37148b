"""YAML text -> where each of its values stands, to the character: what an edit in place needs to know."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

_HEADER = re.compile(r"(?:[&!]\S*\s+)*[|>][-+0-9]*")
_COLON = re.compile(r"\s*:")
_ANCHOR = re.compile(r"(?:&\S*\s+)*")
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+|#[^\n]*\n\s*)*")


@dataclass(slots=True, kw_only=True)
class Node:
    """A value's characters, `text[start:end]`: no anchor before it, no comments or blank lines behind it.

    `flow`: in brackets. `style`: a scalar's `'`, `"`, `|`, `>` or empty. `bare`: not even the colon before the value is there.
    """

    start: int
    end: int
    flow: bool = False
    style: str = ""
    bare: bool = False
    entries: list[Entry] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Entry:
    """One item of a container: it begins at its key, or its dash, or (of a list in brackets) its value."""

    start: int
    key: Node | None
    value: Node


def spans(text: str) -> Node:
    """The root of a text that is known to be one sound document, without a byte order mark."""
    reader = _Spans(text)
    while (event := reader.event()) is not None:
        if isinstance(event, ScalarEvent | AliasEvent | MappingStartEvent | SequenceStartEvent):
            return reader.node(event)
    return Node(start=len(text), end=len(text))


class _Spans:
    def __init__(self, text: str) -> None:
        self._text = text
        self.event = CParser(text).get_event

    def node(self, event: Event) -> Node:
        start, end = _offsets(event)
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            start = _after(_PROPERTIES, self._text, start)
            node = Node(start=start, end=end, flow=bool(event.flow_style))
            (self._fill_mapping if isinstance(event, MappingStartEvent) else self._fill_list)(node)
            return node
        if end > start:
            start = _after(_ANCHOR, self._text, start)
        style = (event.style or "") if isinstance(event, ScalarEvent) else ""
        if style in ("|", ">"):
            header = _HEADER.match(self._text, start)
            end = max(header.end() if header else start, len(self._text[:end].rstrip()))
        return Node(start=start, end=end, style=style)

    def _fill_mapping(self, node: Node) -> None:
        event = self._next()
        while not isinstance(event, MappingEndEvent):
            key = self.node(event)
            value = self.node(self._next())
            if value.start == value.end:
                colon = _COLON.match(self._text, key.end)
                at = colon.end() if colon else key.end
                value = Node(start=at, end=at, bare=colon is None)
            node.entries.append(Entry(start=key.start, key=key, value=value))
            node.end = value.end
            event = self._next()
        if node.flow:
            node.end = _offsets(event)[1]

    def _fill_list(self, node: Node) -> None:
        column = node.start - (self._text.rfind("\n", 0, node.start) + 1)
        event = self._next()
        while not isinstance(event, SequenceEndEvent):
            value = self.node(event)
            start = value.start if node.flow else self._dash(value.start, column)
            if value.start == value.end and not node.flow:
                value = Node(start=start + 1, end=start + 1)
            node.entries.append(Entry(start=start, key=None, value=value))
            node.end = value.end
            event = self._next()
        if node.flow:
            node.end = _offsets(event)[1]

    def _dash(self, at: int, column: int) -> int:
        """The dash of the item whose value begins at `at`: in the list's column, on this line or one above."""
        line = self._text.rfind("\n", 0, at) + 1
        while line and self._text[line + column : line + column + 1] != "-":
            line = self._text.rfind("\n", 0, line - 1) + 1
        return line + column

    def _next(self) -> Event:
        event = self.event()
        assert event is not None  # the document is sound
        return event


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _offsets(event: Event) -> tuple[int, int]:
    assert event.start_mark is not None  # the parser gives every event both
    assert event.end_mark is not None
    return event.start_mark.index, event.end_mark.index
