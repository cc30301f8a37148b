"""Every error wiretape raises on purpose, and the exit code each one means.

Changes and misses are findings, so they are data and never exceptions. An error here carries one line that says what is
wrong, where, and what to do next; the command line prints that line and nothing else.
"""

from __future__ import annotations

from pathlib import Path


class WiretapeError(Exception):
    """Base of all. `exit_code`: 2 the caller's input is wrong, 3 the run could not be executed."""

    exit_code = 3


class ConfigError(WiretapeError):
    """wiretape.yaml, a flag or an environment variable is wrong."""

    exit_code = 2


class StoreError(WiretapeError):
    """The suite on disk cannot be used."""

    exit_code = 2


class CaseFormatError(StoreError):
    """A YAML file of the suite does not say what a case may say. `line` and `column` count from 1; 0 means unknown."""

    def __init__(self, file: Path | str, line: int, column: int, reason: str) -> None:
        self.file, self.line, self.column, self.reason = str(file), line, column, reason
        place = f":{line}:{column}" if line and column else f":{line}" if line else ""
        super().__init__(f"{file}{place}: {reason}")


class UnsupportedVersion(StoreError):
    """The file was written by another major version of the format."""


class ProtocolError(WiretapeError):
    """Bytes or values do not fit the protocol."""


class DecodeError(ProtocolError):
    """Bytes are not what the protocol says. `offset` is the byte position within the message or stream given."""

    def __init__(self, reason: str, offset: int) -> None:
        self.reason, self.offset = reason, offset
        super().__init__(f"{reason} at byte {offset}")


class EncodeError(ProtocolError):
    """A value from a case cannot be put on the wire. `path` is the selector of the value within its call."""

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path}: {reason}")


class TargetError(WiretapeError):
    """The service, an upstream or a port could not be used."""
