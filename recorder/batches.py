"""Calls that one request made for several: what requests look up at the same moment is looked up at once, by the first of them.

Dataloaders do that, on behalf of whoever asked. The id that such a call carries is that of one request, and so tells only half.
Pure.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from recorder.evidence import Said, Told

_WORD = re.compile(r"[\w.@:+-]+")  # `{1,2,3}` holds three values


class Batches:
    """What is known of who makes calls of which kind by itself."""

    def __init__(self, requests: Sequence[Said], made: Iterable[tuple[int, Told]]) -> None:
        """`made` are calls with the request that each one names."""
        self._requests = requests
        self._texts: dict[int, frozenset[str]] = {}
        self._makers: dict[str, set[int]] = defaultdict(set)
        for window, call in made:
            self._makers[call.shape].add(window)
        self._routes = {shape: {requests[window].route for window in windows} for shape, windows in self._makers.items()}

    def served(self, call: Told, owner: int, around: Iterable[int]) -> tuple[int, ...]:
        """Who besides `owner` a call was made for, of those in flight (`around`) when it began; none where it is its own alone.

        A call of several values, some of which the owner did not ask for, while others did who make such a call as a rule, but
        have made none. Then whoever asked for any of the values without a call of its own had it from this one.
        """
        given = {word for text in call.given for word in _WORD.findall(text)}
        if len(given) < 2:
            return ()
        makers, routes = self._makers[call.shape], self._routes.get(call.shape, set())
        idle = [one for one in around if one not in makers and self._requests[one].route in routes]
        wanted = {one: given & self._asked(one) for one in idle}
        foreign = any(words - self._asked(owner) for words in wanted.values())
        return tuple(one for one, words in wanted.items() if words) if foreign else ()

    def _asked(self, window: int) -> frozenset[str]:
        if window not in self._texts:
            self._texts[window] = self._requests[window].texts
        return self._texts[window]
