"""What is wrong with a file that a person wrote, as data: where, why, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path as File

from wiretape.errors import CaseFormatError, StoreError, UnsupportedVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something a file may not say. `version`: the file is of another version of the format."""

    line: int
    column: int
    reason: str
    version: bool = False

    def error(self, file: File | str) -> StoreError:
        """The problem as an exception."""
        if self.version:
            return UnsupportedVersion(f"{file}:{self.line}:{self.column}: {self.reason}")
        return CaseFormatError(file, self.line, self.column, self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read[T]:
    """What was read, as far as it could be, and every problem in the file's order. `value` is sound only if there are none."""

    value: T
    problems: tuple[Problem, ...]

    def sound(self, file: File | str) -> T:
        """The value. Raises the first problem."""
        if self.problems:
            raise self.problems[0].error(file)
        return self.value


def unknown(word: str, known: Collection[str], what: str) -> str:
    """The reason for a word that is none of the known ones, with the one that was probably meant."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"unknown {what} {word!r}; " + (f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}")
