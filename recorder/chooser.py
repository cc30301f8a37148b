"""Gives every connection its layer, and its TLS what its listener says."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from mitmproxy import connection, tls
from mitmproxy.addons import proxyserver
from mitmproxy.proxy import context, layer
from mitmproxy.proxy.server import ConnectionHandler
from OpenSSL import SSL

from recorder import tls as secure
from recorder.auto import AutoEntry, Entries
from recorder.directory import Directory
from recorder.entry import Entry
from recorder.forward import ForwardEntry
from recorder.layer import Relay, drain_others
from recorder.pgstartup import PostgresEntry
from recorder.serial import SerialRelay
from recorder.wire import FORWARD, Listener, Tape
from wiretape.ca import CERTIFICATE
from wiretape.schemes import AUTO

# The protocols that negotiate TLS themselves.
ENTRIES: Entries = MappingProxyType({"postgres": PostgresEntry})


class Chooser:
    """The addon that comes before mitmproxy's own choice. `listeners` by their mode's specification."""

    def __init__(
        self,
        listeners: Mapping[str, Listener],
        directory: Directory | None,
        tape: Tape,
        server: proxyserver.Proxyserver,
        confdir: Path,
    ) -> None:
        self.listeners = listeners
        self.up = asyncio.Event()
        self._directory = directory
        self._certificates = {id(one): secure.own_certificate(one) for one in listeners.values() if one.certificate}
        self._trusted = {id(one): secure.upstream_context(one) for one in listeners.values()}
        self._of: dict[str, Listener] = {}  # by the client's id
        self._tape = tape
        self._server = server
        self._confdir = confdir

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
        handler.layer = self._entry(ctx, listener)
        handler.drain_writers = functools.partial(drain_others, handler)  # type: ignore[method-assign]

    def client_disconnected(self, client: connection.Client) -> None:
        """Forget it."""
        self._of.pop(client.id, None)

    def _entry(self, ctx: context.Context, listener: Listener) -> layer.Layer:
        if listener.protocol == FORWARD:
            assert self._directory is not None
            return ForwardEntry(ctx, self._tape, self._handler, self._directory, self._assign)
        self._assign(ctx.client, listener)
        ctx.server.address = (listener.upstream.host, listener.upstream.port)
        wire = self._tape.open(listener)
        if listener.protocol == AUTO:
            return AutoEntry(ctx, wire, self._handler, ENTRIES)
        if listener.protocol in ENTRIES:
            return ENTRIES[listener.protocol](ctx, wire, self._handler)
        return Entry(ctx, wire, self._handler, SerialRelay if listener.gate else Relay)

    def _assign(self, client: connection.Client, listener: Listener) -> None:
        self._of[client.id] = listener

    def tls_start_client(self, start: tls.TlsData) -> None:
        """Use the server's own certificate where we have it; mitmproxy's CA makes one otherwise."""
        client, server = start.context.client, start.context.server
        secure.choose_alpn(client, server)
        own = self._certificates.get(id(self._of[client.id]))
        if own is not None:
            start.ssl_conn = secure.accept(own, client, server)

    def tls_start_server(self, start: tls.TlsData) -> None:
        """Speak TLS to the upstream as its listener says."""
        client = start.context.client
        listener = self._of[client.id]
        assert isinstance(start.conn, connection.Server)
        start.ssl_conn = secure.connect(self._trust(listener), listener, client, start.conn)

    def _trust(self, listener: Listener) -> SSL.Context:
        if id(listener) not in self._trusted:
            self._trusted[id(listener)] = secure.upstream_context(listener)
        return self._trusted[id(listener)]

    def tls_failed_client(self, failed: tls.TlsData) -> None:
        """Most often the client does not trust our certificate."""
        listener = self._of[failed.context.client.id]
        self._tape.say(
            listener,
            "client TLS",
            f"a client broke off TLS ({failed.conn.error}); if it verifies certificates, have it trust "
            f"{self._confdir / CERTIFICATE} (for PostgreSQL: sslrootcert), or give the server's own key and certificate as "
            "`certificate`",
        )

    def _handler(self, client: connection.Client) -> ConnectionHandler | None:
        return self._server.connections.get(client.id)
