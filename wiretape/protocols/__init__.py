"""The table of codecs: a new wire protocol is one module and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import cast

from wiretape.protocols.base import Codec

CODECS: Mapping[str, str] = MappingProxyType(
    {
        "postgres": "wiretape.protocols.postgres",
        "redis": "wiretape.protocols.redis",
    }
)


def codec(name: str) -> Codec:
    """The codec called `name`; KeyError where there is none."""
    return cast(Codec, import_module(CODECS[name]).CODEC)
