"""Who caused a call that several requests could have made: concluded from what they say, or left open.

Two kinds of evidence. Values: a parameter that stands in one request only, a row that comes back in one response only; a rare
value weighs more. And habits, learned from the requests of a route whose calls are all certain: which calls it makes and how
many of each, and where a call's values come from and go to. Habits rule candidates out; they never speak for one, because a
habit voting makes the confident part worse (measured: 100 % to 93 % right). What remains is decided again and again, since
every decision may decide another, until nothing changes.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from recorder.evidence import Places, Said, Told
from recorder.habits import Habits, known
from recorder.patterns import Occurrence, Patterns
from recorder.slots import assign

# In natural-log odds: how much likelier than any other a request must be. 4.6 is a hundred to one.
_SURE: Final = 4.6
# A candidate that habits have ruled out, but whose values speak for it by this much more, leaves the matter open.
_CONTRADICTED: Final = 2.0
_ROUNDS: Final = 50
_KIND: Final = 3  # calls of a kind from which a text that all of them hold is taken for part of the kind
_SAID: Final = 2  # values named as evidence
# Values that are shown: one word each, so that a secret among them can be told from what stands around it.
_SHORT: Final = re.compile(r"[\w.@:+-]{1,40}")

SESSION: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """What belongs to one request whatever else is true, with the windows that may have caused it. Of its `calls` the last
    ones are `ends` of transactions. `traced`: it says so itself."""

    calls: tuple[Told, ...]
    candidates: tuple[int, ...]
    ends: int = 0
    traced: bool = False

    @property
    def asked(self) -> tuple[Told, ...]:
        """Its calls but for how a transaction ended."""
        return self.calls[: len(self.calls) - self.ends]

    @property
    def kind(self) -> tuple[str, ...]:
        """What kinds of calls it is made of."""
        return tuple(call.shape for call in self.calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`window` caused it, or SESSION; `how` it is known, and of each call of the suspect `because` of what."""

    window: int
    how: str
    because: tuple[str, ...] = ()


class Deduction:
    """All units of a recording, before and while they are decided. `left`: who may still have made the open ones."""

    def __init__(
        self,
        suspects: Sequence[Suspect],
        requests: Sequence[Said],
        session: Sequence[Told],
        ticking: Set[tuple[str, ...]] = frozenset(),
    ) -> None:
        """`session` are calls made while no request was in flight, `ticking` the kinds of suspects that keep a beat."""
        self._suspects = suspects
        self._ticking = ticking
        self._requests = requests
        self._outside = Counter(call.shape for call in session)
        self._calls = Counter(call.shape for suspect in suspects for call in suspect.calls) + self._outside
        calls = [*(call for suspect in suspects for call in suspect.calls), *session]
        self._fixed = _never_varied(calls)
        self._rarity = _Rarity(requests, calls)
        inside = [Occurrence(call, suspect.candidates) for suspect in suspects for call in suspect.calls]
        self._patterns = Patterns([*inside, *(Occurrence(call, ()) for call in session)], requests)
        self.left: Mapping[int, tuple[int, ...]] = {}
        self._verdicts: dict[int, Verdict] = {}
        self._scores: dict[tuple[int, int], float] = {}
        self._known: dict[int, Places] = {}
        self._of_window: list[list[int]] = [[] for _ in requests]
        for number, suspect in enumerate(suspects):
            for window in suspect.candidates:
                self._of_window[window].append(number)

    def decide(self) -> Mapping[int, Verdict]:
        """The verdict on each suspect that can be decided, by its number. Those of one candidate are decided beforehand."""
        for number, suspect in enumerate(self._suspects):
            if suspect.kind in self._ticking and not suspect.traced:
                self._verdicts[number] = Verdict(window=SESSION, how="")
            elif len(suspect.candidates) == 1:
                self._verdicts[number] = Verdict(window=suspect.candidates[0], how="in-flight")
        for _ in range(_ROUNDS):
            self._known.clear()
            habits = self._learn()
            before = len(self._verdicts)
            self._dismiss(habits)
            self.left = self._narrow(habits)
            if len(self._verdicts) == before:
                self._fill(habits, self.left)
            if len(self._verdicts) == before:
                break
        return self._verdicts

    def _learn(self) -> Habits:
        habits = Habits(self._calls, self._outside, self._fixed, self._patterns.mean)
        for window, numbers in enumerate(self._of_window):
            mine = [n for n in numbers if n in self._verdicts and self._verdicts[n].window == window]
            calls = [call for n in mine for call in self._suspects[n].calls]
            whole = all(n in self._verdicts for n in numbers)
            habits.observe(self._requests[window], calls, self._known_to(window), whole=whole)
        return habits

    def _dismiss(self, habits: Habits) -> None:
        """What happened to come while just one request was in flight, but is made for no request, is not its own."""
        for number, suspect in enumerate(self._suspects):
            if len(suspect.candidates) > 1 or suspect.traced or self._verdicts[number].window == SESSION or not suspect.asked:
                continue
            window = suspect.candidates[0]
            strange = all(habits.background(call.shape) for call in suspect.asked)
            if (
                strange
                and habits.strange(self._requests[window].route, suspect.asked)
                and not self._linked(number, suspect, window)
            ):
                self._verdicts[number] = Verdict(window=SESSION, how="")

    def _linked(self, number: int, suspect: Suspect, window: int) -> bool:
        return self._score(number, suspect, window) >= _CONTRADICTED

    def _narrow(self, habits: Habits) -> dict[int, tuple[int, ...]]:
        """One round over the open suspects; who is left of each one's candidates."""
        open_: dict[int, tuple[int, ...]] = {}
        for number, suspect in enumerate(self._suspects):
            if number in self._verdicts:
                continue
            verdict, left = self._judge(number, suspect, habits)
            if verdict is None:
                open_[number] = left
            else:
                self._verdicts[number] = verdict
        return open_

    def _judge(self, number: int, suspect: Suspect, habits: Habits) -> tuple[Verdict | None, tuple[int, ...]]:
        scores = {window: self._score(number, suspect, window) for window in suspect.candidates}
        left = tuple(w for w in suspect.candidates if self._possible(suspect, w, habits))
        ruled_out = max((scores[w] for w in suspect.candidates if w not in left), default=0.0)
        ranked = sorted(left, key=lambda window: -scores[window])
        if not ranked:
            background = all(habits.background(call.shape) for call in suspect.asked)
            return (Verdict(window=SESSION, how="") if background and ruled_out < _CONTRADICTED else None), suspect.candidates
        best = ranked[0]
        if ruled_out > scores[best] + _CONTRADICTED:
            return None, suspect.candidates
        if len(ranked) == 1:
            return self._only(suspect, best, habits), left
        if scores[best] - scores[ranked[1]] >= _SURE:
            return self._by_values(suspect, best), left
        return None, left

    def _only(self, suspect: Suspect, window: int, habits: Habits) -> Verdict | None:
        """The verdict where no other candidate is left; none where this one is left only because nothing is known of it."""
        if any(map(self._patterns.explains, suspect.calls)):
            return self._by_values(suspect, window)
        return Verdict(window=window, how="signature") if habits.knows(self._requests[window].route) else None

    def _by_values(self, suspect: Suspect, window: int) -> Verdict:
        because = tuple(self._rarity.because(call, self._requests[window]) for call in suspect.calls)
        return Verdict(window=window, how="values", because=because)

    def _possible(self, suspect: Suspect, window: int, habits: Habits) -> bool:
        said = self._requests[window]
        if not all(self._patterns.possible(call, window) for call in suspect.calls):
            return False
        made = self._made(window)
        count = Counter(call.shape for call in made)
        if not habits.allow(said, suspect.calls, count) or not self._has_room(suspect, said.route, count):
            return False
        return all(habits.fits(said, call, self._known_to(window)) for call in suspect.calls)

    def _known_to(self, window: int) -> Places:
        """What the request knows, of all calls that it made or may still have made: whose those are is not to be guessed."""
        if window not in self._known:
            perhaps = (n for n in self._of_window[window] if n not in self._verdicts or self._verdicts[n].window == window)
            self._known[window] = known(self._requests[window], [call for n in perhaps for call in self._suspects[n].calls])
        return self._known[window]

    def _has_room(self, suspect: Suspect, route: str, made: Counter[str]) -> bool:
        wanted = Counter(call.shape for call in suspect.calls)
        times = {shape: self._patterns.times(route, shape) for shape in wanted}
        return all(most is None or made[shape] + wanted[shape] <= most for shape, most in times.items())

    def _made(self, window: int) -> list[Told]:
        return [
            call
            for n in self._of_window[window]
            if n in self._verdicts and self._verdicts[n].window == window
            for call in self._suspects[n].calls
        ]

    def _score(self, number: int, suspect: Suspect, window: int) -> float:
        key = number, window
        if key not in self._scores:
            self._scores[key] = self._rarity.score(suspect.calls, self._requests[window])
        return self._scores[key]

    def _fill(self, habits: Habits, left: Mapping[int, tuple[int, ...]]) -> None:
        """Calls of one kind that just fill what their requests still lack: whoever can only be one's, is."""
        kinds: dict[tuple[str, ...], list[int]] = {}
        for number in left:
            if not self._suspects[number].calls:
                continue  # a transaction around nothing is like any other
            kinds.setdefault(tuple(call.shape for call in self._suspects[number].calls), []).append(number)
        for shapes, numbers in kinds.items():
            windows = {window for number in numbers for window in left[number]}
            lacking = {window: self._lacks(habits, window, shapes) for window in windows}
            contents = {number: repr(self._suspects[number].calls) for number in numbers}
            for number, window in assign({n: left[n] for n in numbers}, lacking, contents).items():
                self._verdicts[number] = Verdict(window=window, how="signature")

    def _lacks(self, habits: Habits, window: int, shapes: tuple[str, ...]) -> int | None:
        made = Counter(call.shape for call in self._made(window))
        route = self._requests[window].route
        lacking = habits.lacking(route, shapes, made)
        if lacking is not None or not shapes:
            return lacking
        times = [(self._patterns.times(route, shape), shape, count) for shape, count in Counter(shapes).items()]
        room = {max((most - made[shape]) // count, 0) for most, shape, count in times if most is not None}
        return room.pop() if len(room) == 1 else None


class _Rarity:
    """How much a value says: the fewer requests of the recording hold it, the more; nothing where every call of a kind does."""

    def __init__(self, requests: Sequence[Said], calls: Sequence[Told]) -> None:
        self._mute = _always(calls)
        self._requests = len(requests)
        self._texts: dict[int, tuple[frozenset[str], frozenset[str]]] = {}
        self._asked: Counter[str] = Counter()
        self._answered: Counter[str] = Counter()
        for said in requests:
            asked, answered = _all(said.asked), _all(said.answered)
            self._texts[id(said)] = asked, answered
            self._asked.update(asked)
            self._answered.update(answered)

    def score(self, calls: Sequence[Told], said: Said) -> float:
        """The odds, as a logarithm, that so many values in common are no coincidence."""
        asked, answered = self._texts[id(said)]
        given = {text for call in calls for text in set(call.given) - self._mute[call.shape]} & asked
        found = {text for call in calls for text in _all(call.found) - self._mute[call.shape]} & answered
        weight = sum(self._weight(self._asked[text]) for text in given)
        return weight + sum(self._weight(self._answered[text]) for text in found - given)

    def because(self, call: Told, said: Said) -> str:
        """The rarest values in common and where the request holds them, in words: `request path 4711, response body.id 5`."""
        found = [
            (-self._weight(counts[text]), f"{side} {_spoken(place)}", text)
            for side, texts, places, counts in (
                ("request", frozenset(call.given), said.asked, self._asked),
                ("response", _all(call.found), said.answered, self._answered),
            )
            for place, held in places.items()
            for text in (texts - self._mute[call.shape]) & held
        ]
        first: dict[str, str] = {}
        for _, place, text in sorted(found):
            first.setdefault(text, f"{place} {text}" if _SHORT.fullmatch(text) else place)
        return ", ".join([*dict.fromkeys(first.values())][:_SAID])

    def _weight(self, holders: int) -> float:
        return math.log((self._requests + 1) / (holders + 0.5))


def _spoken(place: str) -> str:
    """A place as a person calls it."""
    return "path" if place.startswith("path.") else place


def _never_varied(calls: Sequence[Told]) -> frozenset[str]:
    """The kinds of calls that were always made with the same values."""
    first: dict[str, tuple[str, ...]] = {}
    varied = {call.shape for call in calls if first.setdefault(call.shape, call.given) != call.given}
    return frozenset(first.keys() - varied)


def _always(calls: Sequence[Told]) -> Mapping[str, frozenset[str]]:
    """For each kind of call the texts that all of them hold."""
    common: dict[str, frozenset[str]] = {}
    count: Counter[str] = Counter()
    for call in calls:
        texts = _all(call.found) | frozenset(call.given)
        common[call.shape] = common[call.shape] & texts if count[call.shape] else texts
        count[call.shape] += 1
    return {shape: texts if count[shape] >= _KIND else frozenset() for shape, texts in common.items()}


def _all(places: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*places.values())
