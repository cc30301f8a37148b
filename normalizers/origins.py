"""Where the values of requests come from: the earlier responses that they were first seen in.

Only values that nobody repeats by accident: UUIDs, tokens, cursors, and the URLs that hold them. What a client said first is
the client's, whoever repeats it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote, unquote_plus, urlsplit

from normalizers.headers import volatile_header
from normalizers.ids import OBJECT_ID, ULID, UUID
from normalizers.tokens import drawn, jwt_parts
from wiretape import links
from wiretape.case import Case
from wiretape.links import revised
from wiretape.tree import Path, Tree, walk

_LONGEST: Final = 8192  # characters of a value
_MOST: Final = 3000  # values of one response
_WORDS: Final = tuple(re.compile(pattern) for pattern in (r"[\w.~+/=-]+", r"[\w.~-]+", r"[\w-]+"))
_PAIR: Final = re.compile(r"(?:^|; ?)[^=;]+=([^;]*)")  # of a Cookie header
# Fields of calls that are not part of the answer.
_GIVEN: Final = frozenset(("params", "param_types", "args", "headers", "body", "query", "documents", "columns"))
_LEFT_OUT: Final = frozenset(("set-cookie", "etag", "last-modified"))  # cookies have names of their own
_ORDER: Final = ("body", "fields", "meta", "cookies", "headers", "trailers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The response that a value was first seen in, and the places where. `served`: a call had been answered it before, so the
    service did not make it."""

    case: str
    places: tuple[Path, ...]
    served: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of a text, and the value it says: decoded, where the text is a path."""

    start: int
    end: int
    value: str


class Origins:
    """What is known at one moment of a recording: requests are noted as they are sent, answers as they have come."""

    def __init__(self) -> None:
        self._made: dict[str, Origin] = {}
        self._said: set[str] = set()
        self._served: set[str] = set()

    def of(self, value: str) -> Origin | None:
        """The response that a value of a request comes from; None where it comes from none."""
        return self._made.get(value)

    def said(self, value: str) -> bool:
        """Whether a client has said the value before any response did."""
        return value in self._said

    def asked(self, case: Case) -> None:
        """A request was sent."""
        for _, text in texts(case):
            self._said.update(span.value for span in spans(text) if span.value not in self._made)
            self._said.update(span.value for span in path_spans(text) if span.value not in self._made)

    def answered(self, case: Case) -> None:
        """Its calls and its response came."""
        self._served.update(value for value in served(case) if isinstance(value, str) and unmistakable(value))
        found: dict[str, list[Path]] = {}
        for place, value in _values(case):
            if value not in self._made and value not in self._said:
                found.setdefault(value, []).append(place)
        for value, places in found.items():
            self._made[value] = Origin(case=case.name, places=tuple(places), served=value in self._served)


def served(case: Case) -> Iterator[Tree]:
    """The values that the case's calls were answered."""
    for call in case.calls:
        answer: Tree = {name: value for name, value in call.fields.items() if name not in _GIVEN}
        yield from (value for _, value in walk(answer) if not isinstance(value, dict | list))


def brought(case: Case, key: str) -> Iterator[str]:
    """What a request itself says by the name of `key`, or in its path: an answer that says it again has not made it."""
    yield from (span.value for span in path_spans(case.request.target))
    body = case.request.body.value
    for path, value in walk(body):
        if isinstance(value, dict | list):
            continue
        pair = case.request.body.kind == "form" and isinstance(body, list) and len(path) == 2 and path[1] == 1
        name = body[int(path[0])][0] if pair else path[-1] if path else ""  # type: ignore[index]
        if name == key:
            yield str(value)


def unmistakable(value: str) -> bool:
    """Whether nobody writes this string twice by accident."""
    if len(value) > _LONGEST:
        return False
    return any(each.recognises(value) for each in (UUID, ULID, OBJECT_ID)) or drawn(value) or jwt_parts(value) is not None


def texts(case: Case) -> Iterator[tuple[Path, str]]:
    """Every text of a request that may hold a value from a response, with its place (`wiretape.links.revised`)."""
    found: list[tuple[Path, str]] = []

    def note(place: Path, text: str) -> str:
        if place[0] != "headers" or not volatile_header(case.request.headers[int(place[1])][0]):
            found.append((place, text))
        return text

    revised(case.request, note)
    yield from found


def spans(text: str) -> Iterator[Span]:
    """The whole text and every word in it, longer ones first."""
    if not text or len(text) > 8 * _LONGEST:
        return
    yield Span(start=0, end=len(text), value=text)
    seen = {(0, len(text))}
    for start, end in (*(found.span(1) for found in _PAIR.finditer(text)), *_words(text)):
        if (start, end) not in seen and end > start:
            seen.add((start, end))
            yield Span(start=start, end=end, value=text[start:end])


def _words(text: str) -> Iterator[tuple[int, int]]:
    for words in _WORDS:
        yield from (found.span() for found in words.finditer(text))


def path_spans(target: str) -> Iterator[Span]:
    """The segments of a path and the values of its query, decoded."""
    path, mark, query = target.partition("?")
    at = 0
    for segment in path.split("/"):
        yield Span(start=at, end=at + len(segment), value=unquote(segment))
        at += len(segment) + 1
    at = len(path) + 1
    for pair in query.split("&") if mark else []:
        name, equals, value = pair.partition("=")
        if equals:
            start = at + len(name) + 1
            yield Span(start=start, end=start + len(value), value=unquote_plus(value))
        at += len(pair) + 1


def implied(cases: Sequence[Case]) -> dict[str, tuple[str, ...]]:
    """Case -> the earlier cases whose responses its request holds values of, without linking to them; in recorded order."""
    origins = Origins()
    found: dict[str, tuple[str, ...]] = {}
    for case in cases:
        names = (
            origin.case
            for place, text in texts(case)
            for span in (*spans(text), *(path_spans(text) if place == ("target",) else ()))
            if (origin := origins.of(span.value)) is not None
        )
        if needs := tuple(dict.fromkeys(names)):
            found[case.name] = needs
        origins.asked(case)
        origins.answered(case)
    return found


def _values(case: Case) -> Iterator[tuple[Path, str]]:
    """The unmistakable values of a response, the most readable places first."""
    answer = links.Recorded([case]).answer(case.name)
    assert isinstance(answer, dict)
    for number, (place, value) in enumerate(_leaves(answer)):
        if number == _MOST:
            return
        if unmistakable(value):
            yield place, value
        if value[:1] == "/" or value.startswith(("http://", "https://")):
            yield from _of_url(place, value)


def _leaves(answer: dict[str, Tree]) -> Iterator[tuple[Path, str]]:
    for part in _ORDER:
        for path, value in walk(answer[part], (part,)):
            named = len(path) > 1 and str(path[1])
            if not isinstance(value, str) or (part == "headers" and named and (named in _LEFT_OUT or volatile_header(named))):
                continue
            yield path, value


def _of_url(place: Path, url: str) -> Iterator[tuple[Path, str]]:
    """A URL that holds an unmistakable value, as a request would ask for it, and that value."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    inner = [((*place, "query", name), value) for name, value in parse_qsl(parts.query) if unmistakable(value)]
    segments = enumerate(parts.path.removeprefix("/").split("/"))
    inner += [((*place, "path", at), unquote(segment)) for at, segment in segments if unmistakable(unquote(segment))]
    if inner:
        target = links.at(url, ("target",))
        yield (place if target == url else (*place, "target")), str(target)
    yield from inner
