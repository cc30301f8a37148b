"""Responses compared by meaning: status, headers, body, trailers, messages. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from replayer import documents, grpc, streams, trees
from replayer.events import Change
from replayer.headers import gathered, headers
from replayer.received import Received
from replayer.trees import Comparison
from wiretape import body as bodies
from wiretape.body import markup, websocket
from wiretape.case import Headers, Message, Response
from wiretape.protobuf.schema import MessageType
from wiretape.tree import Path, Tree, same

__all__ = ["Comparison", "compare", "live_tree", "meaning", "messages_tree", "recorded_tree", "tree_of"]

_FORM = "application/x-www-form-urlencoded"
_EVENTS = "text/event-stream"
_BODY: Path = ("response", "body")


def compare(recorded: Response, live: Received, by: Comparison, messages: tuple[Message, ...] = ()) -> tuple[Change, ...]:
    """Every difference: status, headers, body, trailers, the WebSocket `messages` that were received. Fresh ids of the body are
    bound before headers are read."""
    body = list(_body(recorded, live, by))
    status = list(trees.values(("response", "status"), recorded.status, live.status, by))
    was, now = grpc.parted(recorded.headers, recorded.trailers), grpc.parted(live.headers, live.trailers)
    head = headers(("response", "headers"), was.headers, now.headers, by)
    trailers = headers(("response", "trailers"), was.trailers, now.trailers, by)
    conversation = streams.compare_messages(messages, live.messages, by)
    return (*status, *head, *body, *map(grpc.named, trailers), *conversation)


def tree_of(headers: Headers, body: Tree, status: int, trailers: Headers) -> dict[str, Tree]:
    """A response as the tree that selectors speak of."""
    said = markup.view(body) if markup.is_markup(bodies.media_type(headers)) else body
    tree: dict[str, Tree] = {"status": status, "headers": gathered(headers), "body": said}
    return tree | ({"trailers": gathered(trailers)} if trailers else {})


def meaning(data: bytes, headers: Headers, types: MessageType | None = None, like: Tree = None) -> Tree:
    """What a body says; a form whose names are all different is a mapping, as in the case's file."""
    value = bodies.meaning(data, headers, types, like)
    if isinstance(value, list) and bodies.media_type(headers) == _FORM:
        pairs = [(str(pair[0]), pair[1]) for pair in value if isinstance(pair, list)]
        if len(dict(pairs)) == len(pairs):
            return dict(pairs)
    return value


def recorded_tree(response: Response) -> dict[str, Tree]:
    """The recorded response as the tree that selectors speak of."""
    was = grpc.parted(response.headers, response.trailers)
    return tree_of(was.headers, _recorded_meaning(response), response.status, was.trailers)


def live_tree(live: Received, recorded: Response) -> dict[str, Tree]:
    """The live response as the tree that selectors speak of, read like the recorded one."""
    now = grpc.parted(live.headers, live.trailers)
    return tree_of(now.headers, _live_meaning(live, recorded, _recorded_meaning(recorded)), live.status, now.trailers)


def messages_tree(messages: Sequence[Message]) -> Tree:
    """The messages of a WebSocket as the tree that selectors speak of."""
    return [{message.direction: websocket.meaning(message)} for message in messages]


def _recorded_meaning(response: Response) -> Tree:
    return meaning(bodies.write(response.body, response.headers), response.headers, response.body.types)


def _live_meaning(live: Received, recorded: Response, like: Tree) -> Tree:
    return meaning(live.body, live.headers, recorded.body.types, like)


def _body(recorded: Response, live: Received, by: Comparison) -> Iterator[Change]:
    left = _recorded_meaning(recorded)
    right = _live_meaning(live, recorded, left)
    if bodies.is_grpc(recorded.headers) and recorded.body.types is None:
        left, right = grpc.levelled(left, right)
    if left is None and right is not None and not same(left, right):
        empty = recorded.body.kind == "empty"
        yield from trees.one(_BODY, trees.GONE, right, by) if empty else trees.values(_BODY, left, right, by)
    elif right is None and left is not None and not live.body:
        yield from trees.one(_BODY, left, trees.GONE, by)
    else:
        yield from _told(recorded, live, (left, right), by)


def _told(recorded: Response, live: Received, both: tuple[Tree, Tree], by: Comparison) -> Iterator[Change]:
    """The differences of two bodies in the way of their kind, if they are of one kind."""
    left, right = both
    kinds = [bodies.media_type(headers) for headers in (recorded.headers, live.headers)]
    if isinstance(left, list) and isinstance(right, list) and not _allowed_whole(right, by):
        if markup.is_markup(kinds[0]) and markup.is_markup(kinds[1]):
            yield from documents.compare(_BODY, left, right, by)
            return
        if kinds == [_EVENTS] * 2 or (recorded.unfinished and kinds[0] == kinds[1]):
            yield from streams.compare_events(_BODY, left, right, by, unfinished=recorded.unfinished)
            return
    if any(map(markup.is_markup, kinds)):  # one of them is no document, or is another kind of text
        left, right = (_text(tree, data, headers) for tree, data, headers in _sources(recorded, live, both))
    yield from trees.values(_BODY, left, right, by)


def _allowed_whole(live: Tree, by: Comparison) -> bool:
    return any(each.recognises(live) for each in by.rules.at(_BODY))


def _sources(recorded: Response, live: Received, both: tuple[Tree, Tree]) -> Iterator[tuple[Tree, bytes, Headers]]:
    yield both[0], bodies.write(recorded.body, recorded.headers), recorded.headers
    yield both[1], live.body, live.headers


def _text(tree: Tree, data: bytes, headers: Headers) -> Tree:
    if not markup.is_element(tree):
        return tree
    return bodies.decoded(data, headers).decode(errors="replace")
