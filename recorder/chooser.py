"""Gives every connection its layer, and its TLS what its listener says."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping
from dataclasses import dataclass
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
from recorder.hosts import HTTP_1, HostRelay, goes_by_name
from recorder.layer import Relay, drain_others
from recorder.local import LocalCapture
from recorder.mystartup import MysqlEntry
from recorder.pgstartup import PostgresEntry
from recorder.serial import SerialRelay
from recorder.tracing import TracingRelay
from recorder.unix import open_unix
from recorder.wire import FORWARD, LOCAL, Listener, Tape
from wiretape.ca import CERTIFICATE
from wiretape.schemes import AUTO

# The protocols that negotiate TLS themselves.
ENTRIES: Entries = MappingProxyType({"mysql": MysqlEntry, "postgres": PostgresEntry})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How else than by listeners connections reach us: `forward` knows whose hosts are what a forward proxy is asked for,
    `local` is local capture and what knows whose addresses are what it redirects."""

    forward: Directory | None = None
    local: tuple[LocalCapture, Directory] | None = None


class Chooser:
    """The addon that comes before mitmproxy's own choice. `listeners` by their mode's specification; `ways` to targets without
    one."""

    def __init__(
        self,
        listeners: Mapping[str, Listener],
        ways: Ways,
        tape: Tape,
        server: proxyserver.Proxyserver,
        confdir: Path,
    ) -> None:
        self.listeners = listeners
        self.up = asyncio.Event()
        self._ways = ways
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
        handler = self._handler(client)
        if handler is None:
            return
        listener = self.listeners.get(client.proxy_mode.full_spec)
        if listener is not None and listener.protocol == LOCAL:
            listener = self._redirected(client)
        if listener is None:
            client.error = "it is no client's"  # has mitmproxy hang up
            return
        ctx = handler.layer.context
        if listener.upstream.path:
            handler.open_connection = functools.partial(open_unix, handler, listener.upstream.path)  # type: ignore[method-assign]
        handler.layer = self._entry(ctx, listener)
        handler.drain_writers = functools.partial(drain_others, handler)  # type: ignore[method-assign]

    def _redirected(self, client: connection.Client) -> Listener | None:
        """The target that a connection is for that the kernel brought us."""
        local = self._ways.local
        assert local is not None
        assert client.peername is not None
        assert client.sockname is not None
        to = local[0].original(client.peername[:2], client.sockname[:2])
        return local[1].find(to[0], to[1], AUTO) if to else None

    def client_disconnected(self, client: connection.Client) -> None:
        """Forget it."""
        self._of.pop(client.id, None)

    def _entry(self, ctx: context.Context, listener: Listener) -> layer.Layer:
        if listener.protocol == FORWARD:
            assert self._ways.forward is not None
            return ForwardEntry(ctx, self._tape, self._handler, self._ways.forward, self._assign)
        self._assign(ctx.client, listener)
        ctx.server.address = (listener.upstream.host, listener.upstream.port)
        wire = self._tape.open(listener)
        if listener.protocol == AUTO:
            return AutoEntry(ctx, wire, self._handler, ENTRIES)
        if listener.protocol in ENTRIES:
            return ENTRIES[listener.protocol](ctx, wire, self._handler)
        return Entry(ctx, wire, self._handler, _relay(listener))

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
        if goes_by_name(listener) and HTTP_1 in client.alpn_offers:
            start.conn.alpn_offers = (HTTP_1,)  # in which we can call it by its name
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


def _relay(listener: Listener) -> type[Relay]:
    if listener.gate is not None:
        return SerialRelay
    if listener.trace:
        return TracingRelay
    return HostRelay if goes_by_name(listener) else Relay
