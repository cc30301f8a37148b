"""From a request to what is asked: the same ask for the same meaning, recorded or live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from wiretape import tracing
from wiretape.case import Call, Headers
from wiretape.casedump import pairs
from wiretape.errors import EncodeError
from wiretape.protocols.base import Ask
from wiretape.protocols.http.forms import header_pairs
from wiretape.protocols.http.graphql import query as graphql_query
from wiretape.protocols.http.meaning import body_meaning, is_grpc, path_parts, query_parts, said, split_target
from wiretape.tree import Path, Tree, spell

_SAFE = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "QUERY"))
_MOST_LEAVES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it is compared. `headers` are those that say something; `body` is its meaning, None where there is none.
    `traces` are the ids in its headers (`wiretape.tracing`)."""

    method: str
    url: str
    headers: Headers
    body: Tree = None
    traces: tuple[str, ...] = field(default=(), compare=False)

    @property
    def operation(self) -> str:
        """The headline of a call."""
        return f"{self.method} {self.url}"

    def fields(self) -> dict[str, Tree]:
        """What a call says of its request besides the headline."""
        found: dict[str, Tree] = {"headers": pairs(self.headers)} if self.headers else {}
        return found if self.body is None else {**found, "body": self.body}


def asked(method: str, url: str, headers: Headers, data: bytes) -> Asked:
    """A request off the wire; `data` is its body without transfer coding, content coding kept."""
    kept = tuple(pair for pair in said(headers) if pair[0] != "content-encoding" and (data or pair[0] != "content-type"))
    return Asked(method=method, url=url, headers=kept, body=body_meaning(data, headers), traces=tracing.in_pairs(headers))


def of_call(call: Call) -> Asked:
    """The request of a recorded call. Header values that are no text are left out: `check` reports them."""
    method, _, url = call.operation.strip().partition(" ")
    try:
        headers = header_pairs(call.fields.get("headers"), "headers")
    except EncodeError:
        headers = ()
    return Asked(method=method, url=url.strip(), headers=said(headers), body=call.fields.get("body"))


def ask(call: Call) -> Ask:
    """A recorded call as an ask."""
    return make(call.target, of_call(call))


def is_streaming(request: Asked) -> bool:
    """Whether a request is a gRPC call with other than one message: their number is no part of what is asked."""
    return is_grpc(request.headers) and isinstance(request.body, list) and len(request.body) != 1


def make(target: str, request: Asked, *, streams: bool = False) -> Ask:
    """The ask of a request to `target`. `streams`: more messages of gRPC will follow."""
    query = graphql_query(request.body) if request.method == "POST" else None
    words = [request.method, "", *([query.text] if query else [])]
    labels: list[str] = []
    values: list[Tree] = []
    words[1] = _path(request, labels, values)
    streams = streams or is_streaming(request)
    if streams:
        words.append("stream")
    body, name = (query.variables, "variables") if query else (request.body, "body")
    for label, value in _parts(request, body, name, whole=streams):
        words.append(label)
        labels.append(label)
        values.append(value)
    return Ask(
        target=target,
        operation=request.operation,
        shape=" ".join(words),
        values=tuple(values),
        labels=tuple(labels),
        writes=query.writes if query else request.method not in _SAFE,
        trace=next(iter(request.traces), ""),
    )


def _path(request: Asked, labels: list[str], values: list[Tree]) -> str:
    """The path with `?` for what looks like an id, which becomes a value: it may be bound to another."""
    origin, path, _ = split_target(request.url)
    if is_grpc(request.headers):
        return path
    shape = [origin]
    for at, (word, varies) in enumerate(path_parts(path)):
        shape.append("?" if varies else word.replace(" ", "%20"))
        if varies:
            labels.append(f"path[{at}]")
            values.append(word)
    return "/".join(shape)


def _parts(request: Asked, body: Tree, name: str, *, whole: bool) -> Iterator[tuple[str, Tree]]:
    """Everything but the path, each with its label, in an order that does not depend on the sender's."""
    for query_name, value in query_parts(split_target(request.url)[2]):
        yield f"query.{query_name}".replace(" ", "%20"), value
    if body is not None:
        yield from [(name, body)] if whole else _leaves(body, name)
    for header, value in sorted(request.headers, key=lambda pair: pair[0]):
        yield f"headers.{header}", value


def _leaves(tree: Tree, name: str) -> Iterator[tuple[str, Tree]]:
    """The tree's leaves with their places; as one value where there are so many that nobody would read them one by one."""
    found: list[tuple[str, Tree]] = []
    for path, leaf in _walk(tree, (name,)):
        if len(found) == _MOST_LEAVES:
            yield name, tree
            return
        found.append((spell(path).replace(" ", "\\u0020"), leaf))
    yield from found


def _walk(tree: Tree, path: Path) -> Iterator[tuple[Path, Tree]]:
    if isinstance(tree, Mapping) and tree:
        for key in sorted(tree, key=str):
            yield from _walk(tree[key], (*path, str(key)))
    elif isinstance(tree, list) and tree:
        for index, item in enumerate(tree):
            yield from _walk(item, (*path, index))
    else:
        yield path, tree
