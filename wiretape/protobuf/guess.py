"""Messages whose .proto is not known <-> trees: field numbers are the keys.

A key is the number alone for an integer (`3: 7`), a text, bytes or a message within; `3-double`, `3-float`, `3-fixed64`,
`3-fixed32`, `3-packed` (a list of integers) and `3-group` say how another kind of value is framed. A list is a field that
repeats. What is written back is exactly what was read, or it is not read at all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from types import MappingProxyType

from wiretape.protobuf.wire import (
    MAX_DEPTH,
    Raw,
    Type,
    field,
    fields,
    from_double,
    from_float,
    read_varint,
    signed,
    to_double,
    to_float,
    varint,
)
from wiretape.tree import Tree

type Message = dict[str, Tree]

_KEY = re.compile(r"([1-9][0-9]*)(?:-(double|float|fixed64|fixed32|packed|group))?")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LIKELY_NUMBER = 20_000  # fields of messages that people write are numbered below
_PACKED_MOST = 0x4000  # packed integers are guessed only of one or two bytes each: random bytes look like longer ones
_FRAMES = MappingProxyType(
    {"double": Type.FIXED64, "float": Type.FIXED32, "fixed64": Type.FIXED64, "fixed32": Type.FIXED32, "packed": Type.LEN}
)


def read(data: bytes, like: Tree = None, depth: int = 0) -> Message | None:
    """The message, or None where it is none, or no tree gives the same bytes back.

    `like` is a tree of the same type where one is known: what it takes for text, bytes or a message is read so here.
    """
    try:
        found = list(fields(data, depth))
    except ValueError:
        return None
    known = like if isinstance(like, dict) else {}
    groups: dict[tuple[int, Type], list[Raw]] = {}
    for number, kind, value in found:
        groups.setdefault((number, kind), []).append(value)
    message: Message = {}
    for (number, kind), values in groups.items():
        name, trees = _read_field(str(number), kind, values, known, depth)
        if name in message:
            return None
        repeats = isinstance(known.get(name), list) and not name.endswith("-packed")
        message[name] = trees[0] if len(trees) == 1 and not repeats else trees
    return message if write(message) == data else None


def _read_field(name: str, kind: Type, values: Sequence[Raw], known: Message, depth: int) -> tuple[str, list[Tree]]:
    numbers = [value for value in values if isinstance(value, int)]
    texts = [value for value in values if isinstance(value, bytes)]
    match kind:
        case Type.VARINT:
            return name, [signed(number, 64) for number in numbers]
        case Type.FIXED64:
            return _fixed(name, numbers, known, ("double", to_double, from_double), ("fixed64", 64))
        case Type.FIXED32:
            return _fixed(name, numbers, known, ("float", to_float, from_float), ("fixed32", 32))
        case Type.GROUP:
            return f"{name}-group", [read(text, known.get(f"{name}-group"), depth + 1) for text in texts]
        case _:
            return _read_texts(name, texts, known, depth)


def _fixed(
    name: str,
    numbers: Sequence[int],
    known: Message,
    real: tuple[str, Callable[[int], float], Callable[[float], int]],
    whole: tuple[str, int],
) -> tuple[str, list[Tree]]:
    kind, reads, writes = real
    found = [reads(number) for number in numbers]
    likely = f"{name}-{kind}" in known or all(value == 0 or 1e-9 < abs(value) < 1e18 for value in found)
    exact = all(math.isfinite(value) and writes(value) == number for value, number in zip(found, numbers, strict=True))
    if likely and exact and f"{name}-{whole[0]}" not in known:
        return f"{name}-{kind}", [*found]
    return f"{name}-{whole[0]}", [signed(number, whole[1]) for number in numbers]


def _read_texts(name: str, values: Sequence[bytes], known: Message, depth: int) -> tuple[str, list[Tree]]:
    like = known.get(name)
    like = like[0] if isinstance(like, list) and like else like
    readers = {"text": _texts, "message": lambda all_: _messages(all_, like, depth), "packed": _packed}
    for way in _ways(values, like, f"{name}-packed" in known):
        if (trees := readers[way](values)) is not None:
            return (f"{name}-packed" if way == "packed" else name), trees
    return name, [*values]


def _ways(values: Sequence[bytes], like: Tree, packed: bool) -> tuple[str, ...]:
    """What to try, in order; the bytes themselves where nothing fits."""
    if packed:
        return ("packed",)
    match like:
        case str():
            return ("text",)
        case dict():
            return ("message", "text")
        case bytes():
            return ()
    # A text rarely begins with a line end or a tab, a message that begins with its first field often does.
    return (
        ("message", "text", "packed")
        if all(value[:1] in (b"\n", b"\t", b"\r") for value in values)
        else (
            "text",
            "message",
            "packed",
        )
    )


def _texts(values: Sequence[bytes]) -> list[Tree] | None:
    try:
        texts = [value.decode() for value in values]
    except UnicodeDecodeError:
        return None
    return None if any(map(_CONTROLS.search, texts)) else [*texts]


def _messages(values: Sequence[bytes], like: Tree, depth: int) -> list[Tree] | None:
    if depth >= MAX_DEPTH:
        return None
    trees: list[Tree] = []
    for value in values:
        tree = read(value, like, depth + 1)
        if tree is None or (like is None and not all(number(key) < _LIKELY_NUMBER for key in tree)):
            return None
        trees.append(tree)
    return trees


def _packed(values: Sequence[bytes]) -> list[Tree] | None:
    """One list of all the integers: a field is packed into one value."""
    if len(values) != 1:
        return None
    numbers: list[Tree] = []
    at = 0
    try:
        while at < len(values[0]):
            value, at = read_varint(values[0], at)
            if value >= _PACKED_MOST:
                return None
            numbers.append(value)
    except ValueError:
        return None
    return [numbers]


def number(key: str) -> int:
    """The field number of a key; 0 where it is no key."""
    found = _KEY.fullmatch(key)
    return int(found[1]) if found else 0


def write(message: Tree) -> bytes:
    """The message's bytes. Raises ValueError or TypeError for a key or a value that no field can have."""
    if not isinstance(message, dict):
        raise TypeError("a message is a mapping of field numbers to values")
    return b"".join(_write_field(key, value) for key, value in message.items())


def _write_field(key: str, value: Tree) -> bytes:
    found = _KEY.fullmatch(key)
    if not found:
        raise ValueError(f"{key!r} is no field number; a field is such as 3 or 3-double (names need `protos` in wiretape.yaml)")
    at, kind = int(found[1]), found[2]
    if kind == "packed" and not (isinstance(value, list) and value and isinstance(value[0], list)):
        value = [value]
    items = value if isinstance(value, list) else [value]
    return b"".join(_write_one(at, key, kind, item) for item in items)


def _write_one(at: int, key: str, kind: str | None, value: Tree) -> bytes:
    match kind, value:
        case "packed", list():
            return field(at, Type.LEN, b"".join(varint(_whole(key, item)) for item in value))
        case "group", dict():
            return field(at, Type.GROUP, write(value))
        case "double", int() | float():
            return field(at, Type.FIXED64, from_double(float(value)))
        case "float", int() | float():
            return field(at, Type.FIXED32, from_float(float(value)))
        case "fixed64" | "fixed32", int():
            return field(at, _FRAMES[kind], value)
        case None, int():
            return field(at, Type.VARINT, value)
        case None, str():
            return field(at, Type.LEN, value.encode())
        case None, bytes():
            return field(at, Type.LEN, value)
        case None, dict():
            return field(at, Type.LEN, write(value))
    raise ValueError(f"field {key} cannot hold {value!r}")


def _whole(key: str, value: Tree) -> int:
    if not isinstance(value, int):
        raise TypeError(f"field {key} holds whole numbers, not {value!r}")
    return value
