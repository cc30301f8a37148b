"""`--dedupe`: one case for each thing the service was seen to do, the rest dropped and said.

Two cases do the same if they go the same route with the same status, ask and answer in the same form, and make the same calls.
What those that are kept link to is kept, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from recorder.routes import Routes
from wiretape.case import Body, Case
from wiretape.links import prerequisites
from wiretape.protocols.base import Codec
from wiretape.tree import Tree, kind

_QUIET: Final = ("housekeeping", "push")


@dataclass(slots=True, kw_only=True)
class Deduped:
    """`kept` in recorded order; `dropped`: the name of a kept case -> how many like it were dropped. `routes` and `shapes` are
    counted over all cases: what is kept covers every one of them."""

    kept: list[Case] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    routes: int = 0
    shapes: int = 0


def dedupe(cases: Sequence[Case], codecs: Mapping[str, Codec]) -> Deduped:
    """The first whole case of every kind, or the first at all where none is whole and certain."""
    routes = Routes((case.request.method, case.request.target) for case in cases)
    groups: dict[object, list[Case]] = {}
    for case in cases:
        groups.setdefault(_signature(case, routes, codecs), []).append(case)
    best = {id(min(group, key=_doubt)): group for group in groups.values()}
    linked = prerequisites(cases, [case for case in cases if id(case) in best])
    found = Deduped(routes=len({routes.of(case.request.method, case.request.target) for case in cases}), shapes=len(groups))
    for case in cases:
        if id(case) in best or case.name in linked:
            found.kept.append(case)
        if id(case) in best and (dropped := sum(one is not case and one.name not in linked for one in best[id(case)])):
            found.dropped[case.name] = dropped
    return found


def _doubt(case: Case) -> int:
    """How much is wrong with a case as a representative."""
    return 2 * bool(case.incomplete) + any(call.ambiguous for call in case.calls)


def _signature(case: Case, routes: Routes, codecs: Mapping[str, Codec]) -> object:
    asks = [codecs[call.target].ask(call) for call in case.calls]
    return (
        routes.of(case.request.method, case.request.target),
        tuple(sorted({piece.partition("=")[0] for piece in case.request.target.partition("?")[2].split("&")})),
        form(case.request.body),
        case.response.status,
        form(case.response.body),
        tuple(dict.fromkeys((ask.target, ask.shape) for ask in asks if ask.role not in _QUIET)),
        any("error" in call.fields for call in case.calls),
    )


def form(body: Body) -> tuple[str, ...]:
    """What a body is made of, whatever its values: every place with the kind of value there."""
    return (body.kind, *sorted(set(_paths(body.value, ""))))


def _paths(tree: Tree, at: str) -> Iterator[str]:
    """Every place with the kind of value there; the items of a list are one place, whether there are two or twenty."""
    if isinstance(tree, dict):
        yield f"{at}{{}}"
        for key, value in tree.items():
            yield from _paths(value, f"{at}.{key}")
    elif isinstance(tree, list):
        yield f"{at}[]" if tree else f"{at}[] empty"
        for value in tree:
            yield from _paths(value, f"{at}[]")
    else:
        yield f"{at} {kind(tree)}"
