"""A server made of a codec's responder, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from wiretape.protocols.base import Answers, Codec
from wiretape.tree import Tree


class Mock:
    """Listens on a free loopback port (`port`) and answers from `answers`."""

    def __init__(self, codec: Codec, facts: Mapping[str, Tree], answers: Answers) -> None:
        self._codec, self._facts, self._answers = codec, facts, answers
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self) -> None:
        server = self._loop.run_until_complete(self._loop.create_server(self._connection, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))

    def _connection(self) -> asyncio.Protocol:
        return _Connection(self._codec.responder(self._facts, self._answers, "main"))


class _Connection(asyncio.Protocol):
    def __init__(self, responder: object) -> None:
        self._responder = responder

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.write(self._responder.greet())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._transport.write(self._responder.receive(data))  # type: ignore[attr-defined]
        if self._responder.closed:  # type: ignore[attr-defined]
            self._transport.close()
