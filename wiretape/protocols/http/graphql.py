"""A GraphQL request in canonical form: the same operation however it is laid out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from wiretape.tree import Tree

_BEGINS = re.compile(r"[\s,]*(?:\{|#|(?:query|mutation|subscription|fragment)\b)")
_KEYS = frozenset(("query", "variables", "operationName", "extensions"))
_MAX_TOKENS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """`text` is canonical and holds the operation's name; `writes`: it is a mutation."""

    text: str
    variables: Tree
    writes: bool


def query(body: Tree) -> Query | None:
    """The GraphQL request a JSON body makes; None where it makes none."""
    if not isinstance(body, Mapping) or not body.keys() <= _KEYS:
        return None
    text, name = body.get("query"), body.get("operationName")
    if not isinstance(text, str) or not _BEGINS.match(text):
        return None
    from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse, print_ast  # 0.1 s, and seldom needed

    try:
        document = parse(text, no_location=True, max_tokens=_MAX_TOKENS)
        canonical = " ".join(print_ast(document).split())
    except (GraphQLError, RecursionError):
        return None
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    chosen = [node for node in operations if node.name and node.name.value == name] or operations
    return Query(
        text=f"{name}: {canonical}" if len(operations) > 1 and isinstance(name, str) else canonical,
        variables=body.get("variables") or {},
        writes=any(node.operation is not OperationType.QUERY for node in chosen),
    )
