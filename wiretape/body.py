"""Message bodies: the bytes of the wire <-> what a person reads and edits, exact in both directions.

A body becomes a tree only if the tree, written in the recorded style, gives the same bytes back. Otherwise its text is kept, or
its bytes. A body whose compressor we cannot repeat keeps the compressed bytes beside its value (`Body.raw`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import quote, quote_plus, unquote_plus

from wiretape import coding, jsontext
from wiretape.case import EMPTY, Body, BodyKind, Headers
from wiretape.errors import EncodeError
from wiretape.tree import Tree, same

_JSON_TYPE = re.compile(r"(?:[^/\s]+/)?(?:[^/\s;]+\+)?json$", re.IGNORECASE)
_FORM_TYPE = "application/x-www-form-urlencoded"
_CHARSET = re.compile(r'charset\s*=\s*"?([^\s;"]+)', re.IGNORECASE)
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# How clients write forms: the characters they leave alone, and whether a space is a plus.
_FORM_STYLES = {"": ("", True), "percent": ("", False), "browser": ("*", True), "star": ("*", False)}


def header(headers: Headers, name: str) -> str:
    """The value of the first header of this name (any case), or empty."""
    return next((value for key, value in headers if key.lower() == name), "")


def media_type(headers: Headers) -> str:
    """The media type without parameters, in lower case; empty where there is none."""
    return header(headers, "content-type").partition(";")[0].strip().lower()


def inferred_kind(headers: Headers, value: Tree) -> BodyKind:
    """The kind a body's value has where a case does not say it."""
    kind = media_type(headers)
    if _JSON_TYPE.fullmatch(kind):
        return "json"
    if kind == _FORM_TYPE and isinstance(value, dict | list):
        return "form"
    if isinstance(value, bytes):
        return "binary"
    return "text" if isinstance(value, str) else "json"


def read(data: bytes, headers: Headers) -> Body:
    """The body of a message. Exact: `write(read(data, headers), headers) == data`."""
    if not data:
        return EMPTY
    name = header(headers, "content-encoding")
    try:
        plain = coding.decode(data, name)
    except ValueError:
        return Body(kind="binary", value=data, style="coded")
    body = _read_plain(plain, headers)
    if not name:
        return body
    settings = coding.settings_of(data, plain, name)
    if settings is None:
        return replace(body, raw=data)
    return replace(body, style=" ".join([*body.style.split(), *([f"coding={settings}"] if settings else [])]))


def _read_plain(data: bytes, headers: Headers) -> Body:
    text = _text(data, headers)
    if text is None:
        return Body(kind="binary", value=data)
    kind = media_type(headers)
    if (_JSON_TYPE.fullmatch(kind) or not kind) and (body := _read_json(text)):
        return body
    if kind == _FORM_TYPE and (body := _read_form(text)):
        return body
    return Body(kind="text", value=text)


def _text(data: bytes, headers: Headers) -> str | None:
    """The text if it is one, and gives the same bytes back."""
    name = _charset(headers)
    try:
        text = data.decode(name)
        exact = text.encode(name) == data
    except UnicodeError:
        return None
    return text if exact and not _UNPRINTABLE.search(text) else None


def _charset(headers: Headers) -> str:
    found = _CHARSET.search(header(headers, "content-type"))
    name = found[1] if found else "utf-8"
    try:
        "a".encode(name)  # refuses codecs that are no character encoding
    except (LookupError, UnicodeError):
        return "utf-8"
    return name


def _read_json(text: str) -> Body | None:
    try:
        tree = jsontext.parse(text)
    except ValueError:
        return None
    style = jsontext.style_of(text, tree)
    return Body(kind="json", value=tree, style=" ".join(style.words())) if style else None


def _read_form(text: str) -> Body | None:
    pieces = [piece.partition("=") for piece in text.split("&")]
    if not all(mark for _, mark, _ in pieces):
        return None
    try:
        pairs: list[Tree] = [
            [unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")] for name, _, value in pieces
        ]
    except UnicodeError:
        return None
    style = next((style for style in _FORM_STYLES if _write_form(pairs, style) == text), None)
    return None if style is None else Body(kind="form", value=pairs, style=style)


def _write_form(pairs: Tree, style: str) -> str:
    safe, plus = _FORM_STYLES[style]
    escape = quote_plus if plus else quote
    return "&".join(f"{escape(_word(name), safe=safe)}={escape(_word(value), safe=safe)}" for name, value in _pairs(pairs))


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


def write(body: Body, headers: Headers) -> bytes:
    """The bytes of the wire. Raises EncodeError where a value does not fit its kind or a style is unknown."""
    if body.kind == "empty":
        return b""
    if body.raw and _still_means(body, headers):
        return body.raw
    words = body.style.split()
    settings = next((word.removeprefix("coding=") for word in words if word.startswith("coding=")), "")
    if "coded" in words:
        return _plain(body, [word for word in words if word != "coded"], headers)
    data = _plain(body, [word for word in words if not word.startswith("coding=")], headers)
    try:
        return coding.encode(data, header(headers, "content-encoding"), settings)
    except ValueError as error:
        raise EncodeError("body", str(error)) from None


def _still_means(body: Body, headers: Headers) -> bool:
    try:
        plain = _read_plain(coding.decode(body.raw, header(headers, "content-encoding")), headers)
    except ValueError:
        return False
    return plain.kind == body.kind and same(plain.value, body.value)


def _plain(body: Body, words: list[str], headers: Headers) -> bytes:
    value = body.value
    try:
        match body.kind:
            case "json":
                return jsontext.dump(value, jsontext.Style.of(words)).encode(_charset(headers))
            case "form":
                return _write_form(value, _form_style(words)).encode()
    except (TypeError, ValueError) as error:
        raise EncodeError("body", str(error)) from None
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise EncodeError("body", "a text body must be a string")
    return value.encode(_charset(headers))


def _form_style(words: list[str]) -> str:
    style = " ".join(words)
    if style not in _FORM_STYLES:
        raise ValueError(f"unknown body style {style!r}; known: {' '.join(filter(None, _FORM_STYLES))}")
    return style


def decoded(data: bytes, headers: Headers) -> bytes:
    """`data` without its content coding; as it is where it does not decode."""
    try:
        return coding.decode(data, header(headers, "content-encoding"))
    except ValueError:
        return data


def meaning(data: bytes, headers: Headers) -> Tree:
    """What a body says, for comparing: JSON tree, the form's pairs, text, or bytes; None for an empty one."""
    if not data:
        return None
    plain = decoded(data, headers)
    text = _text(plain, headers)
    if text is None:
        return plain
    kind = media_type(headers)
    if _JSON_TYPE.fullmatch(kind) or (not kind and text[:1] in ("{", "[")):
        try:
            return jsontext.lenient(text)
        except ValueError:
            return text
    if kind == _FORM_TYPE and (form := _read_form(text)):
        return form.value
    return text
