"""The command line: lazy, one line per error, the right exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from wiretape import __version__
from wiretape.cli import COMMANDS, common, group, reporting
from wiretape.errors import ConfigError, TargetError

ROOT = Path(__file__).parents[2]


def run(*args: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ}
    return subprocess.run(
        [sys.executable, "-m", "wiretape", *args], cwd=cwd, env=env, capture_output=True, text=True, timeout=60
    )


def test_help_lists_every_command_and_imports_none(tmp_path: Path) -> None:
    shown = run("--help", cwd=tmp_path, PYTHONPROFILEIMPORTTIME="1")
    assert shown.returncode == 0
    assert all(name in shown.stdout and line.split(".")[0][:40] in shown.stdout for name, (_, line) in COMMANDS.items())
    heavy = ("mitmproxy", "httpx", "yaml", "rich", "recorder", "replayer", "wiretape.config", "asyncio", "cryptography")
    imported = {line.rpartition("|")[2].strip() for line in shown.stderr.splitlines()}
    assert not [name for name in imported for one in heavy if name == one or name.startswith(f"{one}.")]


def test_help_is_quick(tmp_path: Path) -> None:
    run("--help", cwd=tmp_path)  # compiles
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        run("--help", cwd=tmp_path)
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.15


def test_every_command_in_the_table_exists() -> None:
    context = click.Context(group)
    for name in COMMANDS:
        command = group.get_command(context, name)  # type: ignore[attr-defined]
        assert isinstance(command, click.Command)
        assert command.help


def test_no_arguments_shows_help_and_version_is_told(tmp_path: Path) -> None:
    assert run(cwd=tmp_path).stdout.startswith("Usage: wiretape ")
    assert run("--version", cwd=tmp_path).stdout == f"wiretape, version {__version__}\n"


@pytest.mark.parametrize(
    ("args", "code", "line"),
    [
        (["repaly"], 2, "wiretape: there is no command 'repaly'; did you mean replay?"),
        (["zzz"], 2, f"wiretape: there is no command 'zzz'; commands: {', '.join(COMMANDS)}"),
        (["--nope"], 2, "wiretape: No such option '--nope'; see wiretape --help"),
        (["schema", "--nope"], 2, "wiretape: No such option '--nope'; see wiretape --help"),
        (["schema", "nope"], 2, "wiretape: there is no schema 'nope'; there are case, suite, session, config"),
        (["schema", "-c", "none.yaml"], 2, "wiretape: there is no configuration file none.yaml"),
        (["schema", "--dep", "x"], 2, "wiretape: --dep: cannot read 'x'; write NAME=PROTOCOL://UPSTREAM@LISTEN, "
            "such as main=postgres://127.0.0.1:5432@15432"),
    ],
)  # fmt: skip
def test_errors_are_one_line_with_the_right_exit_code(tmp_path: Path, args: list[str], code: int, line: str) -> None:
    done = run(*args, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", f"{line}\n")


def test_the_schema_names_the_targets_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "wiretape.yaml").write_text("wiretape: 1\ntargets: {orders: {protocol: postgres}}\n")
    printed = json.loads(run("schema", cwd=tmp_path).stdout)
    assert printed["properties"]["calls"]["items"]["required"] == ["orders"]


def test_output_that_nobody_reads_is_no_error(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as out:
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "wiretape", "schema"]
        done = subprocess.run(command, cwd=tmp_path, env=env, stdout=out, stderr=subprocess.PIPE, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (141, "")


def _invoke(raised: BaseException, *args: str, **environ: str) -> Result:
    @click.command()
    @common
    def command(**given: object) -> None:
        click.echo(sorted(given.items()))
        raise raised

    return CliRunner(env=environ).invoke(command, args)


@pytest.mark.parametrize(
    ("raised", "code", "line"),
    [
        (ConfigError("a\nb"), 2, "wiretape: a b\n"),
        (TargetError("port taken"), 3, "wiretape: port taken\n"),
        (ZeroDivisionError("oops"), 3,
            "wiretape: internal error: ZeroDivisionError: oops; please report it (WIRETAPE_DEBUG=1 shows where)\n"),
        (KeyboardInterrupt(), 130, ""),
        (click.exceptions.Exit(1), 1, ""),
        (SystemExit(1), 1, ""),
    ],
)  # fmt: skip
def test_whatever_a_command_raises_ends_properly(raised: BaseException, code: int, line: str) -> None:
    result = _invoke(raised)
    assert (result.exit_code, result.stderr) == (code, line)


def test_debug_shows_where() -> None:
    result = _invoke(ZeroDivisionError("oops"), WIRETAPE_DEBUG="1")
    assert "Traceback" in result.stderr
    assert result.exit_code == 3


def test_the_common_options() -> None:
    args = ["-c", "x.yaml", "--service", "http://a", "--dep", "a=b", "--dep", "c=d", "--suite", "s"]
    result = _invoke(SystemExit(0), *args)
    assert result.stdout == (
        "[('config', PosixPath('x.yaml')), ('dep', ('a=b', 'c=d')), ('service', 'http://a'), ('suite', PosixPath('s'))]\n"
    )


def test_nothing_wrong_is_left_alone() -> None:
    with reporting():
        pass
