"""Which cases may be under way at once: those whose calls can be told apart, and none of which needs the other. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from normalizers.pipeline import names_one, volatile_header
from replayer.bindings import Bindings, may_vary, words
from replayer.scope import Expected, Key
from wiretape import links
from wiretape.case import Case, Headers
from wiretape.protocols import RAW
from wiretape.protocols.base import Codec
from wiretape.tree import Tree, same, walk

_MOST = 1000  # pairs of calls compared; cases with more of one shape are not told apart
_SHORTEST = 8  # characters of a value that names one thing


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What of a case decides beside which others it may run. `alone` says why beside none, else it is empty. `producers` are
    the cases that it links to, `names` the values in it that name one thing (ids, tokens); `steady`: no call of it is ever
    answered in another way later on."""

    name: str
    alone: str
    producers: frozenset[str] = frozenset()
    asks: Mapping[Key, Sequence[Expected]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    steady: bool = False


def profile(case: Case, entries: Sequence[Expected], codecs: Mapping[str, Codec]) -> Profile:
    """Of a case and its calls."""
    asks: dict[Key, list[Expected]] = {}
    for entry in entries:
        if entry.ask.role == "query":
            asks.setdefault((entry.ask.target, entry.ask.shape), []).append(entry)
    return Profile(
        alone=_reason(case, entries, codecs),
        name=case.name,
        producers=frozenset(links.producers(case)),
        asks=asks,
        names=frozenset(_names(case)),
        steady=all(_answered_alike(shelf) for shelf in asks.values()),
    )


def _reason(case: Case, entries: Sequence[Expected], codecs: Mapping[str, Codec]) -> str:
    if case.messages:
        return "it is a WebSocket's"
    if case.response.unfinished:
        return "its answer has no end"
    if any(codecs[call.target].name == RAW for call in case.calls):
        return "it makes calls that nothing is understood of"
    if any(entry.ask.role == "push" or entry.ask.blocks is not None for entry in entries):
        return "its server speaks unasked, or is waited for"
    if any(call.ambiguous for call in case.calls):
        return "its calls may be those of other cases"
    return ""


def _answered_alike(shelf: Sequence[Expected]) -> bool:
    return all(same(dict(entry.call.fields), dict(shelf[0].call.fields)) for entry in shelf[1:])


def needs(later: Profile, earlier: Profile, bindings: Bindings) -> bool:
    """Whether what the earlier of two cases does may change what the later one is sent, served or compared with: it links to
    it, or both hold a name of which it is not known yet what stands for it."""
    if earlier.name in later.producers:
        return True
    return any(not bindings.settled(name) for name in later.names & earlier.names)


def apart(one: Profile, other: Profile, bindings: Bindings, traced: Callable[[str], bool]) -> bool:
    """Whether any call of two cases shows which of the two made it, or it makes no difference."""
    for key in one.asks.keys() & other.asks.keys():
        if traced(key[0]):
            continue
        mine, theirs = one.asks[key], other.asks[key]
        if len(mine) * len(theirs) > _MOST:
            return False
        writes = one.steady and other.steady
        if not all(_told(left, right, bindings, writes=writes) for left in mine for right in theirs):
            return False
    return True


def _told(left: Expected, right: Expected, bindings: Bindings, *, writes: bool) -> bool:
    if left.noise is None and right.noise is None:
        mine, theirs = list(left.ask.values), list(right.ask.values)
        if same(mine, theirs):
            return (writes or not left.ask.writes) and same(dict(left.call.fields), dict(right.call.fields))
        if len(mine) != len(theirs):
            return True
        return not all(_may_meet(*pair, bindings) for pair in zip(mine, theirs, strict=True))
    return False


def _may_meet(left: Tree, right: Tree, bindings: Bindings) -> bool:
    """Whether one live value could mean either of two recorded ones."""
    if same(left, right):
        return True
    if not may_vary(left) and not may_vary(right):
        return False
    return not (_settled(left, bindings) and _settled(right, bindings))


def _settled(value: Tree, bindings: Bindings) -> bool:
    return isinstance(value, str) and _is_name(value) and bindings.settled(value)


def _names(case: Case) -> Iterator[str]:
    request, response = case.request, case.response
    yield from _in_tree([request.target, request.body.value, response.body.value])
    for headers in (request.headers, request.trailers, response.headers, response.trailers):
        yield from _in_headers(headers)
    for call in case.calls:
        yield from _in_tree([call.operation, dict(call.fields)])


def _in_headers(headers: Headers) -> Iterator[str]:
    return _in_tree([value for name, value in headers if not volatile_header(name)])


def _in_tree(tree: Tree) -> Iterator[str]:
    for _, value in walk(tree):
        if isinstance(value, str) and len(value) >= _SHORTEST:
            yield from (word for word in (value, *words(value)) if len(word) >= _SHORTEST and _is_name(word))


@lru_cache(maxsize=65536)
def _is_name(word: str) -> bool:
    return names_one(word)
