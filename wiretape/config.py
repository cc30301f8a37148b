"""What a run is told to do: flags, environment and `wiretape.yaml`, in that order of precedence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from wiretape.casefile import CALL_WORDS, unknown
from wiretape.errors import ConfigError
from wiretape.options import (
    LOOPBACK,
    PROXY_OPTIONS,
    RECORD_OPTIONS,
    SERVICE_OPTIONS,
    TARGET_OPTIONS,
    Address,
    Option,
    address,
    target_name,
    words,
)
from wiretape.protocols import CODECS, codec
from wiretape.schemes import AUTO, Scheme, names, scheme
from wiretape.sources import Given, Layer, Options, from_environ, from_file, from_flags
from wiretape.tree import Tree

__all__ = ["Address", "Config", "Proxy", "Recording", "Service", "Target", "TlsPolicy", "load_config", "spoken"]

type Via = Literal["", "proxy", "local"]
type TlsPolicy = Literal["auto", "refuse", "passthrough"]

HOME = ".wiretape"
FILE = "wiretape.yaml"
_FILES = ("certificate", "ca")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The service under test. `ready`: a path that must answer below 500, or empty for "port open". Times in seconds. `protos`:
    what declares the messages of its gRPC calls (`wiretape.protobuf.sources`)."""

    url: str
    listen: Address | None = None
    ready: str = ""
    ready_timeout: float = 30.0
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    protos: tuple[Path, ...] = ()
    freeze_time: bool = False
    faketime: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A named upstream.

    `protocol` `auto`: the first bytes tell, and the suite's facts from then on. `tls`: `auto` reads through TLS, `refuse` tells
    the client there is none, `passthrough` relays it unread and says so. `secure`: the upstream speaks TLS from the first byte
    on. `verify`: its certificate must be trusted by the system or by `ca`, a PEM file. `certificate` is a PEM file with the
    server's own key and chain, for clients that bind to it. `user`, `password` and `database` (by default the user's name)
    serve `--on-miss passthrough` only. `via`: how a target was found that is not configured.
    """

    name: str
    protocol: str
    listen: Address
    upstream: Address | None = None
    tls: TlsPolicy = "auto"
    secure: bool = False
    verify: bool = False
    ca: Path | None = None
    certificate: Path | None = None
    via: Via = ""
    user: str = ""
    password: str = ""
    database: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """The forward proxy for `HTTP_PROXY` and `HTTPS_PROXY`. `passthrough`: globs of hosts whose TLS is relayed unread.
    `verify`, `ca`: as of a Target, for every host."""

    listen: Address
    passthrough: tuple[str, ...] = ()
    verify: bool = True
    ca: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What is kept. `include`/`exclude` are filters such as `GET /api/*`, `/health`, `5xx`, `POST /orders 201`; `sample`
    is the share kept, 0 to 1; `max_body` is in bytes; `dedupe` keeps one case of each kind; `links`: what a request
    took from an earlier response is written as a link to it; `trace`: every request that has none
    is given ids to pass on, for its calls to be known by."""

    serialize: bool = False
    trace: bool = False
    sample: float = 1.0
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_body: int = 10 * 1024 * 1024
    dedupe: bool = False
    links: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything, resolved: paths absolute, `${ENV}` expanded. `home` is `.wiretape` beside the config file."""

    file: Path | None
    suite: Path
    home: Path
    service: Service | None
    targets: Mapping[str, Target]
    proxy: Proxy | None = None
    record: Recording = Recording()


def spoken(targets: Mapping[str, Target], facts: Mapping[str, Mapping[str, Tree]]) -> Mapping[str, Target]:
    """The targets with the protocols that were found while recording, and the targets that were found themselves.

    Raises ConfigError where a protocol is still not known, and for facts that cannot be read.
    """
    known = {name: _spoken(target, facts.get(name, {})) for name, target in targets.items()}
    found = {name: _found(name, told) for name, told in facts.items() if name not in targets and "via" in told}
    return MappingProxyType(known | found)


def _found(name: str, facts: Mapping[str, Tree]) -> Target:
    """A target that no configuration names. What was recorded by local capture is mocked where it was."""
    via: Via = "local" if facts["via"] == "local" else "proxy"
    try:
        at = address(str(facts.get("address")))
    except ValueError as error:
        raise ConfigError(f"suite.yaml: facts.{name}.address: {error}") from None
    listen = at if via == "local" else Address(host=LOOPBACK, port=0)
    return _spoken(Target(name=name, protocol=AUTO, listen=listen, upstream=at, via=via), facts)


def _spoken(target: Target, facts: Mapping[str, Tree]) -> Target:
    if target.protocol != AUTO:
        return target
    found = facts.get("protocol")
    if found not in CODECS:
        raise ConfigError(
            f"target {target.name} names no protocol, and no recording tells it; add `protocol` to targets.{target.name}: "
            f"{', '.join(names(CODECS))}"
        )
    return replace(target, protocol=str(found))


def load_config(
    *,
    file: Path | None,
    environ: Mapping[str, str],
    cwd: Path,
    service: str | None = None,
    deps: Sequence[str] = (),
    suite: Path | None = None,
    proxy: str | None = None,
    record: Mapping[str, object] = MappingProxyType({}),
) -> Config:
    """The configuration of this run.

    `file`: given with `-c`; else `WIRETAPE_CONFIG`, else the nearest `wiretape.yaml` from `cwd` upward, else none is needed.
    `service`, `deps`, `suite`, `proxy`, `record` are flags; of `record`, options that are None, False or empty were not given.
    Relative paths are meant from the file's folder where the file says them, else from `cwd`. Raises ConfigError.
    """
    found = _find(file, environ, cwd)
    layer = from_file(found, environ) if found else Layer()
    layer = from_environ(environ, cwd).over(layer)
    layer = from_flags(service, deps, suite, proxy, record, cwd).over(layer)
    folder = found.parent if found else cwd.resolve()
    wanted = _service(layer.service) if layer.service else None
    targets = _targets(layer.targets)
    proxied = _proxy(layer.proxy) if layer.proxy else None
    _check_listeners(wanted, targets, proxied)
    return Config(
        file=found,
        suite=_path("suite", layer.top.get("suite", Given(value="suite", where="", folder=folder))),
        home=folder / HOME,
        service=wanted,
        targets=targets,
        proxy=proxied,
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


def _read(given: Options, known: Mapping[str, Option]) -> dict[str, object]:
    return {name: one.read(name, known[name]) for name, one in given.items()}


def _path(name: str, given: Given) -> Path:
    if not isinstance(given.value, str) or not given.value:
        raise ConfigError(f"{given.where}: {name}: must be a path")
    return (given.folder / Path(given.value).expanduser()).resolve()


def _service(given: Options) -> Service:
    if "url" not in given:
        where = next(iter(given.values())).where
        raise ConfigError(f"{where}: the service needs a `url`, such as http://127.0.0.1:8000")
    told = _read(given, SERVICE_OPTIONS)
    if "protos" in told:
        folder = given["protos"].folder
        told["protos"] = tuple((folder / Path(name).expanduser()).resolve() for name in words(given["protos"].value))
    if "faketime" in told:
        told["faketime"] = _path("faketime", given["faketime"])
    return Service(**told)  # type: ignore[arg-type]  # as the readers return them


def _targets(given: Mapping[str, Options]) -> Mapping[str, Target]:
    return MappingProxyType({name: _target(name, options) for name, options in given.items()})


def _proxy(given: Options) -> Proxy:
    told = _read({key: one for key, one in given.items() if key not in _FILES}, PROXY_OPTIONS)
    told |= {key: _path(key, given[key]) for key in _FILES if key in given}
    return Proxy(**({"listen": Address(host=LOOPBACK, port=0)} | told))  # type: ignore[arg-type]  # as the readers return them


def _check_listeners(service: Service | None, targets: Mapping[str, Target], proxy: Proxy | None) -> None:
    listeners = [(f"target {name}", target.listen) for name, target in targets.items()]
    if service is not None and service.listen is not None:
        listeners.append(("the service", service.listen))
    if proxy is not None:
        listeners.append(("the forward proxy", proxy.listen))
    taken: dict[Address, str] = {}
    for who, listen in listeners:
        first = taken.setdefault(listen, who)
        if (listen.port or listen.path) and first != who:
            raise ConfigError(f"{first} and {who} both listen on {listen}; give each an address of its own")


def _target(name: str, given: Options) -> Target:
    where = next((one.where for one in given.values()), FILE)
    Given(value=name, where=where, folder=Path()).read("targets", target_name)
    spoken, called = _protocol(name, given["protocol"]) if "protocol" in given else (AUTO, Scheme(codec=AUTO))
    known = codec(spoken) if spoken != AUTO else None
    spoken_for = (*CALL_WORDS, *(known.schema if known else ()))
    if name in spoken_for:
        raise ConfigError(f"{where}: {name!r} cannot name a target: it is a key of {spoken} calls; choose another name")
    told = _read({key: one for key, one in given.items() if key not in ("protocol", *_FILES)}, TARGET_OPTIONS)
    told |= {key: _path(key, given[key]) for key in _FILES if key in given}
    usual = {"listen": Address(host=LOOPBACK, port=0), "secure": called.tls, "verify": called.tls and spoken == "http"}
    target = Target(name=name, protocol=spoken, **(usual | told))  # type: ignore[arg-type]  # as read
    if target.upstream and not target.upstream.port and not target.upstream.path:
        port = called.port or (known.default_port if known else 0)
        if not port:
            raise ConfigError(f"{given['upstream'].where}: target {name}: {spoken} has no usual port; write HOST:PORT")
        target = replace(target, upstream=replace(target.upstream, port=port))
    if target.upstream and target.upstream == target.listen:
        raise ConfigError(f"{given['upstream'].where}: target {name} would listen where its upstream does, {target.listen}")
    return target


def _protocol(name: str, given: Given) -> tuple[str, Scheme]:
    """The codec of a target, and what its name for the protocol says besides."""
    told = str(given.value)
    called = scheme(told)
    if called.codec not in CODECS and told != AUTO:
        raise ConfigError(f"{given.where}: target {name}: {unknown(told, names(CODECS), 'protocol')}")
    return called.codec, called
