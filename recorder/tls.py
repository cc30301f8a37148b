"""TLS on both sides of a connection: what we show to clients, whom we trust upstream, and what is said where it fails."""

from __future__ import annotations

import contextlib
import ipaddress
import re

from mitmproxy import connection
from mitmproxy.addons.tlsconfig import AppData, alpn_select_callback
from mitmproxy.proxy import commands, layer, tunnel
from mitmproxy.proxy.layers import ClientTLSLayer, ServerTLSLayer
from mitmproxy.proxy.layers.tls import TLSLayer
from OpenSSL import SSL

from recorder.layer import Abrupt, Cut
from recorder.wire import Listener
from wiretape.errors import ConfigError

CLIENT_HELLO = b"\x16\x03"
_LEGACY_SERVER_CONNECT = 0x4
_NO_PARTIAL_WILDCARDS = 0x4
_NEVER_CHECK_SUBJECT = 0x20
_QUOTED = re.compile(r"'([^']+)'")


class _Notify(TLSLayer):
    """TLS ends with its own goodbye (close_notify), without which an end looks like an attack; mitmproxy leaves it out. An end
    without it is passed on as one."""

    def receive_close(self) -> layer.CommandGenerator[None]:
        if self.tls.get_shutdown() & SSL.RECEIVED_SHUTDOWN:
            return
        yield from self.event_to_child(Cut(self.conn))

    def send_close(self, command: commands.CloseConnection) -> layer.CommandGenerator[None]:
        if self.tunnel_state is tunnel.TunnelState.OPEN and not isinstance(command, Abrupt):
            with contextlib.suppress(SSL.Error):
                self.tls.shutdown()
            yield from self.tls_interact()
        yield from super().send_close(command)


class ClientTls(_Notify, ClientTLSLayer):
    """TLS with the client."""


class ServerTls(_Notify, ServerTLSLayer):
    """TLS with the server."""


def own_certificate(listener: Listener) -> SSL.Context:
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
    own.set_alpn_select_callback(alpn_select_callback)
    return own


def accept(own: SSL.Context, client: connection.Client, server: connection.Server) -> SSL.Connection:
    """The server's side of TLS with a client, with `own` certificate."""
    accepting = SSL.Connection(own)
    accepting.set_app_data(AppData(client_alpn=client.alpn, server_alpn=server.alpn, http2=True))
    accepting.set_accept_state()
    return accepting


def choose_alpn(client: connection.Client, server: connection.Server) -> None:
    """What the client is offered is what the upstream takes; one without TLS is taken to speak HTTP/1."""
    if client.alpn is None and not server.tls_established and b"http/1.1" in client.alpn_offers:
        client.alpn = b"http/1.1"


def upstream_context(listener: Listener) -> SSL.Context:
    """Whom we trust to be the upstream: what the system trusts and the target's `ca`; anyone, where it is not to be verified.

    Raises ConfigError for a `ca` that cannot be used.
    """
    made = SSL.Context(SSL.TLS_CLIENT_METHOD)
    if not listener.verify:
        made.set_options(_LEGACY_SERVER_CONNECT)
        return made
    made.set_verify(SSL.VERIFY_PEER, None)
    made.set_default_verify_paths()
    if listener.ca is not None:
        try:
            made.load_verify_locations(str(listener.ca))
        except SSL.Error:
            raise ConfigError(
                f"{listener.title}: cannot use the ca {listener.ca}: it must be a readable PEM file with certificates"
            ) from None
    return made


def connect(trusted: SSL.Context, listener: Listener, client: connection.Client, server: connection.Server) -> SSL.Connection:
    """The client's side of TLS with `server`: asks for what the client asked us for."""
    assert server.address is not None
    server.sni = _name(server.address[0], client.sni)
    if not server.alpn_offers:
        server.alpn_offers = tuple(client.alpn_offers)
    connecting = SSL.Connection(trusted)
    if server.alpn_offers:
        connecting.set_alpn_protos(list(server.alpn_offers))
    _expect(connecting, server.sni or server.address[0], verify=listener.verify)
    connecting.set_connect_state()
    return connecting


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _name(host: str, asked: str | None) -> str | None:
    """The server's name: as configured; where that is an address, as the client calls it."""
    if not _is_address(host):
        return host
    return asked if asked and asked != "localhost" and not _is_address(asked) else None


def _expect(connecting: SSL.Connection, host: str, *, verify: bool) -> None:
    """Ask for `host` (SNI), and have the certificate checked for it. pyOpenSSL has no call of its own for the check."""
    lib = SSL._lib  # type: ignore[attr-defined]
    param = lib.SSL_get0_param(connecting._ssl)
    if _is_address(host):
        packed = ipaddress.ip_address(host).packed
        done = lib.X509_VERIFY_PARAM_set1_ip(param, packed, len(packed)) if verify else 1
    else:
        name = host.encode("idna")
        connecting.set_tlsext_host_name(name)
        lib.X509_VERIFY_PARAM_set_hostflags(param, _NO_PARTIAL_WILDCARDS | _NEVER_CHECK_SUBJECT)
        done = lib.X509_VERIFY_PARAM_set1_host(param, name, len(name)) if verify else 1
    assert done == 1


def upstream_failed(listener: Listener, error: str) -> str:
    """One line for a TLS handshake that failed upstream: what, and what to do."""
    where = f"no TLS with the upstream {listener.upstream}"
    if error.startswith("Certificate verify failed: "):
        reason = error.removeprefix("Certificate verify failed: ")
        return (
            f"{where}: its certificate is not trusted ({reason}); give the authority that signed it as `ca`, or `verify: false`"
        )
    if "does not speak TLS" in error:
        return f"{where}: it does not speak TLS there; let the client use plain text, or give the address where it does"
    quoted = _QUOTED.findall(error)  # mitmproxy's words: OpenSSL Error([('SSL routines', '', 'sslv3 alert handshake failure')])
    return f"{where}: {quoted[-1] if quoted else error}"
