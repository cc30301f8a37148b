"""What is special about gRPC when its answers are compared: the status in the trailers, or in the headers of an answer without
a body; messages whose types are not known. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from replayer.events import Change
from wiretape.body import media_type
from wiretape.case import Headers
from wiretape.tree import Tree

# github.com/grpc/grpc/blob/master/doc/statuscodes.md
_NAMES = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip
STATUSES: Mapping[str, str] = MappingProxyType({str(code): name for code, name in enumerate(_NAMES)})
_STATUS = "grpc-status"
TRAILERS = (_STATUS, "grpc-message", "grpc-status-details-bin")


@dataclass(frozen=True, slots=True)
class Parted:
    """Headers and trailers, each where it belongs."""

    headers: Headers
    trailers: Headers


def parted(headers: Headers, trailers: Headers) -> Parted:
    """The status of a gRPC answer is in its trailers, also where it came in the headers because there was no body."""
    if not media_type(headers).startswith("application/grpc"):
        return Parted(headers, trailers)
    early = tuple(pair for pair in headers if pair[0].lower() in TRAILERS)
    return Parted(tuple(pair for pair in headers if pair not in early), (*early, *trailers))


def named(change: Change) -> Change:
    """The change with the names of gRPC statuses, where it is one of a status."""
    if not change.path.endswith(f".{_STATUS}") or change.reason:
        return change
    was, now = (STATUSES.get(str(value), str(value)) for value in (change.recorded, change.live))
    reason = {"removed": f"{was} is gone", "added": f"{now} is new"}.get(change.kind, f"{was} became {now}")
    return replace(change, reason=reason)


def levelled(recorded: Tree, live: Tree) -> tuple[Tree, Tree]:
    """Messages of no known type: a field that came once on one side and several times on the other repeats on both."""
    if isinstance(recorded, list) and isinstance(live, list):
        pairs = [levelled(*pair) for pair in zip(recorded, live, strict=False)]
        return [was for was, _ in pairs] + recorded[len(pairs) :], [now for _, now in pairs] + live[len(pairs) :]
    if not isinstance(recorded, dict) or not isinstance(live, dict):
        return recorded, live
    was, now = dict(recorded), dict(live)
    for name in was.keys() & now.keys():
        if isinstance(was[name], list) != isinstance(now[name], list):
            was[name], now[name] = _listed(was[name]), _listed(now[name])
        was[name], now[name] = levelled(was[name], now[name])
    return was, now


def _listed(value: Tree) -> Tree:
    return value if isinstance(value, list) else [value]
