"""Where listeners may listen, and what is said where they may not."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence

from recorder.wire import Listener
from wiretape.config import Address
from wiretape.errors import TargetError


def settle(listener: Listener, others: Sequence[Listener]) -> None:
    """Fix the port where any will do. Raises TargetError for what would loop."""
    if listener.listen.port == 0 and not listener.listen.path:
        listener.listen = Address(host=listener.listen.host, port=free_port(listener.listen.host))
    for other in others:
        if listener.upstream == other.listen:
            raise TargetError(
                f"{listener.title}: its upstream {listener.upstream} is where wiretape itself listens for {other.title}; "
                "give the address of the real server"
            )


def free_port(host: str) -> int:
    """A port on which nobody listens."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def cannot_listen(listener: Listener, error: Exception) -> TargetError:
    """The error for a listener that could not be opened."""
    number = error.errno if isinstance(error, OSError) else None
    where = f"cannot listen on {listener.listen} for {listener.title}"
    if number == errno.EADDRINUSE:
        return TargetError(f"{where}: the port is taken; stop what listens there, or give another listen address")
    if number == errno.EADDRNOTAVAIL or "could not bind on any address" in str(error):  # asyncio's words for the same
        return TargetError(f"{where}: this machine has no such address; give another listen address")
    if number == errno.EACCES:
        return TargetError(f"{where}: not permitted; use a port from 1024 up")
    return TargetError(f"{where}: {error}; give another listen address")
