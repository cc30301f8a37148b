"""The system's trust store: our authority put in and taken out, each time in the way of the system at hand."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wiretape.errors import TargetError

type Run = Callable[[Sequence[str]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One kind of system: a folder for certificates, and the command that makes them count."""

    system: str
    folder: Path
    update: tuple[str, ...]
    forget: tuple[str, ...] = ()  # the same for what was taken out, where that needs more

    @property
    def removal(self) -> tuple[str, ...]:
        """The command after a certificate was taken out."""
        return self.forget or self.update


_STORES = (
    Store(
        system="Debian",
        folder=Path("/usr/local/share/ca-certificates"),
        update=("update-ca-certificates",),
        forget=("update-ca-certificates", "--fresh"),
    ),
    Store(system="Fedora", folder=Path("/etc/pki/ca-trust/source/anchors"), update=("update-ca-trust", "extract")),
)
_KEYCHAIN = "/Library/Keychains/System.keychain"


def store(stores: Sequence[Store] = _STORES) -> Store | None:
    """The store of this system; None where it is none that is known (macOS has its own way)."""
    return next((each for each in stores if shutil.which(each.update[0])), None)


def run(command: Sequence[str]) -> None:
    """Run a command of the system. Raises TargetError with its last line where it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise TargetError(f"cannot run {command[0]}: {error.strerror or error}") from None
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise TargetError(f"{' '.join(command)} failed: {''.join(last) or f'exit code {done.returncode}'}")


def install(certificate: Path, fingerprint: str, found: Store | None, execute: Run = run) -> str:
    """Have the system trust `certificate`; what was done, in one line. Raises TargetError."""
    if found is None and platform.system() == "Darwin":
        execute(("security", "add-trusted-cert", "-d", "-r", "trustRoot", "-k", _KEYCHAIN, str(certificate)))
        return f"put into {_KEYCHAIN}"
    there = placed(fingerprint, found)
    try:
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(certificate, there)
    except OSError as error:
        raise _refused(there, error) from None
    assert found is not None
    execute(found.update)
    return f"put into {there}, and {' '.join(found.update)} was run"


def uninstall(fingerprint: str, found: Store | None, execute: Run = run) -> str:
    """Undo `install`; what was done, in one line. Raises TargetError."""
    if found is None and platform.system() == "Darwin":
        execute(("security", "delete-certificate", "-Z", fingerprint, _KEYCHAIN))
        return f"taken out of {_KEYCHAIN}"
    there = placed(fingerprint, found)
    if not there.exists():
        return f"was not installed: there is no {there}"
    try:
        there.unlink()
    except OSError as error:
        raise _refused(there, error) from None
    assert found is not None
    execute(found.removal)
    return f"taken out of {there.parent}, and {' '.join(found.removal)} was run"


def placed(fingerprint: str, found: Store | None) -> Path:
    """Where the certificate is, or would be, in the system's store. Raises TargetError for a system that is not known."""
    if found is None:
        raise TargetError(
            "this system's trust store is not known (update-ca-certificates, update-ca-trust or macOS's security are); "
            "give clients the file of wiretape ca export instead"
        )
    return found.folder / f"wiretape-{fingerprint[:12].lower()}.crt"


def _refused(path: Path, error: OSError) -> TargetError:
    return TargetError(f"cannot change {path}: {error.strerror or error}; run the command as root (sudo)")
