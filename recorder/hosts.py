"""The relay before a web server that goes by a name: it must be called by that name, not by ours."""

from __future__ import annotations

import ipaddress

from mitmproxy.proxy import context

from recorder.layer import Commands, Handlers, Relay
from recorder.wire import Listener, Wire
from wiretape.forwarding import Hosts

HTTP_1 = b"http/1.1"
_PORTS = (80, 443)


class HostRelay(Relay):
    """Puts the upstream's name into `Host`. HTTP/2, which only a client that speaks nothing else gets here, passes as it is."""

    def __init__(self, ctx: context.Context, wire: Wire, handlers: Handlers) -> None:
        super().__init__(ctx, wire, handlers)
        at = wire.listener.upstream
        self._hosts = Hosts(at.host if at.port in _PORTS else str(at))

    def from_client(self, data: bytes) -> Commands:
        said = self._hosts.feed(data)
        return super().from_client(said) if said else ()


def goes_by_name(listener: Listener) -> bool:
    """Whether a listener's upstream is a web server that may serve other names, too."""
    at = listener.upstream
    if listener.protocol != "http" or not listener.target or listener.via or at.path or at.host == "localhost":
        return False
    try:
        ipaddress.ip_address(at.host)
    except ValueError:
        return True
    return False
