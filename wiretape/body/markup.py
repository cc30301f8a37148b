"""HTML and XML -> trees of elements, for comparing and for naming places; the text itself is what a case holds.

An element is the list `[name, {attribute: value}, child, …]`, a child being an element or a text. White space that nobody sees,
the order of attributes, comments, and how characters are escaped are gone. `view` gives the form that selectors speak of:
`html.body.table.tr[2].td`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from html.parser import HTMLParser
from types import MappingProxyType
from xml.parsers import expat

from wiretape.tree import Path, Tree

MAX_DEPTH = 200
TEXT = "#text"
_HTML = ("text/html", "application/xhtml+xml")
_XML = re.compile(r"(?:application|text)/xml|[^/]+/[^/]+\+xml")
_SPACE = re.compile(r"[ \t\n\r\f]+")
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())  # noqa: SIM905
_BLOCKS = (
    "p", "div", "ul", "ol", "dl", "table", "section", "article", "header", "footer", "nav", "main", "aside", "form", "h1", "h2",
    "h3", "h4", "h5", "h6", "pre", "hr", "blockquote",
)  # fmt: skip
_AS_IT_IS = frozenset(["pre", "textarea", "script", "style"])
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

type Element = list[Tree]


def read(text: str, media_type: str) -> Tree:
    """The document as the element `#document`; None where the media type is neither or the text is no such document."""
    if not is_markup(media_type):
        return None
    return _read_html(text) if media_type in _HTML else _read_xml(text)


def is_markup(media_type: str) -> bool:
    """Whether a media type is HTML or XML."""
    return media_type in _HTML or bool(_XML.fullmatch(media_type))


def is_element(tree: Tree) -> bool:
    """Whether a tree is an element."""
    return isinstance(tree, list) and len(tree) > 1 and isinstance(tree[0], str) and isinstance(tree[1], dict)


class _Builder:
    """Elements as they open and close. Raises ValueError for nesting nobody reads."""

    def __init__(self) -> None:
        self.root: Element = ["#document", {}]
        self._open: list[Element] = [self.root]

    @property
    def names(self) -> list[str]:
        return [str(element[0]) for element in self._open]

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if len(self._open) > MAX_DEPTH:
            raise ValueError("nested too deeply")
        element: Element = [name, {**attributes}]
        self._open[-1].append(element)
        self._open.append(element)

    def end(self, count: int = 1) -> None:
        for _ in range(count):
            _settle(self._open.pop())

    def text(self, text: str) -> None:
        holder = self._open[-1]
        if len(holder) > 2 and isinstance(holder[-1], str):
            holder[-1] += text
        else:
            holder.append(text)

    def finish(self) -> Element:
        while self._open:
            self.end()
        return self.root


def _settle(element: Element) -> None:
    """White space as it is seen: runs of it are one space, none at the ends of an element's text, none between elements."""
    if element[0] in _AS_IT_IS:
        element[2:] = [child.strip() if isinstance(child, str) else child for child in element[2:]]
        return
    children = [_SPACE.sub(" ", child).strip() if isinstance(child, str) else child for child in element[2:]]
    element[2:] = [child for child in children if child != ""]


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.builder = _Builder()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._end_implied(tag)
        attributes: dict[str, str] = {}
        for name, value in attrs:
            attributes.setdefault(name, _SPACE.sub(" ", value or "").strip() if name == "class" else value or "")
        self.builder.start(tag, attributes)
        if tag in _VOID:
            self.builder.end()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID and {"svg", "math"}.intersection(self.builder.names):
            self.builder.end()

    def _end_implied(self, tag: str) -> None:
        ended, within = _ENDED_BY.get(tag, (frozenset(), frozenset()))
        names = self.builder.names
        count = 0
        for at, name in enumerate(reversed(names), 1):
            if name in within or name == "#document":
                break
            if name in ended:
                count = at
        self.builder.end(count)

    def handle_endtag(self, tag: str) -> None:
        names = self.builder.names[::-1]
        if tag in names and tag not in _VOID:
            self.builder.end(names.index(tag) + 1)

    def handle_data(self, data: str) -> None:
        self.builder.text(data)

    def handle_decl(self, decl: str) -> None:
        self.builder.start("!doctype", {"is": decl.lower()})
        self.builder.end()


def _read_html(text: str) -> Tree:
    parser = _Html()
    try:
        parser.feed(text)
        parser.close()
    except (ValueError, AssertionError):  # the standard library's parser asserts where it meets an odd declaration
        return None
    return parser.builder.finish()


def _read_xml(text: str) -> Tree:
    builder = _Builder()
    parser = expat.ParserCreate("utf-8", None)
    parser.buffer_text = True
    parser.ordered_attributes = False

    def refuse(*_: object) -> None:
        raise ValueError("a document that declares entities is not read")

    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = lambda _: builder.end()
    parser.CharacterDataHandler = builder.text
    try:
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, ValueError):
        return None
    return builder.finish()


def children(element: Element) -> list[tuple[Path, Tree]]:
    """The children with the steps that name them: `("td",)`, or `("td", 2)` where there are several of that name."""
    names = [TEXT if isinstance(child, str) else str(child[0]) for child in element[2:] if isinstance(child, str | list)]
    seen: dict[str, int] = {}
    out: list[tuple[Path, Tree]] = []
    for name, child in zip(names, element[2:], strict=True):
        at = seen.get(name, 0)
        seen[name] = at + 1
        alone = names.count(name) == 1 if len(names) < 100 else False
        out.append(((name,) if alone else (name, at), child))
    return out


def is_text_only(element: Element) -> bool:
    """Whether an element holds a text and nothing else; that text is then named by the element itself."""
    return len(element) == 3 and isinstance(element[2], str)


def write(element: Element) -> str:
    """The element as it is written in a document, for reading."""
    name, attributes = str(element[0]), element[1] if isinstance(element[1], dict) else {}
    words = "".join(f' {key}="{escape(str(value))}"' for key, value in attributes.items())
    inner = "".join(write(child) if isinstance(child, list) else escape(str(child), quote=False) for child in element[2:])
    return f"<{name}{words}>" + ("" if name in _VOID and not inner else f"{inner}</{name}>")


def view(element: Tree) -> Tree:
    """The element as the mapping that selectors speak of: children by their names, attributes as `@name`, texts as `#text`."""
    if not isinstance(element, list) or not is_element(element):
        return element
    attributes = element[1] if isinstance(element[1], dict) else {}
    if is_text_only(element) and not attributes:
        return element[2]
    out: dict[str, Tree] = {f"@{name}": value for name, value in attributes.items()}
    for steps, child in children(element):
        name = str(steps[0])
        if len(steps) == 1:
            out[name] = view(child)
        else:
            several = out.setdefault(name, [])
            assert isinstance(several, list)
            several.append(view(child))
    return out
