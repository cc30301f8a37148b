"""Finds what requests took from earlier responses, and links them to it (`wiretape.links`). Pure.

Linked is what cannot be there by accident: a value nobody repeats, of the service's own making, as the first response that held
it said it; and a short id, where it stands behind the collection (`/orders/17`, `order_id: 17`) in which a request had just
made it. Not what the client said first, nor what a database or another service had answered: those come back as recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import quote

from normalizers import origins, resources
from normalizers.moments import moment_of
from normalizers.origins import Origin, Origins, Span
from wiretape import links
from wiretape.case import Case, Link, Linked
from wiretape.tree import Path, Tree, kind, walk

_TARGET: Final[Path] = ("target",)
_KINDS: Final = ("body", "fields", "meta", "cookies", "headers", "trailers")
_ID_KEYS: Final = ("id", "_id", "uuid", "key", "number", "code", "ref", "reference", "slug")
_DEEP: Final = 3  # steps from the response to an id: body, its wrapper, its key
_MADE: Final = range(200, 400)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A part of a text, and the link that stands for it."""

    start: int
    end: int
    link: Link


def discover(cases: Sequence[Case], ended: Mapping[str, float]) -> list[Case]:
    """The cases, in the order in which they were recorded, with links where their requests hold what earlier ones had answered.

    `ended`: when each case's response was there, seconds since the epoch. Reading links back gives the very requests that were
    recorded; what would not is left as it is.
    """
    known, made = Origins(), _Made()
    recorded = links.Recorded(cases)
    under_way: list[Case] = []
    out: list[Case] = []
    for case in cases:
        started = _at(case)
        for over in [one for one in under_way if ended[one.name] <= started]:
            under_way.remove(over)
            if not over.incomplete:  # such a case is not replayed
                known.answered(over)
                made.take(over)
        out.append(_checked(case, tuple(_in_case(case, known, made, recorded)), recorded))
        known.asked(case)
        under_way.append(case)
    return out


def names_of(cases: Sequence[Case]) -> dict[str, str]:
    """The values that are linked to, each with a name for where it was made (`post-login-200-access`)."""
    recorded = links.Recorded(cases)
    found: dict[str, str] = {}
    for case in cases:
        for link in (piece for linked in case.links for piece in linked.pieces if isinstance(piece, Link)):
            word = next((step for step in reversed(link.place) if isinstance(step, str)), "")
            cookie = "cookie-" if link.place[0] == "cookies" else ""
            found.setdefault(links.plain(recorded.value(link)), f"{link.case}-{cookie}{word}")
    return found


def _checked(case: Case, found: tuple[Linked, ...], recorded: links.Recorded) -> Case:
    """The case with the links that give the recorded text back."""

    def exact(linked: Linked) -> bool:
        return links.fill(case.request, (linked,), recorded.value) == case.request

    kept = tuple(linked for linked in found if exact(linked))
    return replace(case, links=kept) if kept else case


def _in_case(case: Case, known: Origins, made: _Made, recorded: links.Recorded) -> Iterator[Linked]:
    for place, text in origins.texts(case):
        header = case.request.headers[int(place[1])][0].lower() if place[0] == "headers" else ""
        taken = _in_text(case, place, text, header, known, made, recorded)
        if taken:
            yield Linked(place=place, pieces=tuple(_pieces(text, taken)))
    if case.request.body.kind == "json":
        yield from _numbers(case, made, recorded)


def _in_text(
    case: Case, place: Path, text: str, header: str, known: Origins, made: _Made, recorded: links.Recorded
) -> list[_Found]:
    """What stands in a text that earlier responses said, in its order; of what overlaps the longest."""
    found: list[_Found] = []
    spans = list(origins.path_spans(text)) if place == _TARGET else []
    for span in (*origins.spans(text), *spans):
        origin = known.of(span.value)
        if origin is not None and not origin.served and (link := _link(origin, place, text, header, span)):
            found.append(_Found(start=span.start, end=span.end, link=link))
    found += made.in_path(text, spans) if place == _TARGET else made.in_body(case, place, text)
    found += [beside for each in list(found) for beside in _beside(case, each.link, spans, known, recorded)]
    if place == _TARGET and any(_expired(case, each.link, recorded) for each in found):
        return []
    if place == _TARGET and any(each.start for each in found):
        found = [each for each in found if each.start]  # the path stays readable
    kept: list[_Found] = []
    for each in sorted(found, key=lambda one: (one.start - one.end, one.start)):
        if all(each.end <= other.start or each.start >= other.end for other in kept):
            kept.append(each)
    return sorted(kept, key=lambda one: one.start)


def _beside(case: Case, link: Link, spans: Sequence[Span], known: Origins, recorded: links.Recorded) -> Iterator[_Found]:
    """What else of the query came from the URL that a value in it is linked to, by the same name, and had not been said by the
    client: when a signed URL expires."""
    target = case.request.target
    query = _query_of(link, recorded)
    for span in spans:
        name = _query_name(target, span)
        if name and query.get(name) == span.value and not known.said(span.value):
            beside = _written(link.case, (*link.place[:-1], name), _TARGET, target, span)
            if beside is not None:
                yield _Found(start=span.start, end=span.end, link=beside)


def _expired(case: Case, link: Link, recorded: links.Recorded) -> bool:
    """Whether a request takes its query from a URL that had been valid when it was answered, and was no more when it was asked
    for: it is to be asked for as it was."""
    made, asked = _at(recorded.case(link.case)), _at(case)
    return any(made < moment.at < asked for value in _query_of(link, recorded).values() if (moment := moment_of(value)))


def _query_of(link: Link, recorded: links.Recorded) -> dict[str, Tree]:
    """The query of the URL that a value is linked to in; empty where it is in none."""
    query = links.at(recorded.answer(link.case), link.place[:-1]) if link.place[-2:-1] == ("query",) else None
    return query if isinstance(query, dict) else {}


def _at(case: Case) -> float:
    """When a request was sent, seconds since the epoch."""
    return datetime.fromisoformat(case.recorded).timestamp()


def _query_name(target: str, span: Span) -> str:
    """The name that a value of the query stands behind; empty for a segment of the path."""
    before = target[: span.start]
    return before[:-1].replace("?", "&").rpartition("&")[2] if before.endswith("=") else ""


def _link(origin: Origin, place: Path, text: str, header: str, span: Span) -> Link | None:
    """The link from the most readable of the places that say the value."""
    places = list(filter(_sayable, origin.places))
    if not places:
        return None
    return _written(origin.case, min(places, key=lambda each: _readable(each, header)), place, text, span)


def _sayable(place: Path) -> bool:
    """Whether a place may be named in a file: by no key that is itself a value, which may be a secret."""
    return not any(isinstance(step, str) and ("${" in step or origins.unmistakable(step)) for step in place)


def _written(case: str, best: Path, place: Path, text: str, span: Span) -> Link | None:
    """The link that gives the recorded part of the text back; None where none does."""
    part = text[span.start : span.end]
    if place != _TARGET or span.start == 0:
        return links.link_to(case, best) if part == span.value else None
    if quote(span.value, safe="") == part:
        return links.link_to(case, best)
    return links.link_to(case, best, raw=True) if part == span.value else None


def _readable(place: Path, header: str) -> tuple[bool, int, int]:
    """The order of places: a cookie for a cookie, then what is named in few words."""
    return ((place[0] == "cookies") != (header == "cookie"), len(place), _KINDS.index(str(place[0])))


def _pieces(text: str, taken: Sequence[_Found]) -> Iterator[str | Link]:
    done = 0
    for each in taken:
        if each.start > done:
            yield text[done : each.start]
        yield each.link
        done = each.end
    if done < len(text):
        yield text[done:]


def _numbers(case: Case, made: _Made, recorded: links.Recorded) -> Iterator[Linked]:
    """Ids in a JSON body that are numbers."""
    for path, value in walk(case.request.body.value, ("body",)):
        if isinstance(value, int) and not isinstance(value, bool):
            link = made.named(str(path[-1]), str(value))
            if link is not None and kind(recorded.value(link)) == "integer":
                yield Linked(place=path, pieces=(link,))


class _Made:
    """What requests have made so far: the things of each collection, by the id that they were answered."""

    def __init__(self) -> None:
        self._things: dict[tuple[str, str], Link] = {}
        self._names: dict[tuple[str, str], Link] = {}

    def take(self, case: Case) -> None:
        """A POST to a collection that was answered an id which it had not brought itself."""
        request = case.request
        if request.method != "POST" or case.response.status not in _MADE:
            return
        path = request.target.partition("?")[0].rstrip("/")
        found = _id_of(case, path)
        if found is None or found[1] in origins.brought(case, str(found[0][-1])):
            return
        link = links.link_to(case.name, found[0])
        self._things[path, found[1]] = link
        for name in resources.id_names(path):
            self._names[name, found[1]] = link

    def in_path(self, target: str, spans: Sequence[Span]) -> Iterator[_Found]:
        """Ids behind their collection in a path, or in a query by their name."""
        for span in spans:
            link = self._things.get((target[: max(span.start - 1, 0)], span.value))
            if link is None and (name := _query_name(target, span)):
                link = self.named(name, span.value)
            if link is not None and quote(span.value, safe="") == target[span.start : span.end]:
                yield _Found(start=span.start, end=span.end, link=link)

    def in_body(self, case: Case, place: Path, text: str) -> Iterator[_Found]:
        """An id by its name in a tree or a form."""
        name = str(place[-1])
        if (
            place[0] == "body"
            and case.request.body.kind == "form"
            and place[-1] == 1
            and isinstance(case.request.body.value, list)
        ):
            pair = case.request.body.value[int(place[1])]
            name = str(pair[0]) if isinstance(pair, list) else ""
        link = self.named(name, text) if place[0] == "body" else None
        if link is not None:
            yield _Found(start=0, end=len(text), link=link)

    def named(self, name: str, value: str) -> Link | None:
        """The link for `order_id: 17`."""
        return self._names.get((name, value))


def _id_of(case: Case, path: str) -> tuple[Path, str] | None:
    """Where the response says what the new thing is called, and that."""
    answer = links.Recorded([case]).answer(case.name)
    assert isinstance(answer, dict)
    keys = (*_ID_KEYS, *sorted(resources.id_names(path)))
    found = [
        (place, value)
        for place, value in walk(answer["body"], ("body",))
        if len(place) <= _DEEP
        and _sayable(place)
        and place[-1] in keys
        and isinstance(value, str | int)
        and not isinstance(value, bool)
    ]
    if found:
        place, value = min(found, key=lambda one: (len(one[0]), keys.index(str(one[0][-1]))))
        return place, str(value)
    return _by_location(answer, path)


def _by_location(answer: dict[str, Tree], path: str) -> tuple[Path, str] | None:
    """The id in the Location of what was made: the segment behind the collection's own path."""
    place: Path = ("headers", "location", "path")
    try:
        segments = links.at(answer, place)
    except LookupError:
        return None
    own = path.removeprefix("/").split("/")
    if not isinstance(segments, list) or len(segments) != len(own) + 1 or segments[:-1] != own:
        return None
    return (*place, len(own)), str(segments[-1])
