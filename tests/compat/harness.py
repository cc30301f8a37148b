"""Runs a row of the table: a program against a real server through the recorder, then, with the server stopped, against mocks.

What lies between the two is what a person has, too: a capture read through the taps, a suite written to disk and read back.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from normalizers.base import When
from recorder import capture
from recorder.attribute import Window, attribute
from recorder.taps import watch
from recorder.wire import Listener
from replayer import calls
from replayer.book import Book, Outcome
from replayer.material import recorded_at
from replayer.mocks import Mocks
from tests.compat import runtimes
from tests.compat.table import Row
from tests.recorder.conftest import recording
from wiretape import store
from wiretape.case import Call, Case, Request, Response, Suite
from wiretape.config import Address, Target
from wiretape.protocols import codec
from wiretape.protocols.base import Interaction

PROGRAMS = Path(__file__).parent / "programs"
SECONDS = 90
MAX_BODY = 10 << 20
STARTTLS = ("postgres", "mysql")  # whose recordings say whether TLS was taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a program said and how it ended."""

    code: int
    output: str
    errors: str

    def __str__(self) -> str:
        return f"exit code {self.code}\n{self.output}\n{self.errors[-3000:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A row's program, run through the recorder. `trouble` says why it cannot be replayed; else empty."""

    run: Run
    suite: Path
    home: Path
    trouble: str = ""


def record(row: Row, server: Any, home: Path) -> Recorded:
    """Run the row's program against `server` (`.port`, `.url`) through a recorder; the suite it makes."""
    listener = Listener(
        target="main",
        protocol=row.codec,
        listen=Address(host="127.0.0.1", port=0),
        upstream=Address(host="127.0.0.1", port=server.port),
        **row.listener,
    )
    began = time.time()
    with recording(home, listener) as recorder:
        run = execute(row, row.program, listener.listen.port, home)
    seen = watch(capture.read(recorder.path), MAX_BODY)
    result = attribute([Window(started=began, ended=time.time(), serialized=True)], seen.outbound)
    kept = [one.outbound.interaction for one in result.windows[0]]
    session = {repr(call): call for call in map(_call, (one.interaction for one in result.session))}
    facts_tls = seen.facts.get("main", {}).get("tls")
    trouble = [f"the program failed against the real server: {run}"] if run.code or not run.output else []
    trouble += [f"lost: {loss.reason}" for loss in seen.losses]
    trouble += [f"incomplete: {one.operation}: {one.incomplete}" for one in kept if one.incomplete]
    trouble += [] if facts_tls or not row.tls or row.codec not in STARTTLS else ["the driver did not speak TLS"]
    trouble += [] if kept or row.silent else ["nothing was recorded"]
    suite = home / "suite"
    facts = {target: dict(known) for target, known in seen.facts.items()}
    store.add_to_suite(suite, [_case(row, tuple(map(_call, kept)), began)], list(session.values()), facts)
    return Recorded(run=run, suite=suite, home=home, trouble="\n".join(trouble))


def _call(one: Interaction) -> Call:
    return Call(target="main", operation=one.operation, fields=one.fields)


def _case(row: Row, recorded: tuple[Call, ...], began: float) -> Case:
    """One case that holds everything the program asked, as if one request had caused it."""
    return Case(
        name="program",
        request=Request(method="GET", target=f"/{row.program}"),
        response=Response(status=200),
        calls=recorded,
        recorded=datetime.fromtimestamp(began, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
    )


def play(row: Row, recorded: Recorded) -> tuple[Run, list[str]]:
    """Run the row's other program, or the same again, against mocks; what it said, and what was not as recorded."""
    suite = store.load_suite(recorded.suite)
    how = codec(row.codec)
    facts = suite.facts.get("main", {})
    every = (*suite.cases[0].calls, *suite.session)
    problems = [f"cannot be served: {call.operation}: {each}" for call in every for each in how.check(call, facts)]
    with mocked(row, suite, recorded.home) as mocks:
        run = execute(row, row.replayed or row.program, mocks.port, recorded.home)
    return run, problems + differences(row, mocks.outcome)


def differences(row: Row, outcome: Outcome) -> list[str]:
    found = [miss.explain() for miss in outcome.misses]
    if not row.crossed:  # another driver has its own way with transactions
        found += [f"{each.kind} call: {each}" for each in calls.compare(outcome)]
    return found


@dataclass(slots=True)
class Mocked:
    """Mocks that listen on `port`; what they saw is in `outcome` once they have stopped."""

    port: int = 0
    outcome: Outcome = field(default_factory=lambda: Outcome(expected=(), seen=(), misses=()))


@contextmanager
def mocked(row: Row, suite: Suite, home: Path) -> Iterator[Mocked]:
    """The real mocks, in a thread of their own, with the suite's one case under way."""
    made = Mocked()
    up: Future[None] = Future()
    done = threading.Event()

    async def serve() -> None:
        how = {"main": codec(row.codec)}
        book = Book(suite, how)
        target = Target(name="main", protocol=row.codec, listen=Address(host="127.0.0.1", port=0), **row.target)
        mocks = Mocks({"main": target}, suite.facts, how, book, home)
        try:
            await mocks.start()
            made.port = mocks.addresses["main"].port
            book.begin(suite.cases[0], When(recorded=recorded_at(suite.cases[0]), live=time.time()))
            up.set_result(None)
            await asyncio.get_running_loop().run_in_executor(None, done.wait)
            made.outcome = book.end()
        except BaseException as error:
            if up.done():
                raise
            up.set_exception(error)
        finally:
            await mocks.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        up.result(20)
        yield made
    finally:
        done.set()
        thread.join(20)
        assert not thread.is_alive()


def execute(row: Row, program: str, port: int, home: Path) -> Run:
    """Run a program of the table on `port` of this machine, with nothing of this process's settings but its PATH."""
    authority = home / "ca" / "mitmproxy-ca-cert.pem"
    url = row.url.format(port=port, ca=authority)
    command = [*runtimes.command(PROGRAMS / program), url]
    environ = {**_environ(home), "CA_FILE": str(authority), **{key: text.format(ca=authority) for key, text in row.env.items()}}
    try:
        done = subprocess.run(
            command,
            cwd=home,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        said = error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else str(error.stdout or "")
        return Run(code=-1, output=said, errors=f"still running after {SECONDS} s")
    return Run(code=done.returncode, output=done.stdout, errors=done.stderr)


def _environ(home: Path) -> Mapping[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TZ": "UTC", **runtimes.environ()}


def refuses(port: int) -> bool:
    """Whether nothing listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def same_answers(recorded: Run, played: Run) -> str:
    """What differs between two runs, or nothing."""
    if (recorded.code, recorded.output) == (played.code, played.output):
        return ""
    lines = zip_longest(recorded.output.splitlines(), played.output.splitlines())
    first = next(((one, other) for one, other in lines if one != other), ("", ""))
    return f"recorded: {first[0]}\nplayed:   {first[1]}\n{replace(played, output='')}"
