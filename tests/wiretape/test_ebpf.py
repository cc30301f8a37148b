"""What local capture needs of the machine."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from wiretape import ebpf


def mounts(folder: Path, *lines: str) -> Path:
    file = folder / "mounts"
    file.write_text("".join(f"{line}\n" for line in lines))
    return file


def test_where_control_groups_are(tmp_path: Path) -> None:
    file = mounts(tmp_path, "cgroup /sys/fs/cgroup/cpu cgroup rw 0 0", f"cgroup2 {tmp_path} cgroup2 rw 0 0")
    assert ebpf.control_groups(file) == tmp_path
    assert ebpf.control_groups(mounts(tmp_path, "cgroup /sys/fs/cgroup/cpu cgroup rw 0 0")) is None
    assert ebpf.control_groups(tmp_path / "none") is None


def test_everything_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "release", lambda: "4.19.0-generic")
    monkeypatch.setattr(platform, "machine", lambda: "mips")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    said = ebpf.missing(mounts(tmp_path))
    assert [line.split()[0:4] for line in said] == [
        ["the", "kernel", "is", "4.19.0-generic,"],
        ["the", "processor", "is", "mips;"],
        ["root's", "rights", "are", "missing"],
        ["no", "control", "groups", "(cgroup2)"],
    ]


def test_another_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert ebpf.missing() == ["it needs Linux, this is Darwin; give the service listeners of ours (--dep), or --proxy"]
