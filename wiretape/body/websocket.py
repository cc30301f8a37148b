"""Messages of a WebSocket (RFC 6455): the bytes without framing <-> what a person reads and edits, exact in both directions."""

from __future__ import annotations

from wiretape import jsontext
from wiretape.body.events import json_of
from wiretape.case import Direction, Message
from wiretape.errors import EncodeError
from wiretape.tree import Tree

_LONGEST_CONTROL = 125  # bytes in a close frame


def read(direction: Direction, kind: str, data: bytes) -> Message:
    """The message. `kind`: `text`, `binary` or `close`, as `data` is on the wire (a close: its code and reason)."""
    if kind == "close":
        return Message(direction=direction, kind="close", value=_read_close(data))
    if kind == "binary":
        return Message(direction=direction, kind="binary", value=data)
    text = data.decode(errors="surrogateescape")
    tree = json_of(text)
    style = None if tree is None else jsontext.style_of(text, tree)
    if style is None:
        return Message(direction=direction, kind="text", value=text)
    return Message(direction=direction, kind="json", value=tree, style=" ".join(style.words()))


def _read_close(data: bytes) -> Tree:
    if len(data) < 2:
        return {}
    code, reason = int.from_bytes(data[:2], "big"), data[2:].decode(errors="replace")
    return {"code": code, "reason": reason} if reason else {"code": code}


def write(message: Message) -> bytes:
    """The message as it is on the wire, without framing. Raises EncodeError where its value does not fit its kind."""
    value = message.value
    match message.kind, value:
        case "close", dict():
            return _write_close(value)
        case "binary", bytes():
            return value
        case "text", str():
            return value.encode(errors="surrogateescape")
        case "json", dict() | list():
            try:
                return jsontext.dump(value, jsontext.Style.of(message.style.split())).encode()
            except (TypeError, ValueError) as error:
                raise EncodeError("message", str(error)) from None
    raise EncodeError("message", f"a {message.kind} message cannot be {value!r}")


def _write_close(value: dict[str, Tree]) -> bytes:
    if not value:
        return b""
    code, reason = value.get("code"), str(value.get("reason", ""))
    if not isinstance(code, int) or not 1000 <= code <= 4999:
        raise EncodeError("message", "a close needs a code from 1000 to 4999, or nothing at all")
    data = code.to_bytes(2, "big") + reason.encode()
    if len(data) > _LONGEST_CONTROL:
        raise EncodeError("message", f"the reason of a close has at most {_LONGEST_CONTROL - 2} bytes")
    return data


def meaning(message: Message) -> Tree:
    """What a message says, for comparing; a close says `{close: CODE}` and its reason."""
    if message.kind == "close" and isinstance(message.value, dict):
        return {"close": message.value.get("code"), **{k: v for k, v in message.value.items() if k == "reason"}}
    if message.kind == "text" and isinstance(message.value, str) and message.value[:1] in ("{", "["):
        try:
            return jsontext.lenient(message.value)
        except ValueError:
            pass  # it only looks like JSON
    return message.value
