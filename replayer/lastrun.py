"""What the last replay saw of each case that failed, for `wiretape accept`: `.wiretape/last-run.jsonl`, its owner's only."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from replayer.events import Change
from replayer.received import Received
from wiretape.case import Case, Message
from wiretape.errors import StoreError
from wiretape.secrets import ensure_home
from wiretape.tree import Number, Tree

FILE = "last-run.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """One case that failed: its file, how its response differed, and the response. `calls`: findings about its calls."""

    name: str
    path: Path
    changes: tuple[Change, ...]
    calls: int
    received: Received


class LastRun:
    """Writes the file as the run goes."""

    def __init__(self, home: Path) -> None:
        try:
            handle = os.open(ensure_home(home) / FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise StoreError(f"cannot write {home / FILE}: {error.strerror or error}") from None
        self._file = os.fdopen(handle, "w")

    def add(self, case: Case, changes: Sequence[Change], calls: int, received: Received) -> None:
        """Remember a case that failed."""
        entry = {
            "case": case.name,
            "path": str(case.path or ""),
            "calls": calls,
            "changes": [[each.path, each.kind, encode(each.live)] for each in changes],
            "status": received.status,
            "reason": received.reason,
            "headers": received.headers,
            "trailers": received.trailers,
            "body": base64.b64encode(received.body).decode(),
            "messages": [[each.direction, each.kind, encode(each.value), each.style] for each in received.messages],
        }
        self._file.write(json.dumps(entry) + "\n")

    def close(self) -> None:
        """The run is over."""
        self._file.close()


def read(home: Path) -> list[Failed]:
    """The failed cases of the last run. Raises StoreError where there was none."""
    path = home / FILE
    try:
        return [_failed(json.loads(line)) for line in path.read_text().splitlines()]
    except FileNotFoundError:
        raise StoreError(f"there is no last run in {home}; run `wiretape replay` first") from None
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"cannot read {path}: {error}; run `wiretape replay` again") from None


def _failed(entry: dict[str, Any]) -> Failed:
    return Failed(
        name=entry["case"],
        path=Path(entry["path"]),
        calls=entry["calls"],
        changes=tuple(Change(path=path, kind=kind, live=decode(live)) for path, kind, live in entry["changes"]),
        received=Received(
            status=entry["status"],
            reason=entry["reason"],
            headers=tuple((name, value) for name, value in entry["headers"]),
            trailers=tuple((name, value) for name, value in entry["trailers"]),
            body=base64.b64decode(entry["body"]),
            messages=tuple(
                Message(direction=direction, kind=kind, value=decode(value), style=style)
                for direction, kind, value, style in entry["messages"]
            ),
        ),
    )


def encode(tree: Tree) -> object:
    """A tree as JSON that `decode` makes the very same of: bytes and the spelling of numbers survive."""
    if isinstance(tree, bytes):
        return ["bytes", base64.b64encode(tree).decode()]
    if isinstance(tree, float):
        return ["number", str(tree)]
    if isinstance(tree, list):
        return ["list", [encode(item) for item in tree]]
    return {key: encode(value) for key, value in tree.items()} if isinstance(tree, dict) else tree


def decode(value: object) -> Tree:
    """The inverse of `encode`."""
    if isinstance(value, list):
        kind, inner = value
        if kind == "bytes":
            return base64.b64decode(inner)
        return Number(inner) if kind == "number" else [decode(item) for item in inner]
    if isinstance(value, dict):
        return {key: decode(item) for key, item in value.items()}
    return cast(Tree, value)
