"""A response as links speak of it: headers, cookies by name, the body's meaning, a page's inputs and meta tags by name."""

from __future__ import annotations

from collections.abc import Iterator

from wiretape.body import markup
from wiretape.body.forms import TYPE as FORM
from wiretape.body.headers import media_type
from wiretape.case import Headers
from wiretape.tree import Tree


def view(status: int, headers: Headers, meaning: Tree, trailers: Headers = ()) -> dict[str, Tree]:
    """The tree. `meaning`: what the body says (`wiretape.body.meaning`). Names of headers are in lower case; of cookies, inputs
    and meta tags that repeat, the last counts."""
    fields, meta = _of_page(meaning if markup.is_markup(media_type(headers)) else None)
    return {
        "status": status,
        "headers": _gathered(headers),
        "cookies": dict(_cookies(headers)),
        "body": _body(meaning, headers),
        "fields": fields,
        "meta": meta,
        "trailers": _gathered(trailers),
    }


def _gathered(headers: Headers) -> dict[str, Tree]:
    found: dict[str, list[Tree]] = {}
    for name, value in headers:
        found.setdefault(name.lower(), []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _cookies(headers: Headers) -> Iterator[tuple[str, Tree]]:
    """RFC 6265 section 5.2: the value is what stands between the first `=` and the first `;`, quotes and all."""
    for name, value in headers:
        if name.lower() == "set-cookie":
            cookie, _, content = value.partition(";")[0].partition("=")
            yield cookie.strip(), content.strip()


def _body(meaning: Tree, headers: Headers) -> Tree:
    if media_type(headers) == FORM and isinstance(meaning, list):
        return {str(pair[0]): pair[1] for pair in meaning if isinstance(pair, list) and len(pair) == 2}
    return markup.view(meaning)


def _of_page(meaning: Tree) -> tuple[dict[str, Tree], dict[str, Tree]]:
    """The values of a page's inputs and the contents of its meta tags, by name."""
    fields: dict[str, Tree] = {}
    meta: dict[str, Tree] = {}
    queue = [meaning] if markup.is_element(meaning) else []
    while queue:
        element = queue.pop()
        assert isinstance(element, list)
        name, attributes = element[0], element[1]
        if isinstance(attributes, dict) and (called := attributes.get("name")):
            if name == "input" and "value" in attributes:
                fields[str(called)] = attributes["value"]
            elif name == "meta" and "content" in attributes:
                meta[str(called)] = attributes["content"]
        queue += [child for child in reversed(element[2:]) if markup.is_element(child)]
    return fields, meta
