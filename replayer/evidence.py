"""Whether a service really goes by the time it was given: what its processes have loaded, and how its answers are dated."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path

from wiretape import elf
from wiretape.body import header
from wiretape.errors import TargetError
from wiretape.processes import listeners, loaded, named, program, session
from wiretape.service import endpoint


def answered_at(headers: Sequence[tuple[str, str]]) -> float | None:
    """The `Date` of an answer, in seconds since the epoch; None where it has none."""
    with contextlib.suppress(ValueError):
        return parsedate_to_datetime(header(tuple(headers), "date")).timestamp()
    return None


def check_listener(leader: int, url: str, library: Path) -> bool:
    """Whether all that listens at `url`, in the session that process `leader` leads, has loaded `library`; False where nothing
    can be found out. Raises TargetError where something has not."""
    found = False
    for process in listeners(endpoint(url).port):
        files = loaded(process) if session(process) == leader else None
        if files is None:
            continue
        kind = elf.traits(program(process))
        if kind is not None and kind.go:
            reason = "is a Go program: it asks the kernel for the time, past every library"
        elif kind is not None and kind.static:
            reason = "is linked statically: no library can be put into it"
        elif str(library.resolve()) not in files:
            reason = "did not load libfaketime: its environment was emptied on the way, or it has rights of its own (setuid)"
        else:
            found = True
            continue
        raise TargetError(f"the time of {named(process)} cannot be frozen: it {reason}; leave out --freeze-time")
    return found
