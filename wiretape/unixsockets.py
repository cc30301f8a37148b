"""The file of a Unix socket: whether one may listen there."""

from __future__ import annotations

import errno
import socket
from pathlib import Path


def free(path: Path) -> None:
    """Remove a socket that nobody listens on any more. Raises OSError where somebody does, or where it is no socket."""
    if not path.is_socket():
        if path.exists():
            raise FileExistsError(errno.EEXIST, "a file is there that is no socket")
        return
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex(str(path)) == 0:
            raise OSError(errno.EADDRINUSE, "taken")
    path.unlink()


def remove(path: str) -> None:
    """Remove a socket of ours."""
    Path(path).unlink(missing_ok=True)
