"""Event streams (text/event-stream, HTML living standard section 9.2) <-> lists of events, exact in both directions.

An event is a mapping of its fields in their order: `event`, `data`, `id`, `retry`, and `comment` for a line that begins with a
colon. `data` that is a JSON object or array is a tree, anything else text. An event without fields is an empty line of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from wiretape import jsontext
from wiretape.case import Body
from wiretape.jsontext import Style
from wiretape.tree import Tree

TYPE = "text/event-stream"
FIELDS = ("event", "data", "id", "retry", "comment")
_COLON, _CUT = "colon=tight", "cut"
_ENDS = {"\r\n": "lines=crlf", "\r": "lines=cr"}
_MANY = ("data", "comment")  # a field on several lines is one text of several lines

_LONGEST_NUMBER = 18  # digits

type Event = dict[str, Tree]


def read(text: str) -> Body | None:
    """The events, or None where they do not give the same text back."""
    end = "\r\n" if "\r\n" in text else "\r" if "\r" in text and "\n" not in text else "\n"
    read = list(_events(text.split(end)))
    if not all(event is not None for event in read):
        return None
    events = [event for event in read if event is not None]
    words = [_ENDS[end]] if end in _ENDS else []
    words += [_COLON] if ":" in text and ": " not in text else []
    words += [] if text.endswith(end * 2) or text == end else [_CUT]
    style = jsontext.shared_style(_jsons(events))
    trees = [{name: _told(name, value, style) for name, value in event.items()} for event in events]
    value: Tree = [*trees]
    words += style.words()
    try:
        exact = write(value, words) == text
    except ValueError:
        return None
    return Body(kind="events", value=value, style=" ".join(words)) if exact else None


def _events(lines: list[str]) -> Iterator[Event | None]:
    """Each event as text; None for what cannot be kept as one."""
    *whole, rest = lines
    if rest:
        yield None
    fields: dict[str, list[str]] = {}
    for line in whole:
        if not line:
            yield _event(fields)
            fields = {}
        elif not _take(fields, line):
            yield None
    if fields:
        yield _event(fields)


def _event(fields: dict[str, list[str]]) -> Event:
    return {name: _number(lines[0]) if name == "retry" else "\n".join(lines) for name, lines in fields.items()}


def _number(text: str) -> Tree:
    return int(text) if text.isdecimal() and len(text) < _LONGEST_NUMBER and str(int(text)) == text else text


def _take(fields: dict[str, list[str]], line: str) -> bool:
    name, colon, value = line.partition(":")
    name = name or "comment"
    value = value.removeprefix(" ")
    if not colon or name not in FIELDS:
        return False
    if name in fields and (name not in _MANY or next(reversed(fields)) != name):
        return False
    fields.setdefault(name, []).append(value)
    return True


def _jsons(events: list[Event]) -> Iterator[tuple[str, Tree]]:
    for event in events:
        text = event.get("data")
        if isinstance(text, str) and (tree := json_of(text)) is not None:
            yield text, tree


def json_of(text: str) -> Tree:
    """The tree of a JSON object or array; None for any other text. A scalar is its own text as well as its own JSON."""
    if text[:1] not in ("{", "["):
        return None
    try:
        return jsontext.parse(text)
    except ValueError:
        return None


def _told(name: str, value: Tree, style: Style) -> Tree:
    if name != "data" or not isinstance(value, str):
        return value
    tree = json_of(value)
    return tree if tree is not None and jsontext.dump(tree, style) == value else value


def write(value: Tree, words: list[str]) -> str:
    """The stream. Raises TypeError for what is no list of events, ValueError for an unknown field or style."""
    if not isinstance(value, list):
        raise TypeError("an event stream is a list of events, such as {event: tick, data: …}")
    end = next((end for end, word in _ENDS.items() if word in words), "\n")
    colon = ":" if _COLON in words else ": "
    style = Style.of([word for word in words if word not in (_COLON, _CUT, *_ENDS.values())])
    out = "".join(f"{line}{end}" for event in value for line in _lines(event, colon, style))
    return out.removesuffix(end) if _CUT in words else out


def _lines(event: Tree, colon: str, style: Style) -> Iterator[str]:
    if not isinstance(event, dict):
        raise TypeError("an event is a mapping, such as {event: tick, data: …}")
    for name, value in event.items():
        if name not in FIELDS:
            raise ValueError(f"an event has no {name!r}; its fields are {', '.join(FIELDS)}")
        text = value if isinstance(value, str) else "" if value is None else jsontext.dump(value, style)
        for line in text.split("\n"):
            yield f"{'' if name == 'comment' else name}{colon}{line}"
    yield ""


def meaning(text: str) -> Tree:
    """What a consumer sees: the events, `data` as a tree where it is JSON; the text where they are none."""
    ends = text.replace("\r\n", "\n").replace("\r", "\n")
    events: list[Tree] = []
    for event in _events(ends.split("\n")):
        if event is None:
            return text
        data = event.get("data")
        events.append({**event, "data": _lenient(data)} if isinstance(data, str) else event)
    return events


def _lenient(text: str) -> Tree:
    if text[:1] not in ("{", "["):
        return text
    try:
        return jsontext.lenient(text)
    except ValueError:
        return text
