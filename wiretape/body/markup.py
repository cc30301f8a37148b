"""HTML and XML -> trees of elements, for comparing and for naming places; the text itself is what a case holds.

An element is the list `[name, {attribute: value}, child, …]`, a child being an element or a text. White space that nobody sees,
the order of attributes, comments, and how characters are escaped are gone. `view` gives the form that selectors speak of:
`html.body.table.tr[2].td`.
"""

from __future__ import annotations

import re
from collections import Counter
from html import escape
from xml.parsers import expat

from wiretape.body import htmltext
from wiretape.body.elements import VOID, Builder, Element
from wiretape.tree import Path, Tree

MAX_TEXT = 8 * 1024 * 1024  # characters of a document; longer ones are compared as text
TEXT = "#text"
_HTML = ("text/html", "application/xhtml+xml")
_XML = re.compile(r"(?:application|text)/xml|[^/]+/[^/]+\+xml")


def read(text: str, media_type: str) -> Tree:
    """The document as the element `#document`; None where the media type is neither or the text is no such document."""
    if not is_markup(media_type) or len(text) > MAX_TEXT:
        return None
    return _read_html(text) if media_type in _HTML else _read_xml(text)


def is_markup(media_type: str) -> bool:
    """Whether a media type is HTML or XML."""
    return media_type in _HTML or bool(_XML.fullmatch(media_type))


def is_element(tree: Tree) -> bool:
    """Whether a tree is an element."""
    return isinstance(tree, list) and len(tree) > 1 and isinstance(tree[0], str) and isinstance(tree[1], dict)


def _read_html(text: str) -> Tree:
    try:
        return htmltext.read(text)
    except ValueError:
        return None


def _read_xml(text: str) -> Tree:
    builder = Builder()
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
    count = Counter(names)
    seen: dict[str, int] = {}
    out: list[tuple[Path, Tree]] = []
    for name, child in zip(names, element[2:], strict=True):
        at = seen.get(name, 0)
        seen[name] = at + 1
        out.append(((name,) if count[name] == 1 else (name, at), child))
    return out


def is_text_only(element: Element) -> bool:
    """Whether an element holds a text and nothing else; that text is then named by the element itself."""
    return len(element) == 3 and isinstance(element[2], str)


def write(element: Element) -> str:
    """The element as it is written in a document, for reading."""
    name, attributes = str(element[0]), element[1] if isinstance(element[1], dict) else {}
    words = "".join(f' {key}="{escape(str(value))}"' for key, value in attributes.items())
    inner = "".join(write(child) if isinstance(child, list) else escape(str(child), quote=False) for child in element[2:])
    return f"<{name}{words}>" + ("" if name in VOID and not inner else f"{inner}</{name}>")


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
