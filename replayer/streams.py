"""What comes piece by piece, compared piece by piece: events, messages of a gRPC stream, messages of a WebSocket. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from replayer import trees
from replayer.events import Change
from replayer.trees import Comparison
from wiretape.body import websocket
from wiretape.case import Message
from wiretape.tree import Path, Tree

_COMMENT = "comment"


def compare_events(path: Path, recorded: list[Tree], live: list[Tree], by: Comparison, *, unfinished: bool) -> Iterator[Change]:
    """Events, without what no consumer sees: comments that keep the connection alive. Places are those of the recorded list."""
    mine, theirs = _told(recorded), _told(live)
    if unfinished:
        theirs = theirs[: len(mine)]
    places = ([at for at, _ in mine], [at for at, _ in theirs])
    yield from trees.arrays(path, [event for _, event in mine], [event for _, event in theirs], by, places)


def _told(events: Sequence[Tree]) -> list[tuple[int, Tree]]:
    told = ((at, _seen(event)) for at, event in enumerate(events))
    return [(at, event) for at, event in told if event]


def _seen(event: Tree) -> Tree:
    return {name: value for name, value in event.items() if name != _COMMENT} if isinstance(event, dict) else event


def events_of(events: Sequence[Tree]) -> int:
    """How many events a consumer sees."""
    return len(_told(events))


def compare_messages(recorded: Sequence[Message], live: Sequence[Message], by: Comparison) -> Iterator[Change]:
    """What came over a WebSocket, `recorded` with what was sent: `messages[3].receive.total`."""
    mine = [(at, message) for at, message in enumerate(recorded) if message.direction == "receive"]
    theirs = [(len(recorded) + at, message) for at, message in enumerate(live)]
    for at, (place, message) in enumerate(theirs[: len(mine)]):
        theirs[at] = (min(mine[at][0], place), message)
    left, right = [_wrapped(message) for _, message in mine], [_wrapped(message) for _, message in theirs]
    places = ([at for at, _ in mine], [at for at, _ in theirs])
    yield from trees.arrays(("messages",), left, right, by, places)


def _wrapped(message: Message) -> Tree:
    return {message.direction: websocket.meaning(message)}
