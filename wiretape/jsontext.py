"""JSON text (RFC 8259) <-> tree, without losing how it was written: number literals, spacing, escapes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from json.encoder import encode_basestring, encode_basestring_ascii

from wiretape.tree import Number, Tree

MAX_DEPTH = 64
_MOST_STYLES = 8
_INDENT = re.compile(r"[\[{]\n([ \t]+)")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_HTML_CHARACTER = re.compile("[<>&\u2028\u2029]")


def parse(text: str) -> Tree:
    """The tree of a JSON text.

    Raises ValueError where a tree cannot say it all: repeated keys, NaN, `-0`, half a surrogate pair, nesting deeper than
    MAX_DEPTH (which nobody can read).
    """
    try:
        tree: Tree = json.loads(text, parse_float=Number, parse_int=_integer, parse_constant=_refuse, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(tree) > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if "\\ud" in text or "\\uD" in text:
        _refuse_lone_surrogates(tree)
    return tree


def lenient(text: str) -> Tree:
    """The tree a consumer would see: the last of repeated keys wins, NaN is a number. Raises ValueError where it is no JSON."""
    try:
        tree: Tree = json.loads(text, parse_float=Number)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return tree


def _depth(tree: Tree) -> int:
    level: list[Tree] = [tree]
    depth = 0
    while level := [item for node in level for item in _items(node)]:
        depth += 1
    return depth


def _items(node: Tree) -> list[Tree]:
    return list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []


def _integer(literal: str) -> int:
    if literal == "-0":
        raise ValueError("an integer has no -0")
    return int(literal)


def _refuse(literal: str) -> float:
    raise ValueError(f"{literal} is not JSON")


def _unique(pairs: list[tuple[str, Tree]]) -> dict[str, Tree]:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise ValueError("a key is repeated")
    return tree


def _refuse_lone_surrogates(tree: Tree) -> None:
    json.dumps(tree, ensure_ascii=False, default=repr).encode()


@dataclass(frozen=True, slots=True)
class Style:
    """How a serializer writes JSON: its name in a case is the words of `words()`, none for the most compact."""

    item: str = ","
    key: str = ":"
    indent: str = ""
    escapes: str = ""
    slash: bool = False
    end: str = ""

    def words(self) -> list[str]:
        """The style in words, as a case holds it."""
        out = []
        if self.indent:
            out.append(f"indent={len(self.indent)}" if self.indent.strip("\t") else f"tabs={len(self.indent)}")
        if (self.item, self.key) == ((",", ": ") if self.indent else (", ", ": ")):
            out += [] if self.indent else ["spaced"]
        elif (self.item, self.key) != (",", ":"):
            out.append("loose" if self.key == ": " else "spaced-items")
        elif self.indent:
            out.append("tight")
        if self.escapes:
            out.append(self.escapes)
        if self.slash:
            out.append("slash")
        if self.end:
            out.append("crlf" if self.end == "\r\n" else "newline")
        return out

    @classmethod
    def of(cls, words: list[str]) -> Style:
        """The style of these words. Raises ValueError naming a word that is none."""
        style = cls()
        for word in words:
            name, _, count = word.partition("=")
            if name in {"indent", "tabs"} and count.isdigit():
                style = replace(style, indent=(" " if name == "indent" else "\t") * int(count), key=": ")
            elif word in _WORDS:
                style = _WORDS[word](style)
            else:
                raise ValueError(f"unknown body style {word!r}; known: indent=N tabs=N {' '.join(_WORDS)}")
        return style


_WORDS: dict[str, Callable[[Style], Style]] = {
    "spaced": lambda style: replace(style, item=", ", key=": "),
    "loose": lambda style: replace(style, key=": "),
    "spaced-items": lambda style: replace(style, item=", "),
    "tight": lambda style: replace(style, key=":"),
    "ascii": lambda style: replace(style, escapes="ascii"),
    "ASCII": lambda style: replace(style, escapes="ASCII"),
    "html": lambda style: replace(style, escapes="html"),
    "slash": lambda style: replace(style, slash=True),
    "newline": lambda style: replace(style, end="\n"),
    "crlf": lambda style: replace(style, end="\r\n"),
}


def dump(tree: Tree, style: Style = Style()) -> str:
    """The JSON text of a tree in a style. Bytes have no JSON form: TypeError."""
    return "".join(_write(tree, style, _escaper(style), "\n" + style.indent if style.indent else "")) + style.end


def _write(tree: Tree, style: Style, quote: Callable[[str], str], newline: str) -> Iterator[str]:
    match tree:
        case dict() if tree:
            yield "{"
            for n, (key, value) in enumerate(tree.items()):
                yield (style.item if n else "") + newline + quote(key) + style.key
                yield from _write(value, style, quote, newline + style.indent)
            yield newline[: len(newline) - len(style.indent)] + "}"
        case list() if tree:
            yield "["
            for n, value in enumerate(tree):
                yield (style.item if n else "") + newline
                yield from _write(value, style, quote, newline + style.indent)
            yield newline[: len(newline) - len(style.indent)] + "]"
        case str():
            yield quote(tree)
        case Number():
            yield tree.literal
        case bytes():
            raise TypeError("bytes have no JSON form")
        case _:
            yield json.dumps(tree)


def _escaper(style: Style) -> Callable[[str], str]:
    base: Callable[[str], str] = encode_basestring_ascii if style.escapes in {"ascii", "ASCII"} else encode_basestring
    steps: list[Callable[[str], str]] = []
    if style.escapes == "ASCII":
        steps.append(lambda text: _ESCAPE.sub(lambda found: "\\u" + found[1].upper(), text))
    if style.escapes == "html":
        steps.append(lambda text: _HTML_CHARACTER.sub(lambda found: _HTML[found[0]], text))
    if style.slash:
        steps.append(lambda text: text.replace("/", "\\/"))
    if not steps:
        return base

    def quote(text: str) -> str:
        out = base(text)
        for step in steps:
            out = step(out)
        return out

    return quote


def style_of(text: str, tree: Tree) -> Style | None:
    """The style in which `tree` is written as exactly `text`, or None."""
    return next((style for style in _candidates(text) if dump(tree, style) == text), None)


def shared_style(texts: Iterable[tuple[str, Tree]]) -> Style:
    """The style in which most of several texts, each with its tree, were written: one serializer wrote them all."""
    known = list(texts)
    # A text without a letter to escape does not tell how letters are escaped, so the styles that say more come first.
    styles = {style for text, tree in known if (style := style_of(text, tree)) is not None}
    ranked = sorted(styles, key=lambda style: (-len(style.words()), style.words()))[:_MOST_STYLES]
    right = {style: sum(dump(tree, style) == text for text, tree in known) for style in ranked}
    return max(ranked, key=lambda style: right[style], default=Style())


def _candidates(text: str) -> Iterator[Style]:
    end = "\r\n" if text.endswith("\r\n") else "\n" if text.endswith("\n") else ""
    found = _INDENT.search(text)
    indent = found[1] if found else ""
    slash = "\\/" in text
    for escapes in _escapes(text):
        for item, key in ((",", ": "), (",", ":")) if indent else ((",", ":"), (", ", ": "), (",", ": "), (", ", ":")):
            yield Style(item=item, key=key, indent=indent, escapes=escapes, slash=slash, end=end)


def _escapes(text: str) -> tuple[str, ...]:
    if "\\u" not in text:
        return ("",)
    if not text.isascii():
        return ("", "html")
    return ("ascii", "html", "ASCII", "")
