"""`.proto` files and descriptor sets -> the message types of each gRPC method. The compiler is run, never imported."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from wiretape.errors import ConfigError
from wiretape.protobuf.registry import Registry

_TIMEOUT = 60  # seconds


def load(paths: Sequence[Path]) -> Registry:
    """The types that `paths` declare: `.proto` files, folders of them, descriptor sets. Raises ConfigError.

    A `.proto` is compiled with grpcio-tools or with `protoc`; a descriptor set (`protoc --include_imports
    --descriptor_set_out=FILE`) needs neither.
    """
    if not paths:
        return Registry()
    sources = [(path, path.parent) for path in paths if path.suffix == ".proto"]
    for folder in (path for path in paths if path.is_dir()):
        sources += [(found, folder) for found in sorted(folder.rglob("*.proto"))]
    sets = [_read(path) for path in paths if path.suffix != ".proto" and not path.is_dir()]
    if sources:
        sets.append(_compiled(sources))
    try:
        return Registry.of(sets)
    except (ValueError, KeyError) as error:
        raise ConfigError(f"protos: {', '.join(path.name for path in paths)}: {error}") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"protos: cannot read {path}: {error.strerror or error}") from None


def _compiled(sources: Sequence[tuple[Path, Path]]) -> bytes:
    missing = next((path for path, _ in sources if not path.is_file()), None)
    if missing is not None:
        raise ConfigError(f"protos: there is no file {missing}")
    roots = dict.fromkeys(root for _, root in sources)
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "set.binpb"
        words = [*(f"-I{root}" for root in roots), "--include_imports", f"--descriptor_set_out={out}"]
        ran = subprocess.run(
            [*_compiler(), *words, *(str(path) for path, _ in sources)],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
        if ran.returncode or not out.exists():
            lines = [line for line in ran.stderr.splitlines() if line.strip()]
            first = next((line for line in lines if ".proto:" in line), lines[-1] if lines else "the compiler failed")
            raise ConfigError(f"protos: {first}")
        return out.read_bytes()


def _compiler() -> list[str]:
    if find_spec("grpc_tools") is not None:
        return [sys.executable, "-m", "grpc_tools.protoc"]
    found = shutil.which("protoc")
    if found is None:
        raise ConfigError(
            "protos: a .proto is compiled with grpcio-tools, which is not installed; `pip install grpcio-tools`, or name a "
            "descriptor set (protoc --include_imports --descriptor_set_out=FILE …) instead"
        )
    return [found]
