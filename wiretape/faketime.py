"""libfaketime: the library by which a program sees another time than the clock's. Found, tried, mended, given to a service.

The time is told as an offset to the real clock, in seconds, in a file that the library reads at each look at the clock: it
needs no time zone, has fractions, means the same to every process, and goes on. Only the wall clock is told otherwise; what
measures how long things take (the monotonic clock) is left alone, or timeouts would fire, or never would, at each change.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wiretape import elf
from wiretape.errors import ConfigError, TargetError

_MAC = sys.platform == "darwin"
_PRELOAD: Final = "DYLD_INSERT_LIBRARIES" if _MAC else "LD_PRELOAD"
_NAME: Final = "libfaketime"
# The build for programs with threads does for those without.
_FILES: Final = ("libfaketimeMT.1.dylib", "libfaketime.1.dylib") if _MAC else ("libfaketimeMT.so.1", "libfaketime.so.1")
_FOLDERS: Final = (
    ("/opt/homebrew/lib/faketime", "/usr/local/lib/faketime", "/opt/local/lib/faketime")
    if _MAC
    else (
        "/usr/lib/*-linux-*/faketime",
        "/usr/lib/faketime",
        "/usr/lib64/faketime",
        "/usr/local/lib/faketime",
        "/usr/local/lib",
    )
)
_INSTALL: Final = "brew install libfaketime" if _MAC else "apt-get install libfaketime, or your system's package of it"
_OWN: Final = ("FAKETIME", "DONT_FAKE_MONOTONIC", "NO_FAKE_STAT", "FAKE_UTIME", "FAKETIME_")
_SET: Final = {
    "FAKETIME_NO_CACHE": "1",
    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    # Where it is unset, some versions move the deadlines of a monotonic clock that they do not fake (0.9.10: Java's `wait`).
    "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    "FAKETIME_DISABLE_SHM": "1",
    # The times of files stay what they are, or reloaders and caches would see files change at each case.
    "NO_FAKE_STAT": "1",
    "FAKE_UTIME": "0",
}
_SHARED: Final = Path("/dev/shm")  # noqa: S108 - where the library keeps it
_AWAY = 100_000_000.0  # seconds, a time one does not reach by accident
_LIMIT = 20.0
_TRIAL: Final = """
import sys, time
told = time.time()
with open(sys.argv[1], "w") as file:
    file.write("+0")
print(told, time.time(), flush=True)
time.sleep(0.001)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faketime:
    """A library that works here. `ahead`: how far the real clock is ahead of this process's own, in seconds: not 0 where this
    process runs under another faketime."""

    library: Path
    ahead: float

    def surroundings(self, file: Path, environ: Mapping[str, str]) -> dict[str, str]:
        """The variables for a service whose time stands in `file`; `environ`: what it would have."""
        return {**_SET, _PRELOAD: _preloaded(self.library, environ), "FAKETIME_TIMESTAMP_FILE": str(file)} | (
            {"DYLD_FORCE_FLAT_NAMESPACE": "1"} if _MAC else {}
        )


def inherited(environ: Mapping[str, str]) -> Collection[str]:
    """The variables of another faketime, under which this process runs: a service under ours must not have them."""
    return tuple(name for name in environ if name in _OWN or name.startswith("FAKETIME_"))


def tidy(process: int, folder: Path = _SHARED) -> None:
    """Remove what the library made for a process, and leaves behind where that is killed: another one that gets its number
    could not start. Safe to call again."""
    for name in (f"faketime_shm_{process}", f"sem.faketime_sem_{process}"):
        (folder / name).unlink(missing_ok=True)


def find(told: Path | None = None, folders: Collection[str] = _FOLDERS) -> Path:
    """The library: `told`, or where systems keep it. Raises ConfigError for a path where none is, TargetError where it is not
    installed."""
    if told is not None:
        if not told.is_file():
            raise ConfigError(f"service.faketime: there is no file {told}; name the library itself, {_FILES[0]}")
        return told
    for folder in folders:
        for name in _FILES:
            for path in sorted(Path("/").glob(f"{folder.strip('/')}/{name}")):
                return path
    raise TargetError(f"freezing the time needs {_NAME}, which is not installed; {_INSTALL}, or say service.faketime: PATH")


def ready(told: Path | None, home: Path) -> Faketime:
    """The library, tried out; where it has the fault of 0.9.10 (Python's `time.sleep` fails), a copy in `home` without that.

    Raises ConfigError, TargetError.
    """
    library = find(told)
    file = home / "faketime.trial"
    try:
        found = _try(library, file)
        if found is None:
            library = _mended(library, home)
            found = _try(library, file)
    finally:
        file.unlink(missing_ok=True)
    if found is None:
        raise TargetError(f"{library} breaks programs that sleep (Python's time.sleep); install {_NAME} 0.9.11 or newer")
    return found


def _try(library: Path, file: Path) -> Faketime | None:
    """One program run under it. None where it is told the time but cannot sleep."""
    file.write_text(f"-{_AWAY:.0f}")
    tried = Faketime(library=library, ahead=0.0)
    clean = {name: value for name, value in os.environ.items() if name not in inherited(os.environ)}
    words = [sys.executable, "-I", "-S", "-c", _TRIAL, str(file)]
    try:
        done = subprocess.run(
            words, env=clean | tried.surroundings(file, os.environ), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=_LIMIT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise TargetError(f"a program under {library} hung; name another {_NAME} with service.faketime") from None
    line = done.stdout.split()
    told, real = map(float, line) if len(line) == 2 else (0.0, 0.0)
    if abs(real - told - _AWAY) > _LIMIT:
        last = done.stderr.strip().rpartition("\n")[2]
        raise TargetError(
            f"{library} does not change the time a program sees{f' ({last})' if last else ''}; "
            f"{_INSTALL}, or name another with service.faketime"
        )
    if done.returncode:
        return None
    ahead = real - time.time()  # a bit less than it is, so that no service is told of a time before the one that is meant
    return Faketime(library=library, ahead=ahead if abs(ahead) > 1.0 else 0.0)


def _mended(library: Path, home: Path) -> Path:
    """A copy that leaves `clock_nanosleep` to the system: it would move the deadline of a clock that it does not fake."""
    try:
        data = elf.without(library.read_bytes(), "clock_nanosleep")
    except (OSError, ValueError) as error:
        raise TargetError(f"{library} is too old, and cannot be mended: {error}; install {_NAME} 0.9.11 or newer") from None
    copy = home / library.name
    fresh = copy.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(data)
    fresh.replace(copy)
    return copy


def _preloaded(library: Path, environ: Mapping[str, str]) -> str:
    """What else is loaded before everything stays; another libfaketime does not."""
    before = environ.get(_PRELOAD, "").replace(" ", ":").split(":")
    return ":".join([str(library), *(path for path in before if path and not Path(path).name.startswith(_NAME))])
