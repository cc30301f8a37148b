"""How programs of the table are run, what each runtime needs on the machine, and how versions are asked for."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
NODE_MODULES = PROGRAMS / "node_modules"
GO_PATH = Path("/usr/share/gocode")
INSTALL = "run .ci/servers (make test does)"

_JARS = ("postgresql", "mongo-java-driver", "bson", "mariadb-java-client", "slf4j-api", "slf4j-nop", "jna", "jna-platform")
# By the program's suffix: the words before it. A Java program is run from its source.
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    ".py": (sys.executable, "-P"),  # a program may be called as its driver is
    ".js": ("node",),
    ".mjs": ("node",),
    ".rb": ("ruby",),
    ".php": ("php",),
    ".pl": ("perl",),
    ".sh": ("sh",),
    ".java": ("java", "-XX:TieredStopAtLevel=1", "-cp", ":".join(f"/usr/share/java/{name}.jar" for name in _JARS)),
    ".go": ("go", "run"),
}


def command(program: Path) -> list[str]:
    """The words that run a program. Raises FileNotFoundError, with the line that installs it, where its runtime is missing."""
    words = _COMMANDS[program.suffix]
    if shutil.which(words[0]) is None:
        raise FileNotFoundError(f"{program.name} needs {words[0]}; {INSTALL}")
    if program.suffix in (".js", ".mjs") and not NODE_MODULES.is_dir():
        raise FileNotFoundError(f"{program.name} needs {NODE_MODULES}; {INSTALL}")
    return [*words, str(program)]


def environ() -> Mapping[str, str]:
    """What runtimes want to know. Go builds without modules, from what Debian packages, into one cache for all runs."""
    cache_folder = Path(tempfile.gettempdir()) / f"wiretape-{os.getuid()}-go"
    return {"GO111MODULE": "off", "GOPATH": str(GO_PATH), "GOCACHE": str(cache_folder), "GOFLAGS": "", "GOTOOLCHAIN": "local"}


@cache
def version(probe: str) -> str:
    """The version of what a row is about: `python`, `py NAME`, `node NAME`, `deb NAME`, or `run WORDS…` and what they print."""
    kind, _, rest = probe.partition(" ")
    match kind:
        case "py":
            return metadata.version(rest)
        case "node":
            return str(json.loads((NODE_MODULES / rest / "package.json").read_text())["version"])
        case "python":
            return platform.python_version()
        case "deb":
            return _first_line("dpkg-query", "-W", "-f", "${Version}", rest).split("-")[0].split("+")[0]
        case _:
            return _first_line(*rest.split())


def _first_line(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    return (done.stdout or done.stderr).strip().splitlines()[0].strip() if (done.stdout or done.stderr).strip() else "unknown"
