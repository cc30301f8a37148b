"""Bodies of several parts (multipart/form-data and the rest, RFC 2046, RFC 7578) <-> lists of parts, exact in both directions.

A part is a mapping: `name`, `filename` and `type` where its head says nothing else, in the way most clients write it, or its
`headers` where it does; then `value`: text, a JSON tree where the type says so, or bytes. `text` instead of `value` is text
that its type calls JSON and that no tree gives back. The boundary is the content-type's and never part of the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType

from wiretape import jsontext
from wiretape.body.headers import charset, media_type, parameter, text_of
from wiretape.case import Body, Headers
from wiretape.tree import Tree

PART_KEYS = ("name", "filename", "type", "headers", "value", "text", "style")
JSON_TYPE = re.compile(r"(?:[^/\s]+/)?(?:[^/\s;]+\+)?json$", re.IGNORECASE)

_DISPOSITION = re.compile(r'form-data(?:; name="([^"]*)")?(?:; filename="([^"]*)")?')
_NAMES = ("Content-Disposition", "Content-Type")
# How clients write the head of a part: the type before the disposition, and the names in lower case.
_STYLES = MappingProxyType({"": (False, False), "type-first": (True, False), "lower": (False, True)})
_OPEN = "open"  # without a line end after the last boundary
_MOST_PARTS = 10_000

type Part = dict[str, Tree]


def is_multipart(headers: Headers) -> bool:
    """Whether the media type is one of several parts, with the boundary needed to tell them apart."""
    return media_type(headers).startswith("multipart/") and bool(parameter(headers, "boundary"))


def read(data: bytes, headers: Headers) -> Body | None:
    """The parts, or None where they do not give the same bytes back."""
    pieces = _pieces(data, headers)
    if pieces is None:
        return None
    heads = [head for head, _ in pieces]
    style = max(_STYLES, key=lambda style: sum(_head(_told(head), style) == head for head in heads))
    value: Tree = [_part(head, content, style) for head, content in pieces]
    words = [*([style] if style else []), *([] if data.endswith(b"\r\n") else [_OPEN])]
    try:
        exact = write(value, words, headers) == data
    except ValueError:
        return None
    return Body(kind="multipart", value=value, style=" ".join(words)) if exact else None


def _pieces(data: bytes, headers: Headers) -> list[tuple[Headers, bytes]] | None:
    """The head and the content of each part; None where the bytes are not plainly parts."""
    mark = b"\r\n--" + parameter(headers, "boundary").encode()
    first, *parts = (b"\r\n" + data).split(mark, _MOST_PARTS)
    if first or not parts or parts.pop() not in (b"--", b"--\r\n"):
        return None
    pieces: list[tuple[Headers, bytes]] = []
    for part in parts:
        head, blank, content = part.partition(b"\r\n\r\n")
        lines = _lines(head)
        if not blank or lines is None:
            return None
        pieces.append((lines, content))
    return pieces


def _lines(head: bytes) -> Headers | None:
    first, *lines = head.split(b"\r\n")
    try:
        pairs = [line.decode().partition(": ") for line in lines]
    except UnicodeDecodeError:
        return None
    return None if first or not all(name and colon for name, colon, _ in pairs) else tuple((n, v) for n, _, v in pairs)


def _part(head: Headers, content: bytes, style: str) -> Part:
    told = _told(head)
    spelled: Part = {"headers": [[name, value] for name, value in head]}
    return (told if _head(told, style) == head else spelled) | _value(content, head)


def _told(head: Headers) -> Part:
    """What the head says in words, as far as it does."""
    said: Part = {}
    for name, value in head:
        if name.lower() == "content-type":
            said["type"] = value
        elif name.lower() == "content-disposition" and (found := _DISPOSITION.fullmatch(value)):
            said |= {key: text for key, text in zip(("name", "filename"), found.groups(), strict=True) if text is not None}
    return {key: said[key] for key in ("name", "filename", "type") if key in said}


def _value(content: bytes, head: Headers) -> Part:
    text = text_of(content, head)
    if text is None:
        return {"value": content}
    if not JSON_TYPE.fullmatch(media_type(head)):
        return {"value": text}
    try:
        tree = jsontext.parse(text)
    except ValueError:
        return {"text": text}
    style = jsontext.style_of(text, tree)
    if style is None:
        return {"text": text}
    words = " ".join(style.words())
    return {"value": tree, "style": words} if words else {"value": tree}


def write(value: Tree, words: list[str], headers: Headers) -> bytes:
    """The bytes. Raises ValueError or TypeError for what is no list of parts, an unknown style, a missing boundary."""
    boundary = parameter(headers, "boundary").encode()
    styles = [word for word in words if word != _OPEN]
    if not boundary:
        raise ValueError("the content-type of a multipart body must name its boundary, such as boundary=xyz")
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise ValueError("a multipart body is a list of parts, such as {name: title, value: …}")
    if len(styles) > 1 or (styles and styles[0] not in _STYLES):
        raise ValueError(f"unknown body style {' '.join(styles)!r}; known: {' '.join(filter(None, _STYLES))} {_OPEN}")
    style = styles[0] if styles else ""
    out = b"".join(b"--%b\r\n%b\r\n" % (boundary, _written(part, style)) for part in value if isinstance(part, dict))
    return out + b"--%b--" % boundary + (b"" if _OPEN in words else b"\r\n")


def _written(part: Part, style: str) -> bytes:
    unknown = next((key for key in part if key not in PART_KEYS), None)
    if unknown is not None:
        raise ValueError(f"a part has no {unknown!r}; its keys are {', '.join(PART_KEYS)}")
    head = head_of(part, style)
    lines = "".join(f"{name}: {value}\r\n" for name, value in head)
    return lines.encode() + b"\r\n" + content_of(part)


def head_of(part: Part, style: str = "") -> Headers:
    """The header lines of a part."""
    given = part.get("headers")
    if given is None:
        return _head(part, style)
    return tuple(_pairs(given))


def _pairs(given: Tree) -> Iterator[tuple[str, str]]:
    for pair in [*given.items()] if isinstance(given, dict) else given if isinstance(given, list) else [None]:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError("the headers of a part are a mapping, or a list of [name, value]")
        yield str(pair[0]), str(pair[1])


def _head(part: Part, style: str) -> Headers:
    type_first, lower = _STYLES[style]
    words = [f'{key}="{part[key]!s}"' for key in ("name", "filename") if key in part]
    lines = [(_NAMES[0], "; ".join(["form-data", *words]))] if words else []
    if "type" in part:
        lines.insert(0 if type_first else len(lines), (_NAMES[1], str(part["type"])))
    return tuple((name.lower() if lower else name, value) for name, value in lines)


def is_json(part: Part) -> bool:
    """Whether a part's type says that it is JSON. Raises ValueError for headers that are none."""
    return bool(JSON_TYPE.fullmatch(media_type(head_of(part))))


def content_of(part: Part) -> bytes:
    """The bytes of a part's value. Raises TypeError for a tree that is not JSON, ValueError for an unknown style."""
    head = head_of(part)
    value = part.get("text", part.get("value"))
    if isinstance(value, bytes):
        return value
    if is_json(part) and "text" not in part:
        return jsontext.dump(value, jsontext.Style.of(str(part.get("style", "")).split())).encode(charset(head))
    if isinstance(value, dict | list):
        raise TypeError("a part with a tree needs `type: application/json`")
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text.encode(charset(head))


def meaning(data: bytes, headers: Headers) -> Tree:
    """What a consumer sees: fields by their names where those are all different, else the list of parts; None where it is none.

    A field is its value; one with a file's name or a type is a mapping of all three.
    """
    pieces = _pieces(data, headers)
    if pieces is None:
        return None
    parts = [_seen(head, content) for head, content in pieces]
    names = [_told(head).get("name") for head, _ in pieces]
    if None in names or len(set(map(str, names))) < len(names):
        return [*parts]
    return {
        str(name): part["value"] if part.keys() == {"name", "value"} else {k: v for k, v in part.items() if k != "name"}
        for name, part in zip(names, parts, strict=True)
    }


def _seen(head: Headers, content: bytes) -> Part:
    known = {"content-type", "content-disposition"}
    others: Part = {name.lower(): value for name, value in head if name.lower() not in known}
    told: Part = _told(head) | ({"headers": others} if others else {})
    text = text_of(content, head)
    if text is None:
        return told | {"value": content}
    if JSON_TYPE.fullmatch(media_type(head)):
        try:
            return told | {"value": jsontext.lenient(text)}
        except ValueError:
            pass  # it only says that it is JSON
    return told | {"value": text}
