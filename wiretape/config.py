"""What a run is told to do: flags, environment and `wiretape.yaml`, in that order of precedence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from wiretape.casefile import unknown
from wiretape.errors import CaseFormatError, ConfigError
from wiretape.options import LOOPBACK, RECORD_OPTIONS, SERVICE_OPTIONS, TARGET_OPTIONS, Address, Option, target_name
from wiretape.protocols import CODECS, codec
from wiretape.tree import Tree
from wiretape.yamlio import Document, read

__all__ = ["Address", "Config", "Recording", "Service", "Target", "TlsPolicy", "load_config"]

type TlsPolicy = Literal["auto", "refuse", "passthrough"]

VERSION = 1
HOME = ".wiretape"
FILE = "wiretape.yaml"
_TOP = ("wiretape", "suite", "service", "targets", "record")
_VARIABLE = re.compile(r"(?P<escaped>\$\$\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<fallback>:-(?P<default>[^}]*))?\}")
_DEP = re.compile(
    r"(?P<name>[^=]*)=(?P<protocol>[a-z0-9]+)://(?:(?P<user>[^@:/]*)(?::(?P<password>[^@]*))?@(?=.*@))?(?P<upstream>[^@]*)(?:@(?P<listen>.*))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The service under test. `ready`: a path that must answer below 500, or empty for "port open". Times in seconds."""

    url: str
    listen: Address | None = None
    ready: str = ""
    ready_timeout: float = 30.0
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A named upstream. `tls`: `auto` reads through TLS (see wiretape.protocols.postgres.startup), `refuse` tells the
    client there is none, `passthrough` relays it unread and says so. `certificate` is a PEM file with the server's own key
    and chain, for clients that bind to it. `user`/`password` serve `--on-miss passthrough` only."""

    name: str
    protocol: str
    listen: Address
    upstream: Address | None = None
    tls: TlsPolicy = "auto"
    certificate: Path | None = None
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What is kept. `include`/`exclude` are filters such as `GET /api/*`, `/health`, `5xx`, `POST /orders 201`; `sample`
    is the share kept, 0 to 1; `max_body` is in bytes."""

    serialize: bool = False
    sample: float = 1.0
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_body: int = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything, resolved: paths absolute, `${ENV}` expanded. `home` is `.wiretape` beside the config file."""

    file: Path | None
    suite: Path
    home: Path
    service: Service | None
    targets: Mapping[str, Target]
    record: Recording = Recording()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """An option's value as given, and where, for the error."""

    value: object
    where: str
    folder: Path

    def read(self, name: str, option: Option) -> object:
        try:
            return option(self.value)
        except ValueError as error:
            raise ConfigError(f"{self.where}: {name}: {error}") from None


type _Options = dict[str, _Given]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """What one source says, by option. A later layer's options replace an earlier one's."""

    top: _Options = field(default_factory=dict)
    service: _Options = field(default_factory=dict)
    targets: dict[str, _Options] = field(default_factory=dict)
    record: _Options = field(default_factory=dict)

    def over(self, below: _Layer) -> _Layer:
        targets = {name: below.targets.get(name, {}) | self.targets.get(name, {}) for name in below.targets | self.targets}
        return _Layer(
            top=below.top | self.top,
            service=below.service | self.service,
            targets=targets,
            record=below.record | self.record,
        )


def load_config(
    *,
    file: Path | None,
    environ: Mapping[str, str],
    cwd: Path,
    service: str | None = None,
    deps: Sequence[str] = (),
    suite: Path | None = None,
    record: Mapping[str, object] = MappingProxyType({}),
) -> Config:
    """The configuration of this run.

    `file`: given with `-c`; else `WIRETAPE_CONFIG`, else the nearest `wiretape.yaml` from `cwd` upward, else none is needed.
    `service`, `deps`, `suite`, `record` are flags; of `record`, options that are None, False or empty were not given. Relative
    paths are meant from the file's folder where the file says them, else from `cwd`. Raises ConfigError.
    """
    found = _find(file, environ, cwd)
    layer = _from_file(found, environ) if found else _Layer()
    layer = _from_environ(environ, cwd).over(layer)
    layer = _from_flags(service, deps, suite, record, cwd).over(layer)
    folder = found.parent if found else cwd.resolve()
    return Config(
        file=found,
        suite=_path("suite", layer.top.get("suite", _Given(value="suite", where="", folder=folder))),
        home=folder / HOME,
        service=_service(layer.service) if layer.service else None,
        targets=_targets(layer.targets),
        record=Recording(**_read(layer.record, RECORD_OPTIONS)),  # type: ignore[arg-type]  # as the readers return them
    )


def _find(file: Path | None, environ: Mapping[str, str], cwd: Path) -> Path | None:
    told = file or (Path(environ["WIRETAPE_CONFIG"]) if environ.get("WIRETAPE_CONFIG") else None)
    if told is not None:
        path = (cwd / told).resolve()
        if not path.is_file():
            raise ConfigError(f"there is no configuration file {told}")
        return path
    here = cwd.resolve()
    return next((folder / FILE for folder in (here, *here.parents) if (folder / FILE).is_file()), None)


def _from_file(file: Path, environ: Mapping[str, str]) -> _Layer:
    try:
        document = read(file)
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror or error}") from None
    except CaseFormatError as error:
        raise ConfigError(str(error)) from None
    return _FileReader(document, file, environ).layer()


class _FileReader:
    """wiretape.yaml, with `${ENV}` expanded; the first thing wrong is raised with its place."""

    def __init__(self, document: Document, file: Path, environ: Mapping[str, str]) -> None:
        self._document = document
        self._file = file
        self._environ = environ

    def layer(self) -> _Layer:
        top = self._mapping((), self._document.value, _TOP)
        version = top.get("wiretape")
        if version != VERSION or isinstance(version, bool):
            said = "the version is missing; start the file with" if version is None else "this wiretape reads"
            raise self._error(("wiretape",), f"{said} `wiretape: {VERSION}`")
        targets = self._mapping(("targets",), top.get("targets"))
        return _Layer(
            top={"suite": self._given(("suite",), top["suite"])} if top.get("suite") is not None else {},
            service=self._options(("service",), top.get("service"), SERVICE_OPTIONS),
            targets={name: self._options(("targets", name), value, TARGET_OPTIONS) for name, value in targets.items()},
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

    def _options(self, path: tuple[str, ...], value: Tree, known: Mapping[str, Option]) -> _Options:
        given = self._mapping(path, value, tuple(known))
        return {name: self._given((*path, name), one) for name, one in given.items() if one is not None}

    def _given(self, path: tuple[str, ...], value: Tree) -> _Given:
        mark = self._document.mark(path)
        where = f"{self._file}:{mark.line}:{mark.column}"
        return _Given(value=self._expand(value, where), where=where, folder=self._file.parent)

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


def _from_environ(environ: Mapping[str, str], cwd: Path) -> _Layer:
    def options(prefix: str, known: Mapping[str, Option]) -> _Options:
        names = {name: f"{prefix}{name.upper()}" for name in known if known[name] is not SERVICE_OPTIONS["env"]}
        return {
            name: _Given(value=environ[variable], where=variable, folder=cwd)
            for name, variable in names.items()
            if environ.get(variable)
        }

    suite = environ.get("WIRETAPE_SUITE")
    service = _service_flag(environ.get("WIRETAPE_SERVICE") or None, "WIRETAPE_SERVICE", cwd)
    return _Layer(
        top={"suite": _Given(value=suite, where="WIRETAPE_SUITE", folder=cwd)} if suite else {},
        service=service | options("WIRETAPE_SERVICE_", SERVICE_OPTIONS),
        targets=dict(_dep_flags(environ.get("WIRETAPE_DEPS", "").split(), "WIRETAPE_DEPS", cwd)),
        record=options("WIRETAPE_RECORD_", RECORD_OPTIONS),
    )


def _from_flags(
    service: str | None, deps: Sequence[str], suite: Path | None, record: Mapping[str, object], cwd: Path
) -> _Layer:
    given = {name: value for name, value in record.items() if value is not None and value is not False and value != ()}
    return _Layer(
        top={"suite": _Given(value=str(suite), where="--suite", folder=cwd)} if suite is not None else {},
        service=_service_flag(service, "--service", cwd),
        targets=dict(_dep_flags(deps, "--dep", cwd)),
        record={name: _Given(value=value, where=f"--{name.replace('_', '-')}", folder=cwd) for name, value in given.items()},
    )


def _service_flag(given: str | None, where: str, cwd: Path) -> _Options:
    """`URL` or `URL@LISTEN`."""
    if given is None:
        return {}
    url, mark, listen = given.rpartition("@") if "@" in given else (given, "", "")
    told = {"url": url} | ({"listen": listen} if mark else {})
    return {name: _Given(value=value, where=where, folder=cwd) for name, value in told.items()}


def _dep_flags(deps: Sequence[str], where: str, cwd: Path) -> Iterator[tuple[str, _Options]]:
    """`NAME=PROTOCOL://[USER[:PASSWORD]@][UPSTREAM][@LISTEN]`."""
    for dep in deps:
        found = _DEP.fullmatch(dep)
        if not found:
            raise ConfigError(
                f"{where}: cannot read {dep!r}; write NAME=PROTOCOL://UPSTREAM@LISTEN, such as main=postgres://127.0.0.1:5432@15432"
            )
        told = {name: value for name, value in found.groupdict().items() if value and name != "name"}
        yield found["name"], {name: _Given(value=value, where=where, folder=cwd) for name, value in told.items()}


def _read(given: _Options, known: Mapping[str, Option]) -> dict[str, object]:
    return {name: one.read(name, known[name]) for name, one in given.items()}


def _path(name: str, given: _Given) -> Path:
    if not isinstance(given.value, str) or not given.value:
        raise ConfigError(f"{given.where}: {name}: must be a path")
    return (given.folder / Path(given.value).expanduser()).resolve()


def _service(given: _Options) -> Service:
    if "url" not in given:
        where = next(iter(given.values())).where
        raise ConfigError(f"{where}: the service needs a `url`, such as http://127.0.0.1:8000")
    return Service(**_read(given, SERVICE_OPTIONS))  # type: ignore[arg-type]  # as the readers return them


def _targets(given: Mapping[str, _Options]) -> Mapping[str, Target]:
    targets = {name: _target(name, options) for name, options in given.items()}
    taken: dict[str, str] = {}
    for name, target in targets.items():
        listen = str(target.listen)
        if target.listen.port and taken.setdefault(listen, name) != name:
            raise ConfigError(f"targets {taken[listen]} and {name} both listen on {listen}; give each an address of its own")
    return MappingProxyType(targets)


def _target(name: str, given: _Options) -> Target:
    where = next((one.where for one in given.values()), FILE)
    _Given(value=name, where=where, folder=Path()).read("targets", target_name)
    if "protocol" not in given:
        raise ConfigError(f"{where}: target {name} needs a `protocol`: {', '.join(CODECS)}")
    protocol = str(given["protocol"].value)
    if protocol not in CODECS:
        raise ConfigError(f"{given['protocol'].where}: target {name}: {unknown(protocol, CODECS, 'protocol')}")
    told = _read({key: one for key, one in given.items() if key != "certificate"}, TARGET_OPTIONS)
    target = Target(name=name, **({"listen": Address(host=LOOPBACK, port=0)} | told))  # type: ignore[arg-type]  # as read
    if "certificate" in given:
        target = replace(target, certificate=_path("certificate", given["certificate"]))
    if target.upstream and not target.upstream.port:
        target = replace(target, upstream=replace(target.upstream, port=codec(protocol).default_port))
    if target.upstream and target.upstream == target.listen:
        raise ConfigError(f"{given['upstream'].where}: target {name} would listen where its upstream does, {target.listen}")
    return target
