"""What a mock keeps of the extended query protocol: prepared statements and portals; and what is known of their types."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from wiretape.case import Call
from wiretape.protocols.postgres.asks import Plan, plan
from wiretape.protocols.postgres.frontend import Bind, Describe, Execute
from wiretape.protocols.postgres.meaning import likely, type_of
from wiretape.protocols.postgres.rendering import Rendered
from wiretape.protocols.postgres.results import TEXT, Shape, Wording
from wiretape.protocols.postgres.types import Catalog, parse_type
from wiretape.tree import Tree

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


def complete_types(catalog: Catalog, types: tuple[int, ...], count: int, recorded: Call | None, asked: Plan) -> tuple[int, ...]:
    """The types of `count` parameters of which the client gave `types` (0: not given): as recorded, as cast, as the recorded
    value tells, or text."""
    told = recorded.fields.get("param_types") if recorded is not None else None
    named = told if isinstance(told, list) else []
    out = []
    for index in range(count):
        oid = types[index] if index < len(types) else 0
        place = _place(asked, index + 1)
        cast = asked.statements[0].types[place] if place >= 0 else ""
        for kind in (named[index] if index < len(named) else None, cast):
            if not oid and kind and kind != "unknown":
                with suppress(ValueError):  # a type that is not known is as good as none
                    oid = parse_type(catalog, str(kind))[0]
        out.append(oid or _recorded_type(recorded, place, index) or TEXT)
    return tuple(out)


def _place(asked: Plan, parameter: int) -> int:
    """Where among a statement's values a parameter stands first; -1 where it does not."""
    literals = asked.statements[0].literals
    return next((at for at, slot in enumerate(literals) if type(slot) is int and slot == parameter), -1)


def _recorded_type(recorded: Call | None, place: int, index: int) -> int:
    """The type that a recorded value tells: a literal's where the recording driver wrote those, or a parameter's; 0: none."""
    if recorded is None:
        return 0
    statement = plan(recorded.operation).statements[0]
    slot = statement.literals[place] if 0 <= place < len(statement.literals) else None
    if isinstance(slot, int) or not statement.literals:
        params = recorded.fields.get("params")
        at = slot - 1 if isinstance(slot, int) else index
        return likely(params[at]) if isinstance(params, list) and 0 <= at < len(params) else 0
    return (type_of(statement.types[place]) or likely(slot)) if 0 <= place < len(statement.types) else 0
