"""What a mock keeps of the extended query protocol: prepared statements and portals; and what is known of their types."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from wiretape.case import Call
from wiretape.protocols.postgres.asks import Plan
from wiretape.protocols.postgres.frontend import Bind, Describe, Execute
from wiretape.protocols.postgres.rendering import Rendered
from wiretape.protocols.postgres.results import TEXT, Shape, Wording
from wiretape.protocols.postgres.types import Catalog, parse_type
from wiretape.tree import Tree

_CAST = re.compile(r"\$(\d+)\s*::\s*([a-z_][\w.]*(?:\[\])?)", re.IGNORECASE)
_SMALL: Final = 80  # bytes; longer than any name is
_ORDINARY: Final = 512  # bytes; longer than most parameters are


@dataclass(slots=True, kw_only=True)
class Prepared:
    """A prepared statement. `types` are its parameters' (0: not known). `told`: a Describe promised `promised` as result."""

    plan: Plan
    types: tuple[int, ...]
    promised: Shape | None = None
    told: bool = False


@dataclass(slots=True, kw_only=True)
class Portal:
    """A statement with its parameters, and the answer found for it. `at` rows were sent, `over` when all were. `like` is the
    call from which a COPY FROM STDIN takes its form: its answer is found once the client has sent its data."""

    prepared: Prepared
    values: tuple[Tree, ...]
    rendered: Rendered
    formats: tuple[int, ...]
    described: bool = False
    at: int = 0
    over: bool = False
    like: Call | None = None


# These come with every query, and the same ones come again and again.


def read_bind(body: bytes) -> Bind:
    """A Bind. Raises DecodeError."""
    return _kept_bind(body) if len(body) <= _ORDINARY else Bind.decode(body)


def read_describe(body: bytes) -> Describe:
    """A Describe. Raises DecodeError."""
    return _kept_describe(body) if len(body) <= _SMALL else Describe.decode(body)


def read_execute(body: bytes) -> Execute:
    """An Execute. Raises DecodeError."""
    return _kept_execute(body) if len(body) <= _SMALL else Execute.decode(body)


_kept_bind = lru_cache(maxsize=1024)(Bind.decode)
_kept_describe = lru_cache(maxsize=256)(Describe.decode)
_kept_execute = lru_cache(maxsize=256)(Execute.decode)


def stage_of(call: Call | None) -> str:
    """The stage at which a recorded call failed; empty where it did not, or is none."""
    return "" if call is None or "error" not in call.fields else str(call.fields.get("stage", "execute"))


def same_shape(promised: Shape | None, shape: Shape | None) -> bool:
    """Whether a result has the columns that were promised; modifiers do not count."""
    if promised is None or shape is None:
        return promised is shape
    return promised.names == shape.names and [oid for oid, _ in promised.types] == [oid for oid, _ in shape.types]


def decoded(wording: Wording, data: bytes) -> str | bytes:
    """Text in the client's encoding; bytes that are none stay bytes."""
    try:
        return data.decode(wording.encoding)
    except UnicodeDecodeError:
        return data


def complete_types(catalog: Catalog, types: tuple[int, ...], count: int, recorded: Call | None, sql: str) -> tuple[int, ...]:
    """The types of `count` parameters of which the client gave `types` (0: not given): as recorded, as cast, or text."""
    told = recorded.fields.get("param_types") if recorded is not None else None
    named = told if isinstance(told, list) else []
    casts = {int(number): kind for number, kind in _CAST.findall(sql)}
    out = []
    for index in range(count):
        oid = types[index] if index < len(types) else 0
        for kind in (named[index] if index < len(named) else None, casts.get(index + 1)):
            if not oid and kind:
                with suppress(ValueError):  # a type that is not known is as good as none
                    oid = parse_type(catalog, str(kind))[0]
        out.append(oid or TEXT)
    return tuple(out)
