"""Links at replay: what the cases of this run answered stands where later requests link to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from replayer.bindings import Bindings, standing
from replayer.material import recorded_at
from replayer.places import Places
from replayer.received import Received
from wiretape import body as bodies
from wiretape import links
from wiretape.body import answers
from wiretape.case import Case, Link, Request
from wiretape.secrets import unresolved
from wiretape.tree import Path, Tree, spell


class Linked:
    """The live answers of the cases that others link to. `cases`: those of the run, with their secrets."""

    def __init__(self, cases: Sequence[Case], bindings: Bindings) -> None:
        self._bindings = bindings
        self._recorded = links.Recorded(cases)
        self._wanted = wanted(cases)
        self._live: dict[str, Tree] = {}
        self.places = Places()

    def answered(self, case: Case, received: Received) -> None:
        """A case was answered: that is what later links to it stand for."""
        places = self._wanted.get(case.name)
        if places is None:
            return
        said = bodies.meaning(received.body, received.headers, case.response.body.types)
        live = answers.view(received.status, received.headers, said, received.trailers)
        self._live[case.name] = live
        self.places.forget(case)
        self.places.learn(case, self._recorded.answer(case.name), live, places)

    def bind(self, case: Case, bindings: Bindings | None = None) -> None:
        """After a case was compared: what is linked to stands for the recorded value, if a rule let it differ."""
        for recorded, live in self.pairs(case).items():
            (self._bindings if bindings is None else bindings).declare(recorded, live)

    def pairs(self, case: Case) -> dict[str, str]:
        """Recorded -> live, of what others link to in the answer to a case, as far as there is both."""
        answers = self._recorded.answer(case.name), self._live.get(case.name)
        found = [[_text(answer, place) for answer in answers] for place in self._wanted.get(case.name, ())]
        return {recorded: live for recorded, live in found if recorded and live}

    def request(self, case: Case, bindings: Bindings | None = None) -> Request:
        """The request as it is sent: live values in place of links and of the recorded values that they stand for."""
        return self._filled(case, self._recorded, self._bindings if bindings is None else bindings)

    def shown(self, stored: Case, cases: Sequence[Case]) -> Request:
        """The same for a case as it is stored, among others: secrets are still named, not shown."""
        return self._filled(stored, links.Recorded(cases), self._bindings)

    def missing(self, case: Case) -> tuple[str, ...]:
        """One line for each link of a case that nothing in this run stands for, so that its recorded value was sent."""
        found = {piece.text: piece for linked in case.links for piece in linked.pieces if isinstance(piece, Link)}
        return tuple(
            f"${{{text}}} is what was recorded: {self._why(link)}"
            for text, link in found.items()
            if _text(self._live.get(link.case), link.place) is None
        )

    def _why(self, link: Link) -> str:
        if link.case not in self._live:
            return f"{link.case} was not answered in this run"
        return f"{link.case} was answered nothing at {spell(('response', *link.place))}"

    def _filled(self, case: Case, recorded: links.Recorded, bindings: Bindings) -> Request:
        request = standing(case.request, bindings)
        if bindings.expired(case.request.target, recorded_at(case)):
            request = replace(request, target=case.request.target)  # it was no more valid when it was asked for, nor is it now
        if not case.links:
            return request

        def value(link: Link) -> Tree:
            was = recorded.value(link)
            if isinstance(was, str) and any(name for _, name in unresolved(was)):
                return was
            try:
                now = links.at(self._live.get(link.case), link.place)
            except LookupError:
                return bindings.stand(was)
            return bindings.stand(was) if isinstance(now, dict | list | bytes) else now

        return links.fill(request, case.links, value, bindings.text)


def wanted(cases: Iterable[Case]) -> dict[str, list[Path]]:
    """The places that are linked to, by the name of the case."""
    found: dict[str, dict[Path, None]] = {}
    for case in cases:
        for linked in case.links:
            for piece in linked.pieces:
                if isinstance(piece, Link):
                    found.setdefault(piece.case, {})[piece.place] = None
    return {name: list(places) for name, places in found.items()}


def _text(answer: Tree, place: Path) -> str | None:
    """The value at a place as text; None where there is none."""
    try:
        value = links.at(answer, place)
    except LookupError:
        return None
    return None if isinstance(value, dict | list | bytes) else links.plain(value)
