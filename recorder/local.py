"""Local capture: what the service and its children connect to comes to a listener of ours, wherever it was meant to go."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import ExitStack

from recorder.ports import free_port
from recorder.redirect import Redirection
from recorder.wire import LOCAL, Listener
from wiretape.config import Address
from wiretape.ebpf import control_groups, missing
from wiretape.errors import TargetError
from wiretape.options import LOOPBACK

_JOIN = 'echo $$ > "$0" && exec "$@"'
_SIX = "::1"


class LocalCapture:
    """`with LocalCapture() as local`: `local.listeners` are for the proxy; then `start`, then run `inside(command)`."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        port = free_port(LOOPBACK)
        self._families = (socket.AF_INET, *((socket.AF_INET6,) if _listens(_SIX, port) else ()))
        self.listeners = [_listener(_SIX if family == socket.AF_INET6 else LOOPBACK, port) for family in self._families]

    def __enter__(self) -> LocalCapture:
        if lacks := missing():
            raise TargetError(f"local capture cannot work here: {'; '.join(lacks)}")
        group = control_groups()
        assert group is not None  # else it were missing
        self._redirection = self._stack.enter_context(Redirection(group / f"wiretape-{os.getpid()}"))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self) -> None:
        """Our listeners are up: redirect to them. Raises TargetError."""
        self._redirection.start(self.listeners[0].listen.port, self._families)

    def inside(self, command: Sequence[str]) -> tuple[str, ...]:
        """The command, such that it and all it starts are captured from their first instruction on."""
        return ("/bin/sh", "-c", _JOIN, str(self._redirection.group / "cgroup.procs"), *command)

    def original(self, client: tuple[str, int], ours: tuple[str, int]) -> tuple[str, int] | None:
        """See `Redirection.original`."""
        return self._redirection.original(client, ours)


def _listener(host: str, port: int) -> Listener:
    nowhere = Address(host=LOOPBACK, port=9)
    return Listener(target="", protocol=LOCAL, listen=Address(host=host, port=port), upstream=nowhere)


def _listens(host: str, port: int) -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind((host, port))
    except OSError:
        return False
    return True
