"""What a message's headers say about its body: media type, parameters, charset."""

from __future__ import annotations

import re

from wiretape.case import Headers

_PARAMETER = r';\s*{}\s*=\s*(?:"([^"]*)"|([^\s;"]+))'
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def header(headers: Headers, name: str) -> str:
    """The value of the first header of this name (any case), or empty."""
    return next((value for key, value in headers if key.lower() == name), "")


def media_type(headers: Headers) -> str:
    """The media type without parameters, in lower case; empty where there is none."""
    return header(headers, "content-type").partition(";")[0].strip().lower()


def parameter(headers: Headers, name: str) -> str:
    """A parameter of the media type (`boundary`, `charset`), or empty."""
    found = re.search(_PARAMETER.format(name), header(headers, "content-type"), re.IGNORECASE)
    return (found[1] or found[2] or "") if found else ""


def charset(headers: Headers) -> str:
    """The character encoding of a text; UTF-8 where none is named, or none that exists."""
    name = parameter(headers, "charset") or "utf-8"
    try:
        "a".encode(name)  # refuses codecs that are no character encoding
    except (LookupError, UnicodeError):
        return "utf-8"
    return name


def text_of(data: bytes, headers: Headers) -> str | None:
    """The text if it is one, and gives the same bytes back."""
    name = charset(headers)
    try:
        text = data.decode(name)
        exact = text.encode(name) == data
    except UnicodeError:
        return None
    return text if exact and not _UNPRINTABLE.search(text) else None
