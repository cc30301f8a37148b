"""libfaketime found, tried, mended, and what a service under it has in its environment."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wiretape import elf
from wiretape.errors import ConfigError, TargetError
from wiretape.faketime import Faketime, find, inherited, ready


def test_it_is_found_where_systems_keep_it() -> None:
    assert find().name.startswith("libfaketime")


def test_where_it_is_not_installed_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TargetError) as error:
        find(folders=(str(tmp_path),))
    assert str(error.value) == (
        "freezing the time needs libfaketime, which is not installed; "
        "apt-get install libfaketime, or your system's package of it, or say service.faketime: PATH"
    )


def test_one_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"service.faketime: there is no file .*nowhere.so; name the library itself"):
        find(tmp_path / "nowhere.so")


def test_what_runs_under_it_sees_the_time_in_the_file_and_sleeps(tmp_path: Path) -> None:
    found = ready(None, tmp_path)
    assert found.ahead == 0.0
    assert not (tmp_path / "faketime.trial").exists()
    file = tmp_path / "time"
    file.write_text("-86400.5")
    code = "import time; began = time.monotonic(); time.sleep(0.05); print(time.time(), time.monotonic() - began)"
    env = {**os.environ, **found.surroundings(file, os.environ)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True, timeout=60)
    told, took = map(float, done.stdout.split())
    assert abs(time.time() - 86400.5 - told) < 20
    assert 0.05 <= took < 20


def test_a_library_that_sleeps_well_is_taken_as_it_is_and_another_is_mended(tmp_path: Path) -> None:
    library = find()
    good = tmp_path / "libfaketime-good.so"
    good.write_bytes(elf.without(library.read_bytes(), "clock_nanosleep"))
    assert ready(good, tmp_path).library == good
    version = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "libfaketime"], capture_output=True, text=True, check=False
    )
    if version.stdout.startswith("0.9.10"):
        assert ready(library, tmp_path).library == tmp_path / library.name


def test_this_process_may_be_under_another(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from wiretape.faketime import ready; print(ready(None, Path(sys.argv[1])).ahead)"
    )
    for shift, wanted in (("+2 days", -2 * 86400), ("-2 days", 2 * 86400)):
        words = ["faketime", shift, sys.executable, "-c", code, str(tmp_path)]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
        assert abs(float(done.stdout) - wanted) < 10


@pytest.mark.parametrize("data", [b"", b"no library"])
def test_what_is_no_faketime_is_said(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "other.so").write_bytes(data)
    with pytest.raises(TargetError, match=r"other.so does not change the time a program sees.*; apt-get install libfaketime"):
        ready(tmp_path / "other.so", tmp_path)


def test_another_library_is_no_faketime(tmp_path: Path) -> None:
    (tmp_path / "lib.c").write_text("int nothing;\n")
    subprocess.run(["gcc", "-shared", "-o", "lib.so", "lib.c"], cwd=tmp_path, check=True, timeout=60)
    with pytest.raises(TargetError, match=r"lib.so does not change the time a program sees; "):
        ready(tmp_path / "lib.so", tmp_path)


# A clock moved as libfaketime moves it, with a fault.
FAULTY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *at) {
  int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(clock, at);
  double offset = 0;
  FILE *file = fopen(getenv("FAKETIME_TIMESTAMP_FILE"), "r");
  if (file && clock == CLOCK_REALTIME && fscanf(file, "%lf", &offset) == 1) at->tv_sec += (long)offset;
  if (file) fclose(file);
  if (clock == CLOCK_MONOTONIC && MONOTONIC) at->tv_sec -= 1000000000;
  return result;
}
#if SLEEPLESS
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *until, struct timespec *left) { return EINVAL; }
#endif
"""


@pytest.mark.parametrize(
    ("sleepless", "monotonic", "reason"),
    [
        (1, 0, ""),
        (0, 1, r"lib.so is too old, and cannot be mended: it has no clock_nanosleep; install libfaketime 0.9.11 or newer$"),
        (1, 1, r"lib.so breaks programs that sleep \(Python's time.sleep\); install libfaketime 0.9.11 or newer$"),
    ],
)
def test_what_can_be_mended_is_and_what_cannot_is_said(tmp_path: Path, sleepless: int, monotonic: int, reason: str) -> None:
    (tmp_path / "lib.c").write_text(FAULTY)
    flags = [f"-DSLEEPLESS={sleepless}", f"-DMONOTONIC={monotonic}"]
    subprocess.run(["gcc", "-shared", "-fPIC", *flags, "-o", "lib.so", "lib.c"], cwd=tmp_path, check=True, timeout=60)
    home = tmp_path / "home"
    home.mkdir()
    if not reason:
        assert ready(tmp_path / "lib.so", home).library == home / "lib.so"
        return
    with pytest.raises(TargetError, match=reason):
        ready(tmp_path / "lib.so", home)


def test_another_faketime_is_left_behind_and_other_libraries_are_not() -> None:
    environ = {
        "LD_PRELOAD": "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1 /usr/lib/libjemalloc.so.2:/opt/other.so",
        "FAKETIME": "+1d",
        "FAKETIME_SHARED": "/faketime_sem_1 /faketime_shm_1",
        "PATH": "/bin",
    }
    assert set(inherited(environ)) == {"FAKETIME", "FAKETIME_SHARED"}
    told = Faketime(library=Path("/lib/libfaketimeMT.so.1"), ahead=0.0).surroundings(Path("/tmp/time"), environ)
    assert told["LD_PRELOAD"] == "/lib/libfaketimeMT.so.1:/usr/lib/libjemalloc.so.2:/opt/other.so"
    assert told["FAKETIME_TIMESTAMP_FILE"] == "/tmp/time"
    assert "FAKETIME" not in told
