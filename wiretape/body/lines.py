"""JSON lines (application/x-ndjson, application/jsonl) <-> lists of trees, exact in both directions."""

from __future__ import annotations

import re

from wiretape import jsontext
from wiretape.case import Body
from wiretape.jsontext import Style
from wiretape.tree import Tree

TYPE = re.compile(r"application/(?:(?:x-)?(?:ndjson|jsonl|jsonlines|json-lines)|stream\+json)", re.IGNORECASE)
_CRLF, _CUT = "lines=crlf", "cut"


def read(text: str) -> Body | None:
    """The trees, or None where they do not give the same text back."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.removesuffix(end).split(end)
    try:
        trees = [jsontext.parse(line) for line in lines]
    except ValueError:
        return None
    style = jsontext.shared_style(zip(lines, trees, strict=True))
    words = [*([_CRLF] if end != "\n" else []), *([] if text.endswith(end) else [_CUT]), *style.words()]
    value: Tree = [*trees]
    return Body(kind="lines", value=value, style=" ".join(words)) if write(value, words) == text else None


def write(value: Tree, words: list[str]) -> str:
    """The text. Raises TypeError for what is no list or holds bytes, ValueError for an unknown style."""
    if not isinstance(value, list):
        raise TypeError("JSON lines are a list of values")
    end = "\r\n" if _CRLF in words else "\n"
    style = Style.of([word for word in words if word not in (_CRLF, _CUT)])
    return end.join(jsontext.dump(tree, style) for tree in value) + ("" if _CUT in words else end)


def meaning(text: str) -> Tree:
    """The trees a consumer sees; empty lines say nothing; the text where it is no JSON lines."""
    try:
        return [jsontext.lenient(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        return text
