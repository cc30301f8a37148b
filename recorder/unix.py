"""Unix sockets, which mitmproxy has no listeners for and does not dial: streams of ours, handled as its own are."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.mode_servers import ServerInstance
from mitmproxy.proxy.server import ConnectionHandler, ConnectionIO

from recorder.wire import Listener
from wiretape.errors import TargetError
from wiretape.unixsockets import free, remove


class UnixListeners:
    """Listens on paths. `listeners` by the specification of a mode that mitmproxy never opens itself."""

    def __init__(self, listeners: Mapping[str, Listener]) -> None:
        self._listeners = listeners
        self._servers: list[asyncio.Server] = []
        self._made: list[str] = []

    async def start(self, server: Proxyserver) -> None:
        """Listen. Raises TargetError."""
        for spec, listener in self._listeners.items():
            path = Path(listener.listen.path)
            try:
                free(path)
                self._servers.append(await asyncio.start_unix_server(_taker(ServerInstance.make(spec, server)), path))
                self._made.append(str(path))
            except OSError as error:
                reason = "something listens there" if error.errno == errno.EADDRINUSE else error.strerror or error
                raise TargetError(
                    f"cannot listen on {listener.listen} for {listener.title}: {reason}; give another path"
                ) from None

    async def stop(self) -> None:
        """Stop listening. Safe to call again."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        while self._made:
            remove(self._made.pop())


def _taker(instance: ServerInstance[Any]) -> Any:
    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await instance.handle_stream(reader, _Named(writer))

    return take


class _Named(asyncio.StreamWriter):
    """The writer, with addresses where a Unix socket has none: mitmproxy wants them."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer  # not to be collected, which would close it
        transport = writer.transport
        super().__init__(transport, transport.get_protocol(), None, asyncio.get_running_loop())

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("unix", 0) if name in ("peername", "sockname") else super().get_extra_info(name, default)


async def open_unix(handler: ConnectionHandler, path: str, command: commands.OpenConnection) -> None:
    """Open an upstream that is a Unix socket, and see its connection through (in place of `handler.open_connection`)."""
    server = command.connection
    server.timestamp_start = time.time()
    try:
        reader, writer = await asyncio.open_unix_connection(path)
    except OSError as error:
        server.error = str(error)
        await handler.server_event(events.OpenConnectionCompleted(command, server.error))
        return
    server.state = ConnectionState.OPEN
    server.peername = server.sockname = ("unix", 0)
    handler.transports[server] = ConnectionIO(handler=asyncio.current_task(), reader=reader, writer=writer)
    await handler.server_event(events.OpenConnectionCompleted(command, None))
    await handler.handle_connection(server)
