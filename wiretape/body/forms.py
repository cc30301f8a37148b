"""Forms (application/x-www-form-urlencoded) <-> lists of `[name, value]`, in the way each client writes them."""

from __future__ import annotations

from types import MappingProxyType
from urllib.parse import quote, quote_plus, unquote_plus

from wiretape.case import Body
from wiretape.errors import EncodeError
from wiretape.tree import Tree

TYPE = "application/x-www-form-urlencoded"
# How clients write forms: the characters they leave alone, and whether a space is a plus.
_STYLES = MappingProxyType({"": ("", True), "percent": ("", False), "browser": ("*", True), "star": ("*", False)})


def read(text: str) -> Body | None:
    """The form, or None where no style writes it like that."""
    pieces = [piece.partition("=") for piece in text.split("&")]
    if not all(mark for _, mark, _ in pieces):
        return None
    try:
        pairs: list[Tree] = [
            [unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")] for name, _, value in pieces
        ]
    except UnicodeError:
        return None
    style = next((style for style in _STYLES if write(pairs, [style]) == text), None)
    return None if style is None else Body(kind="form", value=pairs, style=style)


def write(form: Tree, words: list[str]) -> str:
    """The form's text. Raises EncodeError for what is no form, ValueError for an unknown style."""
    style = " ".join(words)
    if style not in _STYLES:
        raise ValueError(f"unknown body style {style!r}; known: {' '.join(filter(None, _STYLES))}")
    safe, plus = _STYLES[style]
    escape = quote_plus if plus else quote
    return "&".join(f"{escape(_word(name), safe=safe)}={escape(_word(value), safe=safe)}" for name, value in _pairs(form))


def _pairs(form: Tree) -> list[tuple[Tree, Tree]]:
    if isinstance(form, dict):
        return list(form.items())
    pairs: list[tuple[Tree, Tree]] = []
    for pair in form if isinstance(form, list) else [None]:
        if not isinstance(pair, list) or len(pair) != 2:
            raise EncodeError("body", "a form is a mapping, or a list of [name, value]")
        pairs.append((pair[0], pair[1]))
    return pairs


def _word(value: Tree) -> str:
    return "" if value is None else "true" if value is True else "false" if value is False else str(value)
