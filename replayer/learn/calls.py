"""Calls whose values differ from run to run: where each value stands in the case's file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from replayer.events import CallFinding
from wiretape.case import Call, Case
from wiretape.protocols.base import Ask, Codec
from wiretape.tree import Path, Tree, walk

# What a call was answered, or how it is described: none of it is asked.
_ANSWERED = frozenset(
    (
        "columns",
        "rows",
        "results",
        "reply",
        "response",
        "error",
        "param_types",
        "tag",
        "notices",
        "documents",
        "replies",
        "values",
    )
)


def changed_values(case: Case, finding: CallFinding, codecs: Mapping[str, Codec]) -> Iterator[tuple[Path, Tree, Tree]]:
    """Each value of a recorded call that changed, with what was asked in its place: the place, recorded, live."""
    if finding.kind != "changed" or finding.recorded is None or finding.live is None:
        return
    position = next((at for at, call in enumerate(case.calls) if call is finding.recorded), None)
    ask = codecs[finding.target].ask(finding.recorded)
    if position is None or len(ask.values) != len(finding.live.values):
        return
    for at, (recorded, live) in enumerate(zip(ask.values, finding.live.values, strict=True)):
        yield ("calls", position, "values", at), recorded, live


def written(call: Call, position: int, ask: Ask, value: int) -> Path:
    """The place in the case's file of a value of an ask: where the same text stands, if that is one place and one value."""
    text = str(ask.values[value])
    asked = {name: field for name, field in call.fields.items() if name not in _ANSWERED}
    places = [path for path, found in walk(asked) if not isinstance(found, dict) and str(found) == text]
    if len(places) == 1 and sum(str(other) == text for other in ask.values) == 1:
        return ("calls", position, *places[0])
    return ("calls", position, "values", value)
