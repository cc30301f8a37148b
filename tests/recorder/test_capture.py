"""The capture: complete, private, bounded, readable after a kill."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from recorder import capture
from recorder.capture import CaptureWriter, Clock, Kind, Opening, Record
from recorder.wire import Listener, Tape
from wiretape.config import Address
from wiretape.errors import StoreError, UnsupportedVersion

ROOT = Path(__file__).parent.parent.parent


def never(message: str) -> None:
    raise AssertionError(message)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = capture.fresh(tmp_path)
    writer = CaptureWriter(path, never)
    written = [Record(number % 3, number % 2, 1000.0 + number, os.urandom(number * 7)) for number in range(2000)]
    for record in written:
        assert writer.record(*record)
    assert capture.in_use(path)
    writer.close()
    writer.close()
    assert list(capture.read(path)) == written
    assert not capture.in_use(path)
    assert capture.captures(tmp_path) == [path]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    capture.delete(path)
    assert list(path.parent.iterdir()) == []


def test_the_folder_above_is_private_and_not_committed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    CaptureWriter(capture.fresh(home), never).close()
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / ".gitignore").read_text() == "*\n"


def test_a_full_queue_loses_records_but_not_notes(tmp_path: Path) -> None:
    writer = CaptureWriter(capture.fresh(tmp_path), never, limit=100_000)
    assert not writer.record(1, Kind.CLIENT, 1.0, b"x" * 200_000)
    writer.note(1, Kind.GAP, 2.0, b"why")
    writer.close()
    assert list(capture.read(writer.path)) == [Record(1, Kind.GAP, 2.0, b"why")]


def test_a_connection_with_a_gap_is_not_recorded_on(tmp_path: Path) -> None:
    said: list[str] = []
    writer = CaptureWriter(capture.fresh(tmp_path), never, limit=100_000)
    tape = Tape(writer, said.append)
    where = Address(host="127.0.0.1", port=1)
    wire = tape.open(Listener(target="main", protocol="raw", listen=where, upstream=where))
    wire.client(b"x" * 200_000)
    wire.client(b"small")
    wire.server(b"small")
    wire.close()
    writer.close()
    assert [record.kind for record in capture.read(writer.path)] == [Kind.OPEN, Kind.GAP, Kind.CLOSE]
    assert len(said) == 1
    assert said[0].startswith("target main: the capture could not keep up; part of the traffic is lost")


KILLED = """
import sys, pathlib
from recorder import capture
writer = capture.CaptureWriter(capture.fresh(pathlib.Path(sys.argv[1])), print)
number = 0
for line in sys.stdin:
    writer.record(1, 0, float(number), line.encode())
    number += 1
"""


def test_killed_at_any_moment(tmp_path: Path) -> None:
    """Everything older than half a second is there; the process has no chance to say goodbye."""
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdin=subprocess.PIPE, text=True, cwd=ROOT)
    assert child.stdin
    child.stdin.write("a\n" * 5000)
    child.stdin.flush()
    waited = threading.Event()
    for _ in range(500):  # until the first commit shows that it runs
        found = capture.captures(tmp_path)
        if found and _rows(found[0]) == 5000:
            break
        waited.wait(0.02)
    child.stdin.write("b\n" * 10)
    child.stdin.flush()
    waited.wait(0.5)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdin.close()
    (path,) = capture.captures(tmp_path)
    assert not capture.in_use(path)
    assert [record.data for record in capture.read(path)] == [b"a\n"] * 5000 + [b"b\n"] * 10


def _rows(path: Path) -> int:
    try:
        return sum(1 for _ in capture.read(path))
    except StoreError:
        return 0


def test_damaged(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match=r"the capture .*x\.sqlite is damaged: .*; delete it and record again"):
        list(capture.read(path))


def test_another_version(tmp_path: Path) -> None:
    path = capture.fresh(tmp_path)
    CaptureWriter(path, never).close()
    base = sqlite3.connect(path)
    with base:
        base.execute("update meta set value = '9'")
    base.close()
    with pytest.raises(UnsupportedVersion, match="has version 9, this wiretape reads version 1"):
        list(capture.read(path))


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "captures").write_text("a file")
    with pytest.raises(StoreError, match="cannot create the capture"):
        CaptureWriter(capture.fresh(tmp_path), never)


def test_a_disk_that_fails_is_said_and_stops_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    done = threading.Event()

    def hear(message: str) -> None:
        said.append(message)
        done.set()

    path = capture.fresh(tmp_path)
    writer = CaptureWriter(path, hear)
    base = sqlite3.connect(path)
    with base:
        base.execute("drop table batch")
    base.close()
    writer.record(1, 0, 1.0, b"x")
    assert done.wait(10)
    assert "traffic goes on but is no longer recorded" in said[0]
    assert not writer.record(1, 0, 1.0, b"x")
    writer.close()


def test_the_clock_does_not_step() -> None:
    clock = Clock()
    readings = [clock() for _ in range(100)]
    assert readings == sorted(readings)


def test_opening() -> None:
    opening = Opening(target="main", protocol="postgres", serialized=True)
    assert Opening.decode(opening.encode()) == opening
