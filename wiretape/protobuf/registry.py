"""Descriptor sets -> the message types of each gRPC method. The field numbers below are those of descriptor.proto."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from wiretape.protobuf.schema import Field, MessageType
from wiretape.protobuf.wire import Raw, fields

_KINDS = (
    "", "double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string", "group", "message", "bytes",
    "uint32", "enum", "sfixed32", "sfixed64", "sint32", "sint64",
)  # fmt: skip
_UNPACKED = frozenset(["string", "bytes", "message", "group"])
_REPEATED = 3

type Node = dict[int, list[Raw]]


@dataclass(frozen=True, slots=True)
class Registry:
    """The types of requests and responses: path of a method (`/shop.Orders/Get`) -> type."""

    inputs: Mapping[str, MessageType] = MappingProxyType({})
    outputs: Mapping[str, MessageType] = MappingProxyType({})

    @classmethod
    def of(cls, sets: Sequence[bytes]) -> Registry:
        """Of descriptor sets. Raises ValueError where one is none, or lacks a file it imports."""
        files = [_node(file) for data in sets for file in _many(_node(data), 1)]
        enums = {name: values for file in files for name, values in _enums(file, _scope("", _text(file, 2)))}
        tables: dict[str, Mapping[int, Field]] = {}
        maps: set[str] = set()
        for file in files:
            packs = _text(file, 12) == "proto3" or bool(file.get(14))
            for name, message in _messages(file, 4, _scope("", _text(file, 2))):
                tables[name] = {each.number: each for each in _fields(message, enums, packs=packs)}
                if any(_one(_node(options), 7) for options in _many(message, 7)):
                    maps.add(name)
        _check(tables)
        known = frozenset(maps)
        methods = [method for file in files for method in _methods(file)]
        return cls(
            {path: MessageType(asks, tables, known) for path, asks, _ in methods},
            {path: MessageType(answers, tables, known) for path, _, answers in methods},
        )


NO_TYPES = Registry()


def _check(tables: Mapping[str, Mapping[int, Field]]) -> None:
    for name, known in tables.items():
        for each in known.values():
            if each.type_name and not each.values and each.kind != "enum" and each.type_name not in tables:
                raise ValueError(
                    f"{name}.{each.name} is a {each.type_name}, which is not there; make the set with protoc --include_imports"
                )


def _node(data: Raw) -> Node:
    node: Node = {}
    for number, _, value in fields(data if isinstance(data, bytes) else b"\xff"):
        node.setdefault(number, []).append(value)
    return node


def _many(node: Node, number: int) -> list[Raw]:
    return node.get(number, [])


def _one(node: Node, number: int) -> int:
    value = (node.get(number) or [0])[-1]
    return value if isinstance(value, int) else 0


def _text(node: Node, number: int) -> str:
    value = (node.get(number) or [b""])[-1]
    return value.decode() if isinstance(value, bytes) else ""


def _scope(outer: str, name: str) -> str:
    return f"{outer}.{name}" if outer and name else outer or name


def _messages(node: Node, number: int, scope: str) -> Iterator[tuple[str, Node]]:
    for data in _many(node, number):
        message = _node(data)
        name = _scope(scope, _text(message, 1))
        yield name, message
        yield from _messages(message, 3, name)


def _enums(file: Node, scope: str) -> Iterator[tuple[str, Mapping[int, str]]]:
    yield from _enums_of(file, 5, scope)
    for name, message in _messages(file, 4, scope):
        yield from _enums_of(message, 4, name)


def _enums_of(node: Node, number: int, scope: str) -> Iterator[tuple[str, Mapping[int, str]]]:
    for data in _many(node, number):
        enum = _node(data)
        values: dict[int, str] = {}
        for value in map(_node, _many(enum, 2)):
            at = _one(value, 2)
            values.setdefault(at - (1 << 64) if at >> 63 else at, _text(value, 1))
        yield _scope(scope, _text(enum, 1)), values


def _fields(message: Node, enums: Mapping[str, Mapping[int, str]], *, packs: bool) -> Iterator[Field]:
    for node in map(_node, _many(message, 2)):
        kind = _KINDS[_one(node, 5)] if _one(node, 5) < len(_KINDS) else ""
        type_name = _text(node, 6).lstrip(".")
        repeated = _one(node, 4) == _REPEATED
        told = [_one(options, 2) for options in map(_node, _many(node, 8)) if 2 in options]
        yield Field(
            name=_text(node, 1),
            number=_one(node, 3),
            kind=kind,
            repeated=repeated,
            packed=repeated and kind not in _UNPACKED and bool(told[-1] if told else packs),
            type_name=type_name,
            values=enums.get(type_name, {}),
        )


def _methods(file: Node) -> Iterator[tuple[str, str, str]]:
    for service in map(_node, _many(file, 6)):
        name = _scope(_text(file, 2), _text(service, 1))
        for method in map(_node, _many(service, 2)):
            yield f"/{name}/{_text(method, 1)}", _text(method, 2).lstrip("."), _text(method, 3).lstrip(".")
