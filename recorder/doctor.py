"""What recording and replaying need of this machine and of each target, checked one by one. Reads and asks; changes nothing."""

from __future__ import annotations

import asyncio
import shutil
import socket
import stat
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recorder.examine import Examined, examine
from wiretape import ebpf, truststore
from wiretape.ca import CERTIFICATE, KEY_AND_CERTIFICATE
from wiretape.config import Address, Config
from wiretape.errors import TargetError, WiretapeError
from wiretape.faketime import find, ready
from wiretape.processes import listeners, named
from wiretape.schemes import AUTO
from wiretape.service import probe

type Status = Literal["ok", "warn", "fail"]

_ROOM_NEEDED, _ROOM_WANTED = 100_000_000, 1_000_000_000
_OLDEST_CLOCK = 1_735_689_600  # 2025-01-01: this program is younger
_SOON = 14 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check. `advice` is what to do, empty where nothing is."""

    check: str
    status: Status
    message: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.status:<4}  {self.check}: {self.message}{f'; {self.advice}' if self.advice else ''}"


async def diagnose(config: Config) -> AsyncIterator[Finding]:
    """Every finding, in the order in which they matter."""
    for finding in (
        *_machine(config.home),
        *_authority(config.home),
        *_listeners(config),
        *_local_capture(),
        _freezing(config),
    ):
        yield finding
    async for finding in _service(config):
        yield finding
    for name, target in config.targets.items():
        if target.upstream is None:
            yield Finding(check=f"target {name}", status="ok", message="has no upstream: it can be replayed, not recorded")
            continue
        found = await examine(target)
        for finding in _target(f"target {name}", target.protocol, found):
            yield finding


def _machine(home: Path) -> Iterator[Finding]:
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    status: Status = "fail" if free < _ROOM_NEEDED else "warn" if free < _ROOM_WANTED else "ok"
    advice = "" if status == "ok" else "captures are written there while recording; make room"
    yield Finding(check="disk", status=status, message=f"{free // 1_000_000:,} MB free at {there}", advice=advice)
    sane = time.time() > _OLDEST_CLOCK
    yield Finding(
        check="clock",
        status="ok" if sane else "fail",
        message=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        advice="" if sane else "set it: certificates and recorded times depend on it",
    )


def _authority(home: Path) -> Iterator[Finding]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    key, file = home / "ca" / KEY_AND_CERTIFICATE, home / "ca" / CERTIFICATE
    if not key.exists():
        yield Finding(check="authority", status="ok", message="there is none yet; the first recording makes one")
        return
    mode = stat.S_IMODE(key.stat().st_mode)
    if mode & 0o077:
        yield Finding(
            check="authority", status="fail", message=f"others can read its key (mode {mode:o})", advice=f"chmod 600 {key}"
        )
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        yield Finding(check="authority", status="fail", message=f"{file} is no certificate", advice=f"delete {key.parent}")
        return
    left = certificate.not_valid_after_utc.timestamp() - time.time()
    if left < _SOON:
        yield Finding(
            check="authority", status="fail", message="its certificate ends soon, or has", advice=f"delete {key.parent}"
        )
    found = truststore.store()
    trusted = found and truststore.placed(certificate.fingerprint(hashes.SHA256()).hex(), found).exists()
    how = "the system trusts it" if trusted else "the system does not trust it; a service that wiretape starts is told of it"
    advice = "" if trusted else "for others: wiretape ca install, or wiretape ca export"
    yield Finding(check="authority", status="ok", message=how, advice=advice)


def _listeners(config: Config) -> Iterator[Finding]:
    wanted = [(f"target {name}", target.listen) for name, target in config.targets.items()]
    if config.service is not None and config.service.listen is not None:
        wanted.insert(0, ("the service", config.service.listen))
    if config.proxy is not None:
        wanted.append(("the forward proxy", config.proxy.listen))
    for who, at in wanted:
        reason = cannot_listen(at)
        advice = f"stop it, or change where {who} listens" if reason else ""
        message = f"{at} for {who}" + (f" is taken {reason}" if reason else " is free")
        yield Finding(check="listen", status="fail" if reason else "ok", message=message, advice=advice)


def cannot_listen(at: Address) -> str:
    """By whom an address is taken, or why else one cannot listen there; empty if one can."""
    if at.path:
        with socket.socket(socket.AF_UNIX) as sock:
            return "by another program" if sock.connect_ex(at.path) == 0 else ""
    if at.port == 0:
        return ""
    try:
        found = socket.getaddrinfo(at.host, at.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(found[0]) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(found[4])
    except OSError as error:
        who = holder(at.port)
        return f"by {who}" if who else f"({(error.strerror or str(error)).lower()})"
    return ""


def holder(port: int) -> str:
    """The process that listens on a TCP port, as `name (pid N)`; empty where that cannot be told."""
    return next(map(named, listeners(port)), "")


def _local_capture() -> Iterator[Finding]:
    lacks = ebpf.missing()
    if not lacks:
        yield Finding(check="local capture", status="ok", message=f"can work, in the control groups at {ebpf.control_groups()}")
    for reason in lacks:
        message, _, advice = reason.partition("; ")
        yield Finding(check="local capture", status="warn", message=message, advice=advice)


def _freezing(config: Config) -> Finding:
    check = "freezing the time"
    try:
        with tempfile.TemporaryDirectory(prefix="wiretape-") as place:
            ready(config.service.faketime if config.service else None, Path(place))
    except WiretapeError as error:
        message, _, advice = str(error).partition("; ")
        wanted = config.service is not None and config.service.freeze_time
        return Finding(check=check, status="fail" if wanted else "warn", message=message, advice=advice)
    told = find(config.service.faketime if config.service else None)
    return Finding(check=check, status="ok", message=f"{told} works, for replay --freeze-time")


async def _service(config: Config) -> AsyncIterator[Finding]:
    service = config.service
    if service is None:
        yield Finding(
            check="service", status="warn", message="none is configured", advice="give service.url, or --service URL@PORT"
        )
        return
    answer = await probe(service.url, service.ready)
    if service.command:
        taken = not answer
        message = f"something listens at {service.url} already" if taken else f"{service.url} is free for it to be started"
        yield Finding(check="service", status="fail" if taken else "ok", message=message, advice="stop it" if taken else "")
    else:
        advice = f"start it; it gave {answer}" if answer else ""
        message = f"{service.url} {'is not ready' if answer else 'answers'}"
        yield Finding(check="service", status="warn" if answer else "ok", message=message, advice=advice)


def _target(check: str, protocol: str, found: Examined) -> Iterator[Finding]:
    if found.unreachable:
        yield Finding(
            check=check,
            status="fail",
            message=f"{found.at} cannot be reached: {found.unreachable}",
            advice="start it, or correct upstream",
        )
        return
    yield Finding(check=check, status="ok", message=f"{found.at} can be reached")
    if found.tls_failed:
        yield Finding(check=check, status="fail", message=f"no TLS with it: {found.tls_failed}", advice=found.tls_advice)
    if found.certificate:
        ends = found.certificate_ends - time.time()
        advice = "renew it" if ends < _SOON else ""
        yield Finding(
            check=check, status="warn" if advice else "ok", message=f"its certificate: {found.certificate}", advice=advice
        )
    if found.tls_failed:
        return
    if found.speaks in ("", protocol):
        said = f"it answers as {protocol}" if found.speaks else f"what it speaks cannot be told ({protocol} is configured)"
        yield Finding(
            check=check, status="ok" if found.speaks else "warn", message=said, advice="" if found.speaks else found.advice
        )
    elif protocol == AUTO:
        yield Finding(check=check, status="ok", message=f"it speaks {found.speaks}")
    else:
        yield Finding(
            check=check,
            status="fail",
            message=f"it speaks {found.speaks}, {protocol} is configured",
            advice=f"write {found.speaks}",
        )


async def all_findings(config: Config) -> list[Finding]:
    """`diagnose`, gathered."""
    return [finding async for finding in diagnose(config)]


def run(config: Config) -> list[Finding]:
    """`diagnose`, from outside of a loop. Raises TargetError where a check itself breaks."""
    try:
        return asyncio.run(all_findings(config))
    except OSError as error:
        raise TargetError(f"a check could not be made: {error}") from None
