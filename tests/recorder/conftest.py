"""A recorder in a thread of the test's process, and small raw servers for it to stand before."""

from __future__ import annotations

import asyncio
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

with warnings.catch_warnings():  # of the libraries mitmproxy imports
    warnings.simplefilter("ignore")
    import mitmproxy.addons
    import mitmproxy.master  # noqa: F401

from recorder import capture
from recorder.addon import Proxy
from recorder.capture import CaptureWriter, Record
from recorder.chooser import Ways
from recorder.directory import Directory
from recorder.wire import Listener, Tape
from wiretape.config import Address


@dataclass
class Recorder:
    """A recorder that listens. `said` is what it told the terminal; `records()` is what it captured, once it has stopped."""

    listeners: list[Listener]
    path: Path
    said: list[str] = field(default_factory=list)

    def port(self, number: int = 0) -> int:
        return self.listeners[number].listen.port

    def records(self) -> list[Record]:
        return list(capture.read(self.path))


@contextmanager
def recording(home: Path, *listeners: Listener, directory: Directory | None = None) -> Iterator[Recorder]:
    recorder = Recorder(list(listeners), capture.fresh(home))
    up: Future[None] = Future()
    done = threading.Event()

    async def run() -> None:
        writer = CaptureWriter(recorder.path, recorder.said.append)
        try:
            async with Proxy(listeners, Tape(writer, recorder.said.append), home / "ca", Ways(forward=directory)):
                up.set_result(None)
                await asyncio.get_running_loop().run_in_executor(None, done.wait)
        except BaseException as error:
            if up.done():
                raise
            up.set_exception(error)
        finally:
            writer.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        up.result(20)
        yield recorder
    finally:
        done.set()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Callable[..., Recorder]]:
    """Start a recorder with these listeners; it stops with the test, or by `recorder.stop()`."""
    with ExitStack() as stack:
        yield lambda *listeners: stack.enter_context(recording(tmp_path, *listeners))


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[..., AbstractContextManager[Recorder]]:
    """The same as a context manager, for tests that look at the capture afterwards."""
    return lambda *listeners, **more: recording(tmp_path, *listeners, **more)


@pytest.fixture
def front() -> Callable[..., Listener]:
    """A listener on any port before a port of this machine."""

    def make(port: int, target: str = "", **more: object) -> Listener:
        where = {"listen": Address(host="127.0.0.1", port=0), "upstream": Address(host="127.0.0.1", port=port)}
        return Listener(**{"target": target, "protocol": "raw" if target else "http", **where, **more})  # type: ignore[arg-type]

    return make


@contextmanager
def serving(handle: Callable[[socket.socket], object]) -> Iterator[tuple[int, list[object]]]:
    """A server whose every connection `handle` has in a thread; the port, and what `handle` returned or raised so far."""
    results: list[object] = []
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def work(connection: socket.socket) -> None:
            with connection:
                connection.settimeout(10)
                try:
                    results.append(handle(connection))
                except OSError as error:
                    results.append(type(error).__name__)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=work, args=(connection,)))
                threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield listening.getsockname()[1], results
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join(10)
            for thread in threads:
                thread.join(15)


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[int, list[object]]]]:
    """`serving` for the length of a test."""
    with ExitStack() as stack:
        yield lambda handle: stack.enter_context(serving(handle))
