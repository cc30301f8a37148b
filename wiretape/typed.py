"""gRPC bodies of cases with the types that a .proto declares for them, so that their fields are read and written by name."""

from __future__ import annotations

from dataclasses import replace

from wiretape.case import Body, Case, Suite
from wiretape.protobuf.registry import Registry
from wiretape.protobuf.schema import MessageType


def typed_case(case: Case, types: Registry) -> Case:
    """The case with its bodies' types, as far as they are known."""
    path = case.request.target.partition("?")[0]
    asks, answers = types.inputs.get(path), types.outputs.get(path)
    if asks is None or answers is None:
        return case
    return replace(
        case,
        request=replace(case.request, body=_typed(case.request.body, asks)),
        response=replace(case.response, body=_typed(case.response.body, answers)),
    )


def typed_suite(suite: Suite, types: Registry) -> Suite:
    """Every case of a suite with its bodies' types."""
    return replace(suite, cases=tuple(typed_case(case, types) for case in suite.cases)) if types.inputs else suite


def _typed(body: Body, known: MessageType) -> Body:
    # An answer without messages has a type as well: what it is compared with may have some.
    return replace(body, types=known) if body.kind in ("grpc", "empty", "binary") else body
