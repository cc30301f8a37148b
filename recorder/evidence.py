"""What requests and calls say, as texts at places: the material from which `recorder.deduce` concludes who caused what.

A place is spelled without positions in lists (`body.items[].id`), so that one place means the same in every request of a route.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from recorder.routes import Routes
from wiretape import body, tracing
from wiretape.protocols.base import Ask
from wiretape.protocols.http import Exchange
from wiretape.tree import Tree, walk

# Beyond this many values of one message the rest is left out: it is the rare value that tells, not the thousandth.
_MOST: Final = 3000
_LONGEST: Final = 512  # characters
_WORD = re.compile(r"[\w.@:+-]+")
# Headers that say nothing of what a request is about, or the same in every request of a client.
_MUTE: Final = frozenset(
    (
        *("accept", "accept-encoding", "accept-language", "cache-control", "connection", "content-length", "content-type"),
        *("date", "host", "keep-alive", "server", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "vary"),
    )
)

# Fields of calls that are not part of the answer.
_GIVEN: Final = frozenset(("params", "param_types", "args", "headers", "body", "query", "documents", "columns"))

type Places = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A request and its response. `route` is what requests of one kind share: method, path without ids, status. `traces` are
    the ids that were made to be passed on."""

    route: str
    asked: Places
    answered: Places
    traces: frozenset[str] = frozenset()

    @property
    def texts(self) -> frozenset[str]:
        """Everything it was asked."""
        return frozenset().union(*self.asked.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A call: what kind it is, the values it was made with in order, what it was answered."""

    shape: str
    given: tuple[str, ...]
    found: Places


def said(exchange: Exchange, routes: Routes, trace: str = "") -> Said:
    """What an exchange of the service says. `trace` is the id that the recorder gave it, if it did."""
    asked = _collect(_asked(exchange))
    if trace:  # a service may write it down
        asked = {**asked, "trace": frozenset((trace, tracing.request_id(trace), tracing.traceparent(trace)))}
    return Said(
        route=f"{routes.of(exchange.method, exchange.target)} {exchange.status}",
        asked=asked,
        answered=_collect(_message(exchange.response_headers, body.meaning(exchange.response_body, exchange.response_headers))),
        traces=frozenset((*tracing.in_pairs(exchange.request_headers), *([trace] if trace else []))),
    )


def told(ask: Ask, fields: Mapping[str, Tree]) -> Told:
    """What a call says: `ask` is its codec's reading of it, `fields` all of it."""
    given = tuple(text for value in ask.values for _, text in _leaves("", value))
    found = _collect((place, text) for name, value in fields.items() for place, text in _found(name, value))
    return Told(shape=f"{ask.target} {ask.shape}", given=given, found=found)


def _found(name: str, value: Tree) -> Iterator[tuple[str, str]]:
    """What a call was answered. Rows by column: `rows.0` and `rows.1` are different places, as they are different things."""
    if name in _GIVEN:
        return
    if name == "rows" and isinstance(value, list):
        for row in value:
            for at, cell in enumerate(row if isinstance(row, list) else [row]):
                yield from _leaves(f"rows.{at}", cell)
        return
    yield from _leaves(name, value)


def _asked(exchange: Exchange) -> Iterator[tuple[str, str]]:
    parts = urlsplit(exchange.target)
    for at, segment in enumerate(parts.path.split("/")):
        yield f"path.{at}", unquote(segment)
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        yield f"query.{name}", value
    yield from _message(exchange.request_headers, body.meaning(exchange.request_body, exchange.request_headers))


def _message(headers: tuple[tuple[str, str], ...], content: Tree) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        if name.lower() not in _MUTE:
            yield f"headers.{name.lower()}", value
            yield from ((f"headers.{name.lower()}", word) for word in _WORD.findall(value))
    if isinstance(content, str) and len(content) > _LONGEST:
        yield from (("body", word) for word in _WORD.findall(content))
    else:
        yield from _leaves("body", content)


def _leaves(place: str, tree: Tree) -> Iterator[tuple[str, str]]:
    for path, value in walk(tree):
        if value is None or isinstance(value, bool | bytes | dict | list):
            continue
        text = str(value).strip("%")
        if text and len(text) <= _LONGEST:
            yield place + "".join("[]" if isinstance(step, int) else f".{step}" for step in path), text


def _collect(pairs: Iterator[tuple[str, str]]) -> Places:
    found: dict[str, set[str]] = defaultdict(set)
    for count, (place, text) in enumerate(pairs):
        if count == _MOST:
            break
        if text:
            found[place].add(text)
    return {place: frozenset(texts) for place, texts in found.items()}
