"""The build under test: a command that we start and always stop, or a service that already runs."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, cast
from urllib.parse import urlsplit

from replayer.clock import Clock
from wiretape.config import Address, Service
from wiretape.errors import ConfigError, TargetError
from wiretape.secrets import ensure_home
from wiretape.service import LAST_LINES, ServiceProcess, expand_command, expand_env, parts_of, probe

LOG = "service.log"
_DYING = 0.5
_POLL = 0.05


def chosen(
    service: Service | None, url: str, command: tuple[str, ...], *, allow_remote: bool, freeze: bool | None = None
) -> Service:
    """The service to replay against: `url` (one that runs) or `command` over what is configured; `freeze` over its
    `freeze_time`. Raises ConfigError."""
    if url and command:
        raise ConfigError("--url is for a service that already runs, a command after -- starts one; give one of the two")
    if url:
        service = replace(service, url=url, command=()) if service else Service(url=url)
    if service is None:
        raise ConfigError("there is no service to replay against; give --service URL, or service: in wiretape.yaml")
    parts = urlsplit(service.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{service.url} is no URL of a service; write http://127.0.0.1:8000")
    if not allow_remote and not is_loopback(parts.hostname):
        raise ConfigError(f"{service.url} is not on this machine; add --allow-remote to send recorded requests there")
    service = replace(service, command=command) if command else service
    service = service if freeze is None else replace(service, freeze_time=freeze)
    if service.freeze_time and not service.command:
        raise ConfigError(
            f"the time of a service that already runs ({service.url}) cannot be frozen; give the command that starts it "
            "after --, or --no-freeze-time"
        )
    return service


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class App:
    """`start`, then `ended` says whether it still lives, then `stop`. Its output goes to `log`."""

    def __init__(self, service: Service, home: Path, clock: Clock) -> None:
        self._service, self._clock = service, clock
        self.log = home / LOG
        self._output: _Log | None = None
        self._process: ServiceProcess | None = None

    async def start(self, addresses: Mapping[str, Address], told: Mapping[str, str] = MappingProxyType({})) -> None:
        """Start it, if it is ours, with the variables `told` besides, and wait until it is ready. Raises TargetError."""
        service = self._service
        if not service.command:
            await self._wait_for_running()
            return
        if not await probe(service.url):
            raise TargetError(
                f"something already listens at {service.url}, so it would be tested instead of the command; stop it, "
                "or leave out the command to replay against it"
            )
        env = {**_told(addresses), **told, **expand_env(service.env, addresses)}
        ensure_home(self.log.parent)
        self._output = _Log(self.log)
        command = expand_command(service.command, addresses)
        env |= self._clock.surroundings({**os.environ, **env})
        without = self._clock.without(os.environ)
        self._process = await ServiceProcess.start(command, env, output=cast(BinaryIO, self._output), without=without)
        await self._process.wait_ready(service.url, service.ready, service.ready_timeout)
        self._clock.started(self._process.pid)

    async def _wait_for_running(self) -> None:
        service = self._service
        loop = asyncio.get_running_loop()
        deadline = loop.time() + service.ready_timeout
        while answer := await probe(service.url, service.ready):
            if loop.time() > deadline:
                raise TargetError(
                    f"the service at {service.url} is not ready: {answer}; start it, or give a command after -- that does"
                )
            await asyncio.sleep(_POLL)

    async def ended(self, *, dying: bool = False) -> str:
        """Why it ended, with its last lines; empty while it runs. `dying`: it just hung up, so give it a moment to go."""
        if self._process is None:
            return ""
        if dying:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), _DYING)
        code = self._process.returncode
        if code is None:
            return ""
        how = f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
        return f"the service {how} during the run{self._last_lines()}"

    def _last_lines(self) -> str:
        lines = list(self._output.lines) if self._output else []
        return "; its last lines:" + "".join(f"\n  | {line}" for line in lines) if lines else ", without a word"

    async def stop(self) -> None:
        """Stop the whole process group. Safe to call again, and for a service that is not ours."""
        if self._process is not None:
            await self._process.stop()
            self._clock.stopped(self._process.pid)
        if self._output is not None:
            self._output.close()


def _told(addresses: Mapping[str, Address]) -> dict[str, str]:
    """Where the mocks listen, for services that look it up: WIRETAPE_MAIN_ADDRESS, _HOST, _PORT (or _PATH)."""
    env: dict[str, str] = {}
    for name, address in addresses.items():
        prefix = f"WIRETAPE_{name.upper().replace('-', '_')}"
        env |= {f"{prefix}_{part.upper()}": value for part, value in parts_of(address).items()}
    return env


class _Log:
    """Takes the service's output to its file, and remembers the last lines."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._tail: deque[bytes] = deque(maxlen=LAST_LINES)
        self._unfinished = b""

    def write(self, data: bytes) -> int:
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        self._tail.extend(lines)
        self._unfinished = self._unfinished[-4096:]
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    @property
    def lines(self) -> list[str]:
        """The last lines, decoded."""
        last = [*self._tail, *([self._unfinished] if self._unfinished else [])]
        return [line.decode(errors="replace").rstrip() for line in last[-LAST_LINES:]]
