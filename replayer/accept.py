"""Takes what the last replay answered as the new expectation: rewrites what changed in a case's file, and nothing else."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from replayer import grpc
from replayer.events import Change
from replayer.lastrun import Failed
from wiretape.case import Body, Call, Case, Headers, Message, Request, Response
from wiretape.errors import StoreError
from wiretape.protobuf.registry import NO_TYPES, Registry
from wiretape.protobuf.schema import MessageType
from wiretape.protocols.http import stored_response
from wiretape.secrets import protect
from wiretape.store import load_case, rewrite
from wiretape.tree import Path as Steps
from wiretape.tree import Selector, Tree
from wiretape.typed import typed_case

_NOTHING = Request(method="GET", target="/")
_MESSAGE = 2  # steps before what is inside a header list or a body: response, headers | body


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A file that was written: the places that changed. `calls` findings about calls remain, only recording cures them."""

    name: str
    path: Path
    places: tuple[str, ...]
    calls: int


def accept(chosen: Sequence[Failed], secrets: Mapping[str, str], types: Registry = NO_TYPES) -> Iterator[Accepted]:
    """Rewrites the files of the failed cases, one after another. Raises StoreError where a file cannot be written.

    `types`: those of the service's gRPC calls.
    """
    for failed in chosen:
        if failed.changes:
            _rewrite(failed, secrets, types)
        yield Accepted(
            name=failed.name, path=failed.path, places=tuple(change.path for change in failed.changes), calls=failed.calls
        )


def _rewrite(failed: Failed, secrets: Mapping[str, str], types: Registry) -> None:
    if not failed.path.is_file():
        raise StoreError(f"{failed.path} is gone; run `wiretape replay` again")
    case = typed_case(load_case(failed.path), types)
    live = _stored(failed, secrets, case.response.body.types)
    try:
        response = _with_changes(case.response, live, failed.changes, secrets)
        messages = _with_messages(case.messages, failed, secrets)
    except (LookupError, TypeError):
        raise StoreError(f"{failed.path} was edited since the last run; run `wiretape replay` again") from None
    rewrite(failed.path, replace(case, response=response, messages=messages))


def _stored(failed: Failed, secrets: Mapping[str, str], types: MessageType | None) -> Response:
    """The live response as a recorder would have stored it."""
    got = failed.received
    response = stored_response(got.status, got.reason, got.headers, got.body, got.trailers, types)
    case = Case(name=failed.name, request=_NOTHING, response=response)
    return protect(case, secrets).response


def _with_changes(response: Response, live: Response, changes: Sequence[Change], secrets: Mapping[str, str]) -> Response:
    inside: list[tuple[Steps, Change]] = []
    for change in changes:
        steps = _steps(change.path)
        part = steps[1]
        if steps[0] == "messages":
            continue
        if part == "status":
            response = replace(response, status=live.status, reason=live.reason)
        elif part == "headers":
            response = replace(response, headers=_with_header(response.headers, live.headers, str(steps[2])))
        elif part == "trailers":
            name = str(steps[2])
            response = replace(response, trailers=_with_header(response.trailers, live.trailers, name))
            if name.lower() in grpc.TRAILERS:  # which come in the headers where there is no body
                response = replace(response, headers=_with_header(response.headers, live.headers, name))
        else:
            inside.append((steps[_MESSAGE:], change))
    return replace(response, body=_body(response.body, live, inside, secrets)) if inside else response


def _with_messages(recorded: Sequence[Message], failed: Failed, secrets: Mapping[str, str]) -> tuple[Message, ...]:
    """The conversation with what the service says now, in the places where it spoke; more of it comes last."""
    changed = {_steps(change.path)[1] for change in failed.changes if _steps(change.path)[0] == "messages"}
    if not changed:
        return tuple(recorded)
    case = Case(name=failed.name, request=_NOTHING, response=Response(status=0), messages=failed.received.messages)
    live = deque(protect(case, secrets).messages)
    kept: list[Message] = []
    for at, message in enumerate(recorded):
        if message.direction == "send":
            kept.append(message)
        elif live:
            came = live.popleft()
            kept.append(came if at in changed or len(failed.received.messages) != _received(recorded) else message)
    return (*kept, *live)


def _received(messages: Sequence[Message]) -> int:
    return sum(message.direction == "receive" for message in messages)


def _steps(path: str) -> Steps:
    steps = Selector.parse(path).steps
    return tuple(step for step in steps if isinstance(step, str | int))


def _with_header(recorded: Headers, live: Headers, name: str) -> Headers:
    """The headers with all of one name as they are live, where the first of them stood."""
    fresh = [header for header in live if header[0].lower() == name.lower()]
    kept: list[tuple[str, str]] = []
    placed = False
    for header in recorded:
        if header[0].lower() != name.lower():
            kept.append(header)
        elif not placed:
            kept += [(header[0], value) for _, value in fresh]
            placed = True
    return tuple(kept if placed else [*kept, *fresh])


def _body(recorded: Body, live: Response, changes: Sequence[tuple[Steps, Change]], secrets: Mapping[str, str]) -> Body:
    if recorded.kind != "json" or any(not steps for steps, _ in changes):
        return live.body
    value = copy.deepcopy(recorded.value)
    for steps, change in sorted(changes, key=_turn):
        _apply(_at(value, steps[:-1]), steps[-1], change, secrets)
    return replace(recorded, value=value, raw=b"")


def _turn(entry: tuple[Steps, Change]) -> tuple[int, int, int]:
    """Inner places first, as outer positions are those of the recording until items go or come; then items from the last to the
    first go, then others come where they are live."""
    steps, change = entry
    at = steps[-1] if isinstance(steps[-1], int) else 0
    order = {"removed": 1, "added": 2}.get(change.kind, 0)
    return -len(steps), order, -at if change.kind == "removed" else at


def _at(tree: Tree, steps: Steps) -> Tree:
    for step in steps:
        tree = tree[step]  # type: ignore[index]
    return tree


def _apply(holder: Tree, step: str | int, change: Change, secrets: Mapping[str, str]) -> None:
    """Raises LookupError or TypeError where the place is not there."""
    if change.kind == "removed":
        del holder[step]  # type: ignore[union-attr, arg-type]
        return
    call = Call(target="", operation="", fields={"value": change.live})
    live = protect(call, secrets).fields["value"]
    if change.kind == "added" and isinstance(holder, list) and isinstance(step, int):
        holder.insert(step, live)
    else:
        _ = _at(holder, (step,)) if change.kind != "added" else None
        holder[step] = live  # type: ignore[index]
