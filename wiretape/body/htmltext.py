"""HTML text -> elements, in linear time whatever comes (HTML living standard sections 13.1.2 and 13.2.5, as far as they tell
documents apart). Written here because the standard library's parser takes minutes for a few hundred kilobytes of unclosed tags.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from types import MappingProxyType

from wiretape.body.elements import SPACE, VOID, Builder, Element


@dataclass(frozen=True, slots=True)
class Start:
    """A start tag. `closed`: it ends where it begins (`<path/>`)."""

    name: str
    attributes: dict[str, str]
    closed: bool


@dataclass(frozen=True, slots=True)
class End:
    """An end tag."""

    name: str


type Piece = str | Start | End

_NAME = re.compile(r"[A-Za-z][^\s/>]*+")
_ATTRIBUTE = re.compile(
    r"""[\s/]*+ (?: > | (?P<name>[^\s/>][^\s/>=]*+) (?:\s*+=\s*+ (?: "(?P<double>[^"]*+)" | '(?P<single>[^']*+)'
    | (?P<bare>[^\s>"'][^\s>]*+)? ))? )""",
    re.VERBOSE,
)
_RAW = frozenset(["script", "style", "textarea", "title"])  # their text holds no elements
_ESCAPABLE = frozenset(["textarea", "title"])
_BLOCKS = (
    "p", "div", "ul", "ol", "dl", "table", "section", "article", "header", "footer", "nav", "main", "aside", "form", "h1", "h2",
    "h3", "h4", "h5", "h6", "pre", "hr", "blockquote",
)  # fmt: skip
# An element of these names ends where another begins, unless one of the second lies between (HTML section 13.1.2.4).
_ENDED_BY: Mapping[str, tuple[frozenset[str], frozenset[str]]] = MappingProxyType(
    {
        "li": (frozenset(["li"]), frozenset(["ul", "ol", "menu"])),
        "dt": (frozenset(["dt", "dd"]), frozenset(["dl"])),
        "dd": (frozenset(["dt", "dd"]), frozenset(["dl"])),
        "tr": (frozenset(["tr", "td", "th"]), frozenset(["table"])),
        "td": (frozenset(["td", "th"]), frozenset(["table", "tr"])),
        "th": (frozenset(["td", "th"]), frozenset(["table", "tr"])),
        "tbody": (frozenset(["thead", "tbody", "tr", "td", "th"]), frozenset(["table"])),
        "tfoot": (frozenset(["thead", "tbody", "tr", "td", "th"]), frozenset(["table"])),
        "option": (frozenset(["option"]), frozenset(["select", "datalist"])),
        "optgroup": (frozenset(["option", "optgroup"]), frozenset(["select"])),
    }
    | dict.fromkeys(_BLOCKS, (frozenset(["p"]), frozenset(["body", "div", "td", "th", "li", "section", "article", "button"])))
)


def read(text: str) -> Element:
    """The document as the element `#document`. Raises ValueError for nesting that nobody reads."""
    builder = Builder()
    for piece in _pieces(text):
        match piece:
            case str():
                builder.text(piece)
            case Start():
                _start(builder, piece)
            case End():
                _end(builder, piece.name)
    return builder.finish()


def _pieces(text: str) -> Iterator[Piece]:
    """Texts, start tags and end tags, in order."""
    at = 0
    while at < len(text):
        found = text.find("<", at)
        if found < 0:
            yield unescape(text[at:])
            return
        if found > at:
            yield unescape(text[at:found])
        at = yield from _markup(text, found)


def _markup(text: str, at: int) -> Generator[Piece, None, int]:
    """What begins with `<` at this place; returns where to go on, the end of the text where it is never closed."""
    if text.startswith("<!--", at):
        return _after(text, "-->", at + 4)
    after = text[at + 1 : at + 2]
    if after == "!":
        end = _after(text, ">", at)
        yield Start("!doctype", {"is": text[at + 2 : end - 1].strip().lower()}, closed=True)
        return end
    if after == "?":
        return _after(text, ">", at)
    ends = after == "/"
    name = _NAME.match(text, at + 1 + ends)
    if name is None:
        if ends:
            return _after(text, ">", at)
        yield "<"
        return at + 1
    return (yield from _tag(text, name, ends=ends))


def _tag(text: str, name: re.Match[str], *, ends: bool) -> Generator[Piece, None, int]:
    attributes: dict[str, str] = {}
    here = name.end()
    while (found := _ATTRIBUTE.match(text, here)) is not None and found["name"] is not None:
        value = next((part for part in (found["double"], found["single"], found["bare"]) if part is not None), "")
        attributes.setdefault(found["name"].lower(), unescape(value))
        here = found.end()
    if found is None:
        return len(text)
    lower = name[0].lower()
    if ends:
        yield End(lower)
        return found.end()
    yield Start(lower, attributes, closed=text[found.end() - 2] == "/")
    if lower in _RAW:
        return (yield from _raw(text, lower, found.end()))
    return found.end()


def _raw(text: str, name: str, at: int) -> Generator[Piece, None, int]:
    """The text of an element that holds nothing but text, up to its end tag."""
    ends = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(text, at)
    inner = text[at : ends.start() if ends else len(text)]
    if inner:
        yield unescape(inner) if name in _ESCAPABLE else inner
    return ends.start() if ends else len(text)


def _after(text: str, mark: str, at: int) -> int:
    found = text.find(mark, at)
    return len(text) if found < 0 else found + len(mark)


def _start(builder: Builder, tag: Start) -> None:
    _end_implied(builder, tag.name)
    said = {name: SPACE.sub(" ", value).strip() if name == "class" else value for name, value in tag.attributes.items()}
    foreign = tag.closed and not {"svg", "math"}.isdisjoint(builder.names)
    builder.start(tag.name, said)
    if tag.name in VOID or foreign or tag.name == "!doctype":
        builder.end()


def _end_implied(builder: Builder, name: str) -> None:
    ended, within = _ENDED_BY.get(name, (frozenset(), frozenset()))
    count = 0
    for at, open_ in enumerate(reversed(builder.names) if ended else (), 1):
        if open_ in within or open_ == "#document":
            break
        if open_ in ended:
            count = at
    builder.end(count)


def _end(builder: Builder, name: str) -> None:
    names = builder.names[::-1]
    if name in names and name not in VOID:
        builder.end(names.index(name) + 1)
