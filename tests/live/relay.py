"""A relay between a driver and a server, in a thread of its own: it remembers every chunk of every connection, in order."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from wiretape.protocols.base import Side

type Chunk = tuple[Side, bytes]


class Relay:
    """Listens on a free loopback port (`port`) and relays to `upstream`. `connections` holds the chunks of each, `moments`
    when each of them came (seconds since the epoch), `all` those of all of them in order, with the number of the connection."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections: list[list[Chunk]] = []
        self.all: list[tuple[int, Side, bytes]] = []
        self.moments: list[list[float]] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=10)

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._upstream))
            number = len(self.connections)
            self.connections.append([])
            self.moments.append([])
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, sink, side in ((client, server, Side.CLIENT), (server, client, Side.SERVER)):
                self._start(self._pump, source, sink, side, number)

    def _pump(self, source: socket.socket, sink: socket.socket, side: Side, number: int) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self.moments[number].append(time.time())
                self.connections[number].append((side, data))
                self.all.append((number, side, data))
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
        sink.close()
