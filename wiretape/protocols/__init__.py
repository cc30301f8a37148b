"""The table of codecs: a new wire protocol is one module and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import cast

from wiretape.protocols.base import Codec

CODECS: Mapping[str, str] = MappingProxyType(
    {
        "http": "wiretape.protocols.http",
        "mysql": "wiretape.protocols.mysql",
        "postgres": "wiretape.protocols.postgres",
        "mongo": "wiretape.protocols.mongo",
        "raw": "wiretape.protocols.raw",
        "redis": "wiretape.protocols.redis",
    }
)

RAW = "raw"  # what is nothing else


def codec(name: str) -> Codec:
    """The codec called `name`; KeyError where there is none."""
    return cast(Codec, import_module(CODECS[name]).CODEC)


def recognised(client: bytes, server: bytes) -> str:
    """The codec for a connection that begins with these bytes of either side; empty where it is too early to tell."""
    answers = {name: codec(name).recognises(client, server) for name in CODECS if name != RAW}
    if True in answers.values():
        return next(name for name, answer in answers.items() if answer)
    return "" if None in answers.values() else RAW
