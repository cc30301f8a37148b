"""Message types as a .proto declares them: bytes <-> trees by the names of fields.

Types come as a descriptor set (`protoc --descriptor_set_out`), which is a message itself and read by `wiretape.protobuf.wire`,
so that no generated code and no library is needed. What is written back is exactly what was read, or it is not read at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from wiretape.protobuf import guess, moments
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

type Tables = Mapping[str, Mapping[int, Field]]

_FRAMES: Mapping[str, Type] = MappingProxyType(
    {"double": Type.FIXED64, "fixed64": Type.FIXED64, "sfixed64": Type.FIXED64}
    | {"float": Type.FIXED32, "fixed32": Type.FIXED32, "sfixed32": Type.FIXED32}
    | {"string": Type.LEN, "bytes": Type.LEN, "message": Type.LEN, "group": Type.GROUP}
)
_INTEGERS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "int32": (-(2**31), 2**31), "sint32": (-(2**31), 2**31), "sfixed32": (-(2**31), 2**31), "enum": (-(2**31), 2**31),
        "int64": (-(2**63), 2**63), "sint64": (-(2**63), 2**63), "sfixed64": (-(2**63), 2**63),
        "uint32": (0, 2**32), "fixed32": (0, 2**32), "uint64": (0, 2**64), "fixed64": (0, 2**64),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field. `kind` in the words of a .proto, or `enum`, `message`; `type_name` of those; `values` of an enum."""

    name: str
    number: int
    kind: str
    repeated: bool = False
    packed: bool = False
    type_name: str = ""
    values: Mapping[int, str] = MappingProxyType({})

    @property
    def frame(self) -> Type:
        """How one value of it is framed."""
        return _FRAMES.get(self.kind, Type.VARINT)


class MessageType:
    """One message type of a set. `tables`: full name -> field number -> field; `maps`: the types that are entries of maps."""

    __slots__ = ("_maps", "_names", "_others", "_tables", "name")

    def __init__(self, name: str, tables: Tables, maps: frozenset[str], others: dict[str, MessageType] | None = None) -> None:
        self.name = name
        self._tables, self._maps = tables, maps
        self._others = {} if others is None else others
        self._names = {each.name: each for each in tables[name].values()}

    def read(self, data: bytes) -> guess.Message | None:
        """The message by names, fields that the type does not know by numbers; None where that does not give `data` back."""
        try:
            message = self._read(data, 0)
            return message if self.write(message) == data else None
        except ValueError:
            return None

    def write(self, message: Tree) -> bytes:
        """The message's bytes. Raises ValueError or TypeError for a field that does not exist, or cannot hold its value."""
        if not isinstance(message, dict):
            raise TypeError(f"a {self.name} is a mapping of its fields")
        return b"".join(self._write_field(name, value) for name, value in message.items())

    def _of(self, name: str) -> MessageType:
        if name not in self._others:
            self._others[name] = MessageType(name, self._tables, self._maps, self._others)
        return self._others[name]

    def _read(self, data: bytes, depth: int) -> guess.Message:
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
        known = self._tables[self.name]
        message: guess.Message = {}
        unknown: list[bytes] = []
        for number, kind, raw in fields(data, depth):
            one = known.get(number)
            if one is None:
                unknown.append(field(number, kind, raw))
            elif one.type_name in self._maps:
                self._read_entry(message, one, raw, depth)
            elif one.repeated:
                self._extend(message, one, self._values(one, kind, raw, depth))
            else:
                message[one.name] = self._value(one, raw, depth)
        return message | (self._unknown(b"".join(unknown)) if unknown else {})

    def _unknown(self, data: bytes) -> guess.Message:
        found = guess.read(data)
        if found is None:
            raise ValueError("fields that cannot be told apart")
        return found

    def _extend(self, message: guess.Message, one: Field, values: Sequence[Tree]) -> None:
        so_far = message.setdefault(one.name, [])
        if isinstance(so_far, list):
            so_far.extend(values)

    def _read_entry(self, message: guess.Message, one: Field, raw: Raw, depth: int) -> None:
        entries = message.setdefault(one.name, {})
        entry = self._of(one.type_name)._read(_bytes(raw), depth + 1)
        key = entry.get("key")
        if isinstance(entries, dict) and entry.keys() == {"key", "value"}:
            entries[_key(key)] = entry["value"]
        else:
            raise ValueError("an entry of a map without key or value")

    def _values(self, one: Field, kind: Type, raw: Raw, depth: int) -> list[Tree]:
        if kind is Type.LEN and one.frame is not Type.LEN:
            return [self._value(one, each, depth) for each in _unpack(_bytes(raw), one.frame)]
        return [self._value(one, raw, depth)]

    def _value(self, one: Field, raw: Raw, depth: int) -> Tree:
        match one.kind:
            case "string":
                return _bytes(raw).decode()
            case "bytes":
                return _bytes(raw)
            case "message" | "group":
                if one.type_name == moments.TIMESTAMP and (text := moments.read(_bytes(raw))) is not None:
                    return text
                return self._of(one.type_name)._read(_bytes(raw), depth + 1)
        return _number(one, raw) if isinstance(raw, int) else _wrong(one, raw)

    def _write_field(self, name: str, value: Tree) -> bytes:
        one = self._names.get(name)
        if one is None:
            if guess.number(name):
                return guess.write({name: value})
            raise ValueError(f"{self.name} has no field {name!r}; its fields: {', '.join(self._names)}")
        if one.type_name in self._maps:
            return self._write_entries(one, value)
        if not one.repeated:
            return self._write_one(one, value)
        items = value if isinstance(value, list) else [value]
        if one.packed and items:
            return field(one.number, Type.LEN, b"".join(self._written(one, item) for item in items))
        return b"".join(self._write_one(one, item) for item in items)

    def _write_entries(self, one: Field, value: Tree) -> bytes:
        if not isinstance(value, dict):
            raise TypeError(f"{self.name}.{one.name} is a map, not {value!r}")
        entry = self._of(one.type_name)
        key = self._tables[one.type_name][1]
        entries = (entry.write({"key": _keyed(key, name), "value": item}) for name, item in value.items())
        return b"".join(field(one.number, Type.LEN, data) for data in entries)

    def _write_one(self, one: Field, value: Tree) -> bytes:
        written = self._written(one, value)
        if one.frame in (Type.LEN, Type.GROUP):
            return field(one.number, one.frame, written)
        return varint(one.number << 3 | one.frame) + written

    def _written(self, one: Field, value: Tree) -> bytes:
        """One value without its key and length."""
        match one.kind, value:
            case "string", str():
                return value.encode()
            case "bytes", bytes():
                return value
            case "bytes", str():
                return value.encode()
            case "message" | "group", str() if one.type_name == moments.TIMESTAMP:
                return moments.write(value)
            case "message" | "group", dict():
                return self._of(one.type_name).write(value)
            case "string" | "bytes" | "message" | "group", _:
                return _bytes(_wrong(one, value))
        return _packed_number(one, value)


def _bytes(raw: object) -> bytes:
    match raw:
        case bytes():
            return raw
    raise ValueError("a number where bytes belong")


def _wrong(one: Field, value: object) -> Tree:
    raise ValueError(f"{one.name} is {one.kind}, not {value!r}")


def _key(key: Tree) -> str:
    return ("true" if key else "false") if isinstance(key, bool) else str(key)


def _keyed(one: Field, name: str) -> Tree:
    if one.kind == "string":
        return name
    return name == "true" if one.kind == "bool" else int(name)


def _unpack(data: bytes, frame: Type) -> Iterator[int]:
    at = 0
    size = 8 if frame is Type.FIXED64 else 4
    while at < len(data):
        if frame is Type.VARINT:
            value, at = read_varint(data, at)
            yield value
            continue
        if at + size > len(data):
            raise ValueError("a number that is cut off")
        yield int.from_bytes(data[at : at + size], "little")
        at += size


def _number(one: Field, raw: int) -> Tree:
    match one.kind:
        case "double":
            return to_double(raw)
        case "float":
            return to_float(raw)
        case "bool":
            return bool(raw)
        case "sint32" | "sint64":
            return (raw >> 1) ^ -(raw & 1)
        case "sfixed32":
            return signed(raw, 32)
        case "int32" | "int64" | "sfixed64":
            return signed(raw, 64)
        case "enum":
            value = signed(raw, 64)
            return one.values.get(value, value)
    return raw


def _packed_number(one: Field, value: Tree) -> bytes:
    if one.kind == "enum" and isinstance(value, str):
        value = next((number for number, name in one.values.items() if name == value), value)
        if isinstance(value, str):
            raise ValueError(f"{one.name} has no value {value!r}; known: {', '.join(one.values.values())}")
    match one.kind, value:
        case "bool", bool():
            return varint(value)
        case "double", int() | float():
            return from_double(float(value)).to_bytes(8, "little")
        case "float", int() | float():
            return from_float(float(value)).to_bytes(4, "little")
        case (("bool" | "double" | "float"), _):
            return _bytes(_wrong(one, value))
        case _, bool():
            return _bytes(_wrong(one, value))
        case _, int():
            return _integer(one, value)
    return _bytes(_wrong(one, value))


def _integer(one: Field, value: int) -> bytes:
    low, high = _INTEGERS[one.kind]
    if not low <= value < high:
        raise ValueError(f"{one.name} is {one.kind}: {value} does not fit")
    if one.frame is Type.VARINT:
        return varint(value << 1 ^ -(value < 0) if one.kind.startswith("sint") else value)
    size = 8 if one.frame is Type.FIXED64 else 4
    return (value & (1 << 8 * size) - 1).to_bytes(size, "little")
