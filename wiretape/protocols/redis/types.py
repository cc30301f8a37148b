"""The names of RESP's types, and its strings as they stand in a case."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from wiretape.errors import EncodeError
from wiretape.protocols.redis import resp
from wiretape.protocols.redis.resp import Value
from wiretape.tree import Tree, spell

type Path = tuple[str | int, ...]

INT64: Final = 2**63
SCALARS: Mapping[str, type[bytes]] = MappingProxyType(
    {
        "bulk": bytes, "simple": resp.Simple, "error": resp.Error, "blob error": resp.BlobError, "double": resp.Double,
        "big number": resp.BigNumber,
    }
)  # fmt: skip
LISTS: Mapping[str, type[list[Value]]] = MappingProxyType({"array": list, "set": resp.Set, "map": resp.Map, "push": resp.Push})
NAMES: Final = (*SCALARS, *LISTS, "verbatim FORMAT", "integer", "null array", "plain")
NAME_OF: Mapping[type, str] = MappingProxyType({kind: name for name, kind in (*SCALARS.items(), *LISTS.items())})


def text(data: bytes) -> str | bytes:
    """A string of the wire as it stands in a case: text where it is."""
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError:
        return bytes(data)


def data(value: Tree, path: Path = ()) -> bytes:
    """The bytes of a scalar. Raises EncodeError on what has none."""
    match value:
        case str():
            return value.encode("utf-8", "surrogateescape")
        case bytes():
            return value
        case bool():
            return b"true" if value else b"false"
        case int() | float():
            return str(value).encode()
    raise EncodeError(spell(path), "expected a text or a number")
