"""Functions called by their OID, as libpq's large objects do (PostgreSQL 18 documentation, chapter 54.2.5).

A case shows such a call as `FunctionCall 952 ($1, $2)`, its arguments as `params`, and what it returned as `result`: bytes, as
nothing tells the types.
"""

from __future__ import annotations

from wiretape.protocols.postgres.frontend import FunctionCall
from wiretape.protocols.postgres.results import format_of
from wiretape.tree import Tree


def function_sql(message: FunctionCall) -> str:
    """The operation of a function call."""
    return f"FunctionCall {message.function} ({', '.join(f'${at}' for at in range(1, len(message.arguments) + 1))})"


def arguments(message: FunctionCall) -> list[str | bytes | None]:
    """Its arguments: text where they came as text, else bytes."""
    return [
        data.decode(errors="backslashreplace") if data is not None and not format_of(message.formats, at) else data
        for at, data in enumerate(message.arguments)
    ]


def returned(value: Tree) -> bytes | None:
    """The bytes of a `result` as it stands in a case."""
    return value if value is None or isinstance(value, bytes) else str(value).encode()
