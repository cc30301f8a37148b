"""The proxy: a lean mitmproxy inside our event loop, one reverse listener per service and target."""

from __future__ import annotations

import asyncio
import errno
import functools
import logging
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from mitmproxy import connection, master, options, tls
from mitmproxy.addons import core, proxyserver, tlsconfig
from mitmproxy.proxy import context, layer
from mitmproxy.proxy.server import ConnectionHandler
from OpenSSL import SSL

from recorder.layer import DatabaseEntry, HttpEntry, Relay, drain_others
from recorder.pgstartup import PostgresEntry
from recorder.serial import SerialRelay
from recorder.wire import Listener, Tape
from wiretape.config import Address
from wiretape.errors import ConfigError, TargetError

_NO_TIMEOUT = 10 * 365 * 24 * 3600  # mitmproxy hangs up on idle connections after ten minutes; pools idle for days


class Proxy:
    """All listeners. `async with Proxy(...)` starts and stops them; inside, every `listener.listen` is where it really listens.

    Raises TargetError where a port cannot be had.
    """

    def __init__(self, listeners: Sequence[Listener], tape: Tape, confdir: Path) -> None:
        self._listeners = listeners
        self._tape = tape
        self._confdir = confdir
        self._logs = _Logs(tape)

    async def __aenter__(self) -> Proxy:
        for listener in self._listeners:
            _check(listener, self._listeners)
        self._logs.install()
        opts = options.Options()
        self._master = master.Master(opts)
        server = proxyserver.Proxyserver()
        chooser = Chooser({_spec(one): one for one in self._listeners}, self._tape, server, self._confdir)
        self._master.addons.add(core.Core(), server, chooser, tlsconfig.TlsConfig())
        opts.update(
            mode=[_spec(one) for one in self._listeners],
            confdir=str(self._confdir),
            connection_strategy="lazy",
            ssl_insecure=True,  # as database drivers do by default; the upstream is the operator's own
            tcp_timeout=_NO_TIMEOUT,
        )
        self._running = asyncio.ensure_future(self._master.run())
        await asyncio.wait([self._running, asyncio.ensure_future(chooser.up.wait())], return_when=asyncio.FIRST_COMPLETED)
        failures = [
            _cannot_listen(chooser.listeners[one.mode.full_spec], one.last_exception)
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
        self._certificates = {spec: _certificate(one) for spec, one in listeners.items() if one.certificate}
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
        if not listener.target:
            return HttpEntry(ctx, wire, self._handler, SerialRelay if listener.gate else Relay)
        if listener.protocol == "postgres":
            return PostgresEntry(ctx, wire, self._handler)
        return DatabaseEntry(ctx, wire, self._handler)

    def tls_start_client(self, start: tls.TlsData) -> None:
        """Use the server's own certificate where we have it; mitmproxy's CA makes one otherwise."""
        own = self._certificates.get(start.context.client.proxy_mode.full_spec)
        if own is not None:
            start.ssl_conn = SSL.Connection(own)
            start.ssl_conn.set_accept_state()

    def tls_failed_client(self, failed: tls.TlsData) -> None:
        """Most often the client does not trust our certificate."""
        listener = self.listeners.get(failed.context.client.proxy_mode.full_spec)
        if listener is not None:
            authority = self._confdir / "mitmproxy-ca-cert.pem"
            self._tape.say(
                listener,
                "client TLS",
                f"a client broke off TLS ({failed.conn.error}); if it verifies certificates, have it trust {authority} "
                "(sslrootcert), or give the server's own key and certificate as `certificate`",
            )

    def _handler(self, client: connection.Client) -> ConnectionHandler | None:
        return self._server.connections.get(client.id)


class _Logs(logging.Handler):
    """mitmproxy's own complaints, said once each in one line; nothing of it reaches the root logger."""

    def __init__(self, tape: Tape) -> None:
        super().__init__(logging.ERROR)
        self._tape = tape
        self._logger = logging.getLogger("mitmproxy")
        self._before = (self._logger.propagate, self._logger.level)

    def install(self) -> None:
        self._logger.propagate = False
        self._logger.setLevel(logging.ERROR)
        self._logger.addHandler(self)

    def remove(self) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate, level = self._before
        self._logger.setLevel(level)

    def emit(self, record: logging.LogRecord) -> None:
        message = str(record.exc_info[1] or "") if record.exc_info else record.getMessage()
        # Listeners that could not open are reported as the error they are; closing them then fails without a word.
        if message and "failed to listen" not in message:
            self._tape.complain(f"the proxy had an internal error: {message}; please report it")


def _certificate(listener: Listener) -> SSL.Context:
    """A TLS context with the server's own key and chain. Raises ConfigError where the file has not both."""
    own = SSL.Context(SSL.TLS_SERVER_METHOD)
    try:
        own.use_certificate_chain_file(str(listener.certificate))
        own.use_privatekey_file(str(listener.certificate))
        own.check_privatekey()
    except (SSL.Error, OSError):
        raise ConfigError(
            f"{listener.title}: cannot use the certificate {listener.certificate}: it must be a readable PEM file with the "
            "server's private key and its certificate chain"
        ) from None
    own.set_alpn_select_callback(lambda _, offers: b"postgresql" if b"postgresql" in offers else SSL.NO_OVERLAPPING_PROTOCOLS)
    return own


def _spec(listener: Listener) -> str:
    return f"reverse:tcp://{listener.upstream}@{listener.listen.host}:{listener.listen.port}"


def _check(listener: Listener, others: Sequence[Listener]) -> None:
    """Fix the port where any will do; refuse what would loop."""
    if listener.listen.port == 0:
        listener.listen = Address(host=listener.listen.host, port=_free_port(listener.listen.host))
    for other in others:
        if listener.upstream == other.listen:
            raise TargetError(
                f"{listener.title}: its upstream {listener.upstream} is where wiretape itself listens for {other.title}; "
                "give the address of the real server"
            )


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _cannot_listen(listener: Listener, error: Exception) -> TargetError:
    number = error.errno if isinstance(error, OSError) else None
    where = f"cannot listen on {listener.listen} for {listener.title}"
    if number == errno.EADDRINUSE:
        return TargetError(f"{where}: the port is taken; stop what listens there, or give another listen address")
    if number == errno.EADDRNOTAVAIL or "could not bind on any address" in str(error):  # asyncio's words for the same
        return TargetError(f"{where}: this machine has no such address; give another listen address")
    if number == errno.EACCES:
        return TargetError(f"{where}: not permitted; use a port from 1024 up")
    return TargetError(f"{where}: {error}; give another listen address")


async def _hang_up(connections: Mapping[object, ConnectionHandler]) -> None:
    """End the connections still open, as a stopping proxy must: their ends see a close."""
    handlers = [io.handler for one in connections.values() for io in one.transports.values() if io.handler]
    for handler in handlers:
        handler.cancel("the recorder stops")
    if handlers:
        await asyncio.wait(handlers, timeout=2)
