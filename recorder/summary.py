"""What compiling came to, and how it is told: one fact a line, nothing that is nought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from wiretape.case import Case

_SHOWN: Final = 10

# Rule -> what it means to a person. The rest is certain.
_CONCLUDED: Final[Mapping[str, str]] = MappingProxyType(
    {"values": "from values", "signature": "because no other request may have made them"}
)


@dataclass(slots=True, kw_only=True)
class Summary:
    """`calls` counts those in cases, `session` the distinct others; `rules` the calls by the way they were attributed,
    each once; `notes` are lines to be said."""

    suite: Path
    written: list[Path] = field(default_factory=list)
    calls: int = 0
    session: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    ambiguous: list[str] = field(default_factory=list)
    incomplete: list[tuple[str, str]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    requests: int = 0
    filtered: int = 0
    unanswered: int = 0
    deduped: int = 0
    notes: list[str] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)

    def count(self, cases: Sequence[Case]) -> None:
        """Take in what the cases say of themselves."""
        self.calls = sum(len(case.calls) for case in cases)
        self.rules = by_rule(cases)
        self.ambiguous = [case.name for case in cases if case.attributed == "ambiguous"]
        self.incomplete = [(case.name, case.incomplete) for case in cases if case.incomplete]


def by_rule(cases: Sequence[Case]) -> Counter[str]:
    """How many calls each rule attributed. A call that stands in several cases is one: they share its fields."""
    rules = {
        id(call.fields): "ambiguous" if call.ambiguous else (call.attributed or case.attributed).partition(" ")[0]
        for case in cases
        for call in case.calls
    }
    return Counter(rules.values())


def report(summary: Summary, again: str) -> Iterator[str]:
    """The lines. `again` is the command that records ambiguous cases again."""
    inside = f"{count(summary.calls, 'call')}, {count(summary.session, 'session call')}"
    yield f"{count(len(summary.written), 'case')} written to {summary.suite} ({inside})"
    if not summary.requests:
        yield "  no request was seen"
    if summary.filtered:
        yield f"  left out by filters: {count(summary.filtered, 'request')}"
    if summary.deduped:
        yield f"  left out because they are like others: {count(summary.deduped, 'case')}"
    if summary.unanswered:
        yield f"  without a response, so no case: {count(summary.unanswered, 'request')}"
    yield from _attribution(summary, again)
    for name, why in summary.incomplete[:_SHOWN]:
        yield f"  incomplete: {name}: {why}"
    if len(summary.incomplete) > _SHOWN:
        yield f"  incomplete: {len(summary.incomplete) - _SHOWN} more"
    if summary.secrets:
        yield f"  secrets kept out of the cases, in .wiretape/secrets.yaml: {_some(summary.secrets)}"
    for note in summary.notes:
        yield f"  {note}"
    for path in summary.kept:
        yield f"  capture kept: {path}"


def _attribution(summary: Summary, again: str) -> Iterator[str]:
    """Which request made which call: how sure that is, where it is not all certain."""
    rules = summary.rules
    concluded = {why: rules[rule] for rule, why in _CONCLUDED.items() if rules[rule]}
    unsure = rules["ambiguous"]
    if not concluded and not summary.ambiguous:
        return
    parts = [f"{count(rules.total() - sum(concluded.values()) - unsure, 'call')} certain"]
    parts += [f"{number} concluded {why}" for why, number in concluded.items()]
    if unsure:
        parts.append(f"{unsure} ambiguous in {count(len(summary.ambiguous), 'case')}")
    yield f"  which request made which call: {', '.join(parts)}"
    if summary.ambiguous:
        yield f"  ambiguous: {_some(summary.ambiguous)}; to record just these again, one at a time: {again}"


def count(number: int, thing: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
