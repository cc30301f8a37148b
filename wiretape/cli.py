"""The command line: a table of commands imported only when they run, options they share, and how errors end a run.

`wiretape --help` reads the table and imports no command. Exit codes: 0 fine, 1 regressions or findings, 2 usage or
configuration, 3 could not run, 130 interrupted.
"""

from __future__ import annotations

import difflib
import functools
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn, cast

import click

from wiretape import __version__
from wiretape.errors import ConfigError, WiretapeError

USAGE, INTERNAL, INTERRUPTED, BROKEN_PIPE = 2, 3, 130, 141

# name -> (where the command is, its line in --help)
COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "record": ("recorder.cli:record", "Record real traffic of a service and its dependencies into cases."),
        "compile": ("recorder.cli:compile_", "Turn what was captured into cases, again or after a crash."),
        "replay": ("replayer.cli:replay", "Replay the cases against a build, dependencies played back; report what changed."),
        "send": ("replayer.sendcli:send", "Send the recorded requests in order to a real service; compare nothing."),
        "serve": ("replayer.cli:serve", "Run just the mocks of the dependencies, for a service under development."),
        "accept": ("replayer.suitecli:accept", "Take what the last replay found as the new expectation."),
        "audit": (
            "replayer.suitecli:audit",
            "Falsify every recorded answer and call; tell what the rules would let through.",
        ),
        "learn": ("replayer.learncli:learn", "Replay the recorded build several times; propose noise rules for what differs."),
        "lint": ("replayer.suitecli:lint", "Check every file of the suite; report each problem with file, line and column."),
        "ca": ("wiretape.cacli:ca", "Show, install or export the certificate authority that clients are to trust."),
        "doctor": ("recorder.doctorcli:doctor", "Check what recording and replaying need here, and say what to do."),
        "schema": ("wiretape.cli:schema", "Print the JSON Schema of the files wiretape reads."),
    }
)


class LazyGroup(click.Group):
    """A group whose commands come from a table of strings."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        return cast(click.Command, getattr(import_module(module), attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            advice = f"did you mean {close[0]}?" if close else f"commands: {', '.join(COMMANDS)}"
            raise ConfigError(f"there is no command {args[0]!r}; {advice}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wiretape")
@click.pass_context
def group(ctx: click.Context) -> None:
    """Record real HTTP and database traffic into YAML test cases, replay them against a new build."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def common[**P, R](command: Callable[P, R]) -> Callable[P, R]:
    """Add the options every command has and end the process properly on an error.

    The command gets keyword arguments `config: Path | None`, `service: str | None`, `dep: tuple[str, ...]`,
    `suite: Path | None`, ready to be handed to `wiretape.config.load_config`.
    """

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        with reporting():
            return command(*args, **kwargs)

    for option in reversed(_COMMON):
        option(guarded)
    return guarded


_COMMON = (
    click.option(
        "-c",
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="The configuration; by default the nearest wiretape.yaml from here upward.",
    ),
    click.option(
        "--service", metavar="URL[@LISTEN]", help="The service, and where to listen in front of it: http://127.0.0.1:8000@9000."
    ),
    click.option(
        "--dep",
        multiple=True,
        metavar="NAME=PROTOCOL://[UPSTREAM][@LISTEN]",
        help="A dependency, and where to listen for the service: main=postgres://127.0.0.1:5432@15432. May be repeated.",
    ),
    click.option(
        "--suite", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", help="The folder of the cases."
    ),
)


@contextmanager
def reporting() -> Iterator[None]:
    """Turn whatever goes wrong inside into one line on stderr and an exit code."""
    try:
        yield
    except click.exceptions.Exit as exit_:
        sys.exit(exit_.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone. Python would complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(BROKEN_PIPE)
    except click.ClickException as error:
        _fail(f"{error.format_message().rstrip('.')}; see wiretape --help", USAGE)
    except WiretapeError as error:
        _fail(str(error), error.exit_code)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a traceback is a bug, a line tells where to report it
        if os.environ.get("WIRETAPE_DEBUG"):
            traceback.print_exc()
        _fail(f"internal error: {type(error).__name__}: {error}; please report it (WIRETAPE_DEBUG=1 shows where)", INTERNAL)


def _fail(message: str, code: int) -> NoReturn:
    click.echo("wiretape: " + " ".join(message.splitlines()), err=True)
    sys.exit(code)


def main() -> None:
    """The `wiretape` command."""
    with reporting():
        code = group.main(prog_name="wiretape", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)


@click.command()
@click.argument("kind", default="case", metavar="[case|suite|session|config]")
@common
def schema(kind: str, *, config: Path | None, service: str | None, dep: tuple[str, ...], suite: Path | None) -> None:
    """Print the JSON Schema of a case file (or of suite.yaml, session.yaml, wiretape.yaml).

    An editor that knows it completes and checks as you type. Where a configuration is found, the schema names its targets.
    """
    import json

    from wiretape.config import load_config
    from wiretape.schema import SCHEMAS
    from wiretape.schemes import AUTO

    if kind not in SCHEMAS:
        raise ConfigError(f"there is no schema {kind!r}; there are {', '.join(SCHEMAS)}")
    found = load_config(file=config, environ=os.environ, cwd=Path.cwd(), service=service, deps=dep, suite=suite)
    targets = {name: target.protocol for name, target in found.targets.items()}
    if AUTO in targets.values():  # any call may be one of theirs
        targets = {}
    click.echo(json.dumps(SCHEMAS[kind](targets), indent=2))
