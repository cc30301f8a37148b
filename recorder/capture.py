"""The capture: raw bytes of every connection in a SQLite file, written behind the traffic's back, read as a stream.

The traffic's thread only appends to a queue; a writer thread puts what has come into one row and commits, several times a
second. A process killed at any moment leaves a readable file that lacks at most the last commit's worth. Each start writes a
file of its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from wiretape.errors import StoreError, UnsupportedVersion
from wiretape.secrets import ensure_home

VERSION = "1"
QUEUE_LIMIT = 64 * 1024 * 1024
COMMIT_EVERY = 0.1
_ROW = 1024 * 1024
_OVERHEAD = 96
_HEAD = struct.Struct("<QBdI")

# What a MARK may say; anything else is for people who read a capture.
TLS, SERVER_CLOSED, SERVER_RESET = b"tls", b"server closed", b"server reset"
HOST = b"host "  # and the name by which the client calls the server


class Kind(IntEnum):
    """What a record says. CLIENT and SERVER carry the bytes that end sent; OPEN carries JSON (`Opening`); GAP, UNREADABLE and
    MARK carry a reason as text; TRACE says which trace-id was added to a connection's n-th request, as `n trace-id`."""

    CLIENT = 0
    SERVER = 1
    OPEN = 2
    CLOSE = 3
    GAP = 4
    UNREADABLE = 5
    MARK = 6
    TRACE = 7


class Record(NamedTuple):
    """One thing that happened on a connection. `connection` is unique within its capture; `at` is seconds since the epoch."""

    connection: int
    kind: int
    at: float
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What an OPEN record says. `target` is empty for the service; `serialized`: one request at a time was let in; `via`: how a
    target was found that is not configured (`proxy`, `local`), and `upstream` where it is."""

    target: str
    protocol: str
    serialized: bool = False
    via: str = ""
    upstream: str = ""

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, data: bytes) -> Opening:
        return cls(**json.loads(data))


class Clock:
    """Wall-clock seconds that never step: read once, then carried on by the monotonic clock."""

    __slots__ = ("_offset",)

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def __call__(self) -> float:
        return self._offset + time.monotonic()


class CaptureWriter:
    """Owns the file and the thread that writes it. `record` is for one thread; everything else may be called from any.

    `trouble(message)` is called, from the writer's thread, if the file can no longer be written: traffic goes on unrecorded.
    """

    def __init__(self, path: Path, trouble: Callable[[str], None], limit: int = QUEUE_LIMIT) -> None:
        self.path = path
        self._trouble = trouble
        self._limit = limit
        self._queue: deque[Record] = deque()
        self._put = 0  # bytes, written by the traffic's thread only
        self._taken = 0  # bytes, written by the writer's thread only
        self._broken = False
        self._closing = False
        self._wake = threading.Event()
        _create(path)
        self._lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._thread = threading.Thread(target=self._write, name="wiretape capture", daemon=True)
        self._thread.start()

    def record(self, connection: int, kind: int, at: float, data: bytes) -> bool:
        """Queue one record; False if the queue is full (or the file is broken) and the record is lost."""
        size = self._put + len(data) + _OVERHEAD
        backlog = size - self._taken
        if backlog > self._limit or self._broken:
            return False
        self._put = size
        self._queue.append(Record(connection, kind, at, data))
        if backlog > _ROW:
            self._wake.set()
        return True

    def note(self, connection: int, kind: Kind, at: float, data: bytes) -> None:
        """Queue a small record that must not be lost, however full the queue is."""
        if not self._broken:
            self._put += len(data) + _OVERHEAD
            self._queue.append(Record(connection, kind, at, data))

    @property
    def taken_in(self) -> int:
        """Bytes recorded so far, with what each record costs."""
        return self._put

    def close(self) -> None:
        """Write what is queued and close the file. Safe to call again."""
        self._closing = True
        self._wake.set()
        self._thread.join()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _write(self) -> None:
        try:
            with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as base:
                base.execute("pragma journal_mode = wal")
                base.execute("pragma synchronous = normal")
                while not self._closing or self._queue:
                    if not self._queue:
                        self._wake.wait(COMMIT_EVERY)
                        self._wake.clear()
                    self._commit(base)
        except (sqlite3.Error, OSError) as error:
            self._broken = True
            self._queue.clear()
            self._trouble(f"cannot write the capture {self.path}: {error}; traffic goes on but is no longer recorded")

    def _commit(self, base: sqlite3.Connection) -> None:
        """One row, one commit, then a pause so that small records gather into the next one."""
        parts: list[bytes] = []
        size = 0
        while self._queue and size < _ROW:
            connection, kind, at, data = self._queue.popleft()
            parts += (_HEAD.pack(connection, kind, at, len(data)), data)
            size += len(data) + _OVERHEAD
        if parts:
            base.execute("insert into batch (records) values (?)", (b"".join(parts),))
            self._taken += size
        if size < _ROW and not self._closing:
            self._wake.wait(COMMIT_EVERY)
            self._wake.clear()


def _create(path: Path) -> None:
    """An empty capture that only its owner can read, in a folder only its owner can enter."""
    try:
        ensure_home(path.parent.parent)
        path.parent.mkdir(exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with contextlib.closing(sqlite3.connect(path)) as base, base:
            base.execute("create table meta (key text primary key, value text)")
            base.execute("create table batch (seq integer primary key, records blob)")
            base.execute("insert into meta values ('version', ?)", (VERSION,))
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"cannot create the capture {path}: {error}; make the folder writable or free some space") from None


def folder(home: Path) -> Path:
    """Where captures are kept."""
    return home / "captures"


def fresh(home: Path) -> Path:
    """A path for a new capture; names sort by time."""
    return folder(home) / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{os.getpid()}.sqlite"


def captures(home: Path) -> list[Path]:
    """Every capture there is, oldest first."""
    return sorted(folder(home).glob("*.sqlite"))


def in_use(path: Path) -> bool:
    """Whether a recorder is writing to this capture right now."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def delete(path: Path) -> None:
    """Remove a capture with what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def read(path: Path) -> Iterator[Record]:
    """Every record of a capture in the order of time, one batch in memory at a time.

    Raises StoreError where the file cannot be read on, after yielding what could be; UnsupportedVersion for another version's.
    """
    try:
        with contextlib.closing(sqlite3.connect(path)) as base:
            _check_version(path, dict(base.execute("select key, value from meta")))
            for (records,) in base.execute("select records from batch order by seq"):
                yield from _split(records)
    except sqlite3.Error as error:
        raise StoreError(f"the capture {path} is damaged: {error}; delete it and record again") from None


def _check_version(path: Path, meta: Mapping[str, str]) -> None:
    version = meta.get("version", "unknown")
    if version != VERSION:
        raise UnsupportedVersion(
            f"the capture {path} has version {version}, this wiretape reads version {VERSION}; "
            "compile it with the wiretape that recorded it, or delete it"
        )


def _split(records: bytes) -> Iterator[Record]:
    at = 0
    while at < len(records):
        connection, kind, when, length = _HEAD.unpack_from(records, at)
        at += _HEAD.size
        yield Record(connection, kind, when, records[at : at + length])
        at += length
