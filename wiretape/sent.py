"""What `wiretape send` tells of the requests it sent, so that a recorder that saw them come knows which case each one is.

A file of one JSON object a line. It holds live tokens, so only its owner may read it; whoever wants it deletes it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self

from wiretape.case import Headers
from wiretape.errors import StoreError

# Headers that may differ between what is sent and what comes: set for each connection anew, or by a proxy between.
_CHANGING: Final = frozenset(
    (
        *("connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "te", "trailer"),
        *("transfer-encoding", "upgrade", "sec-websocket-key", "traceparent", "tracestate", "x-request-id"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request as it was sent for `case`: `digest` tells it from others. `status` is 0 where no answer came: `error` says
    why. `standing` maps recorded values to the live ones that the answer brought in their place."""

    case: str
    digest: str
    status: int = 0
    error: str = ""
    standing: Mapping[str, str] = field(default_factory=dict)


def digest(method: str, target: str, headers: Headers, body: bytes) -> str:
    """The same for a request as it is sent and as it comes; `body` without transfer coding."""
    named = sorted((name.lower(), value) for name, value in headers if name.lower() not in _CHANGING)
    return hashlib.blake2b(repr((method, target, named)).encode(errors="surrogatepass") + b"\0" + body).hexdigest()


class SentLog:
    """Writes the file, line by line as requests are answered. Raises StoreError where it cannot be written."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8")
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror or error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, sent: Sent) -> None:
        self._file.write(json.dumps(asdict(sent)) + "\n")
        self._file.flush()


def read_sent(path: Path) -> Sequence[Sent]:
    """What was sent, in order; nothing where the file is not there. A last line that is not whole is left out."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from None
    return tuple(_whole(lines))


def _whole(lines: Iterable[str]) -> Iterable[Sent]:
    for line in lines:
        try:
            yield Sent(**json.loads(line))
        except ValueError:
            return
