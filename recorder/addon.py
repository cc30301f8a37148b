"""The proxy: a lean mitmproxy inside our event loop, one reverse listener per service and target."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from mitmproxy import connection, master, options, tls
from mitmproxy.addons import core, proxyserver, tlsconfig
from mitmproxy.proxy import context, layer
from mitmproxy.proxy.server import ConnectionHandler

from recorder import tls as secure
from recorder.auto import AutoEntry, Entries
from recorder.entry import Entry
from recorder.layer import Relay, drain_others
from recorder.logs import Logs
from recorder.mystartup import MysqlEntry
from recorder.pgstartup import PostgresEntry
from recorder.ports import cannot_listen, settle
from recorder.serial import SerialRelay
from recorder.wire import Listener, Tape
from wiretape.errors import TargetError
from wiretape.schemes import AUTO

# The protocols that negotiate TLS themselves.
_ENTRIES: Entries = MappingProxyType({"mysql": MysqlEntry, "postgres": PostgresEntry})
_NO_TIMEOUT = 10 * 365 * 24 * 3600  # mitmproxy hangs up on idle connections after ten minutes; pools idle for days


class Proxy:
    """All listeners. `async with Proxy(...)` starts and stops them; inside, every `listener.listen` is where it really listens.

    Raises TargetError where a port cannot be had.
    """

    def __init__(self, listeners: Sequence[Listener], tape: Tape, confdir: Path) -> None:
        self._listeners = listeners
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
        chooser = Chooser({_spec(one): one for one in self._listeners}, self._tape, server, self._confdir)
        self._master.addons.add(core.Core(), server, chooser, tlsconfig.TlsConfig())
        opts.update(
            mode=[_spec(one) for one in self._listeners],
            confdir=str(self._confdir),
            connection_strategy="eager",  # TLS with the server first, so that the client is offered what the server takes
            tcp_timeout=_NO_TIMEOUT,
        )
        self._running = asyncio.ensure_future(self._master.run())
        await asyncio.wait([self._running, asyncio.ensure_future(chooser.up.wait())], return_when=asyncio.FIRST_COMPLETED)
        failures = [
            cannot_listen(chooser.listeners[one.mode.full_spec], one.last_exception)
            for one in server.servers
            if one.last_exception is not None
        ]
        if self._running.done():
            failures.append(TargetError(f"the proxy did not start: {self._running.exception()}"))
        if failures:
            await self.__aexit__()
            raise failures[0]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._master.shutdown()
        await asyncio.wait([self._running])
        server = self._master.addons.get("proxyserver")
        await server.servers.update([])
        await _hang_up(server.connections)
        self._logs.remove()


class Chooser:
    """The addon that gives every connection our layer, before mitmproxy would choose one."""

    def __init__(self, listeners: Mapping[str, Listener], tape: Tape, server: proxyserver.Proxyserver, confdir: Path) -> None:
        self.listeners = listeners
        self._certificates = {spec: secure.own_certificate(one) for spec, one in listeners.items() if one.certificate}
        self._trusted = {spec: secure.upstream_context(one) for spec, one in listeners.items()}
        self._confdir = confdir
        self.up = asyncio.Event()
        self._tape = tape
        self._server = server

    def running(self) -> None:
        """Mitmproxy has opened its listeners, or failed to."""
        self.up.set()

    def client_connected(self, client: connection.Client) -> None:
        """Put our layer in place of the one that would wait for the client to speak: servers may speak first."""
        listener = self.listeners.get(client.proxy_mode.full_spec)
        handler = self._handler(client)
        if listener is None or handler is None:
            return
        ctx = handler.layer.context
        ctx.server.address = (listener.upstream.host, listener.upstream.port)
        handler.layer = self._entry(ctx, listener)
        handler.drain_writers = functools.partial(drain_others, handler)  # type: ignore[method-assign]

    def _entry(self, ctx: context.Context, listener: Listener) -> layer.Layer:
        wire = self._tape.open(listener)
        if listener.protocol == AUTO:
            return AutoEntry(ctx, wire, self._handler, _ENTRIES)
        if listener.protocol in _ENTRIES:
            return _ENTRIES[listener.protocol](ctx, wire, self._handler)
        return Entry(ctx, wire, self._handler, SerialRelay if listener.gate else Relay)

    def tls_start_client(self, start: tls.TlsData) -> None:
        """Use the server's own certificate where we have it; mitmproxy's CA makes one otherwise."""
        client, server = start.context.client, start.context.server
        secure.choose_alpn(client, server)
        own = self._certificates.get(client.proxy_mode.full_spec)
        if own is not None:
            start.ssl_conn = secure.accept(own, client, server)

    def tls_start_server(self, start: tls.TlsData) -> None:
        """Speak TLS to the upstream as its listener says."""
        client = start.context.client
        spec = client.proxy_mode.full_spec
        assert isinstance(start.conn, connection.Server)
        start.ssl_conn = secure.connect(self._trusted[spec], self.listeners[spec], client, start.conn)

    def tls_failed_client(self, failed: tls.TlsData) -> None:
        """Most often the client does not trust our certificate."""
        listener = self.listeners.get(failed.context.client.proxy_mode.full_spec)
        if listener is not None:
            authority = self._confdir / "mitmproxy-ca-cert.pem"
            self._tape.say(
                listener,
                "client TLS",
                f"a client broke off TLS ({failed.conn.error}); if it verifies certificates, have it trust {authority} "
                "(for PostgreSQL: sslrootcert), or give the server's own key and certificate as `certificate`",
            )

    def _handler(self, client: connection.Client) -> ConnectionHandler | None:
        return self._server.connections.get(client.id)


def _spec(listener: Listener) -> str:
    return f"reverse:tcp://{listener.upstream}@{listener.listen.host}:{listener.listen.port}"


async def _hang_up(connections: Mapping[object, ConnectionHandler]) -> None:
    """End the connections still open, as a stopping proxy must: their ends see a close."""
    handlers = [io.handler for one in connections.values() for io in one.transports.values() if io.handler]
    for handler in handlers:
        handler.cancel("the recorder stops")
    if handlers:
        await asyncio.wait(handlers, timeout=2)
