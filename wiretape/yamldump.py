"""Trees -> YAML text a person likes to read: small things on one line, big ones in blocks, text as text.

The inverse of `wiretape.yamlio`: `load(dump(tree))` is `tree.same` as the tree, whatever its strings hold. A string that any
YAML 1.1 tool would take for something else (`no`, `12:30`, `2026-11-20`) is quoted. Written by hand because libyaml's emitter
escapes everything beyond U+FFFF and folds keys.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Iterator

from yaml.resolver import Resolver

from wiretape.errors import StoreError
from wiretape.tree import Number, Path, Tree
from wiretape.yamlio import FLOAT, JSON_TAG, MAX_DEPTH, MAX_DIGITS, scalar

WIDTH = 100
_LONGEST_KEY = 1_000  # YAML readers give up on a key of more than 1,024 characters on one line

_ODD = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`=.](?:[^\s:#]|:(?=\S)|(?<=\S)\#|[ ](?=[^\s#]))*")
_PLAIN_DASH = re.compile(r"-{1,2}[A-Za-z][\w.=/-]*")
_FLOW_INDICATORS = re.compile(r"[,\[\]{}:?]")
_NUMERIC_1_2 = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+")
_AMBIGUOUS = frozenset(["y", "Y", "n", "N"])


def _never(_: Path) -> bool:
    return False


def dump(tree: Tree, *, block: Callable[[Path], bool] = _never) -> str:
    """The YAML text. `block` says of a container's path whether it is spread over lines even where it would fit on one.

    Raises StoreError for what no reader would take back: nesting deeper than MAX_DEPTH, numbers of more than MAX_DIGITS digits.
    """
    layout = Layout(block)
    if isinstance(tree, dict | list) and tree and (block(()) or not fits(tree)):
        return "\n".join(layout.container(tree, (), 0)) + "\n"
    return inline(tree) + "\n"


class Layout:
    """Blocks, as lines. `indent` is the column a container's entries begin in, `path` the value's place in its document."""

    def __init__(self, block: Callable[[Path], bool]) -> None:
        self.block = block

    def container(self, tree: dict[str, Tree] | list[Tree], path: Path, indent: int) -> Iterator[str]:
        """The lines of a mapping or a list."""
        if len(path) >= MAX_DEPTH:
            raise StoreError(f"a value is nested deeper than {MAX_DEPTH} levels")
        if isinstance(tree, dict):
            return self._mapping(tree, path, indent)
        return (line for index, value in enumerate(tree) for line in self.item(value, (*path, index), indent))

    def _mapping(self, tree: dict[str, Tree], path: Path, indent: int) -> Iterator[str]:
        margin = " " * indent
        for key, value in tree.items():
            name = string(key)
            if len(name) > _LONGEST_KEY:
                yield f"{margin}? {name}"
                yield f"{margin}: {inline(value)}"
                continue
            head, *rest = self.value(value, (*path, key), indent, len(name))
            yield f"{margin}{name}:{' ' if head else ''}{head}"
            yield from rest

    def item(self, value: Tree, path: Path, indent: int) -> Iterator[str]:
        """The lines of one item of a list, the first with its dash."""
        if isinstance(value, dict | list) and self._spread(value, path, WIDTH - indent - 2):
            head, *rest = self.container(value, path, indent + 2)
            head = head.lstrip(" ")
        else:
            head, *rest = self.value(value, path, indent, 0)
        yield f"{' ' * indent}- {head}"
        yield from rest

    def value(self, value: Tree, path: Path, indent: int, key: int) -> Iterator[str]:
        """What stands behind a key of `key` characters (empty: nothing), then the lines below it."""
        if isinstance(value, dict | list) and self._spread(value, path, WIDTH - indent - key - 2):
            yield ""
            yield from self.container(value, path, indent if isinstance(value, list) else indent + 2)
        elif isinstance(value, str) and is_literal(value):
            margin = " " * (indent + 2)
            yield "|" if value.endswith("\n") else "|-"
            for line in value.removesuffix("\n").split("\n"):
                yield f"{margin}{line}" if line else ""
        else:
            yield inline(value)

    def _spread(self, value: dict[str, Tree] | list[Tree], path: Path, room: int) -> bool:
        return bool(value) and (self.block(path) or not fits(value, room))


def fits(value: Tree, room: int = WIDTH) -> bool:
    """Whether `dump` would put the value on one line of `room` characters."""
    return _flow(value, room) is not None


def is_literal(text: str) -> bool:
    """Whether a literal block holds exactly this text, also after an editor has trimmed the ends of its lines."""
    lines = text.removesuffix("\n").split("\n")
    return (
        "\n" in text
        and lines[0][:1] not in ("", " ", "\t")
        and lines[-1] != ""
        and not any(line[-1:] in (" ", "\t") for line in lines)
        and not _ODD.search(text)
    )


def is_plain_line(text: str) -> bool:
    """Whether the text is one line that any quotes can hold as it is."""
    return not _ODD.search(text) and "\n" not in text and "\t" not in text


def _flow(value: Tree, room: int, levels: int = 2) -> str | None:
    """The value on one line if it fits and is simple enough for it: scalars, lists of them, mappings of both."""
    if not isinstance(value, dict | list):
        return None if isinstance(value, str) and is_literal(value) else inline(value, flow=True)
    if value and not levels:
        return None
    pieces: list[str] = []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(value, list) and isinstance(item, dict | list) and item:
            return None
        text = _flow(item, room, levels - 1)
        if text is None:
            return None
        pieces.append(f"{string(key, flow=True)}: {text}" if isinstance(key, str) else text)
        room -= len(pieces[-1]) + 2
        if room < 0:
            return None
    return "{" + ", ".join(pieces) + "}" if isinstance(value, dict) else "[" + ", ".join(pieces) + "]"


def inline(value: Tree, *, flow: bool = False, depth: int = 0) -> str:
    """The value on one line, however long."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            if value.bit_length() > MAX_DIGITS * 3:
                raise StoreError(f"an integer of {value.bit_length()} bits is too long to write")
            return str(value)
        case float():
            return _number(value)
        case str():
            return string(value, flow=flow)
        case bytes():
            return f'!!binary "{base64.b64encode(value).decode()}"'
    if depth >= MAX_DEPTH:
        raise StoreError(f"a value is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, list):
        return "[" + ", ".join(inline(item, flow=True, depth=depth + 1) for item in value) + "]"
    return "{" + ", ".join(_pair(key, item, depth) for key, item in value.items()) + "}"


def _pair(key: str, value: Tree, depth: int) -> str:
    name = string(key, flow=True)
    text = inline(value, flow=True, depth=depth + 1)
    return f"? {name} : {text}" if len(name) > _LONGEST_KEY else f"{name}: {text}"


def _number(value: float) -> str:
    literal = value.literal if isinstance(value, Number) else repr(value)
    if FLOAT.fullmatch(literal):
        return literal
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    return f"!!float {json.dumps(literal)}"


def string(text: str, *, flow: bool = False) -> str:
    """A string on one line: plain where every reader takes it for this string, else quoted."""
    if _SURROGATE.search(text):
        return f"{JSON_TAG} '{json.dumps(text).replace(chr(39), chr(39) * 2)}'"
    if _plain(text, flow=flow):
        return text
    if ('"' in text or "\\" in text) and is_plain_line(text):
        return "'" + text.replace("'", "''") + "'"
    quoted = json.dumps(text, ensure_ascii=False)
    return _ODD.sub(_escape, quoted)


def _plain(text: str, *, flow: bool) -> bool:
    if not (_PLAIN.fullmatch(text) or _PLAIN_DASH.fullmatch(text)) or _ODD.search(text):
        return False
    return not (flow and _FLOW_INDICATORS.search(text)) and not misread(text)


def misread(text: str) -> bool:
    """Whether some YAML reader, unquoted, takes this text for something other than a string."""
    if text in _AMBIGUOUS or not isinstance(scalar(text[:MAX_DIGITS]), str) or _NUMERIC_1_2.fullmatch(text):
        return True
    rules = Resolver.yaml_implicit_resolvers.get(text[:1], ())
    return any(pattern.match(text) for _, pattern in rules)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
