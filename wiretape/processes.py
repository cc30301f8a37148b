"""What the kernel tells of processes (Linux, /proc): who listens on a port, and who belongs to whom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_LISTENING = "0A"


def listeners(port: int) -> Iterator[int]:
    """The processes that listen on a TCP port, by number; those of other users cannot be told."""
    sockets = set()
    for table in (_PROC / "net/tcp", _PROC / "net/tcp6"):
        if table.exists():
            rows = [line.split() for line in table.read_text().splitlines()[1:]]
            sockets |= {
                f"socket:[{row[9]}]" for row in rows if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port
            }
    seen = set()
    for link in _PROC.glob("[0-9]*/fd/*") if sockets else ():
        try:
            if str(link.readlink()) in sockets and link.parts[2] not in seen:
                seen.add(link.parts[2])
                yield int(link.parts[2])
        except OSError:  # it has gone meanwhile, or is another user's
            continue


def named(process: int) -> str:
    """`name (pid N)`."""
    try:
        return f"{(_PROC / str(process) / 'comm').read_text().strip()} (pid {process})"
    except OSError:
        return f"pid {process}"


def program(process: int) -> Path:
    """The program that a process runs; it may have been deleted, and can be read here all the same."""
    return _PROC / str(process) / "exe"


def loaded(process: int) -> frozenset[str] | None:
    """The paths of the files a process has in its memory; None where that cannot be told."""
    try:
        lines = (_PROC / str(process) / "maps").read_text(errors="replace").splitlines()
    except OSError:
        return None
    return frozenset(words[5] for line in lines if len(words := line.split(maxsplit=5)) == 6)


def session(process: int) -> int:
    """The process that leads the session a process is of; 0 where that cannot be told."""
    try:
        # pid (name) state parent group session: the name may hold anything
        return int((_PROC / str(process) / "stat").read_text(errors="replace").rpartition(")")[2].split()[3])
    except (OSError, IndexError, ValueError):
        return 0
