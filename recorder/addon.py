"""The proxy: a lean mitmproxy inside our event loop, one reverse listener per service and target."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from mitmproxy import master, options
from mitmproxy.addons import core, proxyserver, tlsconfig
from mitmproxy.proxy.server import ConnectionHandler

from recorder.chooser import Chooser, Ways
from recorder.logs import Logs
from recorder.ports import cannot_listen, settle
from recorder.unix import UnixListeners
from recorder.wire import Listener, Tape
from wiretape.errors import TargetError
from wiretape.options import LOOPBACK

_NO_OTHERS = Ways()
_NO_TIMEOUT = 10 * 365 * 24 * 3600  # mitmproxy hangs up on idle connections after ten minutes; pools idle for days


class Proxy:
    """All listeners. `async with Proxy(...)` starts and stops them; inside, every `listener.listen` is where it really listens.

    Raises TargetError where a port cannot be had.
    """

    def __init__(self, listeners: Sequence[Listener], tape: Tape, confdir: Path, ways: Ways = _NO_OTHERS) -> None:
        self._listeners = tuple(listeners)
        self._ways = ways
        self._tape = tape
        self._confdir = confdir
        self._logs = Logs(tape)

    async def __aenter__(self) -> Proxy:
        for listener in self._listeners:
            settle(listener, self._listeners)
        self._logs.install()
        opts = options.Options()
        self._master = master.Master(opts)
        server = proxyserver.Proxyserver()
        specs = {_spec(one): one for one in self._listeners}
        self._unix = UnixListeners({spec: one for spec, one in specs.items() if one.listen.path})
        chooser = Chooser(specs, self._ways, self._tape, server, self._confdir)
        self._master.addons.add(core.Core(), server, chooser, tlsconfig.TlsConfig())
        opts.update(
            mode=[spec for spec, one in specs.items() if not one.listen.path],
            confdir=str(self._confdir),
            connection_strategy="eager",  # TLS with the server first, so that the client is offered what the server takes
            tcp_timeout=_NO_TIMEOUT,
        )
        self._running = asyncio.ensure_future(self._master.run())
        await asyncio.wait([self._running, asyncio.ensure_future(chooser.up.wait())], return_when=asyncio.FIRST_COMPLETED)
        failures = [
            cannot_listen(specs[one.mode.full_spec], one.last_exception)
            for one in server.servers
            if one.last_exception is not None
        ]
        if self._running.done():
            failures.append(TargetError(f"the proxy did not start: {self._running.exception()}"))
        if failures:
            await self.__aexit__()
            raise failures[0]
        try:
            await self._unix.start(server)
        except TargetError:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._unix.stop()
        self._master.shutdown()
        await asyncio.wait([self._running])
        server = self._master.addons.get("proxyserver")
        await server.servers.update([])
        await _hang_up(server.connections)
        self._logs.remove()


def _spec(listener: Listener) -> str:
    """A mode for mitmproxy: its key, and where it is to listen. The upstream it names is never dialled: the layers say whom."""
    if listener.listen.path:
        return f"reverse:tcp://{listener.target or 'service'}.invalid:9"
    return f"reverse:tcp://{LOOPBACK}:9@{listener.listen.host}:{listener.listen.port}"


async def _hang_up(connections: Mapping[object, ConnectionHandler]) -> None:
    """End the connections still open, as a stopping proxy must: their ends see a close."""
    handlers = [io.handler for one in connections.values() for io in one.transports.values() if io.handler]
    for handler in handlers:
        handler.cancel("the recorder stops")
    if handlers:
        await asyncio.wait(handlers, timeout=2)
