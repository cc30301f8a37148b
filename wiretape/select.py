"""Which cases of a suite run."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Protocol

from wiretape.errors import ConfigError


class Named(Protocol):
    """A case, or what a run kept of one."""

    @property
    def name(self) -> str: ...


def select[T: Named](cases: Sequence[T], globs: Sequence[str]) -> tuple[T, ...]:
    """The cases whose name matches any of the globs, in their order; all of them without one.

    Raises ConfigError for a glob that matches none, with the names most like it.
    """
    for glob in globs:
        if not any(fnmatchcase(case.name, glob) for case in cases):
            raise ConfigError(f"no case is called {glob}; {_advice(glob, [case.name for case in cases])}")
    return tuple(case for case in cases if not globs or any(fnmatchcase(case.name, glob) for glob in globs))


def _advice(glob: str, names: Sequence[str]) -> str:
    word = glob.strip("*?")
    near = [name for name in names if word and word in name] or difflib.get_close_matches(glob, names, 5, 0.5)
    if near:
        return f"there are {', '.join(near[:5])}"
    return f"there are {', '.join(names[:5])}" + (f" and {len(names) - 5} more" if len(names) > 5 else "")
