"""What a target's protocol may be called: the codecs' own names, and what people and URLs call them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

AUTO = "auto"  # found out from the first bytes of each connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """What a name stands for. `tls`: the upstream speaks TLS from the first byte on. `port` 0: the codec's own."""

    codec: str
    tls: bool = False
    port: int = 0


ALIASES: Mapping[str, Scheme] = MappingProxyType(
    {
        "postgresql": Scheme(codec="postgres"),
        "mariadb": Scheme(codec="mysql"),
        "rediss": Scheme(codec="redis", tls=True),
        "valkey": Scheme(codec="redis"),
        "mongodb": Scheme(codec="mongo"),
        "mongodb+tls": Scheme(codec="mongo", tls=True),
        "https": Scheme(codec="http", tls=True, port=443),
        "grpc": Scheme(codec="http", port=50051),
        "grpcs": Scheme(codec="http", tls=True, port=443),
        "tcp": Scheme(codec="raw"),
        "tcp+tls": Scheme(codec="raw", tls=True),
    }
)


def scheme(name: str) -> Scheme:
    """What `name` stands for: an alias's codec, else a codec of that very name."""
    return ALIASES.get(name, Scheme(codec=name))


def names(codecs: Collection[str]) -> list[str]:
    """Everything a protocol may be called where there are these codecs."""
    return [*codecs, AUTO, *(alias for alias, one in ALIASES.items() if one.codec in codecs)]
