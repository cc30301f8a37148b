"""Short ids that the service counts up itself: an order's 17 is 3 in this run, but only where an order's id stands.

Such a value is known by nothing but its place. It is one that a later request links to; it stands in the answer that made it,
in answers of the same collection under the same key (`/orders`, `/orders/17`), under the collection's name (`order_id`), and
in URLs behind the collection's name (`/orders/17`). Nowhere else does it excuse a difference.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from normalizers import origins, resources
from normalizers.pipeline import volatile
from wiretape import links
from wiretape.case import Case
from wiretape.tree import Path, Tree, kind, walk

_DIGITS = re.compile(r"\d+")
_BODY: Path = ("response", "body")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """An id, recorded and live. `place` is where the case named `maker` was answered it; `collection` the path of that case's
    request up to its last word (`/orders`)."""

    maker: str
    place: Path
    collection: str
    recorded: Tree
    live: Tree


class Places:
    """The ids of this run that are known by place."""

    def __init__(self) -> None:
        self._pairs: list[_Pair] = []

    def learn(self, case: Case, recorded: Tree, live: Tree, places: Sequence[Path]) -> None:
        """What a case was answered at the places linked to: an id of the service's own making may be another one now. One that
        came from outside, in the request or in an answer to a call, may not."""
        served: set[str] | None = None
        for place in places:
            try:
                was, now = _segment(links.at(recorded, place), links.at(live, place))
            except LookupError:
                continue
            if links.plain(was) == links.plain(now) or not _counted(was, now):
                continue
            served = set(map(str, origins.served(case))) if served is None else served
            outside = served.union(origins.brought(case, str(place[-1])))
            collection = resources.collection(case.request.target)
            pair = _Pair(maker=case.name, place=place, collection=collection, recorded=was, live=now)
            own = links.plain(was) not in outside and _holds(pair, recorded, live)
            if own and not any(_conflict(pair, known) for known in self._pairs):
                self._pairs.append(pair)

    def forget(self, case: Case) -> None:
        """What a case was answered before is of no account: it is tried again."""
        self._pairs = [pair for pair in self._pairs if pair.maker != case.name]

    def meet(self, case: Case, path: Path, recorded: Tree, live: Tree) -> bool:
        """Whether two values that differ are one id at this place of a case."""
        return any(_meets(pair, case, path, recorded, live) for pair in self._pairs)


def _counted(recorded: Tree, live: Tree) -> bool:
    """Whether both may be ids that are counted up: alike but for their numbers, and of no kind that is known by its form."""
    if isinstance(recorded, bool) or isinstance(live, bool) or kind(recorded) != kind(live):
        return False
    if isinstance(recorded, int):
        return not volatile(recorded)
    if not isinstance(recorded, str) or not isinstance(live, str) or volatile(recorded):
        return False
    return bool(_DIGITS.search(recorded)) and _DIGITS.sub("0", recorded) == _DIGITS.sub("0", live)


def _segment(recorded: Tree, live: Tree) -> tuple[Tree, Tree]:
    """Of two paths that differ in one segment, that segment."""
    if isinstance(recorded, str) and isinstance(live, str) and "/" in recorded:
        left, right = recorded.split("/"), live.split("/")
        differing = [pair for pair in zip(left, right, strict=False) if pair[0] != pair[1]]
        if len(left) == len(right) and len(differing) == 1:
            return differing[0]
    return recorded, live


def _conflict(one: _Pair, other: _Pair) -> bool:
    """Whether two pairs of one collection make one id of two."""
    if one.collection != other.collection:
        return False
    same = (links.plain(one.recorded) == links.plain(other.recorded), links.plain(one.live) == links.plain(other.live))
    return same in ((True, False), (False, True))


def _holds(pair: _Pair, recorded: Tree, live: Tree) -> bool:
    """Whether all of the answer that made an id agrees on it: a Location that still names the recorded one does not."""
    for path, was in walk(recorded):
        if not isinstance(was, str) or _in_url(pair, was) == was:
            continue
        try:
            now = links.at(live, path)
        except LookupError:
            continue
        if now != _in_url(pair, was):
            return False
    return True


def _meets(pair: _Pair, case: Case, path: Path, recorded: Tree, live: Tree) -> bool:
    if isinstance(recorded, str) and isinstance(live, str) and _in_url(pair, recorded) == live != recorded:
        return True
    if links.plain(recorded) != links.plain(pair.recorded) or links.plain(live) != links.plain(pair.live):
        return False
    if kind(recorded) != kind(live):
        return False
    if case.name == pair.maker and path == ("response", *pair.place):
        return True
    key = path[-1] if path else ""
    if isinstance(key, str) and key in resources.id_names(pair.collection):
        return True
    holder = path[len(_BODY) : -1]
    named = key == pair.place[-1] and path[: len(_BODY)] == _BODY and (not holder or isinstance(holder[-1], int))
    return named and resources.of_collection(case.request.target, pair.collection)


def _in_url(pair: _Pair, text: str) -> str:
    """The text with the id changed where it stands behind the name of its collection, as a segment of its own."""
    word = resources.word(pair.collection)
    if not word:
        return text
    was = re.escape(links.plain(pair.recorded))
    return re.sub(rf"(?<=/{re.escape(word)}/){was}(?=$|[/?#\s\"'<>,;])", lambda _: links.plain(pair.live), text)
