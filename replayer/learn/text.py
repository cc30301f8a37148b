"""What was learned, as a person reads it: the rules by file, each with its evidence; then what is no noise."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

from normalizers.secrets import find
from replayer.learn.classify import arrangement
from replayer.learn.evidence import Series
from replayer.learn.generalise import Proposal
from replayer.learn.learn import Learned
from replayer.learn.remains import Remain
from replayer.masking import Mask
from replayer.trees import GONE
from wiretape.case import Body, Case, Request, Response
from wiretape.store import SUITE_FILE
from wiretape.tree import Tree

_LONGEST = 40
_MOST = 3


def files(learned: Learned, root: Path) -> dict[Path, list[tuple[str, str, str]]]:
    """By file: selector, kind, and the evidence as one line."""
    paths = {case.name: case.path or root / f"{case.name}.yaml" for case in learned.stored}
    found: dict[Path, list[tuple[str, str, str]]] = {}
    for rule in learned.rules:
        path = paths[rule.case] if rule.case else root / SUITE_FILE
        found.setdefault(path, []).append((rule.selector, rule.kind, evidence(rule, learned.mask)))
    return dict(sorted(found.items()))


def evidence(rule: Proposal, mask: Mask) -> str:
    """`3 runs: 0.5021, 0.5022, 0.5019; so do 4 more places`; what looks like a credential is not shown."""
    # The place that shows most: runs in which it was as recorded say little.
    first = max(rule.series, key=lambda one: len({_shown(one, value) for value in one.values}))
    more = len(rule.series) - 1
    also = f"; so {'does 1 more place' if more == 1 else f'do {more} more places'}" if more else ""
    if _secret(first, mask):
        return f"{len(first.values)} runs: a secret, another each time{also}"
    shown = dict.fromkeys(_shown(first, value) for value in first.values)
    comma = " | " if any("," in text for text in shown) else ", "
    told = comma.join(list(shown)[:_MOST]) + (f"{comma}…" if len(shown) > _MOST else "")
    return f"{len(first.values)} runs: {mask.text(told)}{also}"


def _shown(series: Series, value: object) -> str:
    if value is GONE:
        return "absent"
    if series.arranged:
        return f"[{_line(arrangement(series, value))}]"
    return _line(value if isinstance(value, str) else "true" if value is True else "false" if value is False else str(value))


def _line(text: str) -> str:
    """The beginning of a text, on one line and with nothing that a YAML comment could not hold."""
    plain = "".join("?" if unicodedata.category(char)[0] == "C" else char for char in " ".join(text.split()))
    return plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]}…"


def _secret(series: Series, mask: Mask) -> bool:
    """Whether what stands there is a credential, by what is known of the suite's and by name and look."""
    values = [value for value in (series.recorded, *series.values) if value is not GONE]
    if any(mask.tree(value) != value for value in values):  # type: ignore[arg-type]
        return True
    name = next((step for step in reversed(series.path) if isinstance(step, str)), "")
    headers = "headers" in series.path[:2]
    told: list[Tree] = [{name: value} for value in values]  # type: ignore[dict-item]
    response = Response(
        status=200,
        headers=tuple((name, str(value)) for value in values) if headers else (),
        body=Body() if headers else Body(kind="json", value=told),
    )
    return bool(find([Case(name="", request=Request(method="GET", target="/"), response=response)], (), {}))


def lines(learned: Learned, root: Path, here: Path, *, written: bool) -> Iterator[str]:
    """The whole report."""
    for path, rules in files(learned, root).items():
        yield f"{_near(path, here)}:"
        yield from (f"- {selector}: {kind}  # {comment}" for selector, kind, comment in rules)
    if learned.remains:
        yield "not noise:" if not learned.rules else "and not noise:"
        yield from (f"- {_remain(remain, learned.mask)}" for remain in learned.remains)
    yield _summary(learned, written=written)


def _near(path: Path, here: Path) -> Path:
    return path.relative_to(here) if path.is_relative_to(here) else path


def _remain(remain: Remain, mask: Mask) -> str:
    place = f"{remain.case}: {remain.place} " if remain.place else f"{remain.case}: "
    text = place + mask.text(remain.told)
    if not remain.shown:
        return text
    recorded, live = (_value(value, mask) for value in (remain.recorded, remain.live))
    return f"{text}: {live}, recorded {recorded}; not noise"


def _value(value: object, mask: Mask) -> str:
    return "nothing" if value is GONE else _line(repr(mask.tree(value)))  # type: ignore[arg-type]


def _summary(learned: Learned, *, written: bool) -> str:
    count = len(learned.rules)
    rules = f"{count} rule{'' if count == 1 else 's'}"
    ran = f"after {learned.runs} runs"
    failing = len({remain.case for remain in learned.remains})
    still = f"{failing} case{' fails' if failing == 1 else 's fail'} all the same"
    if not count:
        return f"{ran}: {still}; nothing of it is noise" if failing else f"{ran}: nothing differs from run to run"
    done = f"{rules} {'written' if written else 'proposed'} {ran}"
    check = f"; with {'it' if count == 1 else 'them'} {still if failing else 'every case passes'}"
    how = "" if written else "; --write puts them into the files" if count > 1 else "; --write puts it into its file"
    return done + (check if learned.checked else "; what they leave was still changing when the runs were used up") + how
