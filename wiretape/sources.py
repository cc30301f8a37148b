"""What the file, the environment and the flags each say of a run, by option, with the place for the error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from wiretape.casefile import unknown
from wiretape.errors import CaseFormatError, ConfigError
from wiretape.options import PROXY_OPTIONS, RECORD_OPTIONS, SERVICE_OPTIONS, TARGET_OPTIONS, Option
from wiretape.tree import Tree
from wiretape.yamlio import Document, read

VERSION = 1
_TOP = ("wiretape", "suite", "service", "targets", "proxy", "record")
_VARIABLE = re.compile(r"(?P<escaped>\$\$\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<fallback>:-(?P<default>[^}]*))?\}")
_DEP = re.compile(
    r"(?P<name>[^=]*)=(?P<protocol>[a-z][a-z0-9+.-]*)://(?:(?P<user>[^@:/]*)(?::(?P<password>[^@]*))?@(?=.*@))?"
    r"(?P<upstream>unix:[^@]*|[^@/]*)(?:/(?P<database>[^@/?]*)(?:[/?][^@]*)?)?(?:@(?P<listen>.*))?"
)
_QUOTABLE = ("user", "password", "database")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An option's value as given, and where, for the error."""

    value: object
    where: str
    folder: Path

    def read(self, name: str, option: Option) -> object:
        try:
            return option(self.value)
        except ValueError as error:
            raise ConfigError(f"{self.where}: {name}: {error}") from None


type Options = dict[str, Given]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What one source says, by option. A later layer's options replace an earlier one's."""

    top: Options = field(default_factory=dict)
    service: Options = field(default_factory=dict)
    targets: dict[str, Options] = field(default_factory=dict)
    proxy: Options = field(default_factory=dict)
    record: Options = field(default_factory=dict)

    def over(self, below: Layer) -> Layer:
        targets = {name: below.targets.get(name, {}) | self.targets.get(name, {}) for name in below.targets | self.targets}
        return Layer(
            top=below.top | self.top,
            service=below.service | self.service,
            targets=targets,
            proxy=below.proxy | self.proxy,
            record=below.record | self.record,
        )


def from_file(file: Path, environ: Mapping[str, str]) -> Layer:
    """What wiretape.yaml says. Raises ConfigError with the place of the first thing wrong."""
    return _FileReader(opened(file), file, environ).layer()


def opened(file: Path) -> Document:
    """A YAML file that configures. Raises ConfigError where it cannot be read, with the place where it is no YAML."""
    try:
        return read(file)
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror or error}") from None
    except CaseFormatError as error:
        raise ConfigError(str(error)) from None


class _FileReader:
    """wiretape.yaml, with `${ENV}` expanded; the first thing wrong is raised with its place."""

    def __init__(self, document: Document, file: Path, environ: Mapping[str, str]) -> None:
        self._document = document
        self._file = file
        self._environ = environ

    def layer(self) -> Layer:
        top = self._mapping((), self._document.value)
        version = top.get("wiretape")
        if version != VERSION or isinstance(version, bool):
            said = "the version is missing; start the file with" if version is None else "this wiretape reads"
            raise self._error(("wiretape",), f"{said} `wiretape: {VERSION}`")
        self._mapping((), self._document.value, _TOP)
        targets = self._mapping(("targets",), top.get("targets"))
        return Layer(
            top={"suite": self._given(("suite",), top["suite"])} if top.get("suite") is not None else {},
            service=self._options(("service",), top.get("service"), SERVICE_OPTIONS),
            targets={name: self._options(("targets", name), value, TARGET_OPTIONS) for name, value in targets.items()},
            proxy=self._options(("proxy",), top.get("proxy"), PROXY_OPTIONS),
            record=self._options(("record",), top.get("record"), RECORD_OPTIONS),
        )

    def _error(self, path: tuple[str, ...], reason: str, *, key: bool = False) -> ConfigError:
        return ConfigError(str(self._document.error(path, reason, key=key)))

    def _mapping(self, path: tuple[str, ...], value: Tree, known: Sequence[str] = ()) -> Mapping[str, Tree]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._error(path, f"{'.'.join(path) or 'the file'} must be a mapping")
        for name in value:
            if known and name not in known:
                raise self._error((*path, name), unknown(name, known, "key"), key=True)
        return value

    def _options(self, path: tuple[str, ...], value: Tree, known: Mapping[str, Option]) -> Options:
        given = self._mapping(path, value, tuple(known))
        return {name: self._given((*path, name), one) for name, one in given.items() if one is not None}

    def _given(self, path: tuple[str, ...], value: Tree) -> Given:
        mark = self._document.mark(path)
        where = f"{self._file}:{mark.line}:{mark.column}"
        return Given(value=self._expand(value, where), where=where, folder=self._file.parent)

    def _expand(self, value: Tree, where: str) -> Tree:
        if isinstance(value, list):
            return [self._expand(one, where) for one in value]
        if isinstance(value, dict):
            return {name: self._expand(one, where) for name, one in value.items()}
        return expand(value, self._environ, where) if isinstance(value, str) else value


def expand(text: str, environ: Mapping[str, str], where: str) -> str:
    """`${NAME}` and `${NAME:-default}` from the environment; `$${` is a plain `${`; names with a dot (`${main.port}`) stay.

    Raises ConfigError naming a variable that is not set.
    """

    def value(found: re.Match[str]) -> str:
        if found["escaped"]:
            return "${"
        told = environ.get(found["name"], "")
        if found["fallback"] is not None:
            return told or found["default"]
        if found["name"] not in environ:
            raise ConfigError(
                f"{where}: the environment variable {found['name']} is not set; set it, or write ${{{found['name']}:-default}}"
            )
        return told

    return _VARIABLE.sub(value, text)


def from_environ(environ: Mapping[str, str], cwd: Path) -> Layer:
    """What `WIRETAPE_SUITE`, `_SERVICE`, `_DEPS`, `_SERVICE_<OPTION>` and `_RECORD_<OPTION>` say. Raises ConfigError."""

    def options(prefix: str, known: Mapping[str, Option]) -> Options:
        names = {name: f"{prefix}{name.upper()}" for name in known if known[name] is not SERVICE_OPTIONS["env"]}
        return {
            name: Given(value=environ[variable], where=variable, folder=cwd)
            for name, variable in names.items()
            if environ.get(variable)
        }

    suite = environ.get("WIRETAPE_SUITE")
    service = _service_flag(environ.get("WIRETAPE_SERVICE") or None, "WIRETAPE_SERVICE", cwd)
    return Layer(
        top={"suite": Given(value=suite, where="WIRETAPE_SUITE", folder=cwd)} if suite else {},
        service=service | options("WIRETAPE_SERVICE_", SERVICE_OPTIONS),
        targets=dict(_dep_flags(environ.get("WIRETAPE_DEPS", "").split(), "WIRETAPE_DEPS", cwd)),
        proxy=_proxy_flag(environ.get("WIRETAPE_PROXY"), "WIRETAPE_PROXY", cwd),
        record=options("WIRETAPE_RECORD_", RECORD_OPTIONS),
    )


def from_flags(
    service: str | None,
    deps: Sequence[str],
    suite: Path | None,
    proxy: str | None,
    record: Mapping[str, object],
    cwd: Path,
) -> Layer:
    """What the command line says. Raises ConfigError."""
    given = {name: value for name, value in record.items() if value is not None and value is not False and value != ()}
    return Layer(
        top={"suite": Given(value=str(suite), where="--suite", folder=cwd)} if suite is not None else {},
        service=_service_flag(service, "--service", cwd),
        targets=dict(_dep_flags(deps, "--dep", cwd)),
        proxy=_proxy_flag(proxy, "--proxy", cwd),
        record={name: Given(value=value, where=f"--{name.replace('_', '-')}", folder=cwd) for name, value in given.items()},
    )


def _proxy_flag(given: str | None, where: str, cwd: Path) -> Options:
    """Where the forward proxy is to listen."""
    return {"listen": Given(value=given, where=where, folder=cwd)} if given else {}


def _service_flag(given: str | None, where: str, cwd: Path) -> Options:
    """`URL` or `URL@LISTEN`."""
    if given is None:
        return {}
    url, mark, listen = given.rpartition("@") if "@" in given else (given, "", "")
    told = {"url": url} | ({"listen": listen} if mark else {})
    return {name: Given(value=value, where=where, folder=cwd) for name, value in told.items()}


def _dep_flags(deps: Sequence[str], where: str, cwd: Path) -> Iterator[tuple[str, Options]]:
    """`NAME=PROTOCOL://[USER[:PASSWORD]@][UPSTREAM][/DATABASE][@LISTEN]`."""
    for dep in deps:
        found = _DEP.fullmatch(dep)
        if not found:
            raise ConfigError(
                f"{where}: cannot read {dep!r}; write NAME=PROTOCOL://UPSTREAM@LISTEN, such as main=postgres://127.0.0.1:5432@15432"
            )
        told = {name: value for name, value in found.groupdict().items() if value and name != "name"}
        told |= {name: unquote(told[name]) for name in _QUOTABLE if name in told}
        yield found["name"], {name: Given(value=value, where=where, folder=cwd) for name, value in told.items()}
