"""Result sets: RowDescription, DataRow and CommandComplete on one side, `columns`, `rows` and `tag` of a call on the other."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from wiretape.errors import EncodeError
from wiretape.protocols.postgres.backend import Column, CommandComplete, DataRow, RowDescription
from wiretape.protocols.postgres.sql import Statement
from wiretape.protocols.postgres.types import Catalog, parse_type, type_name, type_size
from wiretape.protocols.postgres.values import (
    Style,
    from_tree,
    is_record,
    record_binary,
    record_tree,
    to_binary,
    to_text,
    tree_maker,
)
from wiretape.tree import Tree

BYTEA, TEXT, RECORD = 17, 25, 2249

_COUNTED: Mapping[str, str] = MappingProxyType(
    {"INSERT": "INSERT 0 {}", "UPDATE": "UPDATE {}", "DELETE": "DELETE {}", "MERGE": "MERGE {}", "FETCH": "FETCH {}",
     "SHOW": "SHOW", "EXPLAIN": "EXPLAIN", "CALL": "CALL"}
)  # fmt: skip
_PLAIN: Mapping[str, str] = MappingProxyType(
    {"BEGIN": "BEGIN", "START": "START TRANSACTION", "COMMIT": "COMMIT", "END": "COMMIT", "ROLLBACK": "ROLLBACK",
     "ABORT": "ROLLBACK", "SAVEPOINT": "SAVEPOINT", "RELEASE": "RELEASE", "SET": "SET", "RESET": "RESET", "LISTEN": "LISTEN",
     "UNLISTEN": "UNLISTEN", "NOTIFY": "NOTIFY", "PREPARE": "PREPARE", "DECLARE": "DECLARE CURSOR", "LOCK": "LOCK TABLE",
     "TRUNCATE": "TRUNCATE TABLE", "DO": "DO", "CALL": "CALL"}
)  # fmt: skip
_NUMBERS = frozenset({16, 20, 21, 23, 26, 700, 701, 1700})  # and bool
_TEXTS = frozenset({18, 19, 25, 114, 142, 705, 1042, 1043})  # whose binary form is their text
_INTEGERS: Mapping[int, tuple[Callable[[int], bytes], int]] = MappingProxyType(
    {21: (struct.Struct(">h").pack, 1 << 15), 23: (struct.Struct(">i").pack, 1 << 31), 20: (struct.Struct(">q").pack, 1 << 63)}
)
_TWO_WORDS = frozenset({"CREATE", "DROP", "ALTER", "DISCARD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How values are written on one connection: its types, its text styles, its encoding (Python's name)."""

    catalog: Catalog
    style: Style
    encoding: str = "utf-8"

    def said(self, text: str) -> str:
        """A message's text, which is read as UTF-8 (in which no byte is lost), in the client's encoding."""
        if text.isascii():
            return text
        return text.encode("utf-8", "surrogateescape").decode(self.encoding, "backslashreplace")

    def spoken(self, text: str) -> str:
        """The other way: what a message, which is written as UTF-8, must hold so that the client reads `text`."""
        if self.encoding == "utf-8" or text.isascii():
            return text
        return text.encode(self.encoding, "replace").decode("utf-8", "surrogateescape")


def format_of(formats: Sequence[int], index: int) -> int:
    """The format of value `index`: formats come as none (all text), one (for all) or one for each."""
    if not formats:
        return 0
    return formats[0] if len(formats) == 1 else formats[index] if index < len(formats) else 0


def decoder(wording: Wording, oid: int, form: int) -> Callable[[bytes], Tree]:
    """How a value of a type and format is read. What cannot be said as text stays bytes."""
    catalog, style, encoding = wording.catalog, wording.style, wording.encoding
    make = tree_maker(catalog, oid)

    def text(data: bytes) -> Tree:
        try:
            said = data.decode(encoding)
        except UnicodeDecodeError:
            return data
        return said if make is None else make(said)

    def binary(data: bytes) -> Tree:
        if oid == RECORD:
            return record_tree(catalog, data, style)
        said = to_text(catalog, oid, data, style) if oid else None
        return data if said is None else said if make is None else make(said)

    return binary if form else text


def row_reader(wording: Wording, columns: Sequence[Column], formats: Sequence[int]) -> Callable[[bytes], list[Tree]]:
    """Reads the body of a DataRow. Raises DecodeError."""
    decoders = [decoder(wording, column.type, format_of(formats, index)) for index, column in enumerate(columns)]
    fallback = decoder(wording, 0, 1)

    def read(body: bytes) -> list[Tree]:
        values = DataRow.decode(body).values
        if len(values) != len(decoders):
            return [None if value is None else fallback(value) for value in values]
        return [None if value is None else decode(value) for value, decode in zip(values, decoders, strict=True)]

    return read


def columns_tree(catalog: Catalog, columns: Sequence[Column]) -> Tree:
    """`{name: type}`, or a list of `[name, type]` where names repeat."""
    named = [(column.name, type_name(catalog, column.type, column.modifier)) for column in columns]
    if len({name for name, _ in named}) == len(named):
        return dict(named)
    return [[name, kind] for name, kind in named]


def tag_of(statement: Statement | None, columns: bool, count: int) -> str:
    """The command tag of a statement that returned `count` rows (`columns`) or none, as far as the text tells."""
    verb = statement.verb.upper() if statement else ""
    if columns:
        return _COUNTED.get(verb, "SELECT {}").format(count)
    if verb in _PLAIN:
        return _PLAIN[verb]
    words = statement.shape.upper().split() if statement else []
    if verb == "DEALLOCATE":
        return "DEALLOCATE ALL" if words[-1:] == ["ALL"] else verb
    if verb == "CLOSE":
        return "CLOSE CURSOR ALL" if words[-1:] == ["ALL"] else "CLOSE CURSOR"
    if verb in _TWO_WORDS:
        return " ".join(words[:2])
    return _COUNTED.get(verb, "SELECT {}").format(1)


def derived(statement: Statement | None, columns: bool) -> bool:
    """Whether the tag can be told from the text and the rows, so that it is not stored."""
    return columns or statement is None or statement.verb.upper() not in {"INSERT", "UPDATE", "DELETE", "MERGE"}


# From a call to the wire.


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The columns of a call: names, and type OIDs with modifiers."""

    names: tuple[str, ...]
    types: tuple[tuple[int, int], ...]

    def description(self, wording: Wording, formats: Sequence[int]) -> bytes:
        """The RowDescription. Raises EncodeError."""
        columns = tuple(
            Column(
                name=wording.spoken(name),
                table=0,
                number=0,
                type=oid,
                size=type_size(oid),
                modifier=modifier,
                format=format_of(formats, index),
            )
            for index, (name, (oid, modifier)) in enumerate(zip(self.names, self.types, strict=True))
        )
        return RowDescription(columns=columns).encode()


def shape(catalog: Catalog, columns: Tree, path: str) -> Shape:
    """What `columns` of a call says. Raises EncodeError naming the place."""
    pairs: list[tuple[str, Tree, str]] = []
    if isinstance(columns, Mapping):
        pairs = [(str(name), kind, f"{path}.{name}") for name, kind in columns.items()]
    elif isinstance(columns, list):
        for index, entry in enumerate(columns):
            if not isinstance(entry, list) or len(entry) != 2:
                raise EncodeError(f"{path}[{index}]", "expected [name, type]")
            pairs.append((str(entry[0]), entry[1], f"{path}[{index}]"))
    else:
        raise EncodeError(path, "expected a mapping of names to types")
    types = []
    for _, kind, place in pairs:
        try:
            types.append(parse_type(catalog, str(kind)))
        except ValueError as error:
            raise EncodeError(place, str(error)) from error
    return Shape(names=tuple(name for name, _, _ in pairs), types=tuple(types))


_NULL = struct.pack(">i", -1)
_LENGTH = struct.Struct(">i")
_HEAD = struct.Struct(">cIH")


def encode_value(wording: Wording, oid: int, form: int, value: Tree, path: str) -> bytes | None:
    """One value in the format asked for. Raises EncodeError with `path`."""
    try:
        return encoder(wording, oid, form)(value)
    except EncodeError as error:
        raise EncodeError(error.path or path, error.reason) from error


def encoder(wording: Wording, oid: int, form: int) -> Callable[[Tree], bytes | None]:
    """How values of a type are written in a format. What it returns raises EncodeError, with an empty path."""
    catalog, style, encoding = wording.catalog, wording.style, wording.encoding
    plain = str if not form and oid not in _NUMBERS else int if not form else None  # what most values are
    pack, bound = _INTEGERS.get(oid, (None, 0)) if form else (None, 0)

    def encode(value: Tree) -> bytes | None:
        if type(value) is plain:
            return _text(str(value), encoding)
        if pack is not None and type(value) is int and -bound <= value < bound:
            return pack(value)
        if isinstance(value, bytes) and oid != BYTEA:
            if form or oid in _TEXTS:
                return value
            raise EncodeError("", "this value is known in binary form only, and the client asks for text")
        if form and is_record(oid, value):
            return record_binary(catalog, value, style)
        text = from_tree(catalog, oid, value)
        if text is None:
            return None
        # a number in quotes may be none, so it is tried
        data = to_binary(catalog, oid, text, style) if form or type(value) is str else b""
        return data if form else _text(text, encoding)

    return encode


def _text(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        raise EncodeError("", f"{text!r} cannot be written in the client's encoding, {encoding}") from None


def encode_rows(wording: Wording, columns: Shape, formats: Sequence[int], rows: Sequence[Tree], path: str) -> list[bytes]:
    """The DataRows. Raises EncodeError naming the row or the value."""
    encoders = [encoder(wording, oid, format_of(formats, index)) for index, (oid, _) in enumerate(columns.types)]
    return [_encode_row(encoders, row, path, at) for at, row in enumerate(rows)]


def _encode_row(encoders: Sequence[Callable[[Tree], bytes | None]], row: Tree, path: str, at: int) -> bytes:
    if not isinstance(row, list):
        raise EncodeError(f"{path}[{at}]", "expected a list of values")
    if len(row) != len(encoders):
        raise EncodeError(f"{path}[{at}]", f"{len(row)} values for {len(encoders)} columns")
    parts: list[bytes] = []
    for encode, value in zip(encoders, row, strict=True):
        try:
            data = encode(value)
        except EncodeError as error:
            raise EncodeError(error.path or f"{path}[{at}][{len(parts)}]", error.reason) from error
        parts.append(_NULL if data is None else _LENGTH.pack(len(data)) + data)
    body = b"".join(parts)
    return _HEAD.pack(b"D", len(body) + 6, len(row)) + body


def complete(tag: str) -> bytes:
    """The CommandComplete."""
    return CommandComplete(command=tag).encode()
