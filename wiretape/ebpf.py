"""What local capture needs of the machine: named exactly, where it is missing."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Final

OLDEST: Final = (5, 7)  # links between programs and control groups
MACHINES: Final = ("x86_64", "aarch64")
MOUNTS: Final = Path("/proc/mounts")


def missing(mounts: Path = MOUNTS) -> list[str]:
    """What is missing, each with what to do; empty where local capture can work."""
    if platform.system() != "Linux":
        return [f"it needs Linux, this is {platform.system()}; give the service listeners of ours (--dep), or --proxy"]
    return [reason for reason in (_kernel(platform.release()), _machine(), _rights(), _groups(mounts)) if reason]


def control_groups(mounts: Path = MOUNTS) -> Path | None:
    """Where the kernel's control groups (version 2) are mounted; None where they are not."""
    try:
        lines = [line.split() for line in mounts.read_text().splitlines()]
    except OSError:
        return None
    return next((Path(words[1]) for words in reversed(lines) if len(words) > 2 and words[2] == "cgroup2"), None)


def _kernel(release: str) -> str:
    found = re.match(r"(\d+)\.(\d+)", release)
    old = found is not None and (int(found[1]), int(found[2])) < OLDEST
    return f"the kernel is {release}, {OLDEST[0]}.{OLDEST[1]} or newer is needed" if old else ""


def _machine() -> str:
    machine = platform.machine()
    return "" if machine in MACHINES else f"the processor is {machine}; only {' and '.join(MACHINES)} are known"


def _rights() -> str:
    return "" if os.geteuid() == 0 else "root's rights are missing (they load eBPF programs); run it as root"


def _groups(mounts: Path) -> str:
    found = control_groups(mounts)
    if found is None:
        return "no control groups (cgroup2) are mounted; mount -t cgroup2 none /sys/fs/cgroup, in a mount namespace if need be"
    return "" if os.access(found, os.W_OK) else f"{found} cannot be written to; mount it writable"
