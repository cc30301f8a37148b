"""Programs and libraries as the kernel's loader reads them."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wiretape import elf
from wiretape.elf import Traits, without

PROGRAM = Path(sys.executable).resolve().read_bytes()


def traits(data: bytes) -> Traits | None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return elf.traits(Path(file.name))


LIBRARY = "int first(void) { return 1; }\nint second(void) { return 2; }\n"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("elf")
    (folder / "two.c").write_text(LIBRARY)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", "two.so", "two.c"], cwd=folder, check=True, timeout=60)
    return folder / "two.so"


def test_a_program_that_loads_libraries() -> None:
    assert traits(PROGRAM) == Traits(static=False, go=False)


def test_a_static_program_is_told_with_its_sections_and_without(tmp_path: Path) -> None:
    (tmp_path / "nothing.c").write_text("int main(void) { return 0; }\n")
    for flags in ([], ["-s"]):
        subprocess.run(["gcc", "-static", *flags, "-o", "nothing", "nothing.c"], cwd=tmp_path, check=True, timeout=60)
        data = (tmp_path / "nothing").read_bytes()
        assert traits(data) == Traits(static=True, go=False)
    headless = bytearray(data)
    headless[40:48] = headless[58:64] = bytes(8)
    assert traits(bytes(headless[: len(data)])) == Traits(static=True, go=False)


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"#!/bin/sh\n", PROGRAM[:70], PROGRAM[:4] + b"\x01\x01" + PROGRAM[6:]])
def test_what_is_no_program_of_64_bits_is_none(data: bytes) -> None:
    assert traits(data) is None


@settings(deadline=None)
@given(st.integers(0, 63), st.integers(0, 255), st.integers(64, 4096))
def test_a_damaged_program_is_read_or_is_none(at: int, byte: int, size: int) -> None:
    data = PROGRAM[:at] + bytes([byte]) + PROGRAM[at + 1 : size]
    traits(data)  # raises nothing
    with pytest.raises(ValueError, match=r"^it (is no ELF file of 64 bits|is damaged|has no clock_nanosleep)$"):
        without(data, "clock_nanosleep")


def test_a_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert elf.traits(tmp_path / "nowhere") is None
    assert elf.traits(tmp_path) is None


def test_a_symbol_is_not_found_any_more_and_the_others_are(library: Path, tmp_path: Path) -> None:
    (tmp_path / "one.so").write_bytes(without(library.read_bytes(), "second"))
    loaded = ctypes.CDLL(str(tmp_path / "one.so"))
    assert loaded.first() == 1
    with pytest.raises(AttributeError):
        _ = loaded.second


def test_a_symbol_that_is_not_there_is_said(library: Path) -> None:
    for name in ("third", "fir", "irst"):
        with pytest.raises(ValueError, match=f"^it has no {name}$"):
            without(library.read_bytes(), name)
