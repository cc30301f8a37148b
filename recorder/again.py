"""Cases recorded again in their files: what came of their requests, sent once more one at a time, replaces what was doubtful.

Nothing is replaced by less: a case whose request was answered by another status, or that lost calls which were certainly its
own, stays as it was, and why is said. What the service made anew is written as it was recorded first (`standing`), so that a
case still fits those that were not recorded again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from normalizers import secrets as credentials
from recorder import capture
from recorder.assembly import Assembly
from recorder.compile import left_out
from recorder.dedupe import form
from recorder.found import name_found
from recorder.summary import by_rule, count
from recorder.taps import Inbound, Seen, watch
from wiretape import secrets, store
from wiretape.case import Call, Case, Noise, Response
from wiretape.config import Config
from wiretape.errors import StoreError
from wiretape.links import producers
from wiretape.protobuf.sources import load as load_types
from wiretape.protocols.base import Codec
from wiretape.secrets import Rewriter
from wiretape.select import select
from wiretape.sent import Sent, digest
from wiretape.tree import Tree

_UNMISTAKABLE: Final = 12  # characters from which a value is written as recorded first inside of longer texts, too
_UNSENDABLE: Final = "request body"  # a case's `incomplete` begins so where not all of its request was kept
_WORD = re.compile(r"\w+")
_SURE: Final = ("serialize", "in-flight", "transaction", "trace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one case: written anew or left as it was; `said` says why, or what is new about it."""

    name: str
    replaced: bool
    said: str


@dataclass(slots=True, kw_only=True)
class Again:
    """What recording again came to. `strangers`: requests that came in between and are no case's."""

    outcomes: list[Outcome] = field(default_factory=list)
    strangers: int = 0
    secrets: Sequence[str] = ()


def doubtful(cases: Sequence[Case], globs: Sequence[str]) -> tuple[Case, ...]:
    """The cases to record again: those named, else those with ambiguous calls and those not whole. Raises ConfigError."""
    if globs:
        return select(cases, globs)
    return tuple(case for case in cases if case.incomplete or any(call.ambiguous for call in case.calls))


def unsendable(case: Case) -> bool:
    """Whether the case does not hold all of its request."""
    return case.incomplete.startswith(_UNSENDABLE)


def record_again(config: Config, chosen: Sequence[Case], sent: Sequence[Sent], path: Path, environ: Mapping[str, str]) -> Again:
    """Replace the chosen cases (as they are on disk) by what the capture at `path` holds of their requests.

    Raises StoreError where the capture or a case's file cannot be read or written.
    """
    seen = watch(capture.read(path), config.record.max_body)
    name_found(seen)
    seen.inbound.sort(key=lambda one: one.started)
    places = matched(sent, seen.inbound)
    before = secrets.load_secrets(config.home, environ)
    suite = secrets.reveal(store.load_suite(config.suite), before)
    plains = {case.name: case for case in suite.cases}
    translation = _Translation(sent)
    raw, session = _compiled(config, seen, places, translation.back(), plains.keys() & {case.name for case in chosen})
    fresh = {name: translation.back(plains[name]).recorded(case) for name, case in raw.items()}
    taken = credentials.find(list(fresh.values()), session, before)
    secrets.save_secrets(config.home, taken)
    known = {**before, **taken}
    answers = {one.case: one for one in sent}
    again = Again(strangers=len(seen.inbound) - len(places), secrets=sorted(set(taken) - set(before)))
    for old in chosen:
        plain = plains[old.name]
        why = _unfit(plain, fresh.get(old.name), answers.get(old.name), seen.codecs)
        if not why and (mixed := translation.unclear(plain, raw[old.name])):
            why = f"{mixed} cannot be told from other values in it; put the service's data back as they were"
        again.outcomes.append(
            Outcome(name=old.name, replaced=False, said=why)
            if why
            else Outcome(name=old.name, replaced=True, said=_replace(old, plain, fresh[old.name], known))
        )
    if any(outcome.replaced for outcome in again.outcomes):
        store.add_to_suite(config.suite, (), [secrets.protect(call, known) for call in session], seen.facts)
    return again


def _compiled(
    config: Config, seen: Seen, places: Mapping[str, int], back: _Back, names: Set[str]
) -> tuple[Mapping[str, Case], Sequence[Call]]:
    """The cases by their names, and the session calls as they would have been when recorded first."""
    of_place = {place: name for name, place in places.items()}
    labels = [of_place.get(place, left_out(one)) for place, one in enumerate(seen.inbound)]
    assembly = Assembly(seen, labels, load_types(config.service.protos if config.service else ()))
    wanted = [place for place, name in sorted(of_place.items()) if name in names]
    fresh = {case.name: case for case in assembly.cases(wanted)}
    session = {repr((call.target, call.operation, call.fields)): back.recorded(call) for call in assembly.session()}
    return fresh, list(session.values())


def matched(sent: Sequence[Sent], inbound: Sequence[Inbound]) -> Mapping[str, int]:
    """Case -> place of its exchange: one after the other in order, each the next that is its request to the letter. Others may
    come in between."""
    marks = [_digest(one) for one in inbound]
    found: dict[str, int] = {}
    at = 0
    for one in sent:
        here = next((place for place in range(at, len(marks)) if marks[place] == one.digest), None)
        if here is not None:
            found[one.case] = here
            at = here + 1
    return found


def _digest(one: Inbound) -> str:
    exchange = one.exchange
    return digest(exchange.method, exchange.target, exchange.request_headers, exchange.request_body)


def _unfit(old: Case, new: Case | None, sent: Sent | None, codecs: Mapping[str, Codec]) -> str:
    """Why the case is to stay as it was; empty where the new recording is at least as good."""
    if unsendable(old):
        return f"its recording does not hold the whole request ({old.incomplete}); record it with your own client"
    if sent is None or sent.error:
        return f"no answer: {sent.error}" if sent else "its request was not sent"
    if new is None:
        return "its request did not come by; is something between wiretape and the service's listener?"
    if new.response.status != old.response.status:
        return (
            f"answered {new.response.status} this time, {old.response.status} when it was recorded (what it did then may stand "
            "in its way now: put the service's data back as they were)"
        )
    if new.incomplete:
        return f"again not whole: {new.incomplete}"
    unsure = sum(bool(call.ambiguous) for call in new.calls)
    if unsure:
        return f"again {count(unsure, 'call')} ambiguous: other requests were in flight"
    gone = _gone(old, new, codecs)
    return f"this time without `{gone}`, which it certainly asks" if gone else ""


def _gone(old: Case, new: Case, codecs: Mapping[str, Codec]) -> str:
    """A call of a kind that was certainly the case's and is not made any more."""
    made = {_shape(call, codecs) for call in new.calls}
    for call in old.calls:
        rule = (call.attributed or old.attributed).partition(" ")[0]
        if rule in _SURE and not call.ambiguous and (shape := _shape(call, codecs)) and shape not in made:
            return call.operation
    return ""


def _shape(call: Call, codecs: Mapping[str, Codec]) -> tuple[str, str] | None:
    """What kind of call it is; none where it is not the service's own."""
    if call.target not in codecs:
        return call.target, call.operation
    ask = codecs[call.target].ask(call)
    return (call.target, ask.shape) if ask.role == "query" else None


def _replace(old: Case, plain: Case, new: Case, known: Mapping[str, str]) -> str:
    """Write the case's file anew; what is new about it. `plain` is the old case with its secrets."""
    if old.path is None:
        raise StoreError(f"the case {old.name} has no file")
    noise = tuple(rule for rule in old.noise if _has_place(rule, new) or not _has_place(rule, plain))
    dropped = [rule.selector.text for rule in old.noise if rule not in noise]
    stored = secrets.protect(new, known)
    store.rewrite(
        old.path,
        replace(
            stored,
            name=old.name,
            request=old.request,
            links=old.links,
            noise=noise,
            first_recorded=old.first_recorded or old.recorded,
            path=old.path,
        ),
    )
    said = [f"{count(len(new.calls), 'call')}, {_certainty(new)}"]
    if form(new.response.body) != form(plain.response.body):
        said.append("its answer has other fields than before")
    said += [f"the noise rule {text} has no place any more and is gone" for text in dropped]
    return "; ".join(said)


def _certainty(case: Case) -> str:
    rules = by_rule([case])
    return "certain" if not rules["values"] + rules["signature"] else "concluded from values"


def _has_place(rule: Noise, case: Case) -> bool:
    calls: list[Tree] = [dict(call.fields) for call in case.calls]
    headers: dict[str, Tree] = {name.lower(): value for name, value in case.response.headers}
    said: list[Tree] = [{message.direction: message.value} for message in case.messages]
    response: dict[str, Tree] = {"status": case.response.status, "headers": headers, "body": case.response.body.value}
    trailers: dict[str, Tree] = {name.lower(): value for name, value in case.response.trailers}
    tree: Tree = {"response": response | {"trailers": trailers}, "calls": calls, "messages": said}
    return next(iter(rule.selector.find(tree)), None) is not None


class _Back(Rewriter):
    """Writes live values as those they stand for. `strong` ones are unmistakable, and are found inside of longer texts, too; a
    `weak` one (a number, a short name) is a whole value, or a word of a text."""

    def __init__(self, strong: Mapping[str, str], weak: Mapping[str, str] = MappingProxyType({})) -> None:
        self._recorded = {**weak, **strong}
        parts = [re.escape(live) for live in sorted(strong, key=len, reverse=True)]
        parts += [rf"(?<!\w){re.escape(live)}(?!\w)" for live in weak]
        self._parts = re.compile("|".join(parts)) if parts else None

    def text(self, text: str) -> str:
        if text in self._recorded:
            return self._recorded[text]
        return self._parts.sub(lambda found: self._recorded[found[0]], text) if self._parts else text

    def tree(self, tree: Tree) -> Tree:
        if type(tree) is int and (recorded := self._recorded.get(str(tree), "")).isdecimal():
            return int(recorded)
        return super().tree(tree)


class _Words(Rewriter):
    """Collects the values and words of a case; changes nothing."""

    def __init__(self) -> None:
        self.words: set[str] = set()

    @classmethod
    def of(cls, case: Case) -> Set[str]:
        words = cls()
        words.recorded(case)
        return words.words

    def text(self, text: str) -> str:
        self.words.update((text, *_WORD.findall(text)))
        return text

    def tree(self, tree: Tree) -> Tree:
        if type(tree) is int:
            self.words.add(str(tree))
        return super().tree(tree)


class _Translation:
    """What stands for what, case by case. A weak value is translated only where the case that made it, or one that links to
    it, holds it."""

    def __init__(self, sent: Sequence[Sent]) -> None:
        self._sent = {one.case: one.standing for one in sent}
        self._strong = {
            live: recorded
            for standing in self._sent.values()
            for recorded, live in standing.items()
            if len(live) >= _UNMISTAKABLE
        }

    def weak(self, case: Case) -> Mapping[str, str]:
        makers = (case.name, *producers(case))
        pairs = ((live, recorded) for maker in makers for recorded, live in self._sent.get(maker, {}).items())
        return {live: recorded for live, recorded in pairs if live not in self._strong and live != recorded}

    def back(self, old: Case | None = None) -> _Back:
        """For an old case, or for what is no case's."""
        return _Back(self._strong, self.weak(old) if old else MappingProxyType({}))

    def unclear(self, old: Case, new: Case) -> str:
        """A value that cannot be told from others of the case, which came to mean something else; empty where none is."""
        said, asked = _Words.of(new), _Words.of(replace(old, response=Response(status=0), messages=(), calls=()))
        return next(
            (f"{live} for {was}" for live, was in self.weak(old).items() if live in said and (was in said or live in asked)), ""
        )
