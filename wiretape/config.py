"""What a run is told to do: flags, environment and `wiretape.yaml`, in that order of precedence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

type TlsPolicy = Literal["auto", "refuse", "passthrough"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A TCP endpoint. `port` 0 in a `listen` means any free port, known once the listener is up."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


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
    client there is none,
    `passthrough` relays it unread and says so. `certificate` is a PEM file with the server's own key and chain, for
    clients that
    bind to it. `user`/`password` serve `--on-miss passthrough` only."""

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
    is the share
    kept, 0 to 1; `max_body` is in bytes."""

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
