"""Message bodies: the bytes of the wire <-> what a person reads and edits, exact in both directions.

A body becomes a tree only if the tree, written in the recorded style, gives the same bytes back. Otherwise its text is kept, or
its bytes. A body whose compressor we cannot repeat keeps the compressed bytes beside its value (`Body.raw`).
"""

from __future__ import annotations

from dataclasses import replace

from wiretape import coding, jsontext
from wiretape.body import events, forms, grpc, lines, markup, multipart
from wiretape.body.headers import charset, header, media_type, parameter, text_of
from wiretape.case import EMPTY, Body, BodyKind, Headers
from wiretape.errors import EncodeError
from wiretape.protobuf.schema import MessageType
from wiretape.tree import Tree, same

__all__ = [
    "decoded",
    "grpc_messages",
    "header",
    "inferred_kind",
    "is_grpc",
    "meaning",
    "media_type",
    "parameter",
    "read",
    "write",
]

is_grpc, grpc_messages = grpc.is_grpc, grpc.count
_JSON_TYPE = multipart.JSON_TYPE


def inferred_kind(headers: Headers, value: Tree) -> BodyKind:
    """The kind a body's value has where a case does not say it."""
    kind = media_type(headers)
    if _JSON_TYPE.fullmatch(kind):
        return "json"
    if kind == forms.TYPE and isinstance(value, dict | list):
        return "form"
    if isinstance(value, list) and (listed := _listed(headers)):
        return listed
    if isinstance(value, bytes):
        return "binary"
    return "text" if isinstance(value, str) else "json"


def _listed(headers: Headers) -> BodyKind | None:
    """What a list is, by the media type, where that is one whose bodies are lists."""
    kind = media_type(headers)
    if kind.startswith("multipart/"):
        return "multipart"
    if kind == events.TYPE:
        return "events"
    if lines.TYPE.fullmatch(kind):
        return "lines"
    return "grpc" if grpc.is_grpc(headers) else None


def read(data: bytes, headers: Headers, types: MessageType | None = None) -> Body:
    """The body of a message. Exact: `write(read(data, headers), headers) == data`. `types`: that of its gRPC messages."""
    if not data:
        return EMPTY
    name = header(headers, "content-encoding")
    try:
        plain = coding.decode(data, name)
    except ValueError:
        return Body(kind="binary", value=data, style="coded")
    body = _read_plain(plain, headers, types)
    if body.raw:  # a kind that no style gives back exactly
        return replace(body, raw=data)
    if not name:
        return body
    settings = coding.settings_of(data, plain, name)
    if settings is None:
        return replace(body, raw=data)
    return replace(body, style=" ".join([*body.style.split(), *([f"coding={settings}"] if settings else [])]))


def _read_plain(data: bytes, headers: Headers, types: MessageType | None = None) -> Body:
    if multipart.is_multipart(headers) and (found := multipart.read(data, headers)):
        return found
    if grpc.is_grpc(headers) and (found := grpc.read(data, headers, types)):
        return found if grpc.write(found.value, found.style.split(), headers, types) == data else replace(found, raw=data)
    text = text_of(data, headers)
    if text is None:
        return Body(kind="binary", value=data)
    kind = media_type(headers)
    if (_JSON_TYPE.fullmatch(kind) or not kind) and (body := _read_json(text)):
        return body
    if kind == forms.TYPE and (body := forms.read(text)):
        return body
    if kind == events.TYPE and (body := events.read(text)):
        return body
    if lines.TYPE.fullmatch(kind) and (body := lines.read(text)):
        return body
    return Body(kind="text", value=text)


def _read_json(text: str) -> Body | None:
    try:
        tree = jsontext.parse(text)
    except ValueError:
        return None
    style = jsontext.style_of(text, tree)
    return Body(kind="json", value=tree, style=" ".join(style.words())) if style else None


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
        plain = _read_plain(coding.decode(body.raw, header(headers, "content-encoding")), headers, body.types)
    except ValueError:
        return False
    return plain.kind == body.kind and same(plain.value, body.value)


def _plain(body: Body, words: list[str], headers: Headers) -> bytes:
    value = body.value
    try:
        match body.kind:
            case "json":
                return jsontext.dump(value, jsontext.Style.of(words)).encode(charset(headers))
            case "form":
                return forms.write(value, words).encode()
            case "multipart":
                return multipart.write(value, words, headers)
            case "events":
                return events.write(value, words).encode(charset(headers))
            case "lines":
                return lines.write(value, words).encode(charset(headers))
            case "grpc":
                return grpc.write(value, words, headers, body.types)
    except (TypeError, ValueError) as error:
        raise EncodeError("body", str(error)) from None
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise EncodeError("body", "a text body must be a string")
    return value.encode(charset(headers))


def decoded(data: bytes, headers: Headers) -> bytes:
    """`data` without its content coding; as it is where it does not decode."""
    try:
        return coding.decode(data, header(headers, "content-encoding"))
    except ValueError:
        return data


def meaning(data: bytes, headers: Headers, types: MessageType | None = None, like: Tree = None) -> Tree:
    """What a body says, for comparing: the tree of its kind, text, or bytes; None for an empty one.

    HTML and XML become trees of elements (`wiretape.body.markup`). `like` is the meaning of a body of the same kind, after
    which gRPC messages without `types` are read alike.
    """
    if not data:
        return None
    plain = decoded(data, headers)
    if multipart.is_multipart(headers) and (parts := multipart.meaning(plain, headers)) is not None:
        return parts
    if grpc.is_grpc(headers) and (messages := grpc.meaning(plain, headers, types, like)) is not None:
        return messages
    text = text_of(plain, headers)
    return plain if text is None else _text_meaning(text, headers)


def _text_meaning(text: str, headers: Headers) -> Tree:
    kind = media_type(headers)
    if _JSON_TYPE.fullmatch(kind) or (not kind and text[:1] in ("{", "[")):
        try:
            return jsontext.lenient(text)
        except ValueError:
            return text
    if kind == forms.TYPE and (form := forms.read(text)):
        return form.value
    if kind == events.TYPE:
        return events.meaning(text)
    if lines.TYPE.fullmatch(kind):
        return lines.meaning(text)
    tree = markup.read(text, kind)
    return text if tree is None else tree
